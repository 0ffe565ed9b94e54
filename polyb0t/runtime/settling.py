"""What has become of held markets that ended: lost lots are closed, won ones are put before a person.

The engine only proposes. What is carried out, and with which key, is the claims process' business.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple, Protocol

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import ConfigurationError, ConflictError
from polyb0t.core.ids import AssetId, ConditionId, EventId, Wallet
from polyb0t.core.units import ZERO, Pusd, Shares
from polyb0t.data.cash_flows import Booked, Movement, MovementKind, Taken
from polyb0t.data.fills import FINAL_FILL, Fill
from polyb0t.data.markets import Market, ProtocolVersion
from polyb0t.data.resolution import Resolution, ResolutionReader, ResolutionState
from polyb0t.execution.intents import LIVE_STATUSES, IntentRecord, IntentStatus, IntentType
from polyb0t.execution.orders import UNRESOLVED_ORDER
from polyb0t.execution.proposing import Frame
from polyb0t.execution.scope import Lease
from polyb0t.execution.settlement.ports import ClaimChain, ClaimRoute
from polyb0t.execution.settlement.proposing import REFUSED_DO, Tried, claiming_intent, try_out
from polyb0t.execution.store import Denied, Stores
from polyb0t.models.portfolio import NO_MONEY, Position, portfolio_of
from polyb0t.models.settling import Won, frozen_events, lost, won
from polyb0t.runtime.claim_routes import Way
from polyb0t.runtime.hints import Hints
from polyb0t.runtime.instructing import Instructions
from polyb0t.runtime.position_views import MarketLookup
from polyb0t.runtime.resolution_notes import note_changes
from polyb0t.runtime.watching import MarketWatch

log = structlog.get_logger(__name__)

LEARN_SECONDS: Final = 300.0


class _Claimed(NamedTuple):
    """One call of the first protocol takes both outcomes, one of the second names its own."""

    condition_id: ConditionId
    asset_id: AssetId | None


class Doors(Protocol):
    """Where results are read, and the chain if a node is set. `open` makes calls."""

    def open(self, stack: ExitStack) -> "tuple[ResolutionReader, ClaimChain | None]": ...


class Ends(Protocol):
    """Where one hears that a market of these has ended."""

    def watch(self, asset_ids: Iterable[AssetId], /) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class SettlingParts:
    """What settling works with. `way` says how a claim of this wallet can be carried out now."""

    stores: Stores
    lease: Lease
    wallet: Wallet
    watch: MarketWatch
    lookup: MarketLookup
    doors: Doors
    way: Callable[[bool], Way]
    frame: Callable[[], Frame]
    clock: Clock
    least_pusd: Pusd
    read_seconds: float
    hints: Hints
    ends: Ends | None = None  # None: nobody tells of them
    pol_price_pusd: Decimal | None = None


@dataclass
class Settling:
    """`propose` is called once a cycle, by the cycle's thread."""

    parts: SettlingParts
    resolutions: Mapping[ConditionId, Resolution] = field(default_factory=dict)
    frozen: frozenset[EventId] = frozenset()
    _stack: ExitStack = field(default_factory=ExitStack)
    _opened: tuple[ResolutionReader, ClaimChain | None] | None = None
    _read_at: float = float("-inf")
    _learnt_at: dict[ConditionId, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._instructions = Instructions(self.parts.stores.engine, self.parts.lease)

    def close(self) -> None:
        if self.parts.ends is not None:
            self.parts.ends.close()
        self._stack.close()

    def propose(self) -> int:
        """Read, close what is lost, propose what is won; how many were proposed.

        Raises:
            VenueUnreachableError: results or chain were not read; the next look goes on.
            DatabaseError, LeaseLostError: our own rows could not be read or written.
        """
        now = self.parts.clock.boot_seconds()
        if now - self._read_at < self.parts.read_seconds and not self.parts.hints.open():
            return 0
        self._read_at = now
        fills = self.parts.stores.orders.fills()
        held = self._held(fills)
        if self.parts.ends is not None:
            self.parts.ends.watch([position.asset_id for position in held])
        self._end_paid(held)
        self.parts.hints.hold(position.condition_id for position in held)
        if not held:
            self.resolutions, self.frozen = {}, frozenset()
            return 0
        reader, chain = self._doors()
        markets = self._markets(held)
        self.resolutions = reader.read(list(dict.fromkeys(each.condition_id for each in held)))
        note_changes(self.parts.stores.engine, self.parts.lease, self.resolutions)
        self.frozen = frozenset(EventId(each) for each in frozen_events(self.resolutions, markets))
        busy, claimed = self._busy(fills), self._claimed()
        return sum(self._settle(position, markets, chain, busy, claimed) for position in held)

    def _settle(
        self,
        position: Position,
        markets: Mapping[ConditionId, Market],
        chain: ClaimChain | None,
        busy: Collection[ConditionId],
        claimed: set[_Claimed],
    ) -> int:
        """One holding is closed, proposed, or left for the next look; how many claims were proposed."""
        name = position.condition_id
        market, resolution = markets.get(name), self.resolutions.get(name)
        if market is None or resolution is None or resolution.state is not ResolutionState.RESOLVED:
            return 0
        self.parts.hints.settled(name)
        if name in busy:
            return 0
        if lost(position, market, resolution):
            self._close_lost(position, market, resolution)
            return 0
        key = _Claimed(name, position.asset_id if market.version is ProtocolVersion.V2 else None)
        if key in claimed:
            return 0
        proposed = self._propose(position, market, resolution, chain)
        claimed.update([key] if proposed else ())
        return proposed

    def _claimed(self) -> set[_Claimed]:
        """What a claim is under way for: it is not tried out again at every look."""
        live = self.parts.stores.intents.list(
            statuses=tuple(LIVE_STATUSES), types=(IntentType.CLAIM_SETTLEMENT,), limit=None
        )
        second = ProtocolVersion.V2.value
        return {
            _Claimed(each.condition_id, each.asset_id if each.protocol_version == second else None)
            for each in (record.intent for record in live)
        }

    # -- what is held ----------------------------------------------------------------------------

    def _held(self, fills: Sequence[Fill]) -> tuple[Position, ...]:
        booked = self.parts.stores.books.movements()
        return portfolio_of(fills, starting_cash=NO_MONEY, booked=booked).held()

    def _doors(self) -> tuple[ResolutionReader, ClaimChain | None]:
        """Opened when something is held. A node that was not there is looked for again."""
        if self._opened is None or (self._opened[1] is None and self.parts.way(False).wants_chain):
            self._stack.close()
            self._opened = self.parts.doors.open(self._stack)
        return self._opened

    def _markets(self, held: Sequence[Position]) -> dict[ConditionId, Market]:
        watch, now = self.parts.watch, self.parts.clock.boot_seconds()
        names = list(dict.fromkeys(each.condition_id for each in held))
        missing = [
            name
            for name in names
            if watch.market(name) is None and now - self._learnt_at.get(name, float("-inf")) > LEARN_SECONDS
        ]
        if missing:
            self._learnt_at.update(dict.fromkeys(missing, now))
            watch.learn(self.parts.lookup.markets_of(missing), {})
        known = {name: watch.market(name) for name in names}
        return {name: market for name, market in known.items() if market is not None}

    def _busy(self, fills: Sequence[Fill]) -> frozenset[ConditionId]:
        """Markets in which something of ours is not settled yet."""
        orders = self.parts.stores.orders.orders(statuses=tuple(UNRESOLVED_ORDER), limit=None)
        open_fills = {fill.condition_id for fill in fills if fill.status not in FINAL_FILL}
        return frozenset({order.condition_id for order in orders} | open_fills)

    # -- lost ------------------------------------------------------------------------------------

    def _close_lost(self, position: Position, market: Market, resolution: Resolution) -> None:
        """In the books, without a transaction: the shares are worth nothing for ever."""
        movement = Movement(
            kind=MovementKind.REDEEM,
            at=resolution.resolved_at or resolution.observed_at,
            transaction_hash="",
            pusd=NO_MONEY,
            shares=position.confirmed,
            condition_id=position.condition_id,
            asset_id=position.asset_id,
            outcome_label=market.outcome(position.asset_id).label,
        )
        taken = (Taken(position.asset_id, position.confirmed, NO_MONEY),)
        self.parts.stores.books.record_movements((Booked(movement, taken),), self.parts.lease)
        log.info("position.lost", condition_id=position.condition_id, cost=str(position.cost))

    # -- won -------------------------------------------------------------------------------------

    def _propose(
        self, position: Position, market: Market, resolution: Resolution, chain: ClaimChain | None
    ) -> int:
        way = self.parts.way(chain is not None)
        if chain is None or way.route is ClaimRoute.WEBSITE:
            self._instructions.tell(market, way)
            return 0
        claimed = won(position, market, resolution, self._shares(market, chain))
        if claimed is None or claimed.expected < self.parts.least_pusd:
            return 0
        tried = self._tried(claimed, way.route, chain)
        return 0 if tried is None else self._store(claimed, way.route, tried)

    def _tried(self, claimed: Won, route: ClaimRoute, chain: ClaimChain) -> Tried | None:
        """The call as the chain would carry it out now; None: it would not, or costs more than it brings."""
        try:
            tried = try_out(claimed, route, chain, self.parts.wallet, self.parts.pol_price_pusd)
        except ConfigurationError as error:
            log.warning("claim.not_proposed", code=error.code, reason=error.why)
            return None
        if tried.tell:
            self._instructions.tell(claimed.market, Way(ClaimRoute.WEBSITE, tried.why, REFUSED_DO))
        elif tried.why:
            log.info("claim.not_proposed", code="payout_differs", reason=tried.why)
        return None if tried.why else tried

    def _shares(self, market: Market, chain: ClaimChain) -> dict[AssetId, Shares]:
        version = market.version.value
        return {
            outcome.asset_id: chain.shares(
                self.parts.wallet, outcome.asset_id, version=version, neg_risk=market.neg_risk
            )
            for outcome in market.outcomes
        }

    def _store(self, claimed: Won, route: ClaimRoute, tried: Tried) -> int:
        stores = self.parts.stores
        opened_by = self._opening(claimed.position.asset_id)
        if opened_by is None:
            return 0
        intent = claiming_intent(
            claimed, tried.call, route, opened_by.intent, self.parts.frame(), gas=tried.gas
        )
        answer = stores.intents.propose(intent, self.parts.lease)
        if isinstance(answer, Denied):
            log.info("claim.not_proposed", code=answer.code, reason=answer.detail)
            return 0
        log.info("claim.proposed", intent_id=answer.id, pusd=str(claimed.expected))
        return 1

    def _opening(self, asset: AssetId) -> IntentRecord | None:
        orders = self.parts.stores.orders.orders(limit=None)
        own = next((order for order in orders if order.asset_id == asset), None)
        return None if own is None else self.parts.stores.intents.get(own.intent_id)

    def _end_paid(self, held: Sequence[Position]) -> None:
        """Proposals whose shares are gone: the venue, or a person on the website, was first."""
        stores = self.parts.stores
        ours = {each.condition_id for each in held if each.shares > ZERO}
        waiting = stores.intents.list(
            statuses=(IntentStatus.PENDING, IntentStatus.APPROVED),
            types=(IntentType.CLAIM_SETTLEMENT,),
            limit=None,
        )
        for record in waiting:
            if record.intent.condition_id not in ours:
                try:
                    stores.intents.expire(record.id, actor="engine", code="already_paid")
                except ConflictError:
                    continue  # the claims process took it at this very moment, and finds the same
                log.info("claim.already_paid", intent_id=record.id)
