"""The shortlist: growth times the chance that the order still fills after a person's wait."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from polyb0t.core.units import Price
from polyb0t.models.calibration import MarketCalibrationModel, packaged_coefficients
from polyb0t.models.chances import Candidate, Chance, find_chance
from polyb0t.models.movement import Movement
from polyb0t.models.proposal import decide_openings
from polyb0t.models.risk import RiskLimits
from polyb0t.models.shortlist import LEAST_ORDERS, Ranked, Waiting, fill_chance, shortlist
from tests.support.decisions import a_desk, a_market, a_state, d

MODEL = MarketCalibrationModel(packaged_coefficients())
WAIT = Waiting(d(60))


def a_candidate(name: str = "tram", bid: str = "0.79", ask: str = "0.80") -> Candidate:
    state = a_state(a_market(name), bid, ask)
    return Candidate(state, MODEL.predict(state))


def a_chance(name: str = "tram", bid: str = "0.79", ask: str = "0.80") -> Chance:
    found = find_chance(a_candidate(name, bid, ask), RiskLimits())
    assert isinstance(found, Chance)
    return found


def listed(*chances: Chance, waiting: Waiting = WAIT) -> list[Ranked]:
    return shortlist(chances, waiting, lambda _market: None)


class TestChanceOfFill:
    def test_by_hand(self) -> None:
        """Offer 80, worst 81, tick 1, spread 1; half a log-odds a day over a minute drifts 0.21 cents."""
        assert a_chance().worst_price == d("0.81")
        drift = 0.8 * 0.2 * 0.5 * (60 / 86_400) ** 0.5
        expected = 1 / (1 + 2.718281828459045 ** (-1.702 * 0.015 / (drift + 0.0025)))
        assert abs(float(fill_chance(a_chance(), WAIT, None)) - expected) < 1e-9

    def test_room_up_to_the_worst_price_helps(self) -> None:
        tight = replace(a_chance(), worst_price=Price(d("0.80")))
        assert fill_chance(tight, WAIT, None) < fill_chance(a_chance(), WAIT, None)

    def test_a_wild_market_and_a_long_wait_do_not(self) -> None:
        usual = fill_chance(a_chance(), WAIT, None)
        assert fill_chance(a_chance(), WAIT, Movement(d(3), d(2))) < usual
        assert fill_chance(a_chance(), Waiting(d(3_600)), None) < usual

    @given(seconds=st.integers(0, 86_400), daily=st.integers(0, 500))
    def test_it_is_a_chance(self, seconds: int, daily: int) -> None:
        movement = Movement(Decimal(daily) / 100, Decimal(daily) / 200)
        assert 0 < fill_chance(a_chance(), Waiting(Decimal(seconds)), movement) <= 1

    def test_our_own_rate_counts_once_there_are_enough_orders(self) -> None:
        usual = fill_chance(a_chance(), WAIT, None)
        few, many = replace(WAIT, filled=1, sent=LEAST_ORDERS - 1), replace(WAIT, filled=15, sent=30)
        assert fill_chance(a_chance(), few, None) == usual
        assert fill_chance(a_chance(), many, None) == usual / 2


class TestRank:
    def test_growth_times_the_chance_of_a_fill(self) -> None:
        first, second = listed(replace(a_chance("a"), worst_price=Price(d("0.80"))), a_chance("b"))
        assert [first.chance.market.slug, second.chance.market.slug] == ["b", "a"]
        assert first.chance.growth == second.chance.growth
        assert second.words.startswith("Number 2 of 2: growth 0.0")
        assert second.words.endswith(" x chance of fill 86%.")

    def test_the_order_of_the_chances_does_not_matter(self) -> None:
        chances = [a_chance(name) for name in ("a", "b", "c")]
        assert listed(*chances) == listed(*chances[::-1])

    def test_a_proposal_says_its_place_and_so_does_what_found_none(self) -> None:
        openings = decide_openings([a_candidate("a"), a_candidate("b")], a_desk(at_most=1))
        (proposal,) = openings.proposals
        (passed,) = openings.passed
        assert proposal.place.startswith("Number 1 of 2")
        assert (passed.code, passed.rank) == ("no_slot", 2)
        assert passed.place.startswith("Number 2 of 2")
