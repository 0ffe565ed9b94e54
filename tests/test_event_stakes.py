"""Stakes on an event: what is held counts in full, outcomes that exclude each other are netted."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyb0t.core.ids import AssetId, EventId
from polyb0t.core.units import ONE, ZERO, Pusd, Shares
from polyb0t.data.declared_links import parse_links
from polyb0t.data.markets import Market
from polyb0t.models.event_stakes import Bet, EventBook, EventStake, Holding
from polyb0t.models.sizing import kelly
from tests.support.decisions import a_market, d

WEALTH = d(1_000)


def a_rival(name: str, **changes: Any) -> Market:
    """One of the markets of a neg-risk event."""
    return a_market(name, **{"event_id": EventId("race"), "neg_risk": True, **changes})


RED, BLUE, GREEN = a_rival("red"), a_rival("blue"), a_rival("green")
ALONE = a_market("tram")
ALL = (RED, BLUE, GREEN, ALONE)


def a_bet(market: Market = RED, q: str = "0.40", cost: str = "0.36", *, no: bool = False) -> Bet:
    return Bet(market, market.outcomes[no].asset_id, d(q), d(cost))


def a_holding(market: Market, shares: int, worth: str, *, no: bool = False, certain: bool = True) -> Holding:
    asset = market.outcomes[no].asset_id
    return Holding(market.condition_id, asset, Shares(d(shares)), Pusd(d(worth)), certain)


def a_book(*holdings: Holding, bets: tuple[Bet, ...] = (), **changes: Any) -> EventBook:
    book = EventBook(
        bets=bets,
        holdings=holdings,
        markets={market.condition_id: market for market in ALL},
        chances={BLUE.condition_id: d("0.3"), GREEN.condition_id: d("0.2")},
    )
    return replace(book, **changes)


def stake(book: EventBook, bet: Bet | None = None) -> EventStake:
    found = book.stake(bet or a_bet(), WEALTH)
    assert found is not None
    assert found.exact
    return found


BEST = WEALTH * kelly(d("0.40"), d("0.36"))  # 62.50


class TestAlone:
    def test_an_event_with_nothing_else_is_left_to_the_closed_form(self) -> None:
        assert a_book().stake(a_bet(), WEALTH) is None

    def test_what_is_held_elsewhere_changes_nothing(self) -> None:
        elsewhere = a_holding(ALONE, 100, "50")
        assert a_book(elsewhere, bets=(a_bet(), a_bet(ALONE))).stake(a_bet(), WEALTH) is None

    def test_a_market_that_nobody_knows_any_more_hedges_nothing(self) -> None:
        gone = a_holding(a_rival("gone"), 100, "50")
        assert a_book(gone).stake(a_bet(), WEALTH) is None


class TestHeld:
    def test_what_is_held_of_the_same_outcome_is_not_bought_again(self) -> None:
        found = stake(a_book(a_holding(RED, 100, "36")))
        assert abs(found.amount - (BEST - 36)) < d("0.001")
        assert found.held == 36

    def test_a_position_that_has_its_size_is_not_added_to(self) -> None:
        shares = int(BEST / d("0.36")) + 1
        assert stake(a_book(a_holding(RED, shares, str(shares * d("0.36"))))).amount == 0

    def test_buying_again_and_again_ends_at_the_stake(self) -> None:
        """A fraction of what is missing, in every cycle, would end far beyond it."""
        shares, spent = ZERO, ZERO
        for _ in range(6):
            book = a_book(a_holding(RED, 0, "0"))
            held = Holding(RED.condition_id, RED.outcomes[0].asset_id, Shares(shares), Pusd(spent))
            more = stake(replace(book, holdings=(held,))).amount
            shares, spent = shares + more / d("0.36"), spent + more
        assert abs(spent - BEST) < d("0.01")

    def test_the_other_outcome_is_netted(self) -> None:
        """A hundred NO shares, counted at 60, make a hundred YES shares free of risk."""
        found = stake(a_book(a_holding(RED, 100, "60", no=True)))
        assert found.amount > BEST + d("30")

    def test_another_outcome_of_the_event_hedges_and_its_no_does_not(self) -> None:
        assert stake(a_book(a_holding(BLUE, 100, "30"))).amount > BEST
        assert stake(a_book(a_holding(BLUE, 100, "70", no=True))).amount < BEST

    def test_without_a_neg_risk_event_other_markets_are_events_of_their_own(self) -> None:
        market = replace(RED, neg_risk=False)
        assert a_book(a_holding(BLUE, 100, "30")).stake(a_bet(market), WEALTH) is None

    def test_a_declared_set_is_an_event_too(self) -> None:
        text = '[[link]]\nname = "s"\nrelation = "excludes"\nmembers = ["slug:tram", "slug:ferry"]\nreason = "x"\n'
        ferry = a_market("ferry")
        links = parse_links(text).among((ALONE, ferry))
        held = a_holding(ferry, 100, "30")
        book = a_book(held, markets={m.condition_id: m for m in (ALONE, ferry)}, links=links)
        assert stake(book, a_bet(ALONE)).amount > BEST

    def test_without_a_price_what_is_held_is_as_likely_as_it_is_counted(self) -> None:
        held = a_holding(BLUE, 100, "30")
        assert stake(a_book(held, chances={})) == stake(a_book(held))

    def test_an_event_on_which_all_may_be_lost_already_gets_no_more(self) -> None:
        assert stake(a_book(a_holding(BLUE, 3_000, "1000"))).amount == 0


class TestUnderWay:
    @pytest.mark.parametrize(
        ("order", "counted"),
        [
            (a_holding(RED, 100, "36", certain=False), True),
            (a_holding(RED, 100, "64", no=True, certain=False), False),
            (a_holding(BLUE, 100, "30", certain=False), False),
            (a_holding(BLUE, 100, "70", no=True, certain=False), True),
        ],
    )
    def test_an_order_counts_where_it_wins_with_the_bet_and_not_where_it_hedges_it(
        self, order: Holding, *, counted: bool
    ) -> None:
        found = a_book(order).stake(a_bet(), WEALTH)
        assert (found is not None) is counted
        assert found is None or found.amount < BEST


class TestSeveralBets:
    def test_two_names_for_one_bet_share_it(self) -> None:
        """YES of one and NO of another win together; the better one takes most of it."""
        better, worse = a_bet(), a_bet(BLUE, "0.72", "0.70", no=True)
        found = stake(a_book(bets=(better, worse)), worse)
        assert found.others == 1
        assert found.amount < WEALTH * kelly(worse.q, worse.cost)

    def test_outcomes_that_hedge_each_other_are_sized_as_if_alone(self) -> None:
        """Together each could be larger; a person may refuse the other one."""
        found = stake(a_book(bets=(a_bet(), a_bet(BLUE, "0.30", "0.27"))))
        assert abs(found.amount - BEST) < d("0.001")

    @given(
        q=st.integers(2, 60),
        edge=st.integers(1, 8),
        other=st.integers(2, 38),
        shares=st.integers(0, 500),
        no=st.booleans(),
    )
    def test_never_more_than_alone_with_what_is_held(
        self, q: int, edge: int, other: int, shares: int, no: bool
    ) -> None:
        bet = Bet(RED, RED.outcomes[0].asset_id, Decimal(q) / 100, Decimal(max(1, q - edge)) / 100)
        rival = Bet(BLUE, BLUE.outcomes[no].asset_id, Decimal(other) / 100, Decimal(max(1, other - 2)) / 100)
        held = a_holding(GREEN, shares, str(shares * d("0.2")))
        alone, beside = a_book(held, bets=(bet,)), a_book(held, bets=(bet, rival))
        assert stake(beside, bet).amount <= stake(alone, bet).amount + d("0.001")

    def test_none_of_these_keeps_a_chance_where_nobody_says_that_one_has_to_come_true(self) -> None:
        """RED completes a full set: certain only if the three are all that there are."""
        members = ", ".join(f'"slug:{name}"' for name in ("red", "blue", "green"))
        text = f'[[link]]\nname = "s"\nrelation = "exhaustive"\nmembers = [{members}]\nreason = "x"\n'
        plain = {market: replace(market, neg_risk=False) for market in (RED, BLUE, GREEN)}
        held = (a_holding(BLUE, 500, "150"), a_holding(GREEN, 500, "145"))
        chances = {BLUE.condition_id: d("0.30"), GREEN.condition_id: d("0.29")}
        bet = a_bet(RED, "0.41", "0.40")
        perhaps = stake(a_book(*held, chances=chances), bet)
        whole = stake(
            a_book(
                *held,
                chances=chances,
                markets={market.condition_id: market for market in plain.values()},
                links=parse_links(text).among(plain.values()),
            ),
            replace(bet, market=plain[RED]),
        )
        assert perhaps.amount < whole.amount - 5

    def test_a_full_set_is_not_bought_where_none_of_them_may_come_true(self) -> None:
        """Three outcomes for 96 cents together: certain only if there is no fourth."""
        prices = {RED: "0.40", BLUE: "0.32", GREEN: "0.24"}
        bets = tuple(a_bet(market, str(d(price) + d("0.013")), price) for market, price in prices.items())
        amounts = [stake(a_book(bets=bets), bet).amount for bet in bets]
        assert sum(amounts) < WEALTH / 10


def test_six_decimals_and_rounded_down() -> None:
    """1,000 x 0.03 / 0.63 less 3.70 is 43.9190476."""
    found = stake(a_book(a_holding(RED, 10, "3.7")), a_bet(cost="0.37"))
    assert found.amount == d("43.919047")


def test_assets_are_told_apart_by_id() -> None:
    assert a_bet(no=True).first is False
    assert a_bet(no=True).comes_true == ONE - d("0.40")
    assert a_bet().asset_id == AssetId("red-yes")
