"""The trades of the guide's screens: their figures agree with each other and with what is rendered."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from polyb0t.cli.render_intents import Listed
from polyb0t.cli.scene import Scene
from polyb0t.core.ids import IntentId, OrderId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import IntentRecord, IntentStatus, IntentType, OrderType, TradeIntent
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.scope import Regime, Scope
from polyb0t.execution.store import LeaseInfo
from polyb0t.models.kill_switches import Stance
from polyb0t.models.limits import ControlResult
from polyb0t.models.taken_back import TakenBack
from tests.support.builders import an_intent

NOW = datetime(2026, 11, 22, 12, 41, 7, tzinfo=UTC)
WALLET = "0x52ab" + "0" * 32 + "91c4"
DIGEST = "9f3a61c2" + "0" * 56
ORDER = OrderId("0x7c1e" + "0" * 56 + "e09b")


def D(text: str) -> Decimal:
    return Decimal(text)


def scene(**overrides: Any) -> Scene:
    """Practice money on the sandbox, trading allowed, an engine heard 4 s ago."""
    scope = Scope("sandbox", 137, WALLET, "w0rld")
    beat = NOW - timedelta(seconds=4)
    engine = LeaseInfo(
        "engine", 3, "host:42", "boot", "1.0", Regime.LIVE, 31, NOW - timedelta(hours=3), beat, False
    )
    content: dict[str, Any] = {
        "scope": scope,
        "regime": Regime.LIVE,
        "stance": Stance.ACTIVE,
        "engine": engine,
        "alive": True,
        "now": NOW,
    }
    return Scene(**{**content, **overrides})


def tram(**overrides: Any) -> TradeIntent:
    """Spend 91.50 pUSD at 61¢ or less; the present price is 60¢; the fee rate is 0.04."""
    passed = tuple(ControlResult(f"control_{n}", True, "", "", "") for n in range(15))
    limits = (
        ControlResult("order_too_large", True, "95.16", "100.00", ""),
        ControlResult("exposure_market", True, "95.16", "200.00", ""),
        ControlResult("exposure_category", True, "180.17", "2,000.00", ""),
    )
    content: dict[str, Any] = {
        "id": IntentId("k7m2000000000000"),
        "question": "Will Harbor City approve the tram line by 22 January?",
        "category": "politics",
        "end_date": NOW + timedelta(days=60, hours=11),
        "worst_price": Price(D("0.61")),
        "amount": Pusd(D("91.5")),
        "least_shares": Shares(D("150")),
        "tick": Price(D("0.01")),
        "fee_rate": D("0.04"),
        "estimated_cost": Pusd(D("92.964")),
        "estimated_fee": Pusd(D("1.464")),
        "estimated_shares": Shares(D("152.5")),
        "max_cost": Pusd(D("95.16")),
        "reference_price": Price(D("0.60")),
        "best_bid": Price(D("0.59")),
        "best_ask": Price(D("0.60")),
        "book_age_seconds": D("0.8"),
        "model_name": "market calibration",
        "model_version": "v3",
        "model_probability": D("0.66"),
        "model_low": D("0.63"),
        "model_high": D("0.69"),
        "edge_worst": D("0.029"),
        "edge_now": D("0.039"),
        "reason": (
            "The model says 66% (63% to 69%), the offer is 60¢: +3.9¢ a share now, +2.9¢ at the worst price. "
            "Politics one to three months out is priced too close to the middle."
        ),
        "resolution_source": "the city council's vote in its minutes; no vote by then is NO",
        "controls": (*passed, *limits),
        "created_at": NOW - timedelta(seconds=22),
        "deadline": NOW + timedelta(seconds=38),
        "page_url": "",
    }
    return an_intent(**{**content, **overrides})


def mayor() -> TradeIntent:
    """Sell 120 shares of NO at 67¢ or more: 79.34 at least, with the fee of 0.04 x 0.67 x 0.33 a share taken."""
    return tram(
        id=IntentId("q9rt000000000000"),
        intent_type=IntentType.CLOSE_POSITION,
        question="Northmark mayor: Alva Berg",
        outcome_label="No",
        side=Side.SELL,
        worst_price=Price(D("0.67")),
        amount=None,
        least_shares=None,
        shares=Shares(D("120")),
        max_cost=Pusd(D("0")),
        edge_worst=None,
        model_probability=None,
        deadline=NOW + timedelta(minutes=7, seconds=20),
    )


def claim() -> TradeIntent:
    """40 winning shares."""
    return tram(
        id=IntentId("c4xd000000000000"),
        intent_type=IntentType.CLAIM_SETTLEMENT,
        question="Rain in Eastport, 22 Nov",
        side=None,
        order_type=None,
        worst_price=None,
        amount=None,
        least_shares=None,
        shares=Shares(D("40")),
        edge_worst=None,
        model_probability=None,
        deadline=NOW + timedelta(hours=22, minutes=3),
    )


def record(intent: TradeIntent, **overrides: Any) -> IntentRecord:
    """Waiting, unless told otherwise."""
    content: dict[str, Any] = {
        "intent": intent,
        "digest": DIGEST,
        "status": IntentStatus.PENDING,
        "decided_at": None,
        "decided_by": None,
        "execute_by": None,
        "result": None,
        "result_detail": "",
        "seen_at": None,
        "order_id": None,
        "updated_at": intent.created_at,
    }
    return IntentRecord(**{**content, **overrides})


def tram_resting(**overrides: Any) -> TradeIntent:
    """150 shares of it at the bid of 59¢, for two hours, while the offer is 61¢."""
    content: dict[str, Any] = {
        "order_type": OrderType.GTD,
        "post_only": True,
        "life_seconds": 7_200,
        "worst_price": Price(D("0.59")),
        "amount": None,
        "least_shares": None,
        "shares": Shares(D("150")),
        "max_cost": Pusd(D("88.50")),
        "estimated_cost": None,
        "estimated_shares": Shares(D("0")),
        "estimated_fee": Pusd(D("0")),
        "best_ask": Price(D("0.61")),
        "reference_price": Price(D("0.61")),
        "reason": "Resting at 59¢ without a fee leaves more.",
        "taken_back": TakenBack(D("0.60"), D("0.58"), D("0.04")),
    }
    return tram(**{**content, **overrides})


def item(intent: TradeIntent, outcome: str = "", **overrides: Any) -> Listed:
    return Listed(record(intent, **overrides), intent.id[:4], outcome)


def tram_order(**overrides: Any) -> OrderRecord:
    """The tram trade filled: 152.50 shares at 60¢ for 91.50 and a fee of 1.464."""
    content: dict[str, Any] = {
        "id": ORDER,
        "intent_id": IntentId("k7m2000000000000"),
        "scope": "sandbox:137:" + WALLET + ":w0rld",
        "regime": Regime.LIVE,
        "status": OrderStatus.MATCHED,
        "condition_id": tram().condition_id,
        "asset_id": tram().asset_id,
        "side": Side.BUY,
        "order_type": OrderType.FAK,
        "price": Price(D("0.61")),
        "shares": Shares(D("150")),
        "amount": Pusd(D("91.5")),
        "signed_order": "{}",
        "l2_timestamp": 1,
        "credential_id": "c",
        "copies": 1,
        "created_at": NOW + timedelta(milliseconds=200),
        "updated_at": NOW + timedelta(milliseconds=400),
        "filled_shares": Shares(D("152.5")),
        "filled_notional": Pusd(D("91.5")),
        "fees": Pusd(D("1.464")),
        "provisional_shares": Shares(D("152.5")),
        "venue_status": "MATCHED",
        "detail": "",
        "lookups": 0,
        "looked_up_at": None,
    }
    return OrderRecord(**{**content, **overrides})
