"""The experiments of `make evidence`, in short; each of them can fail; and the document is theirs."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evidence import findings, golden, poison, shuffle
from evidence.__main__ import DOCUMENT, EXPERIMENTS, HEAD, section
from evidence.early_ends import early_ends_test
from evidence.findings import Finding, hazard_test, null_test, planted_test, slope_test
from evidence.golden import golden_test
from evidence.look_ahead import CHEATS, look_ahead_test
from evidence.poison import poison_test
from evidence.replayed import Done, gains_of, poisoned
from evidence.samples import FILES, daily_rows, day_by_day, samples_test
from evidence.shuffle import dealt_anew, one_row_a_market, shuffle_test
from evidence.worlds import START_US
from polyb0t.research.evaluation import gate, walk_forward
from polyb0t.research.evaluation.observations import DAY_US, Observations
from polyb0t.research.features.registry import FEATURES
from polyb0t.research.history.past_markets import PastMarket
from polyb0t.research.replay.reading import hash_of
from tests.support.shared import shared_path

ROOT = Path(__file__).parents[2]


class TestEachHolds:
    def test_where_prices_are_right_nothing_is_proposed(self):
        finding = null_test(seeds=range(2), ungated=0)
        assert finding.holds, finding

    def test_what_is_expected_comes_true_where_a_bias_is(self):
        finding = planted_test(seeds=3)
        assert finding.holds, finding

    def test_the_planted_slopes_are_found(self):
        finding = slope_test(worlds=24)
        assert finding.holds, finding

    @pytest.mark.parametrize("experiment", [golden_test, hazard_test])
    def test_published_figures_come_out_and_the_calendar_shows_no_bias(
        self, experiment: Callable[[], Finding]
    ):
        finding = experiment()
        assert finding.holds, finding

    def test_of_what_ends_when_it_happens_no_bias_is_seen_before_it_was_to_end(self):
        finding = early_ends_test(seeds=1)
        assert finding.holds, finding

    def test_outcomes_dealt_anew_bring_every_trade_its_costs_and_open_no_gate(self):
        finding = shuffle_test(seeds=1)
        assert finding.holds, finding

    def test_what_is_told_later_changes_nothing_that_was_said_before(self, short: None):
        finding = poison_test()
        assert finding.holds, finding


class TestEachCanFail:
    def test_the_null_test_without_the_gate(self, monkeypatch: pytest.MonkeyPatch):
        """With every category live, calibrated worlds bring trades."""
        monkeypatch.setattr(gate, "LEAST_ROWS", 0)
        monkeypatch.setattr(gate, "LEAST_EVENTS", 0)
        monkeypatch.setattr(gate, "needed_t", lambda _judged, _trials: -100.0)
        monkeypatch.setattr(gate, "T_TO_STAY", -100.0)
        assert not null_test(seeds=[2], ungated=0).holds

    def test_the_planted_test_when_a_model_promises_too_much(self, monkeypatch: pytest.MonkeyPatch):
        forward = walk_forward.walk_forward

        def boasting(rows: Observations) -> walk_forward.Forecasts:
            said = forward(rows)
            return replace(said, q=said.rows.price + 2 * (said.q - said.rows.price))

        monkeypatch.setattr(findings, "walk_forward", boasting)
        assert not planted_test(seeds=2).holds

    def test_the_planted_test_on_too_few_trades_to_tell(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(findings, "MANY", 12_000)
        assert not planted_test(seeds=5).holds

    def test_the_shuffle_test_when_a_forecast_knows_how_it_ends(self, monkeypatch: pytest.MonkeyPatch):
        forward = walk_forward.walk_forward

        def leaking(rows: Observations) -> walk_forward.Forecasts:
            said = forward(rows)
            return replace(said, q=said.rows.price + 0.05 * (2 * said.rows.outcome - 1))

        monkeypatch.setattr(shuffle, "walk_forward", leaking)
        assert not shuffle_test(seeds=1).holds

    def test_the_poison_test_when_markets_are_learnt_from_before_they_have_ended(
        self, monkeypatch: pytest.MonkeyPatch, short: None
    ):
        monkeypatch.setattr(walk_forward, "EMBARGO_US", -28 * DAY_US)
        assert not poison_test().holds

    def test_the_early_ends_when_a_market_counts_from_the_day_on_which_it_was_over(
        self, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(Observations, "known_us", property(lambda rows: rows.resolved_us))
        assert not early_ends_test(seeds=1).holds

    def test_the_golden_numbers_when_a_fee_is_forgotten(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(golden, "cost_per_share", lambda price, _fee: price + Decimal(0))
        assert not golden_test().holds

    def test_the_look_ahead_test_when_a_feature_knows_the_winner(self):
        finding = look_ahead_test((*FEATURES[:2], CHEATS[0]))
        assert not finding.holds
        assert finding.rows[-1][0] == "the winner.1"


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poison, "DAYS", (380,))


def test_outcomes_are_dealt_as_prices_make_them_likely():
    """As many winners as before, and at every price as many as it says."""
    rows = one_row_a_market(seed=1)
    dealt = [dealt_anew(rows, np.random.default_rng(seed)) for seed in range(4)]
    for each in dealt:
        for code in range(len(rows.categories)):
            assert each[rows.category == code].sum() == rows.outcome[rows.category == code].sum()
    dear = rows.price > 0.75
    assert rows.outcome[dear].mean() > rows.price[dear].mean() + 0.05  # the bias that was there
    assert np.mean([each[dear].mean() for each in dealt]) == pytest.approx(rows.price[dear].mean(), abs=0.01)


class TestRealSamples:
    def test_without_the_files_it_says_that_it_was_not_run(self, tmp_path: Path):
        finding = samples_test(tmp_path)
        assert (finding.ran, finding.answer[:7]) == (False, "Not run")

    def test_of_a_file_whose_markets_ended_together_nothing_is_said(self):
        market = past_market(0)
        together = [replace(market, market=str(at), event=str(at)) for at in range(50)]
        assert day_by_day(together) is None

    def test_the_document_names_the_files_that_are_here_by_their_hash(self):
        prices, *books = (shared_path(f"data/{name}") for name in FILES)
        text = (ROOT / DOCUMENT).read_text("utf-8")
        for files in ([prices], books):
            assert f"| {files[0].name} | {hash_of(files)[:16]} |" in text

    def test_every_day_is_predicted_by_what_had_ended_a_day_before(self):
        """A bias that is the same on all days is found by the end of them, and not on the first one."""
        gain = day_by_day([past_market(number) for number in range(3_000)])
        assert gain is not None
        assert gain.t > 3
        assert gain.rows < len(daily_rows([past_market(number) for number in range(3_000)]))


def past_market(number: int) -> PastMarket:
    """Open for one midnight of thirty, at 70 cents; nine of ten come true."""
    opens_us = START_US + number % 30 * DAY_US + DAY_US // 2
    return PastMarket(
        market=str(number),
        event=str(number),
        category="weather",
        question="Will it rain?",
        named_sides=False,
        opens_us=opens_us,
        ends_us=opens_us + DAY_US,
        resolved_us=opens_us + DAY_US,
        outcome=float(number % 10 != 0),
        at_us=np.array([opens_us], np.int64),
        price=np.array([0.7]),
    )


def test_a_poisoned_past_says_the_same_until_then_and_another_thing_afterwards():
    line: dict[str, Any] = {
        "market": "0x1",
        "points": [[at, 300_000] for at in range(0, 100, 10)],
        "resolved_us": 100,
        "pays_e6": 0,
    }
    false = poisoned(line, 50)
    assert [each for each in false["points"] if each[0] < 50] == line["points"][:5]
    assert {price for at, price in false["points"] if at >= 50} == {700_000}
    assert (false["pays_e6"], false["resolved_us"]) == (1_000_000, 83)
    assert poisoned(line, 200) == line


def test_what_an_outcome_brought_is_its_payments_less_its_cost_and_fee():
    fills = [
        {"kind": "fill", "asset": name, "price": "0.6", "shares": "10", "fee": "0.1", "at": ""}
        for name in ("won", "lost", "won")
    ]
    paid = [
        {"kind": "paid", "asset": "won", "pusd": "20", "at": ""},
        {"kind": "paid", "asset": "lost", "pusd": "0", "at": ""},
    ]
    assert gains_of(Done({}, [*fills, *paid], [])) == pytest.approx([7.8, -6.1])


class TestTheDocument:
    def test_it_has_a_section_for_each_experiment_and_all_of_them_hold(self):
        text = (ROOT / DOCUMENT).read_text("utf-8")
        assert text.startswith(HEAD)
        assert text.count("\n## ") == len(EXPERIMENTS) + 1  # a replay answers two questions
        assert "This is not as it has to be." not in text

    @pytest.mark.parametrize("experiment", [golden_test, hazard_test])
    def test_a_section_is_what_comes_out(self, experiment: Callable[[], Finding]):
        assert section(experiment()) in (ROOT / DOCUMENT).read_text("utf-8")
