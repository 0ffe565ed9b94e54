"""A replay over months uses in each of them the trees that one would have had, and one memory for all."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from polyb0t.core.clock import from_microseconds, iso, microseconds
from polyb0t.core.errors import UsageError
from polyb0t.models.signals import Abstain, Answer, IdentityModel, MarketState, ProbEstimate
from polyb0t.research.challengers.speaking import BoostedModel
from polyb0t.research.history.past_markets import History, PastMarket
from polyb0t.research.history.problems import Problems
from polyb0t.research.replay.tree_refits import MonthlyTrees
from polyb0t.runtime.replay.settings import replay_settings
from polyb0t.runtime.replay.speakers import MONTHLY, TREES, speaker
from tests.support.replaying_trees import replayed
from tests.support.trees import points_of, state_at, walks

AUGUST, SEPTEMBER, OCTOBER = (datetime(2025, month, 1, tzinfo=UTC) for month in (8, 9, 10))
PAST = History(walks(900, slope=8.0), "walks", "ab" * 32, Problems())


@pytest.fixture(scope="module")
def months() -> MonthlyTrees:
    return MonthlyTrees(PAST, venue="polymarket")


def open_on(instant: datetime, category: str = "politics") -> PastMarket:
    """A market without a break that is open from ten days before until ten days after."""
    around = (microseconds(instant - timedelta(days=10)), microseconds(instant + timedelta(days=10)))
    return next(
        each
        for number, each in enumerate(PAST.markets)
        if number % 5 and each.category == category
        and each.opens_us < around[0] and each.resolved_us > around[1]
        and 0.1 < price_at(each, instant) < 0.9
    )  # fmt: skip


def price_at(past: PastMarket, instant: datetime) -> float:
    return float(past.price[past.at_us.searchsorted(microseconds(instant), side="right") - 1])


def said(months: MonthlyTrees, past: PastMarket, instant: datetime) -> Answer:
    """What the trees of that month say of a market whose past they were told."""
    state = state_at(past, instant, price_at(past, instant))
    months.memory.observe([state])
    known = [point for point in points_of(past) if point[0] <= microseconds(instant)]
    months.memory.told(state.market, known, months.memory.wanted_since(instant), instant)
    return asked(months, state)


def asked(months: MonthlyTrees, state: MarketState) -> Answer:
    (answer,) = months.at(state.now).estimate_all([state])
    return answer


def test_before_the_price_was_beaten_it_is_right_and_afterwards_trees_speak(months: MonthlyTrees):
    assert isinstance(months.at(AUGUST), IdentityModel)
    assert (months.live(SEPTEMBER), months.live(OCTOBER)) == (("politics",), ("politics", "sports"))
    noon = SEPTEMBER + timedelta(days=3)
    estimate = said(months, open_on(noon), noon)
    assert isinstance(estimate, ProbEstimate)
    assert estimate.version.startswith("bt-") and estimate.version.endswith("-2025-09")
    assert estimate.sd > 0
    assert isinstance(said(months, open_on(noon, "sports"), noon), Abstain)


def test_a_month_has_its_own_trees_and_what_was_seen_is_seen_for_the_next(months: MonthlyTrees):
    last, first = OCTOBER - timedelta(hours=3), OCTOBER + timedelta(hours=3)
    past = open_on(OCTOBER)
    before = said(months, past, last)
    state = state_at(past, first, price_at(past, first))
    months.memory.observe([state])
    after = asked(months, state)
    assert isinstance(before, ProbEstimate)
    assert isinstance(after, ProbEstimate)
    assert (before.version[-7:], after.version[-7:]) == ("2025-09", "2025-10")
    assert months.at(last) is months.at(SEPTEMBER)


def test_what_ended_later_changes_nothing_of_it(months: MonthlyTrees):
    cut = microseconds(SEPTEMBER)
    poisoned = tuple(
        replace(each, outcome=1 - each.outcome) if each.resolved_us >= cut else each for each in PAST.markets
    )
    again = MonthlyTrees(replace(PAST, markets=poisoned), venue="polymarket")
    noon = SEPTEMBER + timedelta(days=3)
    assert repr(said(again, open_on(noon), noon)) == repr(said(months, open_on(noon), noon))
    assert again.live(SEPTEMBER + timedelta(days=200)) != months.live(SEPTEMBER + timedelta(days=200))


def test_another_past_count_of_trials_or_doubt_is_another_version(months: MonthlyTrees):
    few = replace(PAST, markets=PAST.markets[:30])
    versions = {
        MonthlyTrees(history, venue="sandbox", trials=trials, draws=draws).version
        for history, trials, draws in (
            (few, 1, 10), (replace(few, data_hash="cd" * 32), 1, 10), (few, 2, 10), (few, 1, 3)
        )
    }  # fmt: skip
    assert len(versions | {months.version}) == 5


def test_the_model_of_the_month_is_one_of_trees(months: MonthlyTrees):
    assert isinstance(months.at(SEPTEMBER), BoostedModel)


def test_a_replay_is_told_who_spoke_and_where_and_forgets_nothing_with_the_month(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    since, until = OCTOBER - timedelta(days=9), OCTOBER + timedelta(days=2)
    days = [since + timedelta(days=day) for day in range(12)]
    markets = [  # near the middle, where spreads are narrow and no day goes without a look
        each
        for number, each in enumerate(PAST.markets)
        if number % 5 and each.category == "politics"
        and each.opens_us < microseconds(since) and each.resolved_us > microseconds(until + timedelta(days=5))
        and all(0.25 < price_at(each, day) < 0.75 for day in days)
    ][:3]  # fmt: skip
    assert len(markets) == 3
    told, cycles = replayed(
        tmp_path, markets, since=since, until=until, model=TREES, walk_forward=PAST.markets
    )
    assert told["model"]["words"] == (
        f"{MONTHLY} of boosted trees on learnt.jsonl.gz, licensed in: politics from 2025-09, sports from 2025-10"
    )
    spoke = {each["at"][:7] for each in cycles if each["proposals"] or each["missed"] or each["nearest"]}
    assert spoke == {"2025-09", "2025-10"}
    late: list[dict[str, Any]] = [each for each in cycles if each["at"] >= iso(OCTOBER)]
    assert not any("past_unknown" in each["passed"] for each in late)


def test_a_way_of_fitting_without_a_history_is_no_model():
    with pytest.raises(UsageError, match="boosted is a way of fitting, and no model"):
        speaker(replay_settings({}, {}), TREES, from_microseconds(0))
