"""The executor of a paper run: the same claim, controls and permit, and then a simulated exchange.

It knows no gateway, so nothing in it can sign or send. The order that its permit stores has no signature,
an id that no exchange gives, and the regime `paper` of a scope whose wallet is `paper`.
"""

from collections.abc import Callable
from typing import Final

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import ConfigurationError, VenueUnreachableError
from polyb0t.core.ids import IntentId
from polyb0t.execution.executor import Preparing
from polyb0t.execution.in_flight import InFlight
from polyb0t.execution.intents import IntentRecord, IntentStatus, IntentType, TradeIntent
from polyb0t.execution.orders import NewOrder, OrderRecord, OrderStatus
from polyb0t.execution.paper_exchange import PaperExchange, paper_order_id
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Denied

log = structlog.get_logger(__name__)

NOBODY: Final = "paper"  # in place of the credential that places an order
NOTHING_SIMULATED: Final = "Nothing was simulated."


class PaperExecutor:
    """Carries out approved intents of a paper scope on the simulated exchange.

    `delay_of` an intent's order: seconds from our decision to the book, as a real one needs on its way.
    """

    stopped: str | None = None  # nothing of it can go wrong at an exchange

    def __init__(
        self,
        preparing: Preparing,
        in_flight: InFlight,
        exchange: PaperExchange,
        clock: Clock,
        *,
        delay_of: Callable[[TradeIntent], float],
    ) -> None:
        if preparing.regime is not Regime.PAPER:
            raise ConfigurationError(
                f"The executor of the regime {preparing.regime} was not started.",
                why="The simulated exchange is for paper runs only.",
            )
        self._preparing = preparing
        self._stores = preparing.stores
        self._in_flight = in_flight
        self._exchange = exchange
        self._clock = clock
        self._delay_of = delay_of

    def execute(self, intent_id: IntentId) -> IntentRecord:
        """Take one approved intent to its end, or into the simulated book. Raises as `Executor.execute`."""
        with self._in_flight.holding(intent_id):
            self._execute(intent_id)
        return self._stores.intents.get(intent_id)

    def _execute(self, intent_id: IntentId) -> None:
        record = self._stores.intents.get(intent_id)
        kind = record.intent.intent_type
        if kind is IntentType.CANCEL_ORDER and record.status is IntentStatus.EXECUTING:
            self._cancel(record)  # an interruption left it
            return
        claimed = self._preparing.claim(record.intent)
        if isinstance(claimed, Denied):
            return
        match kind:
            case IntentType.CLAIM_SETTLEMENT:
                self._preparing.no_claims(intent_id)
            case IntentType.CANCEL_ORDER:
                self._cancel(claimed)
            case IntentType.OPEN_POSITION | IntentType.CLOSE_POSITION:
                self._place(claimed)

    def _cancel(self, record: IntentRecord) -> None:
        target, intents = record.intent.target_order_id, self._stores.intents
        if target is None or not self._stores.orders.ours([target]):
            self._preparing.fail(record.id, "foreign_order", f"It is not one of ours. {NOTHING_SIMULATED}")
            return
        lease = self._preparing.lease
        if self._exchange.cancel(target):
            intents.finish(record.id, lease, code="cancelled", detail="It was taken out of the book.")
            return
        detail = f"It had ended already ({self._stores.orders.order(target).status})."
        intents.finish(record.id, lease, code="already_ended", detail=detail)

    def _place(self, record: IntentRecord) -> None:
        intent = record.intent
        obstacle = self._preparing.halted()
        seen = obstacle if obstacle is not None else self._preparing.look(intent)
        if isinstance(seen, Denied):
            self._preparing.fail(intent.id, seen.code, f"{NOTHING_SIMULATED} {seen.detail}", seen.controls)
            return
        order = NewOrder(
            id=paper_order_id(intent.id),
            intent_id=intent.id,
            signed_order="",
            l2_timestamp=int(self._stores.intents.now().timestamp()),
            credential_id=NOBODY,
        )
        with self._preparing.submit_mutex:
            permitted = self._stores.intents.permit(order, self._preparing.lease, post_budget_seconds=0)
        if isinstance(permitted, Denied):
            log.warning("order.not_permitted", intent_id=intent.id, code=permitted.code)
            return
        self._arrive(record, permitted)

    def _arrive(self, record: IntentRecord, order: OrderRecord) -> None:
        """The order is on its way for a while and meets the book that is there by then, not the one that
        the decision was made on."""
        self._clock.sleep(self._delay_of(record.intent))
        try:
            book = self._preparing.books.fresh_book(order.asset_id)
        except VenueUnreachableError as error:
            self._stores.orders.settle(
                order.id,
                self._preparing.lease,
                status=OrderStatus.REFUSED,
                code="no_fresh_book",
                detail=f"{NOTHING_SIMULATED} {error.what}",
            )
            return
        self._exchange.receive(record.intent, order, book)
