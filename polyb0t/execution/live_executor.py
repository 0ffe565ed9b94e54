"""From an approval to exactly one order: claim, permit, send once, settle.

The way through, each step committed before the next begins:

    claim    APPROVED -> EXECUTING, the greatest cost reserved, all limits checked under locks
    permit   fresh book, controls again, signature; then the order is stored as SIGNED.
             That commit is the permission to send; nothing leaves without it
    send     one copy; only a connection that never came about may be tried again
    settle   by what the answer proves. What is not proven is UNKNOWN and keeps its money reserved

A crash at any line leaves either EXECUTING without an order (proof that nothing was sent) or an
identity that reconciliation looks up. Nothing here signs a second time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import ConfigurationError, PolybotError, VenueUnreachableError
from polyb0t.core.ids import IntentId, OrderId
from polyb0t.execution.executor import BookSource, Preparing, Situation
from polyb0t.execution.gateway import (
    OrderGateway,
    PreparedOrder,
)
from polyb0t.execution.in_flight import InFlight
from polyb0t.execution.intents import IntentRecord, IntentStatus, IntentType
from polyb0t.execution.orders import TERMINAL_ORDER, NewOrder
from polyb0t.execution.scope import Regime
from polyb0t.execution.sending import Sender
from polyb0t.execution.skew import ClockWatch
from polyb0t.execution.spool import AnswerSpool
from polyb0t.execution.store import Denied, Lease, Stores

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ExecutorSettings:
    """`post_budget_seconds` bounds one send from permit to answer, resends included."""

    regime: Regime
    post_budget_seconds: float = 10


class LiveExecutor:
    """The executor of the live regime: the only one with a gateway."""

    def __init__(
        self,
        stores: Stores,
        lease: Lease,
        *,
        gateway: OrderGateway,
        books: BookSource,
        situation: Situation,
        clock: Clock,
        settings: ExecutorSettings,
        halt_file: Callable[[], bool],
        in_flight: InFlight,
        spool: AnswerSpool,
        anchor: Callable[[], None],
        follow: Callable[[OrderId], object] = lambda _order_id: None,
        submit_mutex: "Lock | None" = None,
    ) -> None:
        """`submit_mutex` is held for each claim and permit, also by whoever changes what is signed with."""
        if settings.regime is not Regime.LIVE:
            raise ConfigurationError(
                f"The executor of the regime {settings.regime} was not started.",
                why="Only the live regime has a way to send orders.",
            )
        self._stores = stores
        self._intents = stores.intents
        self._orders = stores.orders
        self._lease = lease
        self._gateway = gateway
        self._preparing = Preparing(
            stores, lease, settings.regime, books, situation, halt_file, submit_mutex or Lock()
        )
        self._clock = clock
        self._settings = settings
        self._follow = follow
        self._watch = ClockWatch(clock)
        self._in_flight = in_flight
        self._sender = Sender(
            stores,
            lease,
            gateway,
            clock,
            halt_file,
            budget_seconds=settings.post_budget_seconds,
            spool=spool,
            anchor=anchor,
        )

    @property
    def stopped(self) -> str | None:
        """Why this process sends no orders now, or None."""
        return self._sender.stopped

    def execute(self, intent_id: IntentId) -> IntentRecord:
        """Take one approved intent to its end, or to an UNKNOWN order. Returns how it stands then.

        Raises:
            DatabaseError, LeaseLostError: a step could not be written; what is stored is the truth.
        """
        with self._in_flight.holding(intent_id):
            record = self._execute(intent_id)
        if record.order_id is not None:
            self._follow(record.order_id)  # fills that are there already; the rest comes by polling
        return self._intents.get(intent_id)

    # -- claim ---------------------------------------------------------------------------------

    def _execute(self, intent_id: IntentId) -> IntentRecord:
        record = self._intents.get(intent_id)
        kind = record.intent.intent_type
        if kind is IntentType.CANCEL_ORDER and record.status is IntentStatus.EXECUTING:
            return self._cancel(record)  # a crash left it; a cancel is safe to send again
        if kind is IntentType.CLAIM_SETTLEMENT or (kind.places_order and self.stopped is not None):
            return record  # stays approved and expires on time; a claim is another process's
        claimed = self._preparing.claim(record.intent)
        if isinstance(claimed, Denied):
            return self._intents.get(intent_id)
        return self._cancel(claimed) if kind is IntentType.CANCEL_ORDER else self._place(claimed)

    def _cancel(self, record: IntentRecord) -> IntentRecord:
        """Ask the exchange to cancel the target; without proof of its end the intent stays EXECUTING."""
        target = record.intent.target_order_id
        if target is None or not self._orders.ours([target]):
            return self._preparing.fail(
                record.id, "foreign_order", "The order is not one of ours. Nothing was sent."
            )
        try:
            answer = self._gateway.cancel([target])
        except VenueUnreachableError as error:
            log.warning("cancel.unanswered", intent_id=record.id, order_id=target, why=error.what)
            return record
        if target in answer.cancelled:
            detail = "The exchange cancelled it."
            done = self._intents.finish(record.id, self._lease, code="cancelled", detail=detail)
            self._follow(target)  # fills can race with a cancel
            return done
        self._follow(target)
        order = self._orders.order(target)
        if order.status in TERMINAL_ORDER:
            detail = f"It had ended already ({order.status})."
            return self._intents.finish(record.id, self._lease, code="already_ended", detail=detail)
        log.warning("cancel.refused", order_id=target, why=answer.not_cancelled.get(target, "no reason"))
        return record

    # -- permit --------------------------------------------------------------------------------

    def _place(self, record: IntentRecord) -> IntentRecord:
        intent, begun = record.intent, self._clock.boot_seconds()
        prepared = self._prepare(record)
        if isinstance(prepared, Denied):
            why = f"Nothing was signed or sent. {prepared.detail}"
            return self._preparing.fail(intent.id, prepared.code, why, prepared.controls)
        order = NewOrder(
            id=prepared.order_id,
            intent_id=intent.id,
            signed_order=prepared.signed_order,
            l2_timestamp=prepared.l2_timestamp,
            credential_id=prepared.credential_id,
        )
        with self._preparing.submit_mutex:
            if self._sender.stopped is not None:
                return self._preparing.fail(intent.id, "stopped", f"Nothing was sent. {self._sender.stopped}")
            if prepared.credential_id != self._gateway.credential_id:
                why = "The API credentials were changed before it could be sent. Nothing was sent."
                return self._preparing.fail(intent.id, "credentials_changed", why)
            budget = self._settings.post_budget_seconds
            permitted = self._intents.permit(order, self._lease, post_budget_seconds=budget)
        if isinstance(permitted, Denied):
            log.warning("order.not_permitted", intent_id=intent.id, code=permitted.code)
            return self._intents.get(intent.id)
        self._sender.submit(record, permitted, prepared, begun=begun)
        return self._intents.get(intent.id)

    def _prepare(self, record: IntentRecord) -> PreparedOrder | Denied:
        """Look once more, then build and sign. Nothing leaves the process here."""
        intent = record.intent
        obstacle = self._obstacle()
        if obstacle is not None:
            return obstacle
        book = self._preparing.look(intent)
        if isinstance(book, Denied):
            return book
        try:
            return self._gateway.prepare(intent, self._intents.now())
        except PolybotError as error:
            return Denied(error.code, str(error))

    def _obstacle(self) -> Denied | None:
        halted = self._preparing.halted()
        if halted is not None:
            return halted
        problem = self._watch.problem()
        return None if problem is None else Denied("clock_jumped", problem)
