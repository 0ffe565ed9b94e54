"""What can be lost at the worst: against every possible end, tried one by one."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyb0t.core.ids import ConditionId, EventId
from polyb0t.core.units import ZERO, Pusd, Shares
from polyb0t.data.markets import Market
from polyb0t.models.exposure import AtRisk, exposure_of
from polyb0t.models.risk import Exposure
from polyb0t.models.themes import themes
from tests.support.decisions import a_market, d


def of_event(names: Iterable[str], *, neg_risk: bool = True, event: str = "e1") -> list[Market]:
    return [a_market(name, neg_risk=neg_risk, event_id=EventId(event)) for name in names]


def held(market: Market, outcome: int, shares: str, cost: str, *, certain: bool = True) -> AtRisk:
    asset = market.outcomes[outcome].asset_id
    return AtRisk(market.condition_id, asset, Shares(d(shares)), Pusd(d(cost)), certain)


def exposure(markets: Iterable[Market], *items: AtRisk) -> Exposure:
    known = {market.condition_id: market for market in markets}
    return exposure_of(items, known.get)


class TestWhatEndsLateAndWhatHasNoInformationOfItsOwn:
    def test_each_counts_only_what_is_so(self) -> None:
        near, far = a_market("near"), a_market("far")
        items = [held(near, 0, "100", "60"), replace(held(far, 0, "100", "40"), dependent=True)]
        known = {market.condition_id: market for market in (near, far)}
        found = exposure_of(items, known.get, lambda market: market is far)
        assert (found.total, found.far, found.dependent) == (d(100), d(40), d(40))

    def test_of_one_event_the_worst_end_counts(self) -> None:
        red, blue = of_event(["red", "blue"])
        items = [replace(held(market, 1, "100", "60"), dependent=True) for market in (red, blue)]
        known = {market.condition_id: market for market in (red, blue)}
        assert exposure_of(items, known.get, lambda _market: True).dependent == 20  # one of the two pays
        assert exposure_of(items, known.get, lambda _market: True).far == 20

    def test_what_nobody_lists_any_more_ends_late(self) -> None:
        item = replace(held(a_market(), 0, "100", "60"), dependent=True)
        found = exposure_of([item], lambda _condition: None)
        assert (found.far, found.dependent) == (d(60), d(60))

    def test_another_trade_is_added_where_it_belongs(self) -> None:
        market, cost = a_market(), Pusd(d(5))
        added = [Exposure().plus(market, cost, far=far, dependent=not far) for far in (True, False)]
        assert [(each.far, each.dependent) for each in added] == [(d(5), d(0)), (d(0), d(5))]


class TestOneMarket:
    def test_a_holding_can_lose_what_it_cost(self) -> None:
        market = a_market()
        found = exposure([market], held(market, 0, "100", "60"))
        assert (found.total, found.market(market), found.event(market)) == (d(60), d(60), d(60))
        assert found.category(market) == 60

    def test_both_outcomes_together_cannot_both_lose(self) -> None:
        market = a_market()
        found = exposure([market], held(market, 0, "100", "60"), held(market, 1, "100", "45"))
        assert found.total == 5

    def test_an_order_counts_where_it_makes_things_worse_and_nowhere_else(self) -> None:
        market = a_market()
        hedge = held(market, 1, "100", "45", certain=False)
        assert exposure([market], held(market, 0, "100", "60"), hedge).total == 60

    def test_a_sale_that_may_not_fill_takes_nothing_off(self) -> None:
        market = a_market()
        sale = held(market, 0, "-100", "-50", certain=False)
        assert exposure([market], held(market, 0, "100", "60"), sale).total == 60

    def test_a_market_that_nobody_lists_counts_at_cost_in_the_total(self) -> None:
        market = a_market()
        found = exposure([], held(market, 0, "100", "60"), held(market, 1, "100", "45"))
        assert found.total == 105
        assert found.by_market == {market.condition_id: 105}
        assert not found.by_event
        assert not found.by_category

    def test_nothing_held_is_nothing_at_risk(self) -> None:
        assert exposure([]).total == 0


class TestNegRiskEvents:
    def test_several_noes_cannot_all_lose(self) -> None:
        event = of_event("abc")
        noes = [held(market, 1, "100", "60") for market in event]
        # One comes true: 60 are lost, and 40 are won on each of the two others.
        assert exposure(event, *noes).total == 0
        dear = [held(market, 1, "100", "90") for market in event]
        assert exposure(event, *dear).total == 70

    def test_several_yeses_can_lose_all(self) -> None:
        event = of_event("abc")
        assert exposure(event, *[held(market, 0, "100", "20") for market in event]).total == 60

    def test_each_market_on_its_own_can_still_lose_everything(self) -> None:
        event = of_event("ab")
        found = exposure(event, *[held(market, 1, "100", "90") for market in event])
        assert [found.market(market) for market in event] == [90, 90]
        assert found.event(event[0]) == 80

    def test_markets_of_an_event_that_is_not_neg_risk_may_all_lose(self) -> None:
        event = of_event("ab", neg_risk=False)
        found = exposure(event, *[held(market, 1, "100", "90") for market in event])
        assert found.total == 180
        assert found.event(event[0]) == 180

    def test_a_gain_elsewhere_takes_nothing_off(self) -> None:
        one, other = a_market("x"), a_market("y", event_id=EventId("other"))
        sure = [held(other, 0, "100", "10"), held(other, 1, "100", "10")]
        assert exposure([one, other], held(one, 0, "100", "60"), *sure).total == 60


class TestThemes:
    def test_markets_that_share_a_declared_tag_are_a_theme(self) -> None:
        first = a_market("x", tags=("politics", "lumbria"), event_id=EventId("1"))
        second = a_market("y", tags=("Lumbria", "elections"), event_id=EventId("2"))
        found = exposure([first, second], held(first, 0, "100", "60"), held(second, 0, "100", "30"))
        assert found.by_theme == {"lumbria": 90, "elections": 30}
        assert found.theme(second) == 90

    def test_a_category_or_a_tag_of_the_house_is_no_theme(self) -> None:
        assert themes(a_market(category="norvale", tags=("All", "Norvale", "sports"))) == ()
        assert exposure([]).theme(a_market()) == 0

    def test_a_candidate_adds_to_each_of_its_themes(self) -> None:
        market = a_market(tags=("lumbria", "elections"))
        assert Exposure().plus(market, Pusd(d(5))).by_theme == {"lumbria": 5, "elections": 5}


# --- every possible end, one by one -----------------------------------------------------------

_CENTS = st.integers(0, 200).map(lambda cents: Decimal(cents) / 100)
_ITEM = st.tuples(
    st.integers(0, 4),  # which market
    st.integers(0, 1),  # which outcome
    st.integers(0, 200),  # shares
    _CENTS,
    st.sampled_from(["held", "buying", "selling"]),
)


def _ends(markets: Sequence[Market]) -> Iterable[dict[ConditionId, bool]]:
    """Every way in which these markets can end: of a neg-risk event at most one comes true."""
    for truths in product((True, False), repeat=len(markets)):
        event_true: dict[str, int] = {}
        for market, true in zip(markets, truths, strict=True):
            if market.neg_risk and true:
                event_true[str(market.event_id)] = event_true.get(str(market.event_id), 0) + 1
        if all(count <= 1 for count in event_true.values()):
            yield {market.condition_id: true for market, true in zip(markets, truths, strict=True)}


def _worst(markets: Sequence[Market], items: Sequence[AtRisk]) -> Decimal:
    """By trying every end, with every order filled and not filled."""
    known = {market.condition_id: market for market in markets}
    orders = [item for item in items if not item.certain]
    worst = ZERO
    for end in _ends(markets):
        for fills in product((False, True), repeat=len(orders)):
            filled = [order for order, fill in zip(orders, fills, strict=True) if fill]
            lost = ZERO
            for item in [*(one for one in items if one.certain), *filled]:
                first = known[item.condition_id].outcomes[0].asset_id == item.asset_id
                lost += item.cost - (item.shares if end[item.condition_id] is first else ZERO)
            worst = max(worst, lost)
    return worst


@settings(max_examples=150, deadline=None)
@given(st.lists(_ITEM, max_size=7))
def test_an_event_is_as_bad_as_its_worst_end(drawn: list[tuple[int, int, int, Decimal, str]]) -> None:
    event = of_event("abcde")
    items = []
    for market, outcome, shares, price, kind in drawn:
        sign = -1 if kind == "selling" else 1
        items.append(
            held(
                event[market],
                outcome,
                str(sign * shares),
                str(sign * shares * price),
                certain=kind == "held",
            )
        )
    assert exposure(event, *items).total == _worst(event, items)


@settings(max_examples=60, deadline=None)
@given(st.lists(_ITEM, max_size=5))
def test_separate_markets_are_each_at_their_worst(
    drawn: list[tuple[int, int, int, Decimal, str]],
) -> None:
    markets = [a_market(name, event_id=EventId(name)) for name in "abcde"]
    items = [
        held(markets[market], outcome, str(shares), str(shares * price), certain=kind == "held")
        for market, outcome, shares, price, kind in drawn
    ]
    apart = sum(
        (
            _worst([market], [item for item in items if item.condition_id == market.condition_id])
            for market in markets
        ),
        ZERO,
    )
    assert exposure(markets, *items).total == apart


@pytest.mark.parametrize("size", [1, 5])
def test_the_sum_of_the_parts_is_never_less_than_the_whole(size: int) -> None:
    event = of_event("abcde"[:size])
    items = [held(market, number % 2, "50", "30") for number, market in enumerate(event)]
    found = exposure(event, *items)
    assert sum(found.by_market.values(), ZERO) >= found.total
