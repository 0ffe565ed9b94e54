"""The shell around `reconciliation`: reads the exchange, writes the corrections, reports.

Runs before anything else at the start, then often while orders are open. The exchange is read
before our own rows are, so that an order sent meanwhile is never taken for somebody else's.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import PolybotError, VenueUnreachableError
from polyb0t.core.ids import AssetId, IntentId, OrderId
from polyb0t.core.units import ZERO, Pusd, Shares
from polyb0t.data.account_state import AccountOrder
from polyb0t.data.fills import Fill
from polyb0t.execution.absence import Glance, ProofTimes
from polyb0t.execution.cancelling import MAY_BE_ALIVE, cancel_orders
from polyb0t.execution.end_of_watch import EndOfWatch, Resolved, nothing_resolved
from polyb0t.execution.gateway import OrderGateway
from polyb0t.execution.holdings import Explained, HoldingsWatch
from polyb0t.execution.in_flight import InFlight
from polyb0t.execution.interrupted import end_interrupted
from polyb0t.execution.order_truth import Notes, OrderTruth
from polyb0t.execution.orders import TERMINAL_ORDER, OrderRecord, OrderStatus
from polyb0t.execution.scope import Regime
from polyb0t.execution.spool import AnswerSpool
from polyb0t.execution.store import Lease, Stores
from polyb0t.models.cash_flows import explained_cash
from polyb0t.models.kill_switches import Stance, stance_of

log = structlog.get_logger(__name__)

_UNPROVEN: Final = frozenset({OrderStatus.SIGNED, OrderStatus.UNKNOWN, OrderStatus.VANISHED})
_DOUBTED: Final = frozenset({OrderStatus.UNKNOWN, OrderStatus.VANISHED, OrderStatus.MATCHED})
_SURE: Final = TERMINAL_ORDER - {OrderStatus.ABSENT}


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
        resolved: Resolved = nothing_resolved,
        cancel_on_halt: bool = True,
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
        self._cancel_on_halt = cancel_on_halt
        self._end_of_watch = EndOfWatch(stores, lease, resolved, clock)
        self._truth = (
            OrderTruth(stores, lease, gateway, in_flight, times or ProofTimes())
            if gateway is not None
            else None
        )

    def run(self, *, compare_holdings: bool = True) -> ReconcileReport:
        """One pass over everything that is not proven to be over.

        Without a gateway (paper, dry run) only interrupted intents are ended.

        Raises:
            DatabaseError, LeaseLostError: our own rows could not be read or written.
        """
        if self._spool is not None:  # what is known already comes before what has to be asked
            self._spool.import_into(self._stores, self._lease)
        interrupted = end_interrupted(self._stores, self._lease, self._in_flight)
        if self._gateway is None or self._truth is None:
            return ReconcileReport(interrupted=interrupted)
        notes = Notes()
        self._take_back_if_halted(self._gateway, self._truth, notes)
        glance = self._glance(self._gateway, notes)
        watched, absent = self._orders.watched(), self._orders.absent()
        known = self._fills_by_order() if watched or absent else {}
        foreign = self._foreign(glance, watched)
        for order in (*watched, *absent):
            self._truth.look_up(order, notes, glance, known.get(order.id, ()))
        left = self._orders.watched()  # what was sent meanwhile is among them
        if self._give_up(self._truth, left, absent, notes):
            left = self._orders.watched()
        if compare_holdings:
            self._compare_holdings(self._truth, left, notes)
        return ReconcileReport(
            problems=tuple(notes.problems),
            alerts=tuple(notes.alerts),
            foreign_orders=foreign,
            unresolved=tuple(order.id for order in left if order.status in _UNPROVEN),
            open_orders=len(left),
            interrupted=interrupted,
        )

    def _give_up(
        self, truth: OrderTruth, left: Iterable[OrderRecord], absent: Sequence[OrderRecord], notes: Notes
    ) -> bool:
        """After everything was asked once more, what cannot be proven any more is looked for no longer.
        Whether there was anything of that kind."""
        unproven = [
            order
            for order in left
            if order.status in _DOUBTED
            and (order.status is not OrderStatus.MATCHED or order.id in truth.forgotten)
            and order.intent_id not in self._in_flight
        ]
        still = (*unproven, *(self._orders.absent() if absent else ()))
        self._end_of_watch.end(still, notes, forgotten=truth.forgotten)
        return bool(still)

    def follow(self, order_id: OrderId) -> None:
        """Ask about one order now; what cannot be read or written is left to the next pass."""
        if self._truth is None:
            return
        notes = Notes()
        try:
            order = self._orders.order(order_id)
            if order.status not in _SURE or order.provisional_shares:
                self._truth.look_up(order, notes)
        except PolybotError as error:
            notes.problems.append(str(error))
        for problem in (*notes.problems, *notes.alerts):
            log.warning("order.followed", order_id=order_id, problem=problem)

    def _take_back_if_halted(self, gateway: OrderGateway, truth: OrderTruth, notes: Notes) -> None:
        """Halted, every identity of ours that may be alive is cancelled by id, on every pass anew."""
        if not self._cancel_on_halt or not self._halted():
            return
        alive = [order.id for order in self._orders.orders(statuses=MAY_BE_ALIVE, limit=None)]
        if not alive:
            return
        try:
            answer = cancel_orders(
                gateway, self._stores.engine, alive, actor="engine:reconciliation", noted=truth.noted
            )
        except VenueUnreachableError as error:
            notes.alerts.append(f"Trading is halted, and {len(alive)} orders could not be cancelled. {error}")
            return
        log.warning("orders.taken_back", cancelled=list(answer.cancelled), refused=len(answer.not_cancelled))

    def _halted(self) -> bool:
        return self._halt_file() or stance_of(self._stores.switches.list()) is Stance.HALTED

    def _glance(self, gateway: OrderGateway, notes: Notes) -> Glance:
        begun, now = self._clock.boot_seconds(), self._stores.intents.now()
        try:
            return Glance(begun, now, gateway.open_orders())
        except VenueUnreachableError as error:
            notes.problems.append(f"The open orders could not be read. {error}")
            return Glance(begun, now, None)

    def _fills_by_order(self) -> dict[OrderId, list[Fill]]:
        by_order: dict[OrderId, list[Fill]] = {}
        for fill in self._orders.fills():
            by_order.setdefault(fill.order_id, []).append(fill)
        return by_order

    def _foreign(self, glance: Glance, watched: Iterable[OrderRecord]) -> tuple[AccountOrder, ...]:
        """Open orders that are not ours; the exchange was read before `watched` was."""
        ours = {order.id for order in watched}
        others = [order for order in glance.open_orders or () if order.order_id not in ours]
        ended = self._orders.ours([order.order_id for order in others])
        return tuple(order for order in others if order.order_id not in ended)

    # -- holdings ------------------------------------------------------------------------------

    def _explained(self, fills: Sequence[Fill]) -> Explained:
        """By the books, which are opened by the first cycle that can read the cash."""
        booked, opening = self._stores.books.movements(), self._stores.books.opening(Regime.LIVE)
        taken: dict[AssetId, Shares] = {}
        for entry in booked:
            for one in entry.taken:
                taken[one.asset_id] = Shares(taken.get(one.asset_id, ZERO) + one.shares)
        return Explained(None if opening is None else opening.pusd, explained_cash(booked, fills), taken)

    def _compare_holdings(self, truth: OrderTruth, left: Iterable[OrderRecord], notes: Notes) -> None:
        """What is missing again and again trips RECONCILIATION; what is more is shown."""
        in_flight = frozenset(order.asset_id for order in left)
        fills = self._orders.fills()
        found = self._holdings.compare(fills, in_flight, self._explained(fills))
        notes.problems.extend(found.unreadable)
        for difference in found.differences:
            if difference.lasting and difference.missing:
                notes.problems.append(difference.detail)
                truth.trip(difference.detail, str(difference.value), str(difference.limit))
            else:
                notes.alerts.append(difference.detail)
