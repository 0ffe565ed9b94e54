"""How sure a figure is: results of one event are one piece of evidence, however many there are."""

import pytest

from polyb0t.research.analytics.analysis import analyse
from polyb0t.research.analytics.clusters import (
    FEWEST_EVENTS,
    clustered_difference,
    clustered_mean,
    student95,
)
from polyb0t.research.analytics.edge import ALARM_AT, events_to_false_alarm
from polyb0t.research.analytics.records import Records
from tests.research.analytics.ideas import HOUR, expired, fill, idea, pays, records, rejected
from tests.support.builders import NOW


def test_ten_copies_of_a_bet_are_no_more_evidence_than_one() -> None:
    once = clustered_mean([1.0, -1.0] * 10, [f"e{n}" for n in range(20)])
    tenfold = clustered_mean([1.0] * 10 + [-1.0] * 10 + [1.0, -1.0] * 90, [f"e{n // 10}" for n in range(200)])
    copies = clustered_mean(
        [v for v in [1.0, -1.0] * 10 for _ in range(10)], [f"e{n // 10}" for n in range(200)]
    )

    assert once is not None and copies is not None and tenfold is not None
    assert (copies.rows, copies.events) == (200, 20)
    assert copies.error == pytest.approx(once.error)
    assert tenfold.error is not None and copies.error is not None and tenfold.error < copies.error


def test_the_interval_is_students_with_the_events_less_one() -> None:
    """Ten events, five at +1 and five at -1: error sqrt(10 / 9 / 10), quantile of nine 2.262."""
    found = clustered_mean([1.0, -1.0] * 5, [str(n) for n in range(10)])

    assert found is not None and found.high is not None
    assert found.error == pytest.approx((1 / 9) ** 0.5)
    assert found.high == pytest.approx(2.262 / 3, abs=1e-3)
    assert not found.differs
    assert student95(30) == pytest.approx(2.042, abs=1e-3)


def test_under_ten_events_there_is_no_interval() -> None:
    found = clustered_mean([0.1] * 100, [str(n % 9) for n in range(100)])

    assert found is not None and found.events == FEWEST_EVENTS - 1
    assert (found.low, found.high, found.differs) == (None, None, False)


def test_an_event_on_both_sides_of_a_difference_takes_itself_out() -> None:
    """Approved does 1 better than rejected in every event, however the event went: the gap is certain."""
    events = [f"e{n}" for n in range(12)]
    went = [float(n) for n in range(12)]

    found = clustered_difference([each + 1 for each in went], events, went, events)

    assert found is not None and found.error == pytest.approx(0.0, abs=1e-9)
    assert found.mean == pytest.approx(1.0)
    assert clustered_difference([], [], went, events) is None


# -- expected and realised -----------------------------------------------------------------------


def bets(*, won_in_ten: int, n: int = 40) -> Records:
    """Bets at 50 cents that the model gives 60 %, each its own event; so many of ten win."""
    names = [f"b{number:03}" for number in range(n)]
    ideas = [idea(name, at=NOW + number * HOUR / 10) for number, name in enumerate(names)]
    ends = {name: "1" if number % 10 < won_in_ten else "0" for number, name in enumerate(names)}
    return records(*ideas, fills=[fill(name) for name in names], pays=pays(**ends))


def test_an_edge_that_came_as_promised_has_the_ratio_one() -> None:
    found = analyse(bets(won_in_ten=6)).edge

    assert (found.rows, found.events) == (40, 40)
    assert found.expected == pytest.approx(0.10)
    assert found.ratio == pytest.approx(1.0)
    assert found.gaps[-1][1] == pytest.approx(0.0)
    assert found.cusum is not None and not found.cusum.alarm


def test_the_running_gap_is_in_money() -> None:
    """One of ten wins: 10 cents expected, minus 40 realised, on 100 shares each."""
    assert analyse(bets(won_in_ten=1)).edge.gaps[-1][1] == pytest.approx(40 * 100 * -0.5)


def test_a_model_that_is_wrong_sets_the_alarm_off() -> None:
    """All lose: each step is 0.6 / sqrt(0.24) - 0.5 = 0.725 deviations, so the seventh passes five."""
    found = analyse(bets(won_in_ten=0)).edge.cusum

    assert found is not None and found.alarm
    assert found.alarmed_at == NOW + 6 * HOUR / 10
    assert found.highest > ALARM_AT
    assert events_to_false_alarm() == pytest.approx(938, abs=5)


def test_many_bets_on_one_event_are_one_step_of_the_alarm() -> None:
    ideas = [idea(f"c{n}", event="same") for n in range(30)]
    ends = {f"c{n}": "0" for n in range(30)}

    found = analyse(records(*ideas, fills=[fill(f"c{n}") for n in range(30)], pays=pays(**ends))).edge.cusum

    assert found is not None and found.events == 1 and not found.alarm


def test_a_model_whose_differences_mean_something_has_the_slope_one() -> None:
    """Bets at 50: those given 60 % win six of ten, those given 80 % win eight of ten."""
    ideas, ends = [], {}
    for n in range(100):
        q, wins = ("0.60", 6) if n < 50 else ("0.80", 8)
        ideas.append(rejected(f"d{n:03}", q=q))
        ends[f"d{n:03}"] = "1" if n % 10 < wins else "0"

    found = analyse(records(*ideas, pays=pays(**ends))).edge

    assert found.line is not None and found.line.slope == pytest.approx(1.0)
    assert found.line.low is not None and found.line.high is not None
    assert found.line.low < 1 < found.line.high
    assert len(found.deciles) == 10
    assert found.deciles[0].expected == pytest.approx(0.10)
    assert found.deciles[-1].expected == pytest.approx(0.30)


# -- the forecast --------------------------------------------------------------------------------


def test_the_model_is_scored_against_the_middle_of_the_proposal() -> None:
    """Twelve events, middle 49, the model says 60 %; nine win. Brier by hand."""
    ideas = [rejected(f"f{n:02}") for n in range(12)]
    ends = {f"f{n:02}": "1" if n < 9 else "0" for n in range(12)}

    found = analyse(records(*ideas, pays=pays(**ends))).forecast

    assert found.enough and found.gain is not None
    assert found.gain.model_brier == pytest.approx((9 * 0.4**2 + 3 * 0.6**2) / 12)
    assert found.gain.price_brier == pytest.approx((9 * 0.51**2 + 3 * 0.49**2) / 12)
    assert found.events_to_see == -(-16 * 0.49 * 0.51 // 0.11**2)


def test_an_outcome_that_was_proposed_every_minute_is_one_row_and_a_void_none() -> None:
    again = [rejected("g", at=NOW + n * HOUR, id=f"{n:0>16}") for n in range(5)]

    found = analyse(records(*again, expired("h"), pays=pays(g="1", h="0.5"))).forecast

    assert (found.rows, found.events, found.void) == (1, 1, 1)
    assert not found.enough
