"""A model is fitted on what had ended, judged on what it had not seen, and silent until it has won."""

from dataclasses import replace

import numpy as np
import pytest

from evidence import worlds
from evidence.worlds import CALIBRATED, PLANTED, START_US, Bias, World, make_world
from polyb0t.research.evaluation.doubt import larger, meat, sandwich
from polyb0t.research.evaluation.gate import (
    LEAST_EVENTS,
    LEAST_ROWS,
    Standing,
    live_rows,
    needed_t,
    standings,
)
from polyb0t.research.evaluation.observations import DAY_US, HORIZONS, Floats, Observations, expit, logit
from polyb0t.research.evaluation.recalibration import USUAL, Prior, fit
from polyb0t.research.evaluation.scores import (
    clustered_t,
    events_needed,
    gain_over_price,
    murphy,
    reliability,
    wilson,
)
from polyb0t.research.evaluation.walk_forward import EMBARGO_US, Forecasts, walk_forward, windows

END_US = START_US + 2 * 365 * DAY_US


@pytest.fixture(scope="module")
def planted() -> World:
    return make_world({"politics": Bias(1.4, 0.1), "sports": Bias(0.8)}, seed=1)


def some(price: Floats, outcome: Floats, *, event: Floats | None = None) -> Observations:
    """One row a market of one category, all seen on the first day, a month before the end."""
    count = len(price)
    at = np.full(count, START_US, np.int64)
    return Observations(
        event=np.arange(count) if event is None else event.astype(np.int64),
        category=np.zeros(count, np.int64),
        at_us=at,
        ends_us=at + 20 * DAY_US,
        resolved_us=at + 21 * DAY_US,
        price=price,
        outcome=outcome,
        named_sides=np.zeros(count, bool),
        events=tuple(str(each) for each in range(count)),
        categories=("politics",),
    )


class TestFitting:
    def test_without_data_the_price_is_right(self):
        rows = some(np.array([0.2, 0.7]), np.array([1.0, 0.0]))
        q, _ = fit(rows.take(np.array([False, False])), END_US).predict(rows)
        assert q == pytest.approx(rows.price)

    def test_a_planted_bias_is_found_where_it_is(self, planted: World):
        model = fit(planted.seen, END_US)
        for category, horizon, slope in (("politics", "7-30d", 1.4), ("sports", "7-30d", 0.8)):
            found = model.cell(category, horizon)
            assert (found.slope > 0) == (slope > 1)
            assert abs(1 + found.slope - slope) < 3 * found.var_slope**0.5
        assert model.cell("politics", "7-30d").intercept == pytest.approx(0.1, abs=0.08)

    def test_its_doubt_covers_the_truth_about_as_often_as_it_says(self):
        inside, cells = 0, 0
        for seed in range(6):
            world = make_world(PLANTED, seed, markets=6_000)
            model = fit(world.seen, END_US)
            for category, bias in PLANTED.items():
                for horizon in HORIZONS:
                    cell = model.cell(category, horizon)
                    cells += 1
                    inside += abs(1 + cell.slope - bias.slope) < 1.645 * cell.var_slope**0.5
        assert inside / cells == pytest.approx(0.9, abs=0.1)

    def test_twenty_mondays_of_one_price_are_one_result(self):
        """Copies of a row bring nothing new, so they make nothing surer, however their weights add up."""
        chance = np.random.default_rng(7)
        price = chance.uniform(0.1, 0.9, 400)
        once = some(price, (chance.random(400) < price).astype(float))
        once = replace(once, ends_us=once.at_us + 200 * DAY_US)
        copies = once.take(np.tile(np.arange(400), 20))
        week = np.repeat(np.arange(20), 400) * 5 * DAY_US
        copies = replace(copies, at_us=copies.at_us + week, ends_us=copies.ends_us + week)
        for prior in (USUAL, Prior((5, 5, 5), (5, 5, 5))):
            _, sd = fit(once, START_US, prior).predict(once)
            _, again = fit(copies, START_US, prior).predict(once)
            assert (again >= 0.97 * sd).all()

    def test_its_doubt_covers_the_truth_with_many_rows_to_an_event(self, monkeypatch: pytest.MonkeyPatch):
        """Of what it says of each row, in ten bins of equal mass: the truth lies in the 90 % interval."""
        monkeypatch.setattr(worlds, "MOST_SNAPSHOTS", 20)
        inside = []
        for seed in range(6):
            world = make_world(PLANTED, seed, markets=4_000)
            q, sd = fit(world.seen, END_US).predict(world.seen)
            covered = np.abs(q - world.truth) <= 1.645 * sd
            inside.append([part.mean() for part in np.array_split(covered[np.argsort(q)], 10)])
        by_bin = np.mean(inside, axis=0)
        assert by_bin.min() > 0.85
        assert by_bin.mean() > 0.9

    def test_sides_that_are_names_have_no_bias_towards_the_first(self):
        price = np.full(2_000, 0.6)
        rows = some(price, np.ones(2_000))
        told, _ = fit(rows, END_US).predict(rows)
        named = replace(rows, named_sides=np.ones(2_000, bool))
        q, _ = fit(named, END_US).predict(named)
        swapped = replace(named, price=1 - price)
        other, _ = fit(named, END_US).predict(swapped)
        assert told[0] > q[0]
        assert q + other == pytest.approx(np.ones(2_000))

    def test_a_market_that_paid_both_teaches_nothing(self):
        rows = some(np.array([0.3, 0.3, 0.3]), np.array([0.0, 0.5, 0.5]))
        assert fit(rows, END_US).rows == 1

    def test_rows_of_one_event_count_as_one(self):
        price, outcome = np.full(40, 0.3), np.ones(40)
        alone = fit(some(price[:1], outcome[:1]), END_US).predict(some(price[:1], outcome[:1]))[0]
        together = some(price, outcome, event=np.zeros(40))
        assert fit(together, END_US).predict(together)[0][0] == pytest.approx(alone[0])

    def test_older_rows_count_less(self):
        rows = some(np.array([0.5, 0.5]), np.array([1.0, 0.0]))
        old = replace(rows, at_us=np.array([START_US - 360 * DAY_US, START_US]))
        assert old.weights(START_US) == pytest.approx([0.25, 1.0])

    def test_a_weight_knows_nothing_of_the_rows_to_come(self):
        rows = some(np.full(4, 0.5), np.ones(4), event=np.zeros(4))
        rows = replace(rows, at_us=START_US + np.array([0, 7, 7, 14]) * DAY_US)
        assert rows.weights(START_US) == pytest.approx([1, 1 / 3, 1 / 3, 1 / 4])
        assert rows.take(rows.at_us == START_US).weights(START_US) == pytest.approx([1])

    def test_a_calibrated_market_shows_no_bias_at_any_horizon(self):
        wide = Prior((5, 5, 5), (5, 5, 5))
        models = [fit(make_world({"politics": Bias()}, seed).seen, END_US, wide) for seed in range(8)]
        for horizon in HORIZONS:
            slopes = [1 + model.cell("politics", horizon).slope for model in models]
            assert np.mean(slopes) == pytest.approx(1, abs=0.08)

    def test_another_list_of_categories_is_refused(self, planted: World):
        model = fit(planted.seen, END_US)
        with pytest.raises(ValueError, match="categories"):
            model.predict(some(np.array([0.5]), np.array([1.0])))


class TestDoubt:
    def test_the_score_of_an_event_is_that_of_all_its_cells(self):
        """Against the sum written out event by event."""
        chance = np.random.default_rng(2)
        event, cell = chance.integers(0, 30, 200), chance.integers(0, 4, 200)
        scores = chance.normal(size=(200, 2))
        whole = np.zeros((30, 4, 2))
        np.add.at(whole, (event, cell), scores)
        of_event = whole.reshape(30, 8)
        assert meat(event, cell, scores, 4) == pytest.approx(of_event.T @ of_event)

    def test_independent_results_leave_it_as_the_curvature_says(self):
        inverse, penalty = np.diag([1 / 400, 1 / 400]), np.array([1e-6, 1e-6])
        assert sandwich(inverse, penalty, np.diag([400.0, 400.0]), 10_000) == pytest.approx(inverse, rel=1e-3)

    def test_the_larger_of_two_is_below_neither_in_any_direction(self):
        one = np.array([[[1.0, 0.3], [0.3, 2.0]]])
        other = np.array([[[3.0, -0.5], [-0.5, 0.5]]])
        found = larger(one, other)[0]
        for below in (one[0], other[0]):
            assert np.linalg.eigvalsh(found - below).min() > -1e-9
        assert larger(one, 0.5 * one) == pytest.approx(one)
        assert larger(one, 3 * one) == pytest.approx(3 * one)


class TestWalkingForward:
    def test_it_learns_only_from_what_had_ended_a_week_before(self, planted: World):
        rows = planted.seen
        for start, seen, ahead in windows(rows):
            assert (rows.resolved_us[seen] < start - EMBARGO_US).all()
            assert (rows.at_us[ahead] >= start).all()
            assert not np.isin(rows.event[ahead], rows.event[seen]).any()

    def test_what_comes_later_changes_nothing_that_was_said_before(self, planted: World):
        rows = planted.seen
        cut = START_US + 400 * DAY_US
        later = (rows.at_us >= cut) | (rows.resolved_us >= cut)
        poisoned = replace(rows, outcome=np.where(later, 1 - rows.outcome, rows.outcome))
        said, again = walk_forward(rows), walk_forward(poisoned)
        before = said.refit_us < cut
        assert before.any()
        assert said.q[before].tobytes() == again.q[before].tobytes()
        assert said.q[~before].tobytes() != again.q[~before].tobytes()

    def test_shuffled_outcomes_leave_nothing_to_find(self):
        world = make_world(PLANTED, 4)
        rows = world.seen
        fair = np.random.default_rng(0).random(len(rows)) < rows.price
        forecasts = walk_forward(replace(rows, outcome=fair.astype(float)))
        gain = gain_over_price(
            forecasts.rows.price, forecasts.q, forecasts.rows.outcome, forecasts.rows.event
        )
        assert gain.t < 1.64


class TestTheGate:
    def test_a_calibrated_market_opens_a_category_as_seldom_as_luck_has_it(self):
        opened = [live_rows(walk_forward(make_world(CALIBRATED, seed).seen)).mean() for seed in range(8)]
        assert np.mean(opened) < 0.05  # and what luck opens, the trade's own gate stops: see evidence

    def test_a_strong_bias_opens_its_category_in_the_end_and_not_at_the_start(self):
        forecasts = walk_forward(make_world({"politics": Bias(2.0), "sports": Bias()}, 2).seen)
        live = live_rows(forecasts)
        assert live.any()
        assert not live[forecasts.refit_us == forecasts.refit_us.min()].any()
        assert set(forecasts.rows.category[live]) == {0}

    def test_it_says_why(self):
        forecasts = walk_forward(make_world({"politics": Bias(2.0), "sports": Bias()}, 2).seen)
        early = standings(forecasts, int(forecasts.refit_us.min()))
        late = standings(forecasts, START_US + 720 * DAY_US)
        assert early["politics"].why == f"0 resolved rows of the {LEAST_ROWS} that it takes."
        assert late["politics"].why.startswith("It has beaten the price: t ")
        assert late["sports"].why.startswith("It has not beaten the price: t ")

    def test_it_closes_when_the_gain_has_gone(self):
        forecasts = walk_forward(make_world({"politics": Bias(2.0)}, 5).seen)
        last = START_US + 720 * DAY_US
        assert standings(forecasts, last)["politics"].live
        recent = forecasts.rows.at_us > last - 200 * DAY_US
        rows = forecasts.rows
        away = np.where(recent, forecasts.q < rows.price, rows.outcome)  # each time the other way
        turned = type(forecasts)(replace(rows, outcome=away), forecasts.q, forecasts.sd, forecasts.refit_us)
        assert not standings(turned, last)["politics"].live


def said_of(count: int, edge: float) -> Forecasts:
    """`count` events, one a day, each said to be better than its price by `edge`, which is true."""
    chance = np.random.default_rng(8)
    at = START_US + np.arange(count, dtype=np.int64) * DAY_US
    price = np.full(count, 0.5)
    rows = some(price, (chance.random(count) < 0.5 + edge).astype(float))
    rows = replace(rows, at_us=at, ends_us=at + 20 * DAY_US, resolved_us=at + 21 * DAY_US)
    return Forecasts(rows, price + edge, np.full(count, 0.01), np.full(count, START_US))


class TestWhatTheGateAsksFor:
    def test_a_great_gain_on_too_few_rows_opens_nothing(self):
        recently = START_US + (LEAST_ROWS + 90) * DAY_US  # so that two months ago it stood as well
        many = standings(said_of(LEAST_ROWS + 70, 0.3), recently)["politics"]
        assert (many.live, many.stood) == (True, True)
        few = standings(said_of(LEAST_ROWS - 1, 0.3), recently)["politics"]
        assert few.t > 5
        assert not few.live
        assert few.why == f"{LEAST_ROWS - 1} resolved rows of the {LEAST_ROWS} that it takes."

    def test_nor_one_on_many_rows_of_too_few_events(self):
        """Twelve Mondays of four markets of an event are one result, told forty-eight times."""

        def of(events: int) -> Standing:
            count = LEAST_ROWS + 200
            said = said_of(count, 0.3)
            return standings(
                replace(said, rows=replace(said.rows, event=np.arange(count) % events)),
                START_US + (count + 90) * DAY_US,
            )["politics"]

        few, enough = of(LEAST_EVENTS - 1), of(LEAST_EVENTS)
        assert (few.live, enough.live) == (False, True)
        assert few.t > few.needed
        assert few.why == (
            f"{LEAST_EVENTS - 1} events of the {LEAST_EVENTS} that it takes, with {few.rows} resolved rows."
        )

    def test_what_has_not_ended_is_no_row(self):
        forecasts = said_of(LEAST_ROWS + 70, 0.3)
        assert standings(forecasts, START_US + 200 * DAY_US)["politics"].rows == 179

    def test_nor_is_what_ended_early_before_the_day_on_which_it_was_to_end(self):
        said = said_of(LEAST_ROWS + 70, 0.3)
        early = replace(said, rows=replace(said.rows, ends_us=said.rows.at_us + 200 * DAY_US))
        by_day = [standings(early, START_US + day * DAY_US)["politics"].rows for day in (200, 379)]
        assert by_day == [0, 179]

    def test_luck_is_shared_by_every_trial_and_every_category(self):
        assert needed_t(1, 1) == pytest.approx(1.645, abs=0.001)
        assert needed_t(8, 1) == pytest.approx(2.50, abs=0.01)
        assert needed_t(1, 8) == needed_t(8, 1)
        assert needed_t(8, 40) > 3.5
        forecasts, asof = said_of(LEAST_ROWS + 300, 0.04), START_US + (LEAST_ROWS + 330) * DAY_US
        first, hundredth = (standings(forecasts, asof, trials)["politics"] for trials in (1, 100))
        assert (first.live, hundredth.live) == (True, False)
        assert first.t == hundredth.t
        assert hundredth.why.startswith(f"It has not beaten the price: t {first.t:.2f}, and 3.29 is needed")

    def test_it_has_to_have_stood_for_two_months(self):
        forecasts = said_of(LEAST_ROWS + 200, 0.3)
        by_day = [standings(forecasts, START_US + day * DAY_US)["politics"] for day in (330, 352, 384, 400)]
        assert [each.live for each in by_day] == [False, False, True, True]
        assert "has not done so for two months yet" in by_day[1].why


class TestScores:
    def test_a_better_model_has_a_gain_whose_interval_leaves_zero_out(self):
        chance = np.random.default_rng(3)
        price = chance.uniform(0.1, 0.9, 4_000)
        truth = expit(1.6 * logit(price))
        outcome = (chance.random(4_000) < truth).astype(float)
        gain = gain_over_price(price, truth, outcome, np.arange(4_000))
        assert gain.t > 2
        assert 0 < gain.low < gain.brier < gain.high
        assert gain.model_log_loss < gain.price_log_loss
        assert gain.skill == pytest.approx(gain.brier / gain.price_brier)

    def test_repeating_rows_of_an_event_adds_no_certainty(self):
        chance = np.random.default_rng(4)
        difference = chance.normal(0.1, 1, 200)
        once = clustered_t(difference, np.arange(200))
        often = clustered_t(np.repeat(difference, 10), np.repeat(np.arange(200), 10))
        assert often == pytest.approx(once)

    def test_one_event_proves_nothing(self):
        assert clustered_t(np.ones(50), np.zeros(50, np.int64)) == 0

    def test_reliability_has_bins_of_equal_mass_with_intervals(self):
        said = np.linspace(0.05, 0.95, 1_000)
        outcome = (np.random.default_rng(5).random(1_000) < said).astype(float)
        bins = reliability(said, outcome, np.arange(1_000))
        assert [each.rows for each in bins] == [100] * 10
        assert sum(each.low <= each.said <= each.high for each in bins) >= 8

    def test_copies_of_a_row_make_no_bar_shorter(self):
        said = np.linspace(0.05, 0.95, 200)
        outcome = (np.random.default_rng(5).random(200) < said).astype(float)
        once = reliability(said, outcome, np.arange(200))
        again = reliability(np.repeat(said, 20), np.repeat(outcome, 20), np.repeat(np.arange(200), 20))
        assert [each.rows for each in again] == [400] * 10
        for one, other in zip(once, again, strict=True):
            assert other.high - other.low == pytest.approx(one.high - one.low, rel=0.05)

    def test_the_three_parts_make_the_score(self):
        said = np.repeat(np.linspace(0.05, 0.95, 10), 100)
        outcome = (np.random.default_rng(6).random(1_000) < said).astype(float)
        parts = murphy(reliability(said, outcome, np.arange(1_000)))
        assert parts.reliability - parts.resolution + parts.uncertainty == pytest.approx(
            float(np.square(said - outcome).mean())
        )

    def test_wilson_against_the_textbook(self):
        low, high = wilson(0.1, 10)
        assert low == pytest.approx(0.0179, abs=1e-4)
        assert high == pytest.approx(0.4042, abs=1e-4)

    def test_how_many_events_an_error_needs(self):
        assert events_needed(0.8, 0.05) == 1_024
        assert events_needed(0.8, 0.02) == 6_400
