"""An intent's order, and its market's rules, in the words of the filler."""

from datetime import datetime, timedelta
from typing import Final

from polyb0t.core.ids import AssetId
from polyb0t.core.units import ONE, ZERO, Price, Shares
from polyb0t.data.markets import FeeSchedule
from polyb0t.data.order_book import OrderBook
from polyb0t.execution.filler import MarketRules, SimulatedOrder
from polyb0t.execution.intents import OrderType, TradeIntent
from polyb0t.models.fees import NO_FEE

_FINEST_TICK: Final = ONE.scaleb(-4)


def simulated(intent: TradeIntent, placed_at: datetime) -> SimulatedOrder:
    """The intent's order as the filler sees it; one with an end lives from `placed_at` on."""
    assert intent.side is not None
    assert intent.order_type is not None
    assert intent.worst_price is not None
    expires = None
    if intent.order_type is OrderType.GTD and intent.life_seconds is not None:
        expires = placed_at + timedelta(seconds=intent.life_seconds)
    return SimulatedOrder(
        asset_id=intent.asset_id,
        side=intent.side,
        order_type=intent.order_type,
        limit=intent.worst_price,
        amount=intent.amount,
        shares=intent.shares,
        post_only=intent.post_only,
        expires_at=expires,
    )


def rules_of(intent: TradeIntent, book: OrderBook | None, opposite: AssetId | None) -> MarketRules:
    """The market's own, as the book tells them, else as the intent has them; the fee is the intent's."""
    tick = (book.tick if book is not None else None) or intent.tick or Price(_FINEST_TICK)
    least = (book.min_shares if book is not None else None) or Shares(ZERO)
    fee = NO_FEE
    if intent.fee_rate is not None:
        fee = FeeSchedule(intent.fee_rate, intent.fee_exponent or ONE)
    return MarketRules(tick, least, fee, opposite)
