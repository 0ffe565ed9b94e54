"""The one copy of a permitted order on its way to the exchange, and what its answer proves."""

from collections.abc import Callable
from typing import Final

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import PolybotError
from polyb0t.execution.gateway import (
    Accepted,
    NoFill,
    NotSent,
    OrderGateway,
    PreparedOrder,
    Refused,
    SendOutcome,
    Unknown,
)
from polyb0t.execution.intents import Denied, IntentRecord, TradeIntent
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.scope import Lease
from polyb0t.execution.spool import FOREIGN_ID, AnswerSpool, SpooledAnswer
from polyb0t.execution.store import Stores
from polyb0t.models.kill_switches import KillSwitchType, permits, stance_of

log = structlog.get_logger(__name__)

RESEND_PAUSE_SECONDS: Final = 0.5


class Sender:
    """Sends what was permitted and settles it by what the answer proves. Shared between threads."""

    def __init__(
        self,
        stores: Stores,
        lease: Lease,
        gateway: OrderGateway,
        clock: Clock,
        halt_file: Callable[[], bool],
        *,
        budget_seconds: float,
        spool: AnswerSpool,
        anchor: Callable[[], None],
    ) -> None:
        self._stores = stores
        self._lease = lease
        self._gateway = gateway
        self._clock = clock
        self._halt_file = halt_file
        self._budget_seconds = budget_seconds
        self._spool = spool
        self._anchor = anchor
        self._stopped: str | None = None

    @property
    def stopped(self) -> str | None:
        """Why nothing more is permitted or sent by this process, or None."""
        if self._stopped is not None:
            return self._stopped
        waiting = self._spool.waiting()
        return f"{waiting} answers could not be written to the database yet." if waiting else None

    def submit(
        self, record: IntentRecord, permitted: OrderRecord, prepared: PreparedOrder, *, begun: float
    ) -> None:
        """Send once and settle. `begun` is the boot clock's reading before the headers were made: a
        process that was suspended since then sends nothing."""
        until = begun + self._send_seconds(record, permitted)
        self._settle(record, permitted, self._send(record.intent, prepared, until))

    def _send(self, intent: TradeIntent, prepared: PreparedOrder, until: float) -> SendOutcome | Denied:
        """One copy. Denied and NotSent prove that no byte of it left."""
        unanchored = self._set_anchor()
        if unanchored is not None:
            return unanchored
        first = True
        while True:
            if self._halt_file() or not (first or self._still_permitted(intent)):
                return Denied("halted", "Trading was halted before the order left. Nothing was sent.")
            stopped = self.stopped
            if stopped is not None:
                return Denied("stopped", f"Nothing was sent. {stopped}")
            if self._clock.boot_seconds() > until:
                return NotSent("The time to send was over.")
            outcome = self._gateway.send(prepared)
            if not isinstance(outcome, NotSent):
                return outcome
            log.warning("order.not_sent", order_id=prepared.order_id, why=outcome.reason)
            if self._clock.boot_seconds() + RESEND_PAUSE_SECONDS > until:
                return outcome
            first = False
            self._clock.sleep(RESEND_PAUSE_SECONDS)

    def _set_anchor(self) -> Denied | None:
        """After the permit's commit, before any byte: a backup restored later is known as one."""
        try:
            self._anchor()
        except (OSError, PolybotError) as error:
            return Denied("anchor_not_written", f"The anchor file could not be written: {error}")
        return None

    def _send_seconds(self, record: IntentRecord, permitted: OrderRecord) -> float:
        """How long the permit may be used: the POST budget, and never past `execute_by`. Both instants
        are the database's."""
        assert record.execute_by is not None
        left = (record.execute_by - permitted.created_at).total_seconds()
        return min(self._budget_seconds, max(0.0, left))

    def _still_permitted(self, intent: TradeIntent) -> bool:
        try:
            return permits(stance_of(self._stores.switches.list()), intent.intent_type)
        except PolybotError as error:
            log.critical("switches.unreadable", why=str(error))
            return False

    def _settle(self, record: IntentRecord, order: OrderRecord, outcome: SendOutcome | Denied) -> None:
        """Write what the answer proves. The log hears it first: it survives a database that does not."""
        status, code, detail = _verdict(outcome)
        venue_status = outcome.status.value if isinstance(outcome, Accepted) else ""
        log.info("order.answered", order_id=order.id, status=status, code=code, detail=detail)
        if isinstance(outcome, Unknown):
            self._alert_unknown(record, order, outcome)
        try:
            self._stores.orders.settle(
                order.id, self._lease, status=status, code=code, detail=detail, venue_status=venue_status
            )
        except PolybotError as error:
            # The order stays SIGNED, which is UNKNOWN to everybody else, until the spool is imported.
            log.critical("order.answer_not_written", order_id=order.id, why=str(error))
            self._keep(SpooledAnswer(order.id, status, code, detail, venue_status))

    def _keep(self, answer: SpooledAnswer) -> None:
        try:
            self._spool.keep(answer)
        except OSError as error:
            self._stop(f"The answer for order {answer.order_id} could not be written anywhere: {error}")

    def _alert_unknown(self, record: IntentRecord, order: OrderRecord, outcome: Unknown) -> None:
        kind = record.intent.intent_type
        log.error("order.unknown", order_id=order.id, intent_type=kind, why=outcome.reason)
        if not outcome.foreign_id:
            return
        self._stop("The exchange named another order than the one that was sent.")
        try:
            self._stores.switches.trip(
                KillSwitchType.RECONCILIATION,
                actor="engine:executor",
                reason=f"The answer for order {order.id} named another order: {outcome.reason}",
            )
        except PolybotError as error:
            log.critical("switch.not_tripped", switch=KillSwitchType.RECONCILIATION, why=str(error))

    def _stop(self, why: str) -> None:
        self._stopped = why
        log.critical("sends.stopped", why=why)


def _verdict(outcome: SendOutcome | Denied) -> tuple[OrderStatus, str, str]:
    """What an outcome proves of the order, the code of its result, and the text to keep."""
    match outcome:
        case Accepted(status=status):
            return OrderStatus(status.name), "accepted", ""
        case NoFill(text=text):
            return OrderStatus.CANCELLED, "no_fill", text
        case Refused(code=code, text=text):
            return OrderStatus.REFUSED, code, text
        case NotSent(reason=reason):
            return OrderStatus.REFUSED, "not_sent", reason
        case Denied(code=code, detail=detail):
            return OrderStatus.REFUSED, code, detail
        case Unknown(reason=reason, foreign_id=foreign):
            return OrderStatus.UNKNOWN, FOREIGN_ID if foreign else "unknown", reason
