"""What stands around an executor in tests: a market, its book, an account with room."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from polyb0t.core.clock import Clock
from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import AssetId, EventId, OrderId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.markets import FeeSchedule, Market, Outcome, ProtocolVersion, TradingTerms
from polyb0t.data.order_book import Level, OrderBook
from polyb0t.execution.intents import TradeIntent
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import ClaimLimits, Stores
from polyb0t.models.kill_switches import stance_of
from polyb0t.models.limits import ControlContext, Exposure, RiskLimits
from polyb0t.models.risk import Allowance, ShareAllowance
from polyb0t.models.usage import UsualSpread
from tests.support.builders import ASSET, CONDITION, NOW, wide_limits
from tests.support.decisions import AROUND

FEE = FeeSchedule(Decimal("0.02"), Decimal(1))


def a_market(**changes: Any) -> Market:
    """The market of the builders' intents."""
    market = Market(
        market_id="7",
        condition_id=CONDITION,
        question="Will the ferry to Lindholm run on time in December?",
        slug="ferry",
        page_url="http://127.0.0.1:8137/event/ferry",
        category="transport",
        tags=(),
        event_id=EventId("42"),
        event_title="Ferry",
        outcomes=(Outcome("Yes", ASSET), Outcome("No", AssetId("2"))),
        version=ProtocolVersion.V1,
        neg_risk=False,
        active=True,
        closed=False,
        archived=False,
        accepting_orders=True,
        order_book_enabled=True,
        end_date=NOW + timedelta(days=20),
        game_start=None,
        tick=Price(Decimal("0.01")),
        min_shares=Shares(Decimal(5)),
        fees_enabled=True,
        fee=FEE,
        taker_delay_seconds=0,
        liquidity_pusd=Pusd(Decimal(1000)),
        volume_24h_pusd=Pusd(Decimal(1000)),
        best_bid=None,
        best_ask=None,
        resolution_source="the ferry's timetable",
        resolution_status="",
        rules_text="Resolves to Yes if the ferry runs on time.",
        rules_hash="c0ffee",
        observed_at=NOW,
    )
    return replace(market, **changes)


def a_book(bid: str = "0.47", ask: str = "0.48", shares: str = "1000", **changes: Any) -> OrderBook:
    """One level on each side; the shares are the same on both."""
    book = OrderBook(
        asset_id=ASSET,
        condition_id=CONDITION,
        bids=(Level(Price(Decimal(bid)), Shares(Decimal(shares))),),
        asks=(Level(Price(Decimal(ask)), Shares(Decimal(shares))),),
        tick=Price(Decimal("0.01")),
        min_shares=Shares(Decimal(5)),
        neg_risk=False,
        last_trade_price=None,
        hash="b00c",
        venue_time=None,
        observed_at=NOW,
    )
    return replace(book, **changes)


@dataclass
class FakeBooks:
    """Answers with `book` as of now, or not at all."""

    clock: Clock
    book: OrderBook | None = field(default_factory=a_book)
    age_seconds: float = 0.3

    def fresh_book(self, asset_id: AssetId) -> OrderBook:
        if self.book is None:
            raise VenueUnreachableError("No book was seen in the last 2 s.")
        observed = self.clock.now() - timedelta(seconds=self.age_seconds)
        return replace(self.book, asset_id=asset_id, observed_at=observed)


@dataclass
class FakeSituation:
    """An account with room for what the builders make; the real controls judge by it."""

    stores: Stores
    clock: Clock
    limits: ClaimLimits = field(default_factory=wide_limits)
    market: Market = field(default_factory=a_market)
    changes: dict[str, Any] = field(default_factory=dict)  # of the controls' context

    def claim_limits(self, intent: TradeIntent) -> ClaimLimits:
        return self.limits

    def control_context(self, intent: TradeIntent, book: OrderBook) -> ControlContext:
        market = replace(
            self.market,
            condition_id=intent.condition_id,
            outcomes=(Outcome("Yes", intent.asset_id), Outcome("No", AssetId("2"))),
        )
        context = ControlContext(
            now=self.clock.now(),
            limits=RiskLimits(),
            regime=intent.regime,
            at_submit=True,
            stance=stance_of(self.stores.switches.list()),
            market=market,
            terms=TradingTerms(
                intent.condition_id,
                Price(Decimal("0.01")),
                Shares(Decimal(5)),
                FEE,
                taker_delay_seconds=0,
                neg_risk=False,
                observed_at=self.clock.now(),
            ),
            book=book,
            bankroll_pusd=Pusd(Decimal(10_000)),
            spendable_pusd=Pusd(Decimal(10_000)),
            exposure=Exposure(),
            live_assets=frozenset(),
            closable_shares=Shares(Decimal(1_000)),
            clock_skew_seconds=Decimal(0),
            allow_unvalidated=True,
            allowance=Allowance("0x" + "e1" * 20, Pusd(Decimal(10_000))),
            share_allowance=ShareAllowance("0x" + "e1" * 20, Shares(Decimal(10_000))),
            identity_proven=True,
            usual_spread=UsualSpread(None),
            **{**AROUND, "active_model": f"{intent.model_name} {intent.model_version}".strip()},
        )
        return replace(context, **self.changes)


def an_order_record(
    intent: TradeIntent, status: OrderStatus, filled: str = "0", **changes: Any
) -> OrderRecord:
    """What is stored of an intent's order, five minutes after it last moved."""
    shares = intent.shares or intent.least_shares
    content: dict[str, Any] = {
        "id": OrderId("0x" + "12" * 32),
        "intent_id": intent.id,
        "scope": intent.scope,
        "regime": Regime.LIVE,
        "status": status,
        "condition_id": intent.condition_id,
        "asset_id": intent.asset_id,
        "side": intent.side,
        "order_type": intent.order_type,
        "price": intent.worst_price,
        "shares": shares,
        "amount": intent.amount,
        "signed_order": None,
        "l2_timestamp": 0,
        "credential_id": "",
        "copies": 1,
        "created_at": NOW,
        "updated_at": NOW - timedelta(minutes=5),
        "filled_shares": Shares(Decimal(filled)),
        "filled_notional": Pusd(Decimal(filled) / 2),
        "fees": Pusd(Decimal(0)),
        "provisional_shares": Shares(Decimal(0)),
        "venue_status": "",
        "detail": "",
        "lookups": 0,
        "looked_up_at": None,
    }
    return OrderRecord(**{**content, **changes})
