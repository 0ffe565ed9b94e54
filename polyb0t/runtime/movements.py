"""Reads what moved the wallet besides our orders and takes it into the books, once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import Shares
from polyb0t.data.cash_flows import Booked, Movement, MovementKind, MovementSource
from polyb0t.data.fills import FINAL_FILL, Fill
from polyb0t.execution.books import Opening
from polyb0t.execution.orders import UNRESOLVED_ORDER
from polyb0t.execution.scope import Lease
from polyb0t.execution.store import Stores
from polyb0t.models.cash_flows import foreign_part, may_take, nature_of, shares_taken
from polyb0t.models.kill_switches import KillSwitchType
from polyb0t.models.portfolio import NO_MONEY, Position, portfolio_of

log = structlog.get_logger(__name__)

READ_SECONDS: Final = 60.0
WONDERING_SECONDS: Final = 10.0  # between reads while cash is unexplained
OVERLAP: Final = timedelta(hours=1)  # the index is minutes late; what it tells again is counted once
AT_START: Final = timedelta(days=1)
BOOKKEEPER: Final = "engine:books"


@dataclass(frozen=True, slots=True)
class WalletSources:
    """What can be asked about the wallet."""

    movements: MovementSource
    held_shares: Callable[[AssetId], Shares | None]  # by the exchange's ledger; None: not readable
    event_of: Callable[[ConditionId], str | None]  # of a market that is known


class MovementReader:
    """One thread calls it. What cannot be booked yet is read again with the next listing."""

    def __init__(self, stores: Stores, lease: Lease, clock: Clock, sources: WalletSources) -> None:
        self._stores, self._lease, self._clock = stores, lease, clock
        self._sources = sources
        self._read_at: float | None = None
        self._since: datetime | None = None
        self.problem = ""  # why the last listing could not be read, in one sentence

    def read_when_due(self, opening: Opening, fills: Sequence[Fill], *, wondering: bool) -> None:
        """Read and book; a listing that cannot be read leaves cash unexplained and stops nothing.

        Raises:
            DatabaseError, LeaseLostError: our own rows could not be read or written.
        """
        boot = self._clock.boot_seconds()
        wait = WONDERING_SECONDS if wondering else READ_SECONDS
        if self._read_at is not None and boot - self._read_at < wait:
            return
        self._read_at = boot
        started = self._stores.intents.now()
        try:
            rows = self._sources.movements.movements(self._from(opening))
        except VenueUnreachableError as error:
            self.problem = str(error)
            log.warning("movements.not_read", reason=str(error))
            return
        self.problem = ""
        waiting = self._book([row for row in rows if row.at > opening.at], fills)
        self._since = min([started, *(row.at for row in waiting)]) - OVERLAP

    def _from(self, opening: Opening) -> datetime:
        if self._since is not None:
            return max(opening.at, self._since)
        state = self._stores.engine.latest_account_state()  # written every few minutes while one runs
        return opening.at if state is None else max(opening.at, state.observed_at - AT_START)

    def _book(self, rows: Sequence[Movement], fills: Sequence[Fill]) -> list[Movement]:
        """Take the new ones into the books, oldest first; those that have to wait."""
        known = {entry.movement.key for entry in self._stores.books.movements()}
        waiting: list[Movement] = []
        busy = self._busy(fills)
        for row in rows:
            if row.key in known or foreign_part(row, fills) is None:
                continue
            entry = None if self._touches(row, busy) else self._entry(row, fills)
            if entry is None:
                waiting.append(row)
                continue
            if nature_of(row) is None:
                self._alarm(row)
            self._stores.books.record_movements((entry,), self._lease)
            log.info("movement.booked", kind=row.kind, pusd=str(row.pusd), taken=len(entry.taken))
        return waiting

    def _entry(self, row: Movement, fills: Sequence[Fill]) -> Booked | None:
        """With the shares of ours that it took; None while the exchange does not say what is left."""
        if not may_take(row):
            return Booked(row)
        booked = self._stores.books.movements()
        portfolio = portfolio_of(fills, starting_cash=NO_MONEY, booked=booked)
        own = {
            position.asset_id: position.confirmed
            for position in portfolio.held()
            if self._concerns(row, position)
        }
        held: dict[AssetId, Shares] = {}
        for asset in own:
            left = self._sources.held_shares(asset)
            if left is None:
                return None
            held[asset] = left
        return Booked(row, shares_taken(row, own, held))

    def _concerns(self, row: Movement, position: Position) -> bool:
        """Whether shares of this position can be among those that the row is about."""
        if row.kind == MovementKind.CONVERSION and row.condition_id is not None:
            event = self._sources.event_of(row.condition_id)
            same = event is not None and event == self._sources.event_of(position.condition_id)
            return same or row.condition_id == position.condition_id
        if row.condition_id != position.condition_id:
            return False
        if row.asset_id is not None:
            return row.asset_id == position.asset_id
        return not row.outcome_label or row.outcome_label == self._label(position)

    def _label(self, position: Position) -> str:
        """The outcome's name, as the intent had it with which it was bought."""
        for order in self._stores.orders.orders(limit=None):
            if order.asset_id == position.asset_id:
                return self._stores.intents.get(order.intent_id).intent.outcome_label
        return ""

    def _touches(self, row: Movement, busy: frozenset[AssetId | ConditionId]) -> bool:
        """Nothing on an asset is somebody else's while an order of ours there is not resolved."""
        return row.asset_id in busy or (may_take(row) and row.condition_id in busy)

    def _busy(self, fills: Sequence[Fill]) -> frozenset[AssetId | ConditionId]:
        orders = self._stores.orders.orders(statuses=tuple(UNRESOLVED_ORDER), limit=None)
        found: set[AssetId | ConditionId] = set()
        for order in orders:
            found |= {order.asset_id, order.condition_id}
        for fill in fills:
            if fill.status not in FINAL_FILL:
                found |= {fill.asset_id, fill.condition_id}
        return frozenset(found)

    def _alarm(self, row: Movement) -> None:
        """Before it is booked, so that a crash in between raises it again and not never."""
        self._stores.switches.trip(
            KillSwitchType.RECONCILIATION,
            actor=BOOKKEEPER,
            reason=f"The wallet's activity has {row.kind!r:.60}, which this version does not know: "
            f"{row.pusd} pUSD may have moved by it.",
            value=row.kind[:60],
            limit="a known kind",
        )
