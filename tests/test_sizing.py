"""Size: Kelly's golden number, doubt, and every cap at its own border."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.models.fees import cost_per_share
from polyb0t.models.risk import Exposure, RiskLimits, ends_far
from polyb0t.models.sizing import Funds, NoSize, Size, Wish, doubt, kelly, size_purchase
from tests.support.decisions import NOW, POLITICS_FEE, a_market, d

MARKET = a_market()
DEFAULT = RiskLimits()
RICH = Funds(Pusd(d(10_000)), Pusd(d(10_000)), Exposure())
# Wide limits, so that a test can narrow one and see that one bind.
OPEN = RiskLimits(
    order_fraction=d(1),
    order_max_pusd=d(1_000_000),
    order_max_shares=d(1_000_000),
    market_fraction=d(1),
    event_fraction=d(1),
    theme_fraction=d(1),
    category_fraction=d(1),
    far_fraction=d(1),
    dependent_fraction=d(1),
    total_fraction=d(1),
    cash_floor_fraction=d(0),
    depth_fraction=d(1),
)


def a_wish(**changes: Any) -> Wish:
    wish = Wish(
        asset_id=AssetId("tram-yes"),
        edge=d("0.0404"),
        cost=cost_per_share(d("0.61"), POLITICS_FEE),
        sd=d("0.016"),
        independent=False,
        worst_price=Price(d("0.61")),
        best_ask=Price(d("0.60")),
        depth=Shares(d(100_000)),
        min_shares=Shares(d(5)),
        fee=POLITICS_FEE,
    )
    return replace(wish, **changes)


def sized(wish: Wish, funds: Funds = RICH, limits: RiskLimits = DEFAULT) -> Size:
    size = size_purchase(wish, MARKET, funds, limits)
    assert isinstance(size, Size), size
    return size


def test_kellys_golden_number() -> None:
    assert kelly(d("0.66"), cost_per_share(d("0.60"), POLITICS_FEE)).quantize(d("0.0001")) == d("0.1291")


def test_no_edge_is_no_stake() -> None:
    assert kelly(d("0.60"), d("0.62")) == 0


def test_doubt_of_the_strategy() -> None:
    assert doubt(d("0.05"), d("0.04")).quantize(d("0.01")) == d("0.61")
    assert doubt(d("-0.01"), d("0.04")) == 0
    assert doubt(d("0.05"), d(0)) == 1


def test_the_stake_is_fraction_times_doubt_times_the_best_stake() -> None:
    size = sized(a_wish(), limits=OPEN)
    chain = size.chain
    assert chain.bound == "stake"
    assert chain.wanted == chain.fraction * chain.doubt * chain.best_stake * 10_000
    assert size.max_cost <= chain.wanted


def test_only_the_price_recalibrated_halves_the_stake() -> None:
    dependent, independent = sized(a_wish(), limits=OPEN), sized(a_wish(independent=True), limits=OPEN)
    assert independent.chain.wanted == 2 * dependent.chain.wanted


def test_the_order_limit_counts_the_fee() -> None:
    size = sized(a_wish())
    assert size.chain.bound == "order"
    assert size.amount == d("96.15")  # 100 / 1.04, down to the cent
    assert size.max_cost == d("99.996")
    assert size.min_shares == d("157.62")  # 96.15 / 0.61, down to the hundredth


@pytest.mark.parametrize(
    ("bound", "narrow"),
    [
        ("order", {"order_fraction": d("0.002")}),
        ("order", {"order_max_pusd": d(20)}),
        ("shares", {"order_max_shares": d(32)}),
        ("market", {"market_fraction": d("0.002")}),
        ("event", {"event_fraction": d("0.002")}),
        ("theme", {"theme_fraction": d("0.002")}),
        ("category", {"category_fraction": d("0.002")}),
        ("far", {"far_fraction": d("0.002"), "far_days": d(59)}),
        ("dependent", {"dependent_fraction": d("0.002")}),
        ("total", {"total_fraction": d("0.002")}),
        ("cash", {"cash_floor_fraction": d("0.998")}),
        ("depth", {"depth_fraction": d("0.0003")}),
    ],
)
def test_each_cap_binds_and_is_named(bound: str, narrow: dict[str, Decimal]) -> None:
    limits = replace(OPEN, **narrow)
    market = a_market(tags=("politics", "trams"))
    wish = a_wish(far=ends_far(market, NOW, limits))
    size = size_purchase(wish, market, RICH, limits)
    assert isinstance(size, Size)
    assert size.chain.bound == bound
    assert f"the {bound} limit leaves" in size.chain.words
    assert size.max_cost <= d(20)


@pytest.mark.parametrize(
    ("bound", "spared"),
    [("theme", {"tags": ()}), ("far", {"end_date": NOW + timedelta(days=90)})],
)
def test_a_limit_that_the_market_does_not_touch_is_no_cap(bound: str, spared: dict[str, Any]) -> None:
    touched = {"tags": ("trams",), "end_date": NOW + timedelta(days=90, seconds=1)}
    for changes, caught in ((touched, True), ({**touched, **spared}, False)):
        market = a_market(**changes)
        size = size_purchase(a_wish(far=ends_far(market, NOW, OPEN)), market, RICH, OPEN)
        assert isinstance(size, Size)
        assert (bound in dict(size.chain.caps)) is caught


def test_own_information_has_no_limit_of_its_own() -> None:
    none_left = replace(OPEN, dependent_fraction=d(0))
    assert "dependent" not in dict(sized(a_wish(independent=True), limits=none_left).chain.caps)
    assert size_purchase(a_wish(), MARKET, RICH, none_left) == NoSize(
        "The dependent limit leaves 0.00 pUSD; the smallest order is 3.05.", "dependent"
    )


class TestDrawdown:
    def at(self, drawdown: str) -> Size | NoSize:
        return size_purchase(a_wish(), MARKET, replace(RICH, drawdown=d(drawdown)), OPEN)

    @pytest.mark.parametrize(("drawdown", "left"), [("0", "1"), ("0.03", "0.8"), ("0.075", "0.5")])
    def test_the_size_falls_evenly_with_the_account(self, drawdown: str, left: str) -> None:
        size, whole = self.at(drawdown), self.at("0")
        assert isinstance(size, Size)
        assert isinstance(whole, Size)
        assert size.chain.scale == d(left)
        assert abs(size.max_cost - d(left) * whole.max_cost) < d("0.02")
        assert ("for the drawdown" in size.chain.words) is (left != "1")

    def test_a_cap_is_scaled_as_well(self) -> None:
        limits = replace(OPEN, order_fraction=d("0.01"))
        size = size_purchase(a_wish(), MARKET, replace(RICH, drawdown=d("0.075")), limits)
        assert isinstance(size, Size)
        assert size.max_cost <= 50

    @pytest.mark.parametrize("drawdown", ["0.15", "0.3"])
    def test_where_the_switch_trips_nothing_is_left(self, drawdown: str) -> None:
        assert self.at(drawdown) == NoSize(
            "The account is so far under its peak that 0.00 pUSD may be spent; the smallest order is 3.05.",
            "drawdown",
        )


def test_what_is_at_risk_already_uses_up_the_room() -> None:
    at_risk = Exposure().plus(MARKET, Pusd(d(150)))
    size = sized(a_wish(), Funds(Pusd(d(10_000)), Pusd(d(9_850)), at_risk))
    assert size.chain.bound == "market"
    assert size.max_cost <= d(50)


def test_another_market_of_the_same_event_counts_for_the_event_only() -> None:
    sister = replace(MARKET, condition_id=ConditionId("0xsister"))
    at_risk = Exposure().plus(sister, Pusd(d(390)))
    size = sized(a_wish(), Funds(Pusd(d(10_000)), Pusd(d(9_610)), at_risk))
    assert size.chain.bound == "event"
    assert size.max_cost <= d(10)


def test_no_room_is_said_with_the_limit_that_is_in_the_way() -> None:
    full = Exposure().plus(MARKET, Pusd(d(200)))
    answer = size_purchase(a_wish(), MARKET, Funds(Pusd(d(10_000)), Pusd(d(9_800)), full), RiskLimits())
    assert isinstance(answer, NoSize)
    assert answer.bound == "market"
    assert "The market limit leaves 0.00 pUSD" in answer.reason


def test_an_account_too_small_for_any_order_is_told_so() -> None:
    answer = size_purchase(a_wish(), MARKET, Funds(Pusd(d(100)), Pusd(d(100)), Exposure()), DEFAULT)
    assert answer == NoSize("The order limit leaves 0.96 pUSD; the smallest order is 3.05.", "order")


def test_five_shares_are_the_least_even_when_a_dollar_would_buy_fewer() -> None:
    small = Funds(Pusd(d(250)), Pusd(d(250)), Exposure())
    answer = size_purchase(a_wish(), MARKET, small, RiskLimits())
    assert isinstance(answer, NoSize)  # 1 % of 250 is 2.50 pUSD, about 3.9 shares at 61 cents


@given(
    bankroll=st.integers(1, 100_000),
    spendable=st.integers(0, 100_000),
    used=st.integers(0, 5_000),
    worst=st.integers(60, 90),
    depth=st.integers(0, 5_000),
)
def test_no_size_passes_any_limit(bankroll: int, spendable: int, used: int, worst: int, depth: int) -> None:
    limits, price = RiskLimits(), Price(Decimal(worst) / 100)
    wish = a_wish(worst_price=price, cost=cost_per_share(price, POLITICS_FEE), depth=Shares(Decimal(depth)))
    exposure = Exposure().plus(MARKET, Pusd(Decimal(used)))
    answer = size_purchase(
        wish, MARKET, Funds(Pusd(Decimal(bankroll)), Pusd(Decimal(spendable)), exposure), limits
    )
    if isinstance(answer, NoSize):
        return
    assert answer.amount == answer.amount.quantize(d("0.01"))
    assert answer.amount >= 1
    assert answer.min_shares >= 5
    assert answer.min_shares * price <= answer.amount
    assert answer.max_cost <= limits.order_fraction * bankroll
    assert answer.max_cost + used <= limits.market_fraction * bankroll
    assert spendable - answer.max_cost >= limits.cash_floor_fraction * bankroll
    assert answer.amount / wish.best_ask <= limits.depth_fraction * depth


def test_a_bankroll_that_shrinks_a_little_while_a_person_decides_leaves_the_size_within_the_limit() -> None:
    limits = replace(DEFAULT, drift_fraction=d("0.02"))
    size = size_purchase(a_wish(), MARKET, Funds(Pusd(d(10_000)), Pusd(d(10_000)), Exposure()), limits)
    assert isinstance(size, Size)
    assert size.max_cost <= limits.order_fraction * d(9_800)
