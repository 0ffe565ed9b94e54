"""Values for tests: complete, legal, and changed only where a test says so."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from polyb0t.core.ids import AssetId, ConditionId, EventId, OrderId, TradeId, new_intent_id
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.cash_flows import Movement
from polyb0t.data.fills import Fill, FillStatus, Role
from polyb0t.data.order_book import Side
from polyb0t.execution.access import NO_THRESHOLDS
from polyb0t.execution.intents import IntentType, OrderType, TradeIntent
from polyb0t.execution.orders import NewOrder
from polyb0t.execution.scope import SANDBOX, Regime, Scope
from polyb0t.execution.store import ClaimLimits
from polyb0t.models.limits import ControlResult

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
WALLET = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
ASSET = AssetId("71321045679252212594626385532706912750332728571942532289631379312455583992563")
CONDITION = ConditionId("0x" + "ab" * 32)


def a_scope(**overrides: Any) -> Scope:
    """The sandbox, one practice account, one world."""
    return Scope(**{"venue": SANDBOX, "chain_id": 137, "wallet": WALLET, "world": "w0rld", **overrides})


def an_intent(**overrides: Any) -> TradeIntent:
    """A taker BUY of 10 pUSD at 0.50 or better, live on the sandbox, with a minute to decide.

    `created_at` defaults to the FakeClock's start; `deadline` follows it.
    """
    created = overrides.get("created_at", NOW)
    content: dict[str, Any] = {
        "id": new_intent_id(),
        "scope": str(a_scope()),
        "regime": Regime.LIVE,
        "intent_type": IntentType.OPEN_POSITION,
        "question": "Will the ferry to Lindholm run on time in December?",
        "condition_id": CONDITION,
        "event_id": EventId("42"),
        "category": "transport",
        "protocol_version": "v1",
        "neg_risk": False,
        "end_date": created + timedelta(days=20),
        "page_url": "http://127.0.0.1:8137/event/ferry",
        "resolution_source": "the ferry's timetable",
        "rules_hash": "c0ffee",
        "rules_text": "Resolves to Yes if the ferry runs on time.",
        "outcome_label": "Yes",
        "asset_id": ASSET,
        "side": Side.BUY,
        "order_type": OrderType.FAK,
        "post_only": False,
        "life_seconds": None,
        "worst_price": Price(Decimal("0.5")),
        "amount": Pusd(Decimal(10)),
        "shares": None,
        "least_shares": Shares(Decimal(20)),
        "tick": Price(Decimal("0.01")),
        "fee_rate": Decimal("0.02"),
        "fee_exponent": Decimal(1),
        "estimated_cost": Pusd(Decimal("10.1")),
        "max_cost": Pusd(Decimal("10.2")),
        "estimated_shares": Shares(Decimal(21)),
        "estimated_fee": Pusd(Decimal("0.1")),
        "reference_price": Price(Decimal("0.48")),
        "book_hash": "b00c",
        "book_age_seconds": Decimal("0.4"),
        "best_bid": Price(Decimal("0.47")),
        "best_ask": Price(Decimal("0.48")),
        "model_name": "market_calibration",
        "model_version": "1",
        "model_validated": False,
        "model_probability": Decimal("0.55"),
        "model_low": Decimal("0.51"),
        "model_high": Decimal("0.59"),
        "edge_worst": Decimal("0.03"),
        "edge_now": Decimal("0.05"),
        "reason": "The market pays less for this than such markets have turned out to be worth.",
        "controls": (ControlResult("book_stale", True, "0.4 s", "15 s", ""),),
        "approvals_required": 1,
        "created_at": created,
        "deadline": created + timedelta(seconds=60),
        "parent_id": None,
        "target_order_id": None,
    }
    return TradeIntent(**{**content, **overrides})


def a_close(**overrides: Any) -> TradeIntent:
    """A taker SELL of 20 shares at 0.40 or better."""
    content: dict[str, Any] = {
        "intent_type": IntentType.CLOSE_POSITION,
        "side": Side.SELL,
        "worst_price": Price(Decimal("0.4")),
        "amount": None,
        "shares": Shares(Decimal(20)),
        "least_shares": None,
        "max_cost": Pusd(Decimal(0)),
    }
    return an_intent(**{**content, **overrides})


def a_cancel(order_id: OrderId, **overrides: Any) -> TradeIntent:
    """Take a resting order back."""
    content: dict[str, Any] = {
        "intent_type": IntentType.CANCEL_ORDER,
        "target_order_id": order_id,
        "side": None,
        "order_type": None,
        "worst_price": None,
        "amount": None,
        "shares": None,
        "least_shares": None,
        "max_cost": None,
    }
    return an_intent(**{**content, **overrides})


def a_claim(**overrides: Any) -> TradeIntent:
    """Claim 20 winning shares, with a day to decide."""
    created = overrides.get("created_at", NOW)
    content: dict[str, Any] = {
        "intent_type": IntentType.CLAIM_SETTLEMENT,
        "side": None,
        "order_type": None,
        "worst_price": None,
        "amount": None,
        "shares": Shares(Decimal(20)),
        "least_shares": None,
        "max_cost": None,
        "deadline": created + timedelta(days=1),
        "claim": {
            "route": "transaction",
            "wallet": WALLET,
            "expected_pusd": "20",
            "asset_ids": f"{ASSET} 2",
            "shares": "20 0",
            "version": "v1",
            "neg_risk": "no",
        },
    }
    return an_intent(**{**content, **overrides})


def wide_limits(**overrides: Any) -> ClaimLimits:
    """Room for anything that these builders make."""
    content: dict[str, Any] = {
        "spendable_pusd": Pusd(Decimal(1000)),
        "max_order_pusd": Pusd(Decimal(250)),
        "max_exposure_pusd": Pusd(Decimal(500)),
        "held_cost_pusd": Pusd(Decimal(0)),
        "closable_shares": Shares(Decimal(1000)),
        "as_of": 10**12,  # newer than any fill
        "max_used_pusd": Pusd(Decimal(500)),
        "max_turnover_pusd": Pusd(Decimal(5000)),
        "bought_today_pusd": Pusd(Decimal(0)),
        "max_orders_hour": 100,
        "thresholds": NO_THRESHOLDS,
    }
    return ClaimLimits(**{**content, **overrides})


def an_order_for(intent: TradeIntent, **overrides: Any) -> NewOrder:
    """What a permit stores; the id follows from the intent, as the real one does."""
    content: dict[str, Any] = {
        "id": OrderId("0x" + intent.digest),
        "intent_id": intent.id,
        "signed_order": '{"salt":1}',
        "l2_timestamp": int(intent.created_at.timestamp()),
        "credential_id": "practice-0",
    }
    return NewOrder(**{**content, **overrides})


def a_fill(order_id: OrderId, **overrides: Any) -> Fill:
    """20 shares bought at 0.48 as taker, matched and not yet on the chain."""
    content: dict[str, Any] = {
        "trade_id": TradeId("trade-1"),
        "bucket_index": 0,
        "order_id": order_id,
        "condition_id": CONDITION,
        "asset_id": ASSET,
        "side": Side.BUY,
        "role": Role.TAKER,
        "price": Price(Decimal("0.48")),
        "shares": Shares(Decimal(20)),
        "fee": Pusd(Decimal("0.096")),
        "status": FillStatus.MATCHED,
        "matched_at": NOW,
        "transaction_hash": "",
    }
    return Fill(**{**content, **overrides})


def a_deposit(pusd: str = "250", **overrides: Any) -> Movement:
    """250 pUSD paid in."""
    content = {
        "kind": "DEPOSIT",
        "at": NOW,
        "transaction_hash": "0x0",
        "pusd": Pusd(Decimal(pusd)),
        "shares": Shares(Decimal(0)),
    }
    return Movement(**{**content, **overrides})
