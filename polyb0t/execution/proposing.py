"""Between what the models conclude and an intent, both ways."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from polyb0t.core.ids import IntentId, new_intent_id
from polyb0t.core.units import ZERO, Pusd, Shares
from polyb0t.data.markets import Market, TradingTerms
from polyb0t.data.order_book import Side
from polyb0t.execution.access import NO_THRESHOLDS, Thresholds, guarded
from polyb0t.execution.intents import IntentType, Purpose, TradeIntent
from polyb0t.execution.orders import OrderRecord, OrderType
from polyb0t.execution.scope import Regime, Scope
from polyb0t.models.closing import CloseProposal
from polyb0t.models.far_order import FarOrder
from polyb0t.models.limits import ProposedTrade
from polyb0t.models.opening import OpeningProposal
from polyb0t.models.own_purchase import OwnPurchase
from polyb0t.models.signals import model_id

TEST_LIFE_SECONDS = 300  # should nobody be there to cancel it, a test order ends by itself


@dataclass(frozen=True, slots=True)
class Frame:
    """What every intent of one cycle has in common. `now` is the store's; `decide_seconds` by type."""

    scope: Scope
    regime: Regime
    now: datetime
    decide_seconds: int
    approvals_required: int = 1
    thresholds: Thresholds = NO_THRESHOLDS
    new_id: Callable[[], IntentId] = new_intent_id


def opening_intent(proposal: OpeningProposal, frame: Frame) -> TradeIntent:
    """A purchase as an intent with a new id."""
    belief, estimate, resting = proposal.belief, proposal.estimate, proposal.resting
    rests = resting is not None
    manner = {"post_only": rests, "life_seconds": resting.life_seconds if resting is not None else None}
    intent = TradeIntent(
        **{**framed(frame, IntentType.OPEN_POSITION), **manner},
        **_market(proposal.market, proposal.terms),
        outcome_label=proposal.outcome.label,
        asset_id=proposal.outcome.asset_id,
        side=proposal.side,
        order_type=OrderType(proposal.order_type),
        worst_price=proposal.worst_price,
        amount=None if rests else proposal.amount,
        shares=proposal.min_shares if rests else None,
        least_shares=None if rests else proposal.min_shares,
        fee_rate=proposal.fee.rate,
        fee_exponent=proposal.fee.exponent,
        estimated_cost=None if rests else proposal.likely.cost,
        max_cost=proposal.max_cost,
        estimated_shares=proposal.likely.shares,
        estimated_fee=proposal.likely.fee,
        reference_price=proposal.reference_price,
        book_hash=proposal.book_hash,
        book_age_seconds=proposal.book_age_seconds,
        best_bid=proposal.best_bid,
        best_ask=proposal.reference_price,
        model_name=estimate.model,
        model_version=estimate.version,
        model_validated=estimate.validated,
        model_probability=belief.q,
        model_low=belief.low,
        model_high=belief.high,
        edge_worst=proposal.edge_at_worst,
        edge_now=proposal.edge_now,
        reason=proposal.reason,
        controls=proposal.controls,
        parent_id=None,
        target_order_id=None,
        edge_required=proposal.edge_required,
        dependent=not estimate.independent,
        place=proposal.place,
        size_why=proposal.size.words,
        taken_back=resting.taken_back if resting is not None else None,
        fill_chance=resting.chance if resting is not None else None,
    )
    return guarded(intent, frame.thresholds)


def closing_intent(
    proposal: CloseProposal,
    frame: Frame,
    *,
    opened_by: TradeIntent | None,
    triggers: tuple[str, ...] = (),
    purpose: Purpose = Purpose.STRATEGY,
) -> TradeIntent:
    """A sale as an intent with a new id; no model speaks for it."""
    intent = TradeIntent(
        **framed(frame, IntentType.CLOSE_POSITION),
        **_market(proposal.market, proposal.terms),
        **NO_MODEL,
        outcome_label=proposal.outcome.label,
        asset_id=proposal.outcome.asset_id,
        side=Side.SELL,
        order_type=OrderType.FAK,
        worst_price=proposal.worst_price,
        amount=None,
        shares=proposal.shares,
        least_shares=None,
        fee_rate=proposal.fee.rate,
        fee_exponent=proposal.fee.exponent,
        estimated_cost=proposal.likely_proceeds,
        max_cost=Pusd(ZERO),
        estimated_shares=proposal.likely_shares,
        estimated_fee=proposal.likely_fee,
        reference_price=proposal.reference_price,
        book_hash=proposal.book_hash,
        book_age_seconds=None,
        best_bid=proposal.reference_price,
        best_ask=proposal.best_ask,
        reason=proposal.reason,
        controls=proposal.controls,
        parent_id=opened_by.id if opened_by is not None else None,
        target_order_id=None,
        triggers=triggers,
        purpose=purpose,
    )
    return guarded(intent, frame.thresholds)


def own_idea_intent(purchase: OwnPurchase, frame: Frame) -> TradeIntent:
    """A person's purchase as an intent with a new id."""
    intent = TradeIntent(
        **framed(frame, IntentType.OPEN_POSITION),
        **_market(purchase.market, purchase.terms),
        **NO_MODEL,
        outcome_label=purchase.outcome.label,
        asset_id=purchase.outcome.asset_id,
        side=Side.BUY,
        order_type=OrderType.FAK,
        worst_price=purchase.worst_price,
        amount=purchase.amount,
        shares=None,
        least_shares=purchase.min_shares,
        fee_rate=purchase.fee.rate,
        fee_exponent=purchase.fee.exponent,
        estimated_cost=purchase.likely.cost,
        max_cost=purchase.max_cost,
        estimated_shares=purchase.likely.shares,
        estimated_fee=purchase.likely.fee,
        reference_price=purchase.reference_price,
        book_hash=purchase.book_hash,
        book_age_seconds=None,
        best_bid=purchase.best_bid,
        best_ask=purchase.reference_price,
        reason=purchase.reason,
        controls=purchase.controls,
        parent_id=None,
        target_order_id=None,
        purpose=Purpose.PERSON,
    )
    return guarded(intent, frame.thresholds)


def test_order_intent(order: FarOrder, frame: Frame) -> TradeIntent:
    """A test order as an intent with a new id; it ends by itself after `TEST_LIFE_SECONDS`."""
    intent = TradeIntent(
        **{**framed(frame, IntentType.OPEN_POSITION), "post_only": True, "life_seconds": TEST_LIFE_SECONDS},
        **_market(order.market, order.terms),
        **NO_MODEL,
        outcome_label=order.outcome.label,
        asset_id=order.outcome.asset_id,
        side=Side.BUY,
        order_type=OrderType.GTD,
        worst_price=order.price,
        amount=None,
        shares=order.shares,
        least_shares=None,
        fee_rate=order.fee.rate,
        fee_exponent=order.fee.exponent,
        estimated_cost=order.max_cost,
        max_cost=order.max_cost,
        estimated_shares=Shares(ZERO),
        estimated_fee=Pusd(ZERO),
        reference_price=order.best_bid,
        book_hash=order.book_hash,
        book_age_seconds=None,
        best_bid=order.best_bid,
        best_ask=order.best_ask,
        reason="A test order: it rests far from the market and is cancelled at once.",
        controls=order.controls,
        parent_id=None,
        target_order_id=None,
        purpose=Purpose.TEST_ORDER,
    )
    return guarded(intent, frame.thresholds)


def cancelling_intent(
    order: OrderRecord, placed_by: TradeIntent, frame: Frame, *, reason: str
) -> TradeIntent:
    """The engine's wish to take a resting order back; it waits for a person like any intent."""
    copied = {
        name: getattr(placed_by, name)
        for name in (*_MARKET_FIELDS, "outcome_label", "asset_id", "best_bid", "best_ask")
    }
    return TradeIntent(
        **framed(frame, IntentType.CANCEL_ORDER),
        **copied,
        **NO_MODEL,
        side=None,
        order_type=None,
        worst_price=None,
        amount=None,
        shares=None,
        least_shares=None,
        fee_rate=None,
        fee_exponent=None,
        estimated_cost=None,
        max_cost=None,
        estimated_shares=None,
        estimated_fee=None,
        reference_price=None,
        book_hash="",
        book_age_seconds=None,
        reason=reason,
        controls=(),
        parent_id=placed_by.id,
        target_order_id=order.id,
    )


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
        edge_required=intent.edge_required,
        model_validated=intent.model_validated,
        model=model_id(intent.model_name, intent.model_version),
        own_idea=intent.purpose is not Purpose.STRATEGY and not intent.model_name,
        post_only=intent.post_only,
        test_order=intent.purpose is Purpose.TEST_ORDER,
        dependent=intent.dependent,
        taken_back=intent.taken_back,
    )


_MARKET_FIELDS = (
    "question",
    "condition_id",
    "event_id",
    "category",
    "protocol_version",
    "neg_risk",
    "end_date",
    "page_url",
    "resolution_source",
    "rules_hash",
    "rules_text",
    "tick",
)
NO_MODEL: dict[str, Any] = {
    "model_name": "",
    "model_version": "",
    "model_validated": False,
    "model_probability": None,
    "model_low": None,
    "model_high": None,
    "edge_worst": None,
    "edge_now": None,
}


def framed(frame: Frame, kind: IntentType) -> dict[str, Any]:
    return {
        "id": frame.new_id(),
        "scope": str(frame.scope),
        "regime": frame.regime,
        "intent_type": kind,
        "post_only": False,
        "life_seconds": None,
        "approvals_required": frame.approvals_required,
        "created_at": frame.now,
        "deadline": frame.now + timedelta(seconds=frame.decide_seconds),
    }


def _market(market: Market, terms: TradingTerms) -> dict[str, Any]:
    return {
        "question": market.question,
        "condition_id": market.condition_id,
        "event_id": market.event_id,
        "category": market.category,
        "protocol_version": market.version.value,
        "neg_risk": terms.neg_risk,
        "end_date": market.end_date,
        "page_url": market.page_url,
        "resolution_source": market.resolution_source,
        "rules_hash": market.rules_hash,
        "rules_text": market.rules_text,
        "tick": terms.tick,
    }
