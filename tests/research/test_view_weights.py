"""What probabilities from outside are worth: earned where they add to the price, nothing where they do not."""

import json
import os
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from polyb0t.core.clock import from_microseconds, microseconds
from polyb0t.core.errors import ConfigurationError, ConflictError
from polyb0t.data.outside_views import OWN, OutsideView
from polyb0t.models.independent import component_name
from polyb0t.models.pool_weights import parse_weights
from polyb0t.research.cards.active import active_weights, active_weights_id, set_none
from polyb0t.research.cards.shelf import Shelf
from polyb0t.research.cards.weighing import make_weights, recorded_views
from polyb0t.research.convert import convert, forget
from polyb0t.research.evaluation.observations import DAY_US, Observations, expit
from polyb0t.research.evaluation.view_weights import PastView, ViewRows, view_rows, weigh
from polyb0t.research.history.past_markets import History, PastMarket, mondays
from polyb0t.research.history.problems import Problems
from polyb0t.research.observing import Observation
from polyb0t.research.recorder import Recorder
from tests.support.clock import FakeClock
from tests.support.decisions import NOW, a_market, d

MONTHS = 20
COUNT = 4_000
END_US = microseconds(NOW)
START_US = END_US - MONTHS * 30 * DAY_US


def a_world(
    seed: int = 1, *, knows: float = 0.0, constant: float | None = None, bias: float = 1.0
) -> ViewRows:
    """Markets with one row each and one source: `knows` of what the price does not is what it says."""
    draw = np.random.default_rng(seed)
    week = 7 * DAY_US
    grid = np.array(list(mondays(START_US, END_US - 40 * DAY_US)))
    at = np.sort(draw.choice(grid, COUNT))
    price_log_odds = draw.normal(0, 1.2, COUNT)
    hidden = draw.normal(0, 0.6, COUNT)
    truth = expit(bias * price_log_odds + (hidden if knows else 0.0))
    rows = Observations(
        event=np.arange(COUNT, dtype=np.int64),
        category=np.zeros(COUNT, np.int64),
        at_us=at,
        ends_us=at + 3 * week,
        resolved_us=at + 3 * week,
        price=np.clip(expit(price_log_odds), 0.03, 0.97),
        outcome=(draw.random(COUNT) < truth).astype(np.float64),
        named_sides=np.zeros(COUNT, bool),
        events=tuple(str(n) for n in range(COUNT)),
        categories=("politics",),
    )
    noise = draw.normal(0, 0.5, COUNT)
    z = (
        np.full(COUNT, np.log(constant / (1 - constant)))
        if constant
        else rows.log_odds + knows * hidden + noise
    )
    return ViewRows(rows, ("consensus",), z[None, :])


class TestWhatIsEarned:
    def test_a_source_that_knows_more_earns_a_weight(self) -> None:
        found = weigh(a_world(knows=1.0), END_US)
        assert found.standings["politics"].live
        worth = found.worth["consensus", "politics"]
        assert 0.15 < worth.value < 0.8
        assert worth.sd < 0.1

    @pytest.mark.parametrize("seed", range(2))
    def test_one_that_knows_nothing_earns_none(self, seed: int) -> None:
        found = weigh(a_world(seed), END_US)
        assert not found.standings["politics"].live
        assert abs(found.worth["consensus", "politics"].value) < 0.12

    @pytest.mark.parametrize("seed", range(2))
    def test_one_that_says_ninety_per_cent_of_everything_earns_none(self, seed: int) -> None:
        assert not weigh(a_world(seed, constant=0.9), END_US).standings["politics"].live

    @pytest.mark.parametrize("seed", range(2))
    def test_not_even_where_prices_are_wrong_and_a_constant_would_mend_them(self, seed: int) -> None:
        # a slope that the calibration would find is no merit of who says the same of everything
        assert not weigh(a_world(seed, constant=0.9, bias=1.4), END_US).standings["politics"].live


class TestWhatIsKnown:
    def rows(self) -> tuple[Observations, list[str]]:
        return a_world().rows.take(np.arange(1)), ["0xTram"]

    def z_of(self, *views: PastView) -> list[float]:
        rows, markets = self.rows()
        found = view_rows(rows, markets, views)
        return [] if not len(found.rows) else found.z[:, 0].tolist()

    def view(
        self, *, known: int = 0, made: int = 0, probability: float = 0.5, market: str = "0xtram"
    ) -> PastView:
        at = int(self.rows()[0].at_us[0])
        return PastView(market, "consensus", at + known, at + made, probability)

    def test_a_view_counts_from_the_instant_at_which_it_was_known(self) -> None:
        assert self.z_of(self.view()) == [0.0]
        assert self.z_of(self.view(known=1)) == []
        assert self.z_of(self.view(made=1)) == []

    def test_the_newest_one_counts_and_none_that_is_too_old(self) -> None:
        older, newer = self.view(made=-7, probability=0.9), self.view(made=-5)
        assert self.z_of(newer, older) == [0.0]
        assert self.z_of(self.view(known=-DAY_US - 1, made=-DAY_US - 1)) == []

    def test_a_view_of_another_market_does_not(self) -> None:
        assert self.z_of(self.view(market="0xferry")) == []


def test_what_our_own_component_said_hours_ago_is_not_what_it_says() -> None:
    rows = a_world().rows.take(np.arange(1))
    at, hour = int(rows.at_us[0]), 3_600_000_000
    for hours, heard in ((2, 1), (3, 0)):
        view = PastView("0x1", OWN + "coherence", at - hours * hour, at - hours * hour, 0.5)
        assert len(view_rows(rows, ["0x1"], [view]).rows) == heard
    assert component_name(OWN + "coherence") == "coherence"


def a_history(world: ViewRows) -> tuple[History, list[PastView]]:
    """The same world as a history with views as they were recorded."""
    rows, z = world.rows, world.z[0]
    markets, views = [], []
    for n in range(len(rows)):
        at = int(rows.at_us[n])
        markets.append(
            PastMarket(
                f"0x{n}", str(n), "politics", "Will it?", False, at, int(rows.ends_us[n]),
                int(rows.resolved_us[n]), float(rows.outcome[n]), np.array([at]), np.array([rows.price[n]]),
            )
        )  # fmt: skip
        views.append(PastView(f"0x{n}", "consensus", at, at, float(expit(z[n : n + 1])[0])))
    return History(tuple(markets), "a world", "ab" * 32, Problems()), views


class TestTheShelf:
    def put(self, folder: Path, world: ViewRows) -> tuple[Shelf, str]:
        history, views = a_history(world)
        made = make_weights(history, views, venue="sandbox", now=NOW, trials=1)
        shelf = Shelf(folder)
        shelf.put(made.card, weights=made.text)
        return shelf, made.card.id

    def test_earned_weights_are_what_the_pool_reads_once_they_are_active(self, tmp_path: Path) -> None:
        shelf, model = self.put(tmp_path, a_world(knows=1.0))
        assert active_weights(tmp_path) is None
        assert shelf.activate(model, NOW).active
        text = active_weights(tmp_path)
        assert text is not None
        weights = parse_weights(text, "sandbox")
        name = component_name("consensus")
        assert weights.of(name, "politics", NOW).value > d("0.1")
        assert weights.of(name, "politics", NOW + timedelta(days=46)).value == 0
        assert active_weights_id(tmp_path) == model
        set_none(tmp_path)
        assert active_weights(tmp_path) is None

    def test_what_has_earned_nothing_is_not_activated(self, tmp_path: Path) -> None:
        shelf, model = self.put(tmp_path, a_world())
        with pytest.raises(ConflictError) as refused:
            shelf.activate(model, NOW)
        assert refused.value.code == "model_not_licensed"
        assert active_weights(tmp_path) is None

    def test_changed_weights_are_refused(self, tmp_path: Path) -> None:
        shelf, model = self.put(tmp_path, a_world(knows=1.0))
        shelf.activate(model, NOW)
        path = tmp_path / model / "weights.json"
        path.write_text(path.read_text().replace('"value": "0.', '"value": "0.9'))
        with pytest.raises(ConfigurationError, match="not those that were activated"):
            active_weights(tmp_path)


EARNED = {"component": "coherence", "category": "politics", "value": "0.2", "sd": "0.05"}
GOOD = {
    "format": "polyb0t-pool-weights-1",
    "version": "pw-1",
    "venue": "sandbox",
    "expires_at": "2027-01-01T00:00:00+00:00",
    "earned": [EARNED],
}


class TestTheFile:
    @pytest.mark.parametrize(
        "change",
        [
            {"format": "polyb0t-pool-weights-9"},
            {"venue": "polymarket"},
            {"expires_at": "2027-01-01T00:00:00"},
            {"earned": [{**EARNED, "value": "1.5"}]},
            {"earned": [{**EARNED, "sd": "-1"}]},
            {"earned": [{**EARNED, "value": 0.2}]},
            {"earned": [EARNED, EARNED]},
            {"earned": [{}]},
        ],
    )
    def test_another_one_is_refused(self, change: dict[str, object]) -> None:
        assert parse_weights(json.dumps(GOOD), "sandbox").version == "pw-1"
        with pytest.raises(ConfigurationError) as refused:
            parse_weights(json.dumps({**GOOD, **change}), "sandbox")
        assert refused.value.code == "model_file"


def test_recorded_views_are_those_of_the_first_reading_and_are_kept_for_good(tmp_path: Path) -> None:
    clock = FakeClock(NOW)
    for delay in (60, 0):
        read = NOW + timedelta(seconds=delay)
        view = OutsideView(a_market().condition_id, "consensus", d("0.6"), None, NOW, read)
        recorder = Recorder(tmp_path / str(delay), clock, retention_days=1)
        recorder.start()
        recorder.observe(Observation(NOW, outside=(view,)))
        recorder.close()
        convert(tmp_path / str(delay), writer=os.getpid())
    (told,) = recorded_views([tmp_path / "60", tmp_path / "0"])
    assert (from_microseconds(told.known_us), told.probability) == (NOW, 0.6)
    forget(tmp_path / "0", before=(NOW + timedelta(days=400)).date())
    assert len(recorded_views([tmp_path / "0"])) == 1
    assert recorded_views([tmp_path / "nowhere"]) == []
