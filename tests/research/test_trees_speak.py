"""Trees that speak say of a market now what they would have said of it in the history they were fitted on."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from polyb0t.core.clock import from_microseconds, microseconds
from polyb0t.core.errors import ConfigurationError
from polyb0t.models.calibration import Z90
from polyb0t.models.signals import Abstain, Answer, MarketState, ProbEstimate
from polyb0t.research.challengers.inputs import inputs_of
from polyb0t.research.challengers.kept import read_kept
from polyb0t.research.challengers.speaking import BoostedModel
from polyb0t.research.history.grid import observations, sights
from polyb0t.research.history.past_markets import PastMarket
from tests.support.trees import (
    FITTED,
    SIX_HOURS_US,
    fitted_rows,
    points_of,
    state_at,
    trees,
    trees_text,
    walks,
)

HOUR = timedelta(hours=1)


def a_walk(name: str = "politics", days: int = 40) -> PastMarket:
    """One without a break and with so long a past."""
    return next(
        each
        for number, each in enumerate(walks())
        if number % 5 and each.category == name and len(each.at_us) > days * 4
    )


def middle(past: PastMarket, days: int = 30) -> tuple[datetime, float]:
    """An instant of it with its price."""
    at = days * 4
    return from_microseconds(int(past.at_us[at])), float(past.price[at])


def told(model: BoostedModel, past: PastMarket, state: MarketState) -> None:
    """An engine that begins to watch it now, and the exchange's history of it."""
    model.observe([state])
    known = [point for point in points_of(past) if point[0] <= microseconds(state.now)]
    model.told(state.market, known, model.wanted_since(state.now), state.now)


def say(model: BoostedModel, state: MarketState) -> Answer:
    (answer,) = model.estimate_all([state])
    return answer


def code(answer: Answer) -> str:
    return answer.code if isinstance(answer, Abstain) else "speaks"


class TestInputs:
    """One code, one definition: what is asked now is what was fitted."""

    def sample(self) -> Iterator[tuple[PastMarket, datetime, float, tuple[float, ...]]]:
        """Every ninth row that trees could speak of, with the inputs of the fit."""
        chosen = {each.market for each in walks() if each.category == "politics"}
        _, rows = fitted_rows()
        at = 0
        for past in walks():
            for monday, price in sights(past):
                if past.market in chosen and at % 9 == 0:
                    yield past, from_microseconds(monday), price, tuple(rows.values[at])
                at += 1

    def test_an_engine_computes_what_the_fit_computed_for_the_same_instant(self):
        kept, same, silent, unknown = trees(), 0, 0, 0
        for past, now, price, fitted in self.sample():
            model, state = BoostedModel(kept), state_at(past, now, price)
            told(model, past, state)
            asked = model.inputs(state, price)
            if isinstance(asked, Abstain):  # only where the fit did not know it either, of an old market
                assert any(np.isnan(each) for each in fitted)
                silent += 1
                continue
            assert np.array(asked) == pytest.approx(np.array(fitted), abs=1e-12, nan_ok=True)
            same += 1
            unknown += bool(np.isnan(asked).any())
        assert (same > 60, silent > 0, unknown > 5) == (True, True, True)

    def test_what_it_says_is_what_the_kept_trees_said_of_that_row(self):
        kept, said = trees(), 0
        rows, inputs = fitted_rows()
        q, sd = kept.trees.predict(inputs)
        by_row = dict(
            zip(
                zip(rows.event.tolist(), rows.at_us.tolist(), strict=True),
                zip(q, sd, strict=True),
                strict=True,
            )
        )
        for past, now, price, _ in list(self.sample())[:30]:
            model, state = BoostedModel(kept), state_at(past, now, price)
            told(model, past, state)
            answer = say(model, state)
            if isinstance(answer, ProbEstimate):
                expected = by_row[rows.events.index(past.event), microseconds(now)]
                assert (float(answer.q), float(answer.sd)) == pytest.approx(expected, abs=1e-6)
                said += 1
        assert said > 10

    def test_a_price_that_was_known_later_changes_nothing(self):
        past = a_walk()
        now, price = middle(past)
        model, state = BoostedModel(trees()), state_at(past, now, price)
        told(model, past, state)
        before = model.inputs(state, price)
        later = [(microseconds(now) + step * SIX_HOURS_US, 10_000) for step in range(1, 5)]
        model.told(state.market, [*points_of(past), *later], model.wanted_since(now), now)
        assert model.inputs(state, price) == before
        # Also once that instant has come: what was read then was the price of a stretch that had not ended.
        for hours in (5, 11, 17, 23, 29, 30.5):
            moved = state_at(past, now + hours * HOUR, price)
            model.observe([moved])
        asked = model.inputs(moved, price)
        assert not isinstance(asked, Abstain)
        assert asked[1] == pytest.approx(0.0, abs=1e-12)  # a day ago it was what the engine saw

    def test_what_an_engine_saw_itself_is_known_without_the_exchange(self):
        past = a_walk()
        model, now = BoostedModel(trees()), middle(past, 5)[0]
        for step in range(8 * 4 + 2):
            at = now + step * timedelta(hours=6)
            price = float(past.price[5 * 4 + step])
            state = state_at(past, at, price)
            model.observe([state])
        expected = inputs_of([past], observations([past]))
        assert expected.names[1] == "logit_change_24h.1"
        asked = model.inputs(state, price)
        assert not isinstance(asked, Abstain)
        moved = [np.log(p / (1 - p)) for p in (price, float(past.price[5 * 4 + step - 4]))]
        assert asked[1] == pytest.approx(moved[0] - moved[1], abs=1e-12)


class TestSilence:
    """What is not known in full is not guessed."""

    def test_it_is_silent_until_it_was_told_where_the_price_has_come_from(self):
        past = a_walk()
        now, price = middle(past)
        model, state = BoostedModel(trees()), state_at(past, now, price)
        assert code(say(model, state)) == "past_unknown"
        model.observe([state])
        answer = say(model, state)
        assert isinstance(answer, Abstain)
        assert answer.reason.startswith("Where its price has come from in the last eight days is not known")
        told(model, past, state)
        assert isinstance(say(model, state), ProbEstimate)

    def test_a_week_of_which_nothing_was_quoted_is_not_known_either(self):
        past = a_walk()
        now, price = middle(past)
        model, state = BoostedModel(trees()), state_at(past, now, price)
        model.observe([state])
        model.told(state.market, [], model.wanted_since(now), now)
        assert code(say(model, state)) == "past_unknown"

    def test_of_a_young_market_what_was_not_there_is_not_missing(self):
        """As in the fit: that there was no price a week ago is known of a market that opened since."""
        past = a_walk()
        now, price = middle(past, 3)
        model, state = BoostedModel(trees()), state_at(past, now, price)
        told(model, past, state)
        asked = model.inputs(state, price)
        assert not isinstance(asked, Abstain)
        assert (np.isnan(asked[1]), np.isnan(asked[2])) == (False, True)
        assert isinstance(say(model, state), ProbEstimate)

    def test_of_a_young_market_too_it_has_to_be_told_what_was_there(self):
        """A market of 36 hours had a price a day ago, although its fit would not have insisted on one."""
        past = a_walk()
        now, price = middle(past, 2)
        state = state_at(past, now, price, opened_at=now - timedelta(hours=36))
        model = BoostedModel(trees())
        model.observe([state])
        assert code(say(model, state)) == "past_unknown"
        told(model, past, state)
        asked = model.inputs(state, price)
        assert not isinstance(asked, Abstain)
        assert not np.isnan(asked[1])

    def test_a_break_in_looking_is_a_break_in_the_memory(self):
        past = a_walk()
        now, price = middle(past)
        model, state = BoostedModel(trees()), state_at(past, now, price)
        told(model, past, state)
        after = now + timedelta(hours=8)
        later = state_at(past, after, price)
        assert code(say(model, later)) == "past_unknown"
        model.observe([later])
        assert code(say(model, later)) == "past_unknown"
        assert [each.condition_id for each in model.unread(after)] == [later.market.condition_id]
        told(model, past, later)
        assert isinstance(say(model, later), ProbEstimate)

    def test_an_expired_card_is_silent_from_its_instant_on(self):
        past = a_walk()
        now, price = middle(past)
        for expires_at, expected in ((now, "model_expired"), (now + timedelta(seconds=1), "speaks")):
            model, state = BoostedModel(trees(expires_at=expires_at.isoformat())), state_at(past, now, price)
            told(model, past, state)
            assert code(say(model, state)) == expected

    def test_where_the_gate_is_closed_it_says_nothing_and_asks_for_nothing(self):
        past = a_walk("sports")
        now, price = middle(past)
        model, state = BoostedModel(trees()), state_at(past, now, price)
        told(model, past, state)
        answer = say(model, state)
        assert answer == Abstain("no_figure", "The trees have not beaten the price in sports.")
        assert model.unread(now) == ()

    def test_each_reason_of_the_calibration_holds_for_it_too(self):
        past = a_walk()
        now, price = middle(past)
        for changes, expected in (
            ({"end_date": None}, "no_end"),
            ({"end_date": now + timedelta(hours=24)}, "ends_too_soon"),
            ({"opened_at": None}, "no_opening"),
            ({"category": ""}, "no_figure"),
        ):
            model, state = BoostedModel(trees()), state_at(past, now, price, **changes)
            told(model, past, state)
            assert code(say(model, state)) == expected
        model, state = BoostedModel(trees()), state_at(past, now, price)
        told(model, past, state)
        assert code(say(model, replace(state, books=(None, None)))) == "no_book"
        assert code(say(model, state_at(past, now, 0.98))) == "price_extreme"

    def test_the_exchange_is_asked_once_in_six_hours(self):
        past = a_walk()
        now, price = middle(past)
        model, state = BoostedModel(trees()), state_at(past, now, price)
        told(model, past, state)
        assert model.unread(now + timedelta(hours=5, minutes=59)) == ()
        assert len(model.unread(now + timedelta(hours=6))) == 1

    def test_its_memory_is_bounded(self):
        past = a_walk(days=60)
        model, start = BoostedModel(trees()), from_microseconds(int(past.at_us[0]))
        for hour in range(24 * 14):
            model.observe([state_at(past, start + hour * HOUR, 0.4)])
        (kept,) = model._memory._past.values()
        assert len(kept.at) == len(kept.prices) == len(kept.series) == 8 * 24 + 1
        other = state_at(a_walk(days=20), start + timedelta(days=16), 0.4)
        model.observe([other])
        assert list(model._memory._past) == [other.market.condition_id]  # the first was forgotten


class TestWhatItSays:
    def test_the_doubt_is_that_of_the_fits_on_events_drawn_anew(self):
        past = a_walk()
        now, price = middle(past)
        model, state = BoostedModel(trees()), state_at(past, now, price)
        told(model, past, state)
        answer = say(model, state)
        assert isinstance(answer, ProbEstimate)
        assert (answer.independent, answer.validated, answer.model) == (False, True, "boosted trees")
        assert answer.version == "bt-0123456789"
        assert answer.sd > 0
        assert float(answer.high - answer.low) == pytest.approx(2 * float(Z90 * answer.sd), abs=2e-6)
        assert answer.parts[0][0] == "boosted trees"
        assert answer.because.startswith("Politics: trees fitted on markets that are over, by its price and ")

    def test_it_has_learnt_something(self):
        kept, (_, rows) = trees(), fitted_rows()
        _, sd = kept.trees.predict(rows)
        assert np.abs(kept.trees.moves(rows)[0]).max() > 0.1
        assert (sd > 0).all()


class TestTheFile:
    def changed(self, **changes: object) -> str:
        return json.dumps({**json.loads(trees_text()), **changes})

    def test_it_says_who_it_is_and_what_it_learnt_from(self):
        kept = read_kept(trees_text())
        assert (kept.version, kept.venue, kept.live) == ("bt-0123456789", "sandbox", ("politics",))
        assert kept.expiry.at == FITTED + timedelta(days=45)
        assert kept.data is not None and kept.data.until == FITTED
        assert len(kept.trees.drawn) == 10

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"format": "polyb0t-boosted-trees-1"}, "'polyb0t-boosted-trees-1', and this version knows"),
            ({"sha256": "00"}, "SHA-256 differs"),
            ({"model": None}, "SHA-256 differs"),
            ({"inputs": ["spread.1"]}, "first input"),
            (
                {"inputs": ["logit_price", "logit_change_24h.7"]},
                "logit_change_24h.7 is none that this version",
            ),
            ({"moves": [[0.5] * 8] * 11}, "say something else here than where they were fitted"),
            ({"witnesses": []}, "does not say what its trees said"),
            ({"expires_at": "2027-01-01T00:00:00"}, "no time zone"),
        ],
    )
    def test_another_version_other_inputs_and_changed_trees_are_refused(self, changes, why):
        with pytest.raises(ConfigurationError, match=why) as refused:
            read_kept(self.changed(**changes))
        assert refused.value.code == "model_file"

    def test_trees_without_a_doubt_do_not_speak(self):
        with pytest.raises(
            ConfigurationError, match="its doubt takes 10 fits on events drawn anew; it has 2"
        ):
            read_kept(trees_text(draws=2))
