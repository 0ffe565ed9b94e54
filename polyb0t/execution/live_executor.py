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
from typing import Final, Protocol

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import ConfigurationError, PolybotError, VenueUnreachableError
from polyb0t.core.ids import AssetId, IntentId, OrderId
from polyb0t.core.units import ZERO, Pusd
from polyb0t.data.order_book import OrderBook
from polyb0t.execution import dry_run
from polyb0t.execution.gateway import (
    OrderGateway,
    PreparedOrder,
)
from polyb0t.execution.in_flight import InFlight
from polyb0t.execution.intents import IntentRecord, IntentStatus, IntentType, TradeIntent
from polyb0t.execution.orders import TERMINAL_ORDER, NewOrder
from polyb0t.execution.proposing import trade_of
from polyb0t.execution.scope import Regime
from polyb0t.execution.sending import Sender
from polyb0t.execution.skew import ClockWatch
from polyb0t.execution.spool import AnswerSpool
from polyb0t.execution.store import ClaimLimits, Denied, Lease, Stores
from polyb0t.models import limits
from polyb0t.models.limits import ControlContext

log = structlog.get_logger(__name__)

NO_ROOM: Final = ClaimLimits(  # a cancel needs none, so nothing that fails to be read can block it
    spendable_pusd=None,
    max_order_pusd=Pusd(ZERO),
    max_exposure_pusd=Pusd(ZERO),
    held_cost_pusd=Pusd(ZERO),
    closable_shares=None,
    as_of=0,
)
CLAIM_TRIES: Final = 5  # a fill stored between the look and the claim asks for another look


class BookSource(Protocol):
    """Books for the moment before a send."""

    def fresh_book(self, asset_id: AssetId) -> OrderBook:
        """The book as seen at most two seconds ago.

        Raises:
            VenueUnreachableError: there is no such book now.
        """
        ...


class Situation(Protocol):
    """What is known of account and market when an intent is about to be sent.

    Both answers leave the intent itself out: its own reservation and target do not count against it.
    """

    def claim_limits(self, intent: TradeIntent) -> ClaimLimits:
        """Account and limits now. A balance read before our newest fill is corrected by that fill."""
        ...

    def control_context(self, intent: TradeIntent, book: OrderBook) -> ControlContext:
        """Everything that the controls judge by, for `at_submit`."""
        ...


@dataclass(frozen=True, slots=True)
class ExecutorSettings:
    """`post_budget_seconds` bounds one send from permit to answer, resends included."""

    regime: Regime
    post_budget_seconds: float = 10


class LiveExecutor:
    """Executes approved intents of one scope and regime. In dry run it has no gateway at all."""

    def __init__(
        self,
        stores: Stores,
        lease: Lease,
        *,
        gateway: OrderGateway | None,
        books: BookSource,
        situation: Situation,
        clock: Clock,
        settings: ExecutorSettings,
        halt_file: Callable[[], bool],
        in_flight: InFlight,
        spool: AnswerSpool,
        anchor: Callable[[], None],
        follow: Callable[[OrderId], object] = lambda _order_id: None,
    ) -> None:
        if (gateway is not None) != (settings.regime is Regime.LIVE):
            raise ConfigurationError(
                f"The executor of the regime {settings.regime} was not started.",
                why="Only the live regime has a way to send orders, and it needs one.",
            )
        self._stores = stores
        self._intents = stores.intents
        self._orders = stores.orders
        self._lease = lease
        self._gateway = gateway
        self._books = books
        self._situation = situation
        self._clock = clock
        self._settings = settings
        self._halt_file = halt_file
        self._follow = follow
        self._watch = ClockWatch(clock)
        self._submit_mutex = Lock()
        self._in_flight = in_flight
        self._sender: Sender | None = None
        if gateway is not None:
            budget = settings.post_budget_seconds
            self._sender = Sender(
                stores,
                lease,
                gateway,
                clock,
                halt_file,
                budget_seconds=budget,
                spool=spool,
                anchor=anchor,
            )

    @property
    def stopped(self) -> str | None:
        """Why this process sends no orders now, or None."""
        return self._sender.stopped if self._sender is not None else None

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
        if kind.places_order and self.stopped is not None:
            return record  # stays approved and expires on time
        claimed = self._claim(record.intent)
        if isinstance(claimed, Denied):
            log.warning("intent.not_claimed", intent_id=intent_id, code=claimed.code, detail=claimed.detail)
            return self._intents.get(intent_id)
        if kind is IntentType.CLAIM_SETTLEMENT:
            detail = "Claims of settled positions are not executed by this version. Nothing was sent."
            return self._fail(intent_id, "claims_not_available", detail)
        if self._settings.regime is not Regime.LIVE:
            return self._rehearse(claimed)
        return self._cancel(claimed) if kind is IntentType.CANCEL_ORDER else self._place(claimed)

    def _claim(self, intent: TradeIntent) -> IntentRecord | Denied:
        with self._submit_mutex:
            for _ in range(CLAIM_TRIES):
                places = intent.intent_type.places_order
                room = self._situation.claim_limits(intent) if places else NO_ROOM
                claimed = self._intents.claim(intent.id, self._lease, self._settings.regime, room)
                if not isinstance(claimed, Denied) or claimed.code != "account_moved":
                    break
            return claimed

    def _rehearse(self, record: IntentRecord) -> IntentRecord:
        """Dry run: the result is written, nothing else happens."""
        intent, detail = record.intent, dry_run.NOTHING_SENT
        if intent.intent_type.places_order:
            try:
                book = self._books.fresh_book(intent.asset_id)
            except VenueUnreachableError as error:
                detail = f"{detail} What the book would have filled is not known: {error.what}"
            else:
                results = limits.check(trade_of(intent), self._situation.control_context(intent, book))
                filled = dry_run.rehearse(intent, book)
                detail = dry_run.sentence(intent, filled, limits.breaches(results))
        return self._intents.finish(intent.id, self._lease, code="dry_run", detail=detail)

    def _cancel(self, record: IntentRecord) -> IntentRecord:
        """Ask the exchange to cancel the target; without proof of its end the intent stays EXECUTING."""
        assert self._gateway is not None
        target = record.intent.target_order_id
        if target is None or not self._orders.ours([target]):
            return self._fail(record.id, "foreign_order", "The order is not one of ours. Nothing was sent.")
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
        assert self._sender is not None
        prepared = self._prepare(record)
        if isinstance(prepared, Denied):
            return self._fail(intent.id, prepared.code, f"Nothing was signed or sent. {prepared.detail}")
        order = NewOrder(
            id=prepared.order_id,
            intent_id=intent.id,
            signed_order=prepared.signed_order,
            l2_timestamp=prepared.l2_timestamp,
            credential_id=prepared.credential_id,
        )
        with self._submit_mutex:
            if self._sender.stopped is not None:
                return self._fail(intent.id, "stopped", f"Nothing was sent. {self._sender.stopped}")
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
        assert self._gateway is not None
        obstacle = self._obstacle()
        if obstacle is not None:
            return obstacle
        try:
            book = self._books.fresh_book(intent.asset_id)
        except VenueUnreachableError as error:
            return Denied("no_fresh_book", error.what)
        context = self._situation.control_context(intent, book)
        broken = limits.breaches(limits.check(trade_of(intent), context))
        if broken:
            return Denied(broken[0].name, " ".join(result.detail for result in broken))
        try:
            return self._gateway.prepare(intent, self._intents.now())
        except PolybotError as error:
            return Denied(error.code, str(error))

    def _obstacle(self) -> Denied | None:
        if self._halt_file():
            return Denied("halted", "The HALT file is there; polyb0t resume removes it.")
        problem = self._watch.problem()
        if problem is not None:
            return Denied("clock_jumped", problem)
        return None

    def _fail(self, intent_id: IntentId, code: str, detail: str) -> IntentRecord:
        log.warning("intent.failed", intent_id=intent_id, code=code, detail=detail)
        return self._intents.fail(intent_id, self._lease, code=code, detail=detail)
