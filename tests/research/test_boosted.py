"""Boosted trees learn what the price leaves, and are judged as every other model is."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from evidence.worlds import START_US, Bias
from polyb0t.core.clock import from_microseconds
from polyb0t.core.errors import ConfigurationError, ConflictError
from polyb0t.research.cards.active import active_coefficients, active_trees
from polyb0t.research.cards.card import make_card
from polyb0t.research.cards.files import card_of, card_text
from polyb0t.research.cards.page import card_page
from polyb0t.research.cards.shelf import Shelf
from polyb0t.research.cards.words import facts
from polyb0t.research.challengers.boosted import Fit, make_boosted, walk_boosted
from polyb0t.research.challengers.inputs import PRICE, USED, Inputs, inputs_of, record_of
from polyb0t.research.challengers.trees import NO_TREES, fit_trees
from polyb0t.research.evaluation.gate import live_rows
from polyb0t.research.evaluation.observations import DAY_US, expit
from polyb0t.research.features.feature import PRICES
from polyb0t.research.features.look_ahead import LookAheadError
from polyb0t.research.features.point_in_time import Record
from polyb0t.research.features.registry import named
from polyb0t.research.history.grid import observations
from polyb0t.research.history.past_markets import History
from tests.support.worlds import a_history

NOW = from_microseconds(START_US + 730 * DAY_US)


@pytest.fixture(scope="module")
def history() -> History:
    return a_history({"politics": Bias(2.0), "sports": Bias()}, markets=4_000)


@pytest.fixture(scope="module")
def fitted(history: History) -> Fit:
    return make_boosted(history, venue="sandbox", now=NOW, trials=1, draws=2)


@pytest.fixture(scope="module")
def few() -> History:
    return a_history({"politics": Bias(2.0), "sports": Bias()}, markets=1_500)


def some_inputs(level: np.ndarray, *more: np.ndarray) -> Inputs:
    return Inputs((PRICE, *(f"x{at}" for at in range(len(more)))), np.column_stack([level, *more]))


class TestTrees:
    chance = np.random.default_rng(5)
    level = chance.normal(0, 1, 4_000)
    noise = chance.normal(0, 1, 4_000)
    won = (chance.random(4_000) < expit(1.6 * level)).astype(float)
    weight, event = np.ones(4_000), np.arange(4_000)

    def test_without_a_row_the_price_is_right(self):
        inputs = some_inputs(self.level)
        nothing = np.zeros(0)
        trees = fit_trees(inputs.take(np.zeros(4_000, bool)), nothing, nothing, nothing.astype(int))
        assert trees.model == NO_TREES
        assert trees.predict(inputs)[0] == pytest.approx(expit(self.level))

    def test_on_a_calibrated_price_there_is_nothing_to_learn(self):
        fair = (self.chance.random(4_000) < expit(self.level)).astype(float)
        q, _ = fit_trees(some_inputs(self.level, self.noise), fair, self.weight, self.event, draws=0).predict(
            some_inputs(self.level, self.noise)
        )
        assert np.abs(q - expit(self.level)).mean() < 0.02

    def test_they_find_the_residual_and_the_offset_is_added_back(self):
        inputs = some_inputs(self.level, self.noise)
        q, sd = fit_trees(inputs, self.won, self.weight, self.event, draws=4).predict(inputs)
        truth = expit(1.6 * self.level)
        assert np.abs(q - truth).mean() < 0.5 * np.abs(expit(self.level) - truth).mean()
        assert 0 < sd.mean() < 0.05

    def test_their_doubt_is_wider_than_the_spread_of_few_draws(self):
        inputs = some_inputs(self.level, self.noise)
        trees = fit_trees(inputs, self.won, self.weight, self.event, draws=4)
        q, sd = trees.predict(inputs)
        spread = trees.moves(inputs)[1:].std(axis=0, ddof=1)
        assert sd == pytest.approx(1.25 * q * (1 - q) * spread)

    def test_a_higher_price_is_never_a_lower_probability_and_the_move_never_falls(self):
        trees = fit_trees(some_inputs(self.level, self.noise), 1 - self.won, self.weight, self.event, draws=0)
        level = np.linspace(-3.5, 3.5, 200)
        for other in (-2.0, 0.0, np.nan):
            inputs = some_inputs(level, np.full(200, other))
            assert (np.diff(trees.moves(inputs)[0]) >= -1e-6).all()
            assert (np.diff(trees.predict(inputs)[0]) > 0).all()

    def test_the_same_rows_make_the_same_trees_to_the_byte(self):
        made = [fit_trees(some_inputs(self.level), self.won, self.weight, self.event, draws=1) for _ in "ab"]
        assert made[0] == made[1]

    def test_other_inputs_are_refused(self):
        trees = fit_trees(some_inputs(self.level), self.won, self.weight, self.event, draws=0)
        with pytest.raises(ValueError, match="inputs"):
            trees.predict(some_inputs(self.level, self.noise))


class TestTheFile:
    def test_it_tells_what_was_fitted_and_where_it_may_speak(self, fitted: Fit, history: History):
        content = json.loads(fitted.text)
        assert content["format"] == "polyb0t-boosted-trees-2"
        assert content["library"].startswith("xgboost 3.")
        assert content["inputs"][:3] == [PRICE, "logit_change_24h.1", "logit_change_7d.1"]
        assert (content["version"], content["data_hash"]) == (fitted.card.id, history.data_hash)
        assert content["live"] == list(fitted.card.live)
        assert content["data_until"] <= NOW.isoformat()
        assert len(content["drawn"]) == 2


class TestJudging:
    def test_the_gate_opens_where_the_price_is_beaten_and_nowhere_else(self, fitted: Fit):
        assert fitted.card.live == ("politics",)
        assert fitted.card.overall is not None
        assert fitted.card.overall.t > 2

    def test_shuffled_outcomes_leave_nothing_to_find(self, few: History):
        rows = observations(few.markets)
        fair = (np.random.default_rng(0).random(len(rows)) < rows.price).astype(float)
        forecasts = walk_boosted(replace(rows, outcome=fair), inputs_of(few.markets, rows), draws=0)
        assert not live_rows(forecasts).any()
        worse = np.square(forecasts.q - forecasts.rows.outcome) - np.square(
            forecasts.rows.price - forecasts.rows.outcome
        )
        assert worse.mean() > 0

    def test_what_comes_later_changes_nothing_that_was_said_before(self, few: History):
        rows = observations(few.markets)
        inputs = inputs_of(few.markets, rows)
        cut = START_US + 400 * DAY_US
        later = (rows.at_us >= cut) | (rows.resolved_us >= cut)
        poisoned = replace(rows, outcome=np.where(later, 1 - rows.outcome, rows.outcome))
        said, again = (walk_boosted(each, inputs, draws=0) for each in (rows, poisoned))
        before = said.refit_us < cut
        assert said.q[before].tobytes() == again.q[before].tobytes()
        assert said.q[~before].tobytes() != again.q[~before].tobytes()

    def test_its_card_is_kept_and_read_beside_that_of_the_calibration(
        self, fitted: Fit, history: History, tmp_path
    ):
        calibrated = make_card(history, venue="sandbox", now=NOW, trials=1)
        assert fitted.card.id.startswith("bt-")
        assert card_of(card_text(fitted.card)) == fitted.card
        told = dict(facts(fitted.card))
        assert told["Model"] == f"boosted trees {fitted.card.id}, for the venue sandbox"
        assert "monotone in the price" in told["Trees"]
        assert "logit_change_24h 0%" in told["Inputs"]  # a price a week has no day before it
        assert "Prior" not in told
        assert "Prior" in dict(facts(calibrated))
        assert fitted.card.baselines == calibrated.baselines
        assert "price with one slope: Brier 0." in told["Simpler"]
        assert "boosted trees" in card_page(fitted.card)
        slopes = {
            each.category: each.cell.slope for each in fitted.card.lines if each.horizon == "7-30d"
        }  # a part of what is there: they believe little of what they see
        assert slopes["sports"] < slopes["politics"]
        assert 0.05 < slopes["politics"] < 1

    def test_it_is_activated_like_every_other_model(self, fitted: Fit, tmp_path):
        shelf = Shelf(tmp_path)
        shelf.put(fitted.card, fitted.text)
        assert shelf.find(fitted.card.id.removeprefix("bt-")[:5]) == fitted.card.id
        with pytest.raises(ConflictError, match="expired on") as refused:
            shelf.activate(fitted.card.id, fitted.card.expires_at)
        assert (refused.value.code, active_trees(tmp_path)) == ("model_expired", None)
        assert shelf.activate(fitted.card.id, NOW).active
        assert (active_trees(tmp_path), active_coefficients(tmp_path)) == (fitted.text, None)

    def test_one_slope_is_a_better_baseline_than_how_often_it_happened(self, fitted: Fit):
        slope, rate = fitted.card.baselines
        assert fitted.card.overall is not None
        assert slope.brier < fitted.card.overall.price_brier < rate.brier
        assert slope.log_loss < rate.log_loss


class TestInputs:
    def test_a_row_has_the_features_of_its_own_market_at_its_own_instant(self, history: History):
        rows = observations(history.markets)
        inputs = inputs_of(history.markets, rows)
        assert inputs.names[: len(USED) + 1] == (PRICE, *(f"{name}.1" for name in USED))
        records = {each.market: record_of(each) for each in history.markets}
        week = named(["logit_change_7d"])[0]
        at = int(np.flatnonzero(~np.isnan(inputs.values[:, 2]))[7])
        values = {
            week.value(record, int(rows.at_us[at]))
            for record in records.values()
            if rows.at_us[at] in record.prices.at
        }
        assert inputs.values[at, 2] in values

    def test_an_end_that_nobody_told_is_not_known_though_the_last_price_stands_in_for_it(
        self, history: History
    ):
        last = replace(history.markets[0], ends_us=int(history.markets[0].at_us[-1]), end_told=False)
        days = named(["days_to_end"])[0]
        at = int(last.at_us[0])
        assert days.value(record_of(last), at) is None
        assert days.value(record_of(history.markets[0]), at) is not None

    def test_a_feature_that_looks_ahead_stops_the_fit(self, history: History):
        class Cheat:
            name, version, window_us, says = "final_price", 1, 0, "how it ended"
            requires = frozenset({PRICES})

            def value(self, record: Record, at_us: int) -> float | None:
                return record.prices.values[-1]

        with pytest.raises(LookAheadError, match="final_price"):
            inputs_of(history.markets, observations(history.markets), [Cheat()])


def test_without_the_library_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch, few: History):
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(ConfigurationError, match=r"polyb0t\[boosted\]") as refused:
        make_boosted(few, venue="sandbox", now=NOW, trials=1)
    assert refused.value.code == "no_boosted"
    assert make_card(replace(few, markets=few.markets[:50]), venue="sandbox", now=NOW, trials=1)
