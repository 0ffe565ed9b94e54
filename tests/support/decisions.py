"""Markets, books and desks for tests of decisions: sensible by default, a test names what matters."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from polyb0t.core.ids import AssetId, ConditionId, EventId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.deny_list import DenyList
from polyb0t.data.markets import FeeSchedule, Market, Outcome, ProtocolVersion, TradingTerms
from polyb0t.data.order_book import Level, OrderBook, Side
from polyb0t.models.decision_desk import Desk
from polyb0t.models.kill_switches import KillSwitchType, Override, Stance, SwitchEvent, SwitchState
from polyb0t.models.portfolio_tail import PortfolioTail
from polyb0t.models.risk import NOTHING, Allowance, ControlContext, Exposure, ProposedTrade, RiskLimits
from polyb0t.models.signals import MarketState
from polyb0t.models.usage import NO_PHASE, Usage, UsualSpread
from polyb0t.research.tail_risk import tail_loss

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
POLITICS_FEE = FeeSchedule(rate=Decimal("0.04"), exponent=Decimal(1))


AROUND: Mapping[str, Any] = {  # nothing is under way, nothing is denied
    "deny": DenyList(),
    "usage": Usage(0, NOTHING, NOTHING, 0, NOTHING, NOTHING),
    "own_orders": (),
    "small_orders": NO_PHASE,
    "active_model": "market calibration 1",
    "tail": PortfolioTail((), {}, lambda _asset: None, tail_loss),
}


def d(text: str | int) -> Decimal:
    return Decimal(text)


def a_market(name: str = "tram", **changes: Any) -> Market:
    market = Market(
        market_id=f"id-{name}",
        condition_id=ConditionId(f"0x{name}"),
        question=f"Will {name} happen?",
        slug=name,
        page_url=f"https://example.org/{name}",
        category="politics",
        tags=("politics",),
        event_id=EventId(f"event-{name}"),
        event_title=name,
        outcomes=(Outcome("Yes", AssetId(f"{name}-yes")), Outcome("No", AssetId(f"{name}-no"))),
        version=ProtocolVersion.V1,
        neg_risk=False,
        active=True,
        closed=False,
        archived=False,
        accepting_orders=True,
        order_book_enabled=True,
        end_date=NOW + timedelta(days=60),
        game_start=None,
        tick=Price(d("0.01")),
        min_shares=Shares(d(5)),
        fees_enabled=True,
        fee=POLITICS_FEE,
        taker_delay_seconds=0,
        liquidity_pusd=Pusd(d(10_000)),
        volume_24h_pusd=Pusd(d(1_000)),
        best_bid=None,
        best_ask=None,
        resolution_source="the council's minutes",
        resolution_status="",
        rules_text="Yes if it happens.",
        rules_hash="rules-1",
        observed_at=NOW,
    )
    return replace(market, **changes)


def terms_of(market: Market, **changes: Any) -> TradingTerms:
    terms = TradingTerms(
        condition_id=market.condition_id,
        tick=Price(d("0.01")),
        min_shares=Shares(d(5)),
        fee=market.fee,
        taker_delay_seconds=0,
        neg_risk=False,
        observed_at=NOW,
    )
    return replace(terms, **changes)


def levels(*pairs: tuple[str, str | int]) -> tuple[Level, ...]:
    return tuple(Level(Price(d(price)), Shares(d(shares))) for price, shares in pairs)


def a_book(
    asset: str,
    bids: Sequence[tuple[str, str | int]] = (),
    asks: Sequence[tuple[str, str | int]] = (),
    *,
    condition: str = "0xtram",
    age_seconds: float = 0.8,
) -> OrderBook:
    return OrderBook(
        asset_id=AssetId(asset),
        condition_id=ConditionId(condition),
        bids=levels(*bids),
        asks=levels(*asks),
        tick=Price(d("0.01")),
        min_shares=Shares(d(5)),
        neg_risk=False,
        last_trade_price=None,
        hash=f"hash-{asset}",
        venue_time=None,
        observed_at=NOW - timedelta(seconds=age_seconds),
    )


def books_at(
    market: Market, bid: str, ask: str, *, size: int = 2_000, age_seconds: float = 0.8
) -> tuple[OrderBook, OrderBook]:
    """Both outcomes' books, mirrored, with a second level a cent behind the first."""
    yes, no = (outcome.asset_id for outcome in market.outcomes)
    cent = d("0.01")

    def side(best: Decimal, step: Decimal) -> list[tuple[str, int]]:
        return [(str(best), size), (str(best + step), size)]

    first = a_book(
        yes, side(d(bid), -cent), side(d(ask), cent), condition=market.condition_id, age_seconds=age_seconds
    )
    second = a_book(
        no,
        side(1 - d(ask), -cent),
        side(1 - d(bid), cent),
        condition=market.condition_id,
        age_seconds=age_seconds,
    )
    return first, second


def a_state(
    market: Market | None = None, bid: str = "0.79", ask: str = "0.80", **changes: Any
) -> MarketState:
    market = market or a_market()
    state = MarketState(market=market, terms=terms_of(market), books=books_at(market, bid, ask), now=NOW)
    return replace(state, **changes)


def a_desk(**changes: Any) -> Desk:
    desk = Desk(
        now=NOW,
        limits=RiskLimits(),
        regime="dry_run",
        stance=Stance.ACTIVE,
        bankroll_pusd=Pusd(d(10_000)),
        spendable_pusd=Pusd(d(10_000)),
        exposure=Exposure(),
        live_assets=frozenset(),
        resting_assets=frozenset(),
        sold_assets=frozenset(),
        clock_skew_seconds=d(0),
        allow_unvalidated=False,
        identity_proven=True,
        at_most=6,
        **AROUND,
        usual_spread_of=lambda _market: UsualSpread(d("0.01")),
        allowance_of=lambda _market: Allowance("0x" + "e1" * 20, Pusd(d(10_000))),
    )
    return replace(desk, **changes)


def a_trade(**changes: Any) -> ProposedTrade:
    """BUY YES for 91.50 pUSD at 61 cents or less: 150 shares or more."""
    trade = ProposedTrade(
        intent_type="OPEN_POSITION",
        side=Side.BUY,
        order_type="FAK",
        condition_id=ConditionId("0xtram"),
        asset_id=AssetId("tram-yes"),
        worst_price=Price(d("0.61")),
        amount=Pusd(d("91.50")),
        shares=None,
        min_shares=Shares(d(150)),
        max_cost=Pusd(d("95.16")),
        rules_hash="rules-1",
        edge_now=d("0.039"),
        edge_at_worst=d("0.029"),
        edge_required=d("0.024"),
        model_validated=False,
        model="market calibration 1",
    )
    return replace(trade, **changes)


def a_close(**changes: Any) -> ProposedTrade:
    """SELL 120 YES at 58 cents or more."""
    close = replace(
        a_trade(),
        intent_type="CLOSE_POSITION",
        side=Side.SELL,
        worst_price=Price(d("0.58")),
        amount=None,
        shares=Shares(d(120)),
        min_shares=None,
        max_cost=Pusd(d(0)),
        edge_now=None,
        edge_at_worst=None,
        edge_required=None,
        model_validated=None,
        model="",
    )
    return replace(close, **changes)


def a_context(**changes: Any) -> ControlContext:
    """A moment in which `a_trade` and `a_close` pass every control."""
    market = a_market()
    book = a_book("tram-yes", [("0.59", 410), ("0.58", 900)], [("0.60", 320), ("0.61", 900)])
    context = ControlContext(
        now=NOW,
        limits=RiskLimits(),
        regime="dry_run",
        at_submit=False,
        stance=Stance.ACTIVE,
        market=market,
        terms=terms_of(market),
        book=book,
        bankroll_pusd=Pusd(d(10_000)),
        spendable_pusd=Pusd(d(10_000)),
        exposure=Exposure(),
        live_assets=frozenset(),
        closable_shares=Shares(d(150)),
        clock_skew_seconds=d("0.1"),
        allowance=Allowance("0x" + "e1" * 20, Pusd(d(10_000))),
        identity_proven=True,
        usual_spread=UsualSpread(d("0.01")),
        **AROUND,
    )
    return replace(context, **changes)


class SwitchesInMemory:
    """Rows as a dictionary. `missing` are rows that somebody deleted."""

    def __init__(self, missing: frozenset[KillSwitchType] = frozenset()) -> None:
        self.rows = {s: SwitchState(s, tripped=False) for s in KillSwitchType if s not in missing}
        self.events: dict[KillSwitchType, SwitchEvent] = {}

    def list(self) -> Sequence[SwitchState]:
        return tuple(self.rows.values())

    def trip(
        self,
        switch: KillSwitchType,
        *,
        actor: str,
        reason: str,
        value: str | None = None,
        limit: str | None = None,
        known: Mapping[str, object] | None = None,
    ) -> bool:
        if switch in self.rows and self.rows[switch].holds and not self.rows[switch].lapsed:
            return False
        self.rows[switch] = SwitchState(switch, True, NOW, actor, reason, value, limit)
        self.events[switch] = SwitchEvent(
            switch, True, NOW, actor, reason, value, limit, known=dict(known or {})
        )
        return True

    def clear(
        self,
        switch: KillSwitchType,
        *,
        actor: str,
        reason: str,
        known: Mapping[str, object] | None = None,
    ) -> bool:
        if switch in self.rows and not self.rows[switch].tripped:
            return False
        self.rows[switch] = SwitchState(switch, False, NOW, actor, reason)
        return True

    def override(
        self, switch: KillSwitchType, *, actor: str, reason: str, lasting: timedelta
    ) -> datetime | None:
        state = self.rows.get(switch)
        if state is None or not state.tripped:
            return None
        self.rows[switch] = replace(state, override=Override(NOW + lasting, actor, reason))
        return NOW + lasting

    def last_trip(self, switch: KillSwitchType) -> SwitchEvent | None:
        return self.events.get(switch)
