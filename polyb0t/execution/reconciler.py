"""The shell around `reconciliation`: reads the exchange, writes the corrections, reports.

Runs before anything else at the start, then often while orders are open. The exchange is read
before our own rows are, so that an order sent meanwhile is never taken for somebody else's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import ConflictError, NotFoundError, PolybotError, VenueUnreachableError
from polyb0t.core.ids import AssetId, IntentId, OrderId
from polyb0t.core.units import Shares
from polyb0t.data.account_state import AccountOrder
from polyb0t.data.fills import Fill, FillStatus
from polyb0t.execution.gateway import Found, Lookup, OrderGateway
from polyb0t.execution.in_flight import InFlight
from polyb0t.execution.intents import IntentType
from polyb0t.execution.orders import TERMINAL_ORDER, OrderRecord, OrderStatus
from polyb0t.execution.reconciliation import Correction, Problem, correct, lots, moves, overspent
from polyb0t.execution.store import Lease, Stores
from polyb0t.models.kill_switches import KillSwitchType

log = structlog.get_logger(__name__)

SHARES_APART: Final = Decimal("0.5")  # fewer held than our fills say, by more than this
READS_APART: Final = 3
SECONDS_APART: Final = 300.0
_UNPROVEN: Final = frozenset({OrderStatus.SIGNED, OrderStatus.UNKNOWN, OrderStatus.VANISHED})


@dataclass(frozen=True, slots=True)
class ReconcileReport:
    """What one pass found. With any of `problems` nothing new is to be traded."""

    problems: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()  # differences to show; they stop nothing by themselves
    foreign_orders: tuple[AccountOrder, ...] = ()  # open orders that are not ours: shown, never touched
    unresolved: tuple[OrderId, ...] = ()  # identities whose fate is not proven
    open_orders: int = 0  # ours that can still change
    interrupted: tuple[IntentId, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.problems


@dataclass(slots=True)
class _Notes:
    problems: list[str] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Shortfall:
    reads: int
    since: float  # boot seconds


class Reconciler:
    """Corrects our rows by what the exchange says. What is `in_flight` belongs to its thread."""

    def __init__(
        self,
        stores: Stores,
        lease: Lease,
        gateway: OrderGateway | None,
        *,
        held_shares: Callable[[AssetId], Shares | None],
        clock: Clock,
        in_flight: InFlight,
    ) -> None:
        self._stores = stores
        self._orders = stores.orders
        self._lease = lease
        self._gateway = gateway
        self._held_shares = held_shares
        self._clock = clock
        self._in_flight = in_flight
        self._shortfalls: dict[AssetId, _Shortfall] = {}
        self._noted: set[tuple[str, str]] = set()

    def run(self, *, compare_holdings: bool = True) -> ReconcileReport:
        """One pass over everything that is not proven to be over.

        Without a gateway (paper, dry run) only interrupted intents are ended.

        Raises:
            DatabaseError, LeaseLostError: our own rows could not be read or written.
        """
        interrupted = self._end_interrupted()
        if self._gateway is None:
            return ReconcileReport(interrupted=interrupted)
        notes = _Notes()
        foreign = self._foreign(self._gateway, notes)
        for order in self._orders.watched():
            self._look_up(self._gateway, order, notes)
        if compare_holdings:
            self._compare_holdings(notes)
        left = self._orders.watched()
        return ReconcileReport(
            problems=tuple(notes.problems),
            alerts=tuple(notes.alerts),
            foreign_orders=foreign,
            unresolved=tuple(order.id for order in left if order.status in _UNPROVEN),
            open_orders=len(left),
            interrupted=interrupted,
        )

    def follow(self, order_id: OrderId) -> None:
        """Ask about one order now; what cannot be read or written is left to the next pass."""
        if self._gateway is None:
            return
        notes = _Notes()
        try:
            order = self._orders.order(order_id)
            if order.status not in TERMINAL_ORDER or order.provisional_shares:
                self._look_up(self._gateway, order, notes)
        except PolybotError as error:
            notes.problems.append(str(error))
        for problem in (*notes.problems, *notes.alerts):
            log.warning("order.followed", order_id=order_id, problem=problem)

    def _end_interrupted(self) -> tuple[IntentId, ...]:
        """EXECUTING without an order proves that nothing was sent; cancels are sent again instead."""
        ended = []
        for record in self._stores.intents.executing_without_order():
            if record.intent.intent_type is IntentType.CANCEL_ORDER or record.id in self._in_flight:
                continue
            detail = "The engine ended before the order was permitted. Nothing was sent."
            try:
                self._stores.intents.fail(record.id, self._lease, code="interrupted", detail=detail)
            except ConflictError:
                continue  # a thread brought it to its end meanwhile
            ended.append(record.id)
        return tuple(ended)

    def _foreign(self, gateway: OrderGateway, notes: _Notes) -> tuple[AccountOrder, ...]:
        try:
            open_orders = gateway.open_orders()
        except VenueUnreachableError as error:
            notes.problems.append(f"The open orders could not be read. {error}")
            return ()
        return tuple(order for order in open_orders if not self._is_ours(order.order_id))

    def _is_ours(self, order_id: OrderId) -> bool:
        try:
            self._orders.order(order_id)
        except NotFoundError:
            return False
        return True

    # -- orders --------------------------------------------------------------------------------

    def _look_up(self, gateway: OrderGateway, order: OrderRecord, notes: _Notes) -> None:
        if order.intent_id in self._in_flight:
            return  # SIGNED belongs to the thread that is sending it
        lookup = gateway.lookup(order.id)
        try:
            seen = self._read_fills(gateway, order, lookup)
        except VenueUnreachableError as error:
            notes.problems.append(f"The trades of order {order.id} could not be read. {error}")
            return
        if self._orders.order(order.id).updated_at != order.updated_at:
            return  # it moved while we asked; the next pass sees both sides anew
        try:
            current = self._orders.record_fills(order.id, seen, self._lease) if seen else order
        except ConflictError as error:
            self._contradict(order, str(error), notes)
            return
        stored = self._orders.fills(order_id=order.id)
        self._apply(current, correct(current, lookup, stored, self._stores.intents.now()), notes)
        beyond = overspent(current)
        if beyond is not None:
            self._contradict(current, beyond, notes)

    def _read_fills(self, gateway: OrderGateway, order: OrderRecord, lookup: Lookup) -> tuple[Fill, ...]:
        """Fills of the trades that the lookup names and of ours that are not final, read by id; those
        that say nothing new are left out."""
        stored = {(fill.trade_id, fill.bucket_index): fill for fill in self._orders.fills(order_id=order.id)}
        named = set(lookup.order.trade_ids) if isinstance(lookup, Found) else set()
        sure = {fill.trade_id for fill in stored.values() if fill.status is FillStatus.CONFIRMED}
        wanted = sorted((named | {fill.trade_id for fill in stored.values()}) - sure)
        if not wanted:
            return ()
        read = gateway.fills(order.id, wanted)
        return tuple(fill for fill in read if _is_news(fill, stored.get((fill.trade_id, fill.bucket_index))))

    def _apply(self, order: OrderRecord, correction: Correction, notes: _Notes) -> None:
        about = f"Order {order.id}: {correction.detail}"
        match correction.problem:
            case Problem.UNREADABLE:
                notes.problems.append(about)
            case Problem.CONTRADICTION:
                self._contradict(order, correction.detail, notes)
            case Problem.DIFFERENCE:
                notes.alerts.append(about)
                self._note_once(order, correction.detail)
            case None:
                pass
        if correction.problem in (Problem.UNREADABLE, Problem.CONTRADICTION):
            return
        if correction.status is None:
            self._orders.record_lookup(order.id, self._lease, detail=correction.detail)
        elif moves(order, correction):
            self._settle(order, correction)

    def _settle(self, order: OrderRecord, correction: Correction) -> None:
        assert correction.status is not None
        try:
            self._orders.settle(
                order.id,
                self._lease,
                status=correction.status,
                code=correction.code,
                detail=correction.detail,
                venue_status=correction.venue_status,
            )
        except ConflictError as error:  # it moved in the last moment; the next pass sees it anew
            log.warning("order.not_corrected", order_id=order.id, why=str(error))

    def _contradict(self, order: OrderRecord, detail: str, notes: _Notes) -> None:
        """Something that cannot be: stop everything until a person has looked."""
        reason = f"Order {order.id}: {detail}"
        notes.problems.append(reason)
        self._stores.switches.trip(
            KillSwitchType.RECONCILIATION, actor="engine:reconciliation", reason=reason
        )

    def _note_once(self, order: OrderRecord, detail: str) -> None:
        if (order.id, detail) in self._noted:
            return
        self._noted.add((order.id, detail))
        log.warning("order.differs", order_id=order.id, detail=detail)
        self._stores.engine.note(
            self._lease,
            kind="order.differed",
            subject=order.id,
            payload={"detail": detail},
            actor="engine:reconciliation",
        )

    # -- holdings ------------------------------------------------------------------------------

    def _compare_holdings(self, notes: _Notes) -> None:
        """Fewer shares held than our confirmed fills say, again and again, trips RECONCILIATION.

        More are somebody's own trades on the same wallet: counted elsewhere, never touched.
        """
        by_asset: dict[AssetId, list[Fill]] = {}
        for fill in self._orders.fills():
            by_asset.setdefault(fill.asset_id, []).append(fill)
        in_flight = {order.asset_id for order in self._orders.watched()}
        for asset_id, fills in by_asset.items():
            ours = lots(fills)
            if ours <= 0 or asset_id in in_flight:
                self._shortfalls.pop(asset_id, None)
                continue
            held = self._held_shares(asset_id)
            if held is None:
                notes.problems.append(f"The shares held of asset {asset_id} could not be read.")
            elif ours - held > SHARES_APART:
                self._short(asset_id, ours, held, notes)
            else:
                self._shortfalls.pop(asset_id, None)

    def _short(self, asset_id: AssetId, ours: Shares, held: Shares, notes: _Notes) -> None:
        detail = f"Of asset {asset_id} {held} shares are held; our fills say {ours}."
        now = self._clock.boot_seconds()
        seen = self._shortfalls.setdefault(asset_id, _Shortfall(0, now))
        seen.reads += 1
        if seen.reads < READS_APART or now - seen.since < SECONDS_APART:
            notes.alerts.append(detail)
            return
        notes.problems.append(detail)
        self._stores.switches.trip(
            KillSwitchType.RECONCILIATION,
            actor="engine:reconciliation",
            reason=detail,
            value=str(held),
            limit=str(ours),
        )


def _is_news(fill: Fill, stored: Fill | None) -> bool:
    return stored is None or (stored.status, stored.transaction_hash) != (fill.status, fill.transaction_hash)
