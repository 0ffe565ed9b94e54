"""A model speaks only where it has beaten the price, only for a while, and only as it was activated."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from evidence.worlds import START_US, Bias
from polyb0t.core.clock import from_microseconds
from polyb0t.core.errors import ConfigurationError, ConflictError, NotFoundError
from polyb0t.models.calibration import MarketCalibrationModel, parse_coefficients
from polyb0t.models.signals import Abstain, MarketState, ProbEstimate
from polyb0t.research.cards.active import active_coefficients, active_id
from polyb0t.research.cards.card import LIFE, Card, make_card
from polyb0t.research.cards.files import card_data, card_of, card_text, coefficients_text
from polyb0t.research.cards.page import card_page
from polyb0t.research.cards.shelf import Shelf
from polyb0t.research.evaluation.observations import DAY_US
from polyb0t.research.history.past_markets import History
from tests.support.decisions import a_market, books_at
from tests.support.worlds import a_history

NOW = from_microseconds(START_US + 730 * DAY_US)


@pytest.fixture(scope="module")
def history() -> History:
    return a_history({"politics": Bias(2.0), "sports": Bias()})


@pytest.fixture(scope="module")
def card(history: History) -> Card:
    return make_card(history, venue="sandbox", now=NOW, trials=1)


class TestTheCard:
    def test_it_is_live_where_the_price_was_beaten_and_nowhere_else(self, card: Card):
        assert card.live == ("politics",)

    def test_the_same_data_and_day_make_the_same_model_to_the_byte(self, card: Card, history: History):
        again = make_card(history, venue="sandbox", now=NOW, trials=1)
        assert (card_text(again), coefficients_text(again)) == (card_text(card), coefficients_text(card))

    def test_other_data_another_day_another_venue_make_another(self, card: Card, history: History):
        others = [
            make_card(replace(history, data_hash="cd" * 32), venue="sandbox", now=NOW, trials=1),
            make_card(history, venue="sandbox", now=NOW + timedelta(days=1), trials=1),
            make_card(history, venue="polymarket", now=NOW, trials=1),
        ]
        assert len({card.id, *(each.id for each in others)}) == 4

    def test_what_ends_after_the_day_of_the_fit_is_not_looked_at(self, history: History):
        early = START_US + 400 * DAY_US
        past = tuple(each for each in history.markets if each.resolved_us < early)
        poisoned = tuple(
            each if each.resolved_us < early else replace(each, outcome=1 - each.outcome)
            for each in history.markets
        )
        fits = [
            make_card(replace(history, markets=each), venue="sandbox", now=from_microseconds(early), trials=1)
            for each in (past, history.markets, poisoned)
        ]
        assert len({coefficients_text(replace(each, markets=0)) for each in fits}) == 1

    def test_a_market_that_ended_early_says_nothing_before_it_was_to_end(self, history: History):
        """Those like it still run, unless it happened in them too."""
        noon = START_US + 400 * DAY_US
        over = tuple(each for each in history.markets if each.resolved_us < noon)
        early = tuple(replace(each, ends_us=noon + at * DAY_US) for at, each in enumerate(over[:40]))
        made = make_card(
            replace(history, markets=(*early, *over[40:])),
            venue="sandbox",
            now=from_microseconds(noon),
            trials=1,
        )
        without = make_card(
            replace(history, markets=over[40:]), venue="sandbox", now=from_microseconds(noon), trials=1
        )
        assert made.rows == without.rows
        assert [made.lines, made.overall, made.standings] == [
            without.lines, without.overall, without.standings
        ]  # fmt: skip
        told = "40 markets that ended early, with the day on which they were to end still to come; "
        assert any(each.startswith(told) and over[0].market in each for each in made.problems)
        assert not any("ended early" in each for each in without.problems)

    def test_it_comes_back_from_its_file(self, card: Card):
        assert card_of(card_text(card)) == card

    def test_a_card_of_another_format_is_refused(self, card: Card):
        with pytest.raises(ConfigurationError) as refused:
            card_of(card_text(card).replace("polyb0t-model-card-1", "polyb0t-model-card-9"))
        assert refused.value.code == "model_file"

    def test_programs_are_told_why_a_category_is_not_live(self, card: Card):
        told = card_data(card)
        assert told["live"] == ["politics"]
        assert told["standings"]["sports"]["why"].startswith("It has not beaten the price")

    def test_where_ends_were_found_out_afterwards_nothing_is_licensed(self, history: History):
        """A time to the end that nobody knew makes a calibrated market look biased."""
        some = tuple(replace(each, end_told=at % 10 > 0) for at, each in enumerate(history.markets))
        made = make_card(replace(history, markets=some), venue="sandbox", now=NOW, trials=1)
        why = dict(made.standings)["politics"].why
        assert (made.live, why) == (
            (), "When its markets were to end was not told: the time that was left is known afterwards only."
        )  # fmt: skip
        few = tuple(replace(each, end_told=at % 30 > 0) for at, each in enumerate(history.markets))
        assert make_card(replace(history, markets=few), venue="sandbox", now=NOW, trials=1).live == (
            "politics",
        )

    def test_its_page_escapes_what_came_from_outside(self, card: Card):
        page = card_page(replace(card, source="<script>alert(1)</script>", problems=("<b>x</b>",)))
        assert "<script>" not in page
        assert "<b>x" not in page
        assert page.count("<circle") == len(card.model_bins) + len(card.price_bins)

    def test_without_an_earlier_month_nothing_is_judged_and_nothing_is_live(self, history: History):
        few = replace(history, markets=history.markets[:1])
        made = make_card(few, venue="sandbox", now=NOW, trials=1)
        assert (made.overall, made.live) == (None, ())


class TestTheShelf:
    def test_a_model_is_found_by_the_beginning_of_its_id(self, card: Card, tmp_path: Path):
        shelf = Shelf(tmp_path)
        shelf.put(card)
        assert shelf.find(card.id[:6]) == shelf.find(card.id.removeprefix("mc-")[:4]) == card.id
        with pytest.raises(NotFoundError):
            shelf.find("zz")

    def test_nothing_is_active_until_somebody_says_so(self, card: Card, tmp_path: Path):
        shelf = Shelf(tmp_path)
        shelf.put(card)
        assert active_coefficients(tmp_path) is None
        assert shelf.activate(card.id, NOW).active
        assert [each.active for each in shelf.all()] == [True]
        assert active_coefficients(tmp_path) == coefficients_text(card)
        assert shelf.deactivate() == card.id
        assert active_id(tmp_path) is None

    def test_a_model_that_beats_the_price_nowhere_is_not_activated(self, card: Card, tmp_path: Path):
        shelf = Shelf(tmp_path)
        shelf.put(replace(card, standings=()))
        with pytest.raises(ConflictError) as refused:
            shelf.activate(card.id, NOW)
        assert refused.value.code == "model_not_licensed"
        assert active_id(tmp_path) is None

    def test_a_card_that_cannot_be_read_is_named_with_its_file(self, card: Card, tmp_path: Path):
        shelf = Shelf(tmp_path)
        shelf.put(card)
        (tmp_path / card.id / "card.json").write_text("{}")
        with pytest.raises(ConfigurationError) as refused:
            shelf.all()
        assert refused.value.what == f"The card of {card.id} cannot be read."
        assert str(tmp_path / card.id / "card.json") in (refused.value.why or "")

    def test_a_damaged_count_of_trials_is_no_new_start(self, card: Card, tmp_path: Path):
        shelf = Shelf(tmp_path)
        shelf.trial(lambda trials: (replace(card, trials=trials), None))
        with (tmp_path / "trials").open("a", encoding="utf-8") as file:
            file.write("garbage\n")
        with pytest.raises(ConfigurationError, match="How many models were tried here cannot be read"):
            shelf.trial(lambda trials: (replace(card, trials=trials), None))

    def test_nor_one_that_has_expired(self, card: Card, tmp_path: Path):
        shelf = Shelf(tmp_path)
        shelf.put(card)
        with pytest.raises(ConflictError) as refused:
            shelf.activate(card.id, NOW + LIFE)
        assert refused.value.code == "model_expired"

    def test_coefficients_that_were_changed_since_are_refused(self, card: Card, tmp_path: Path):
        shelf = Shelf(tmp_path)
        shelf.put(card)
        shelf.activate(card.id, NOW)
        path = tmp_path / card.id / "coefficients.json"
        path.write_text(path.read_text("utf-8").replace('"1.', '"2.', 1), "utf-8")
        with pytest.raises(ConfigurationError, match="not those that were activated"):
            active_coefficients(tmp_path)

    def test_the_active_model_fitted_again_on_its_day_stays_usable(
        self, card: Card, history: History, tmp_path: Path
    ):
        shelf = Shelf(tmp_path)
        shelf.put(card)
        shelf.activate(card.id, NOW)
        later = make_card(history, venue="sandbox", now=NOW + timedelta(hours=1), trials=2)
        assert (later.id, later.expires_at > card.expires_at) == (card.id, True)
        shelf.put(later)
        assert active_coefficients(tmp_path) == coefficients_text(card)
        assert shelf.card(card.id) == card

    def test_every_different_fit_is_a_trial_whatever_its_history_is_called(self, card: Card, tmp_path: Path):
        shelf = Shelf(tmp_path)
        tried = [
            card,
            card,  # the same once more
            replace(card, id="mc-2", source="sandbox since 2024-02-02"),
            replace(card, id="bt-1", source="renamed.parquet"),
            replace(card, id="mc-2"),
        ]

        def of(card: Card) -> Callable[[int], tuple[Card, None]]:
            return lambda trials: (replace(card, trials=trials), None)

        assert [shelf.trial(of(each))[0].trials for each in tried] == [1, 1, 2, 3, 3]
        assert shelf.trials() == 3


class TestWhatTheEngineReads:
    def model(self, card: Card) -> MarketCalibrationModel:
        return MarketCalibrationModel(parse_coefficients(coefficients_text(card)))

    def state(self, category: str, now: datetime = NOW, first: str = "Yes") -> MarketState:
        market = a_market(category=category, tags=(), end_date=now + timedelta(days=20))
        yes, no = market.outcomes
        market = replace(market, outcomes=(replace(yes, label=first), no))
        return MarketState(market, None, books_at(market, "0.69", "0.71"), now)

    def test_it_speaks_where_it_is_live_and_says_that_it_was_tested(self, card: Card):
        said = self.model(card).predict(self.state("politics"))
        assert isinstance(said, ProbEstimate)
        assert (said.validated, said.version) == (True, card.id)
        assert Decimal("0.72") < said.q < Decimal("0.85")

    def test_it_is_silent_elsewhere(self, card: Card):
        silent = Abstain("no_figure", "The model has not beaten the price in sports.")
        assert self.model(card).predict(self.state("sports")) == silent

    def test_it_is_silent_from_the_instant_of_its_expiry(self, card: Card):
        model = self.model(card)
        last = NOW + LIFE - timedelta(microseconds=1)
        assert isinstance(model.predict(self.state("politics", last)), ProbEstimate)
        said = model.predict(self.state("politics", NOW + LIFE))
        assert isinstance(said, Abstain)
        assert said.code == "model_expired"

    def test_a_name_is_no_yes(self, card: Card):
        """A bias towards "yes" moves a question, and no contest of two names."""
        lines = tuple(replace(each, cell=replace(each.cell, intercept=1.0)) for each in card.lines)
        towards_yes = self.model(replace(card, lines=lines))
        for first, moves in (("Yes", True), ("Team A", False)):
            state = self.state("politics", first=first)
            said, other = self.model(card).predict(state), towards_yes.predict(state)
            assert isinstance(said, ProbEstimate)
            assert isinstance(other, ProbEstimate)
            assert (other.q > said.q) == moves

    def test_its_doubt_counts_how_intercept_and_slope_err_together(self, card: Card):
        line = next(each for each in card.lines if each.category == "politics" and each.horizon == "7-30d")
        level = float(np.log(0.7 / 0.3))
        variance = line.cell.var_intercept + 2 * level * line.cell.covariance + level**2 * line.cell.var_slope
        said = self.model(card).predict(self.state("politics"))
        assert isinstance(said, ProbEstimate)
        q = float(said.q)
        assert float(said.sd) == pytest.approx(q * (1 - q) * variance**0.5, rel=1e-3)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ('"expires_at": "', '"expires_at": "soon '),
            ('"polyb0t-market-calibration-2"', '"polyb0t-market-calibration-3"'),
            ('"covariance": "', '"covariance": "9'),
            ('"sd_slope": "', '"sd_slope": "-'),
        ],
    )
    def test_a_file_that_makes_no_sense_is_refused(self, card: Card, old: str, new: str):
        with pytest.raises(ConfigurationError):
            parse_coefficients(coefficients_text(card).replace(old, new))
