"""Orders that rest and should not: each becomes a CANCEL_ORDER intent that waits for a person."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from polyb0t.core.units import Shares
from polyb0t.execution.intents import IntentManager
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.proposing import Frame, cancelling_intent
from polyb0t.execution.store import Denied, Lease, Stores
from polyb0t.models.resting import APPROVED_LIFE, DEFAULT_RULES, RestingOrder, why_cancel
from polyb0t.runtime.watching import MarketWatch

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RestingOrders:
    """Looks at every LIVE order of ours. Only what the exchange has confirmed as open is judged: a
    DELAYED order cannot be cancelled, and one of unknown fate belongs to reconciliation."""

    stores: Stores
    lease: Lease
    watch: MarketWatch
    manager: IntentManager
    frame: Callable[[], Frame]
    decide_seconds: int

    def propose(self) -> int:
        """How many cancels were proposed now.

        Raises:
            DatabaseError, LeaseLostError: nothing more was proposed.
        """
        live = self.stores.orders.orders(statuses=(OrderStatus.LIVE,), limit=None)
        return sum(self._one(order) for order in live)

    def _one(self, order: OrderRecord) -> bool:
        resting = RestingOrder(
            side=order.side,
            price=order.price,
            takes=order.order_type.takes,
            left=Shares(order.shares - order.filled_shares),
            placed_at=order.created_at,
        )
        placed_by = self.stores.intents.get(order.intent_id).intent
        rules = DEFAULT_RULES if placed_by.taken_back is None else APPROVED_LIFE
        found = why_cancel(resting, self.watch.book(order.asset_id), self.stores.intents.now(), rules)
        if found is None:
            return False
        frame = replace(self.frame(), decide_seconds=self.decide_seconds)
        intent = cancelling_intent(order, placed_by, frame, reason=found.detail)
        answer = self.manager.propose(intent, self.lease)
        if isinstance(answer, Denied):
            return False  # one waits already, or a person has just said no
        log.info("cancel.proposed", intent_id=answer.id, order_id=order.id, code=found.code)
        return True
