"""The shell around `reconciliation`: reads the exchange, writes the corrections, reports.

Runs before anything else at the start, then often while orders are open. The exchange is read
before our own rows are, so that an order sent meanwhile is never taken for somebody else's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import ConflictError, NotFoundError, PolybotError, VenueUnreachableError
from polyb0t.core.ids import AssetId, IntentId, OrderId
from polyb0t.core.units import Pusd, Shares
from polyb0t.data.account_state import AccountOrder
from polyb0t.data.fills import Fill, FillStatus
from polyb0t.execution.absence import IN_DOUBT, AbsenceProof, Glance, ProofTimes
from polyb0t.execution.cancelling import MAY_BE_ALIVE, cancel_orders
from polyb0t.execution.gateway import Found, Lookup, NotFound, OrderGateway
from polyb0t.execution.holdings import HoldingsWatch
from polyb0t.execution.in_flight import InFlight
from polyb0t.execution.intents import IntentType
from polyb0t.execution.orders import TERMINAL_ORDER, OrderRecord, OrderStatus
from polyb0t.execution.reconciliation import (
    Correction,
    Problem,
    absurd_fill,
    correct,
    moves,
    overspent,
)
from polyb0t.execution.spool import AnswerSpool
from polyb0t.execution.store import Lease, Stores
from polyb0t.models.kill_switches import KillSwitchType, Stance, stance_of

log = structlog.get_logger(__name__)

_UNPROVEN: Final = frozenset({OrderStatus.SIGNED, OrderStatus.UNKNOWN, OrderStatus.VANISHED})
_SURE: Final = TERMINAL_ORDER - {OrderStatus.ABSENT}
_MANY: Final = 10_000


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
        cash: Callable[[], Pusd | None] | None = None,
        halt_file: Callable[[], bool] = lambda: False,
        spool: AnswerSpool | None = None,
        times: ProofTimes | None = None,
    ) -> None:
        self._stores = stores
        self._orders = stores.orders
        self._lease = lease
        self._gateway = gateway
        self._holdings = HoldingsWatch(held_shares, cash, clock)
        self._clock = clock
        self._in_flight = in_flight
        self._halt_file = halt_file
        self._spool = spool
        self._absence = AbsenceProof(gateway, times or ProofTimes()) if gateway is not None else None
        self._noted: set[tuple[str, str]] = set()

    def run(self, *, compare_holdings: bool = True) -> ReconcileReport:
        """One pass over everything that is not proven to be over.

        Without a gateway (paper, dry run) only interrupted intents are ended.

        Raises:
            DatabaseError, LeaseLostError: our own rows could not be read or written.
        """
        if self._spool is not None:  # what is known already comes before what has to be asked
            self._spool.import_into(self._stores, self._lease)
        interrupted = self._end_interrupted()
        if self._gateway is None:
            return ReconcileReport(interrupted=interrupted)
        notes = _Notes()
        self._take_back_if_halted(self._gateway, notes)
        glance = self._glance(self._gateway, notes)
        foreign = tuple(order for order in glance.open_orders or () if not self._is_ours(order.order_id))
        for order in (*self._orders.watched(), *self._orders.absent()):
            self._look_up(self._gateway, order, notes, glance)
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
            if order.status not in _SURE or order.provisional_shares:
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

    def _take_back_if_halted(self, gateway: OrderGateway, notes: _Notes) -> None:
        """Halted, every identity of ours that may be alive is cancelled by id, on every pass anew."""
        if not self._halt_file() and stance_of(self._stores.switches.list()) is not Stance.HALTED:
            return
        alive = [order.id for order in self._orders.orders(statuses=MAY_BE_ALIVE, limit=_MANY)]
        if not alive:
            return
        try:
            answer = cancel_orders(
                gateway, self._stores.engine, alive, actor="engine:reconciliation", noted=self._noted
            )
        except VenueUnreachableError as error:
            notes.alerts.append(f"Trading is halted, and {len(alive)} orders could not be cancelled. {error}")
            return
        log.warning("orders.taken_back", cancelled=list(answer.cancelled), refused=len(answer.not_cancelled))

    def _glance(self, gateway: OrderGateway, notes: _Notes) -> Glance:
        begun, now = self._clock.boot_seconds(), self._stores.intents.now()
        try:
            return Glance(begun, now, gateway.open_orders())
        except VenueUnreachableError as error:
            notes.problems.append(f"The open orders could not be read. {error}")
            return Glance(begun, now, None)

    def _is_ours(self, order_id: OrderId) -> bool:
        try:
            self._orders.order(order_id)
        except NotFoundError:
            return False
        return True

    # -- orders --------------------------------------------------------------------------------

    def _look_up(
        self, gateway: OrderGateway, order: OrderRecord, notes: _Notes, glance: Glance | None = None
    ) -> None:
        """Ask by id; with the rest of a pass (`glance`) a doubt may also come to its end."""
        if order.intent_id in self._in_flight:
            return  # SIGNED belongs to the thread that is sending it
        lookup = gateway.lookup(order.id)
        if isinstance(lookup, NotFound) and glance is not None and order.status in IN_DOUBT:
            about = self._round(order, glance, notes)
            if about is None:
                return
            lookup = about
        if isinstance(lookup, Found) and order.status is OrderStatus.ABSENT:
            self._reappeared(order, notes)
        self._believe(gateway, order, lookup, notes)

    def _round(self, order: OrderRecord, glance: Glance, notes: _Notes) -> Found | None:
        """A round about an order that is not found by id. What it found is to be believed; None: done."""
        assert self._absence is not None
        seen = self._absence.round(order, glance)
        if seen.found is not None:
            return seen.found
        if self._orders.order(order.id).updated_at != order.updated_at:
            return None  # it moved while we asked
        if seen.fills:
            self._record(order, seen.fills, notes)
        elif seen.proven:
            code = "vanished" if order.status is OrderStatus.VANISHED else "absent"
            self._absence.forget(order.id)
            self._settle(order, Correction(OrderStatus.ABSENT, code, seen.detail))
        else:
            self._orders.record_lookup(order.id, self._lease, detail=seen.detail)
        return None

    def _believe(self, gateway: OrderGateway, order: OrderRecord, lookup: Lookup, notes: _Notes) -> None:
        try:
            seen = self._read_fills(gateway, order, lookup)
        except VenueUnreachableError as error:
            notes.problems.append(f"The trades of order {order.id} could not be read. {error}")
            return
        if self._orders.order(order.id).updated_at != order.updated_at:
            return  # it moved while we asked; the next pass sees both sides anew
        current = self._record(order, seen, notes) if seen else order
        if current is None:
            return
        stored = self._orders.fills(order_id=order.id)
        self._apply(current, correct(current, lookup, stored, self._stores.intents.now()), notes)
        beyond = overspent(current)
        if beyond is not None:
            self._contradict(current, beyond, notes)

    def _record(self, order: OrderRecord, fills: tuple[Fill, ...], notes: _Notes) -> OrderRecord | None:
        """Store fills; None when they cannot be ours, which stops trading and stores nothing."""
        nonsense = next(filter(None, (absurd_fill(order, fill) for fill in fills)), None)
        if nonsense is not None:
            self._contradict(order, nonsense, notes)
            return None
        if order.status is OrderStatus.ABSENT:
            self._reappeared(order, notes)
        try:
            current = self._orders.record_fills(order.id, fills, self._lease)
        except ConflictError as error:
            self._contradict(order, str(error), notes)
            return None
        for fill in fills:
            if fill.status is FillStatus.FAILED:
                detail = f"Trade {fill.trade_id} failed on chain: {fill.shares} shares are taken back."
                notes.alerts.append(f"Order {order.id}: {detail}")
                self._note_once(order, detail)
        return current

    def _reappeared(self, order: OrderRecord, notes: _Notes) -> None:
        """The inference of its absence was wrong. What is seen counts, and everybody is to hear of it."""
        detail = "It was taken for never accepted, and the exchange shows it."
        log.critical("order.reappeared", order_id=order.id)
        notes.alerts.append(f"Order {order.id}: {detail}")
        self._note_once(order, detail, kind="order.reappeared")

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
        self._note_once(order, detail, kind="order.contradicted")
        self._trip(reason)

    def _trip(self, reason: str, value: str | None = None, limit: str | None = None) -> None:
        self._stores.switches.trip(
            KillSwitchType.RECONCILIATION,
            actor="engine:reconciliation",
            reason=reason,
            value=value,
            limit=limit,
        )

    def _note_once(self, order: OrderRecord, detail: str, *, kind: str = "order.differed") -> None:
        if (order.id, detail) in self._noted:
            return
        self._noted.add((order.id, detail))
        log.warning("order.differs", order_id=order.id, detail=detail)
        self._stores.engine.note(
            self._lease,
            kind=kind,
            subject=order.id,
            payload={"detail": detail},
            actor="engine:reconciliation",
        )

    # -- holdings ------------------------------------------------------------------------------

    def _compare_holdings(self, notes: _Notes) -> None:
        """What is missing again and again trips RECONCILIATION; what is more is shown."""
        in_flight = frozenset(order.asset_id for order in self._orders.watched())
        found = self._holdings.compare(self._orders.fills(), in_flight)
        notes.problems.extend(found.unreadable)
        for difference in found.differences:
            if difference.lasting and difference.missing:
                notes.problems.append(difference.detail)
                self._trip(difference.detail, str(difference.value), str(difference.limit))
            else:
                notes.alerts.append(difference.detail)


def _is_news(fill: Fill, stored: Fill | None) -> bool:
    return stored is None or (stored.status, stored.transaction_hash) != (fill.status, fill.transaction_hash)
