"""Between a proposal of the models and an intent, both ways."""

from polyb0t.core.units import ZERO, Pusd
from polyb0t.execution.intents import TradeIntent
from polyb0t.models.limits import ProposedTrade


def trade_of(intent: TradeIntent) -> ProposedTrade:
    """An order intent as the controls judge it.

    Raises:
        ValueError: the intent places no order.
    """
    if intent.side is None or intent.order_type is None or intent.worst_price is None:
        raise ValueError(f"{intent.id} is a {intent.intent_type} and places no order")
    return ProposedTrade(
        intent_type=intent.intent_type,
        side=intent.side,
        order_type=intent.order_type,
        condition_id=intent.condition_id,
        asset_id=intent.asset_id,
        worst_price=intent.worst_price,
        amount=intent.amount,
        shares=intent.shares,
        min_shares=intent.least_shares,
        max_cost=intent.max_cost or Pusd(ZERO),
        rules_hash=intent.rules_hash,
        edge_now=intent.edge_now,
        edge_at_worst=intent.edge_worst,
        model_validated=intent.model_validated,
    )
