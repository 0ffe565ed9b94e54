"""The universe: who is let in, and for everybody else a reason that a person understands."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.deny_list import DenyList
from polyb0t.data.markets import FeeSchedule, Market, Outcome, ProtocolVersion
from polyb0t.data.order_book import Level, OrderBook
from polyb0t.data.universe import ASKED, RULES, Universe, UniverseRules, select

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
YES, NO = AssetId("7" * 70), AssetId("8" * 70)
CONDITION = ConditionId("0x" + "5f" * 32)
RULES_BY_DEFAULT = UniverseRules()


def a_market(**changes: Any) -> Market:
    """Open, liquid, ending in three weeks."""
    values: dict[str, Any] = {
        "market_id": "1",
        "condition_id": CONDITION,
        "question": "Will the ferry run on time?",
        "slug": "ferry-on-time",
        "page_url": "",
        "category": "transport",
        "tags": ("transport",),
        "event_id": None,
        "event_title": "",
        "outcomes": (Outcome("Yes", YES), Outcome("No", NO)),
        "version": ProtocolVersion.V1,
        "neg_risk": False,
        "active": True,
        "closed": False,
        "archived": False,
        "accepting_orders": True,
        "order_book_enabled": True,
        "end_date": NOW + timedelta(days=21),
        "game_start": None,
        "tick": Price(Decimal("0.01")),
        "min_shares": Shares(Decimal(5)),
        "fees_enabled": True,
        "fee": FeeSchedule(Decimal("0.05"), Decimal(1)),
        "taker_delay_seconds": 0,
        "liquidity_pusd": Pusd(Decimal(5_000)),
        "volume_24h_pusd": Pusd(Decimal(900)),
        "best_bid": Price(Decimal("0.44")),
        "best_ask": Price(Decimal("0.46")),
        "resolution_source": "",
        "resolution_status": "",
        "rules_text": "",
        "rules_hash": "",
        "observed_at": NOW,
        **changes,
    }
    return Market(**values)


def a_book(bid: str | None, ask: str | None, asset: AssetId = YES) -> OrderBook:
    def side(price: str | None) -> tuple[Level, ...]:
        return () if price is None else (Level(Price(Decimal(price)), Shares(Decimal(10))),)

    return OrderBook(asset, CONDITION, side(bid), side(ask), None, None, None, None, "", None, NOW)


def decide(market: Market, rules: UniverseRules = RULES_BY_DEFAULT, **books: OrderBook) -> Universe:
    return select([market], {book.asset_id: book for book in books.values()}, NOW, rules)


def codes(market: Market, rules: UniverseRules = RULES_BY_DEFAULT, **books: OrderBook) -> list[str]:
    excluded = decide(market, rules, **books).excluded
    return [reason.code for group in excluded.values() for one in group for reason in one.reasons]


def test_an_ordinary_market_is_let_in() -> None:
    assert decide(a_market()).tradable == (a_market(),)
    assert codes(a_market()) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"closed": True}, "not_open"),
        ({"active": False}, "not_open"),
        ({"archived": True}, "not_open"),
        ({"accepting_orders": False}, "not_open"),
        ({"order_book_enabled": False}, "not_open"),
        ({"resolution_status": "proposed"}, "being_resolved"),
        ({"resolution_status": "something new"}, "being_resolved"),
        ({"tick": None}, "terms_unknown"),
        ({"min_shares": None}, "terms_unknown"),
        ({"fee": None}, "fee_unknown"),
        ({"end_date": None}, "end_unknown"),
        ({"end_date": NOW - timedelta(seconds=1)}, "ended"),
        ({"end_date": NOW + timedelta(hours=71)}, "ends_too_soon"),
        ({"end_date": NOW + timedelta(days=200)}, "ends_too_late"),
        ({"liquidity_pusd": None}, "liquidity_unknown"),
        ({"liquidity_pusd": Pusd(Decimal(999))}, "liquidity"),
        ({"best_bid": None}, "no_spread"),
        ({"best_ask": Price(Decimal("0.48"))}, "spread"),
        ({"game_start": NOW}, "in_play"),
        ({"placeholder": True}, "placeholder"),
    ],
)
def test_a_market_is_left_out_with_a_code_and_a_sentence(changes: dict[str, Any], code: str) -> None:
    universe = decide(a_market(**changes))
    assert universe.tradable == ()
    (excluded,) = universe.excluded[code]
    assert [reason.code for reason in excluded.reasons] == [code]
    assert excluded.reasons[0].sentence.endswith(".")
    assert code in ASKED


@pytest.mark.parametrize(
    "changes",
    [
        {"end_date": NOW + timedelta(hours=72)},
        {"end_date": NOW + timedelta(days=180)},
        {"liquidity_pusd": Pusd(Decimal(1_000))},
        {"best_ask": Price(Decimal("0.47"))},
        {"fee": None, "fees_enabled": False},
        {"resolution_status": "inactive"},
        {"game_start": NOW + timedelta(seconds=1)},
    ],
)
def test_a_limit_itself_lets_in(changes: dict[str, Any]) -> None:
    assert codes(a_market(**changes)) == []


def test_a_book_decides_before_the_catalogue() -> None:
    assert codes(a_market(), book=a_book("0.40", "0.50")) == ["spread"]
    assert codes(a_market(best_bid=None), book=a_book("0.44", "0.45")) == []
    assert codes(a_market(), book=a_book("0.44", None)) == ["no_spread"]
    assert codes(a_market(best_bid=None), book=a_book("0.54", "0.56", NO)) == []


def test_categories_let_in_only_what_is_named() -> None:
    rules = UniverseRules(categories=frozenset({"politics", "transport"}))
    assert codes(a_market(), rules) == []
    assert codes(a_market(category="weather"), rules) == ["category"]
    assert codes(a_market(category=""), rules) == ["category"]


@pytest.mark.parametrize(
    "rules",
    [
        UniverseRules(deny=DenyList(("ferry-on-time",))),
        UniverseRules(deny=DenyList(("tag:transport",))),
        UniverseRules(deny=DenyList(("ferry-*",))),
        UniverseRules(deny=DenyList(("word:the ferry",))),
    ],
)
def test_the_deny_list_works_by_name_tag_and_pattern(rules: UniverseRules) -> None:
    assert codes(a_market(), rules) == ["denied"]


UP_DOWN = (Outcome("Up", YES), Outcome("Down", NO))


@pytest.mark.parametrize(
    ("slug", "tags"),
    [
        ("btc-updown-5m-1787414400", ()),
        ("eth-updown-15m-1787414400", ()),
        ("sol-updown-4h-1787414400", ()),
        ("bitcoin-up-or-down-june-8-3pm-et", ()),
        ("bitcoin-up-or-down-this-hour", ("crypto", "hourly")),
    ],
)
def test_short_up_and_down_markets_are_denied_unless_somebody_wants_them(
    slug: str, tags: tuple[str, ...]
) -> None:
    market = a_market(slug=slug, tags=tags, outcomes=UP_DOWN)
    assert codes(market) == ["short_crypto"]
    assert codes(market, UniverseRules(deny_short_crypto=False)) == []


@pytest.mark.parametrize("slug", ["bitcoin-up-or-down-in-2026", "will-the-5m-budget-pass", "ferry-at-3pm-et"])
def test_long_or_unrelated_markets_are_not_taken_for_short_crypto(slug: str) -> None:
    assert codes(a_market(slug=slug)) == []


def test_games_may_be_let_in_while_they_are_played_by_setting() -> None:
    market = a_market(game_start=NOW - timedelta(hours=1))
    assert codes(market, UniverseRules(deny_in_play=False)) == []


def test_a_market_with_several_faults_shows_all_of_them_under_the_first() -> None:
    universe = decide(a_market(closed=True, liquidity_pusd=None))
    (excluded,) = universe.excluded["not_open"]
    assert [reason.code for reason in excluded.reasons] == ["not_open", "liquidity_unknown"]
    assert universe.counts() == {"not_open": 1}


def test_the_nearest_misses_come_first() -> None:
    markets = [
        a_market(slug="two-faults", liquidity_pusd=Pusd(Decimal(990)), best_ask=Price(Decimal("0.48"))),
        a_market(slug="far", liquidity_pusd=Pusd(Decimal(10))),
        a_market(slug="near", liquidity_pusd=Pusd(Decimal(950))),
        a_market(slug="wide", best_ask=Price(Decimal("0.475"))),
        a_market(slug="shut", closed=True),
    ]
    universe = select(markets, {}, NOW, RULES_BY_DEFAULT)
    assert [one.market.slug for one in universe.nearest_misses()] == [
        "near",
        "wide",
        "far",
        "shut",
        "two-faults",
    ]
    assert [one.market.slug for one in universe.excluded["liquidity"]] == ["near", "far", "two-faults"]


def test_without_limits_only_what_can_not_be_traded_is_left_out() -> None:
    rules = UniverseRules(None, None, None, None, deny_short_crypto=False, deny_in_play=False)
    wild = a_market(liquidity_pusd=None, best_bid=None, end_date=NOW + timedelta(minutes=1))
    assert codes(wild, rules) == []
    assert codes(a_market(active=False), rules) == ["not_open"]


def test_the_same_input_gives_the_same_decision_and_every_market_is_in_one_place() -> None:
    markets = [a_market(slug=f"m{n}", liquidity_pusd=Pusd(Decimal(n * 300))) for n in range(8)]
    universe = select(markets, {}, NOW, RULES_BY_DEFAULT)
    assert universe == select(markets, {}, NOW, RULES_BY_DEFAULT)
    assert len(universe.tradable) + sum(universe.counts().values()) == len(markets)
    assert json.dumps(dict(universe.counts())) == '{"liquidity": 4}'
    assert len(RULES) == 13
