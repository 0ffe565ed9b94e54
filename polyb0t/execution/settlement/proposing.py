"""A won holding as an intent: exactly what would be called, and what it pays."""

from typing import Any, Final

from polyb0t.core.ids import Wallet
from polyb0t.core.units import Pusd
from polyb0t.execution.intents import IntentType, TradeIntent
from polyb0t.execution.proposing import NO_MODEL, Frame, framed
from polyb0t.execution.settlement.ports import ClaimCall, ClaimRoute, Holding
from polyb0t.execution.settlement.terms import ClaimTerms, call_hash
from polyb0t.models.settling import Won
from polyb0t.models.wording import money

_EMPTY: Final = (
    *("side", "order_type", "worst_price", "amount", "least_shares", "fee_rate", "fee_exponent"),
    *("estimated_cost", "max_cost", "estimated_shares", "estimated_fee", "reference_price"),
    *("book_age_seconds", "best_bid", "best_ask", "target_order_id"),
)


def holding_of(won: Won) -> Holding:
    """What is claimed, in the chain's terms."""
    market = won.market
    assets = (market.outcomes[0].asset_id, market.outcomes[1].asset_id)
    return Holding(
        market.condition_id, market.version.value, market.neg_risk, assets, won.shares, won.expected
    )


def claiming_intent(
    won: Won, call: ClaimCall, route: ClaimRoute, opened_by: TradeIntent, frame: Frame
) -> TradeIntent:
    """Its approval permits this call of this wallet and no other."""
    market = won.market
    terms = ClaimTerms(
        route=route,
        wallet=Wallet(call.wallet),
        contract=call.target,
        function=call.function,
        call_hash=call_hash(call),
        holding=holding_of(won),
        payouts=won.payouts,
    )
    content: dict[str, Any] = dict.fromkeys(_EMPTY)
    return TradeIntent(
        **framed(frame, IntentType.CLAIM_SETTLEMENT),
        **NO_MODEL,
        **content,
        question=market.question,
        condition_id=market.condition_id,
        event_id=market.event_id,
        category=market.category,
        protocol_version=market.version.value,
        neg_risk=market.neg_risk,
        end_date=market.end_date,
        page_url=market.page_url,
        resolution_source=market.resolution_source,
        rules_hash=market.rules_hash,
        rules_text=market.rules_text,
        outcome_label=opened_by.outcome_label,
        asset_id=won.position.asset_id,
        tick=market.tick,
        shares=won.shares[[each.asset_id for each in market.outcomes].index(won.position.asset_id)],
        book_hash="",
        reason=_reason(won.expected, route),
        controls=(),
        parent_id=opened_by.id,
        claim=terms.written(),
    )


def _reason(expected: Pusd, route: ClaimRoute) -> str:
    gas = (
        "The relayer pays the gas." if route is ClaimRoute.RELAYER else "The gas is paid by your own wallet."
    )
    return f"This market is resolved; a claim brings {money(expected)} pUSD into your wallet. {gas}"
