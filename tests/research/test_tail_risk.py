"""What all positions may lose together: units by event, heaps by theme, and the worst twentieth of futures."""

import time
from decimal import Decimal

import pytest

from polyb0t.core.ids import EventId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.markets import Market
from polyb0t.models.exposure import AtRisk
from polyb0t.models.portfolio_tail import End, LossUnit, PortfolioTail, units_of
from polyb0t.research.tail_risk import losses_of, tail_loss
from tests.support.decisions import a_market, d


def held(market: Market, shares: int, cost: str, *, no: bool = False) -> AtRisk:
    return AtRisk(market.condition_id, market.outcomes[no].asset_id, Shares(d(shares)), Pusd(d(cost)))


def units(*held_on: tuple[Market, AtRisk], price: str = "0.80") -> tuple[LossUnit, ...]:
    markets = {market.condition_id: market for market, _ in held_on}
    return units_of([item for _, item in held_on], markets, lambda _asset: Price(d(price)))


def a_unit(name: str, theme: str = "", category: str = "", chance: str = "0.2", cost: str = "8") -> LossUnit:
    """Ten shares: they win two pUSD, or lose all that they cost."""
    lost, lose = d(cost), d(chance)
    return LossUnit(name, theme, category, (End(1 - lose, lost - 10), End(lose, lost)))


class TestUnits:
    def test_a_market_ends_in_two_ways_at_its_own_price(self) -> None:
        market = a_market()
        (unit,) = units((market, held(market, 100, "80")))
        assert unit.ends == (End(d("0.80"), d(-20)), End(d("0.20"), d(80)))
        (other,) = units((market, held(market, 100, "80", no=True)))
        assert other.ends == unit.ends  # the price is that of what is held

    def test_an_event_is_one_unit_and_its_outcomes_exclude_each_other(self) -> None:
        red, blue = (a_market(name, neg_risk=True, event_id=EventId("race")) for name in ("red", "blue"))
        (unit,) = units((red, held(red, 100, "40")), (blue, held(blue, 100, "40")), price="0.40")
        assert unit.key == "event race"
        assert unit.ends == (End(d("0.40"), d(-20)), End(d("0.40"), d(-20)), End(d("0.20"), d(80)))

    def test_an_order_under_way_may_lose_and_never_gain(self) -> None:
        market = a_market()
        empty = PortfolioTail((), {}, lambda _asset: Price(d("0.80")), tail_loss)
        more = empty.plus(market, market.outcomes[0].asset_id, Shares(d(100)), Pusd(d(80)))
        (unit,) = units_of(more.items, more.markets, more.price_of)
        assert unit.ends == (End(d("0.80"), d(0)), End(d("0.20"), d(80)))

    def test_what_nobody_lists_any_more_is_lost(self) -> None:
        market = a_market()
        (unit,) = units_of([held(market, 100, "80")], {}, lambda _asset: None)
        assert unit.ends == (End(d(1), d(80)),)

    def test_themes_that_meet_in_a_market_are_one_heap(self) -> None:
        tags = {"a": ("trams",), "b": ("trams", "strike"), "c": ("strike",), "d": ("sun",)}
        markets = [a_market(name, tags=tags[name]) for name in tags]
        found = {unit.key: unit.theme for unit in units(*((m, held(m, 10, "8")) for m in markets))}
        assert len({found[f"market 0x{name}"] for name in "abc"}) == 1
        assert found["market 0xd"] == "sun"

    def test_a_heap_over_two_categories_has_one_home(self) -> None:
        markets = [a_market(name, tags=("strike",), category=name) for name in ("north", "south")]
        assert {unit.category for unit in units(*((m, held(m, 10, "8")) for m in markets))} == {"north"}


class TestTheWorstTwentieth:
    def test_nothing_loses_nothing(self) -> None:
        assert tail_loss(()) == 0

    def test_one_bet_loses_all_of_it_where_it_loses_often_enough(self) -> None:
        assert tail_loss([a_unit("a")]) == 8

    def test_one_that_seldom_loses_counts_its_gains(self) -> None:
        """One in a hundred loses 8, the other four of the worst five gain 2."""
        assert tail_loss([a_unit("a", chance="0.01")]) == pytest.approx(Decimal(0), abs=d("0.4"))

    def test_a_certain_gain_is_no_loss(self) -> None:
        assert tail_loss([LossUnit("a", "", "", (End(d(1), d(-5)),))]) == 0

    def test_what_is_linked_loses_more(self) -> None:
        apart = [a_unit(str(n), category=str(n)) for n in range(20)]
        category = [a_unit(str(n), category="c") for n in range(20)]
        theme = [a_unit(str(n), theme="t", category="c") for n in range(20)]
        losses = [tail_loss(each) for each in (apart, category, theme)]
        assert losses == sorted(losses)
        assert losses[0] < 80 < losses[2] <= 160

    @pytest.mark.parametrize(
        ("theme", "category", "expected"), [("t", "c", 0.60), ("", "c", 0.20), ("", "", 0.05)]
    )
    def test_the_correlation_is_as_it_is_said(self, theme: str, category: str, expected: float) -> None:
        """Two bets lose together as often as two normals of that correlation fall where one in five does."""
        both = {0.60: 0.0993, 0.20: 0.0569, 0.05: 0.0440}[expected]
        counted = _together(theme, category)
        assert counted == pytest.approx(both, abs=0.002)

    def test_the_same_portfolio_has_the_same_figure_in_any_order(self) -> None:
        some = [a_unit(str(n), theme=f"t{n % 3}", category="c", cost=f"{5 + n}.3") for n in range(12)]
        assert tail_loss(some) == tail_loss(some[::-1]) == tail_loss(list(some))

    def test_fifty_positions_take_less_than_twenty_milliseconds(self) -> None:
        many = [a_unit(str(n), theme=f"t{n % 7}", category=f"c{n % 4}") for n in range(50)]
        tail_loss(many)
        spent = []
        for n in range(5):
            began = time.process_time()
            tail_loss([*many, a_unit(f"new {n}", theme="t1", category="c1")])
            spent.append(time.process_time() - began)
        assert min(spent) < 0.020


def _together(theme: str, category: str) -> float:
    """How often two bets lose both, over pairs that nothing links with the other pairs."""
    shares = []
    for n in range(30):
        pair = [
            a_unit(f"{n} {side}", theme and f"{theme}{n}", category and f"{category}{n}") for side in "ab"
        ]
        first, second = (losses_of(unit) for unit in pair)
        shares.append(float(((first > 0) & (second > 0)).mean()))
    return sum(shares) / len(shares)
