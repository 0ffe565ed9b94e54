"""An intent for tests of the venue: a taker BUY of 10 pUSD at 0.52 or better, changed by keywords."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from polyb0t.core.ids import AssetId, ConditionId, EventId, new_intent_id
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import IntentType, OrderType, TradeIntent
from polyb0t.execution.scope import Regime

TOKEN = AssetId("71321045679252212594626385532706912750332728571942532289631379312455583992563")
CREATED = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def an_intent(**changes: object) -> TradeIntent:
    """Any field by name."""
    return replace(_base(), **changes)  # type: ignore[arg-type]


def _base() -> TradeIntent:
    return TradeIntent(
        id=new_intent_id(),
        scope="sandbox:137:0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A:world",
        regime=Regime.LIVE,
        intent_type=IntentType.OPEN_POSITION,
        question="Will it rain in Erewhon?",
        condition_id=ConditionId("0x" + "5f" * 32),
        event_id=EventId("1"),
        category="weather",
        protocol_version="v1",
        neg_risk=False,
        end_date=None,
        page_url="",
        resolution_source="",
        rules_hash="",
        rules_text="",
        outcome_label="Yes",
        asset_id=TOKEN,
        side=Side.BUY,
        order_type=OrderType.FAK,
        post_only=False,
        life_seconds=None,
        worst_price=Price(Decimal("0.52")),
        amount=Pusd(Decimal(10)),
        shares=None,
        least_shares=Shares(Decimal("19.23")),
        tick=Price(Decimal("0.01")),
        fee_rate=Decimal("0.05"),
        fee_exponent=Decimal(1),
        estimated_cost=Pusd(Decimal("10.24")),
        max_cost=Pusd(Decimal("10.5")),
        estimated_shares=Shares(Decimal("19.5")),
        estimated_fee=Pusd(Decimal("0.24")),
        reference_price=Price(Decimal("0.51")),
        book_hash="",
        book_age_seconds=Decimal(1),
        best_bid=Price(Decimal("0.50")),
        best_ask=Price(Decimal("0.51")),
        model_name="test",
        model_version="1",
        model_validated=True,
        model_probability=Decimal("0.6"),
        model_low=None,
        model_high=None,
        edge_worst=Decimal("0.05"),
        edge_now=Decimal("0.06"),
        reason="a test",
        controls=(),
        approvals_required=1,
        created_at=CREATED,
        deadline=CREATED + timedelta(minutes=1),
        parent_id=None,
        target_order_id=None,
    )
