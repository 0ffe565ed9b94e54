"""Purchases that rest and should not any more: taken back for what was approved with them, and told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, Protocol

import structlog

from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import AssetId, OrderId
from polyb0t.data.markets import Market
from polyb0t.data.order_book import OrderBook
from polyb0t.execution.cancelling import cancel_orders
from polyb0t.execution.gateway import OrderGateway
from polyb0t.execution.intents import TradeIntent
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.proposing import trade_of
from polyb0t.execution.store import Lease, Stores
from polyb0t.models.fees import NO_FEE
from polyb0t.models.pricing import Purchase, reserve_for
from polyb0t.models.resting import why_take_back
from polyb0t.models.risk import ControlContext
from polyb0t.models.signals import Belief
from polyb0t.models.taken_back import UNSEEN, TakeBack
from polyb0t.runtime.watching import MarketWatch

log = structlog.get_logger(__name__)

TAKEN_BACK: Final = "order.taken_back"
CancelOrder = Callable[[OrderId, str], object]


class Situation(Protocol):
    """What is known of the account and the market that an intent is about."""

    def control_context(
        self, intent: TradeIntent, book: OrderBook, *, at_submit: bool = True
    ) -> ControlContext: ...


@dataclass(frozen=True, slots=True)
class Withdrawing:
    """Looks at every LIVE order that was approved to be taken back by itself.

    `belief` is the present model's, None where it does not speak. `cancel` is told the order and why; what
    came of it is read by whoever follows orders, and an order that is still LIVE is cancelled again.
    """

    stores: Stores
    lease: Lease
    watch: MarketWatch
    situation: Situation
    belief: Callable[[Market, AssetId, datetime], Belief | None]
    cancel: CancelOrder
    _told: set[tuple[OrderId, str]] = field(default_factory=set)

    def look(self) -> int:
        """How many orders were asked to end now.

        Raises:
            DatabaseError, LeaseLostError: nothing more was looked at.
        """
        live = self.stores.orders.orders(statuses=(OrderStatus.LIVE,), limit=None)
        return sum(self._one(order) for order in live)

    def _one(self, order: OrderRecord) -> bool:
        intent = self.stores.intents.get(order.intent_id).intent
        if intent.taken_back is None:
            return False
        why = self._why(intent)
        if why is None:
            return False
        try:
            self.cancel(order.id, why.detail)
        except VenueUnreachableError as error:  # the next look asks again
            log.warning("order.not_taken_back", order_id=order.id, code=why.code, why=error.what)
            return False
        self._tell(order.id, why)
        return True

    def _why(self, intent: TradeIntent) -> TakeBack | None:
        book = self.watch.book(intent.asset_id)
        if book is None:
            return UNSEEN
        context = self.situation.control_context(intent, book, at_submit=False)
        return why_take_back(trade_of(intent), context, self._edge(intent, context))

    def _edge(self, intent: TradeIntent, context: ControlContext) -> Decimal | None:
        """What the present model sees in it at its price, which no fee is added to."""
        if context.market is None or intent.worst_price is None:
            return None
        belief = self.belief(context.market, intent.asset_id, context.now)
        if belief is None:
            return None
        return Purchase(belief.q, NO_FEE, reserve_for(context.market, context.now)).edge(intent.worst_price)

    def _tell(self, order_id: OrderId, why: TakeBack) -> None:
        """Once for each reason, however often it has to be asked."""
        if (order_id, why.code) in self._told:
            return
        self._told.add((order_id, why.code))
        log.info("order.taken_back", order_id=order_id, code=why.code, detail=why.detail)
        payload = {"code": why.code, "detail": why.detail}
        self.stores.engine.note(
            self.lease, kind=TAKEN_BACK, subject=order_id, payload=payload, actor="engine"
        )


def cancelling_at(
    gateway: OrderGateway | None, stores: Stores, follow: Callable[[OrderId], object]
) -> CancelOrder:
    """At the exchange by id, journalled, and read back at once. Without a way to send there are no orders."""
    noted: set[tuple[str, str]] = set()

    def cancel(order_id: OrderId, _why: str) -> None:
        if gateway is None:
            return
        cancel_orders(gateway, stores.engine, [order_id], actor="engine", noted=noted)
        follow(order_id)

    return cancel
