"""A model of another version is refused by name, and none is judged or replayed on what it has learnt from."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from evidence.worlds import START_US, Bias, make_world
from polyb0t.core.clock import from_microseconds
from polyb0t.core.errors import ConfigurationError, ConflictError
from polyb0t.models.calibration import packaged_coefficients, parse_coefficients
from polyb0t.research.cards.card import Card, make_card
from polyb0t.research.cards.files import card_of, card_text, coefficients_text
from polyb0t.research.evaluation import walk_forward as walking
from polyb0t.research.evaluation.observations import DAY_US
from polyb0t.research.replay.overlap import UNKNOWN_DATA, refuse_overlap
from tests.support.worlds import a_history

NOW = from_microseconds(START_US + 730 * DAY_US)


@pytest.fixture(scope="module")
def card() -> Card:
    return make_card(a_history({"politics": Bias(2.0)}, markets=3_000), venue="sandbox", now=NOW, trials=1)


class TestAFileOfAnotherVersion:
    @pytest.mark.parametrize("found", ["polyb0t-market-calibration-9", "somebody-elses", "", None, 3])
    def test_coefficients_say_which_they_are_and_which_are_known(self, card: Card, found: object):
        content = {**json.loads(coefficients_text(card)), "format": found}
        with pytest.raises(ConfigurationError) as refused:
            parse_coefficients(json.dumps(content))
        assert (repr(found) if found and isinstance(found, str) else "not told") in refused.value.why
        assert "polyb0t-market-calibration-1 and polyb0t-market-calibration-2" in refused.value.why

    def test_a_card_says_which_it_is_even_where_its_parts_have_other_names(self):
        with pytest.raises(ConfigurationError) as refused:
            card_of('{"format": "polyb0t-model-card-7", "page": {}}')
        assert refused.value.code == "model_file"
        assert "'polyb0t-model-card-7'" in refused.value.why
        assert "polyb0t-model-card-1" in refused.value.why

    def test_a_card_from_before_data_windows_is_still_read(self, card: Card):
        content = json.loads(card_text(card))
        del content["card"]["data_until"]
        assert card_of(json.dumps(content)) == replace(card, data_until=None)


class TestWhatAModelWasFittedOn:
    def test_its_file_says_from_when_until_when_and_of_which_data(self, card: Card):
        data = parse_coefficients(coefficients_text(card)).data
        assert data is not None
        assert (data.since, data.until, data.hash) == (card.first_row, card.data_until, "ab" * 32)
        assert data.until <= NOW

    @pytest.mark.parametrize(
        ("name", "value"),
        [("data_until", "2026-01-01T00:00:00"), ("data_until", "1999-01-01T00:00:00+00:00"),
         ("data_from", "soon"), ("data_from", 7)],
    )  # fmt: skip
    def test_a_window_that_makes_no_sense_is_refused(self, card: Card, name: str, value: object):
        with pytest.raises(ConfigurationError):
            parse_coefficients(json.dumps({**json.loads(coefficients_text(card)), name: value}))


class TestReplaying:
    def test_what_came_after_its_data_may_be_replayed(self, card: Card):
        assert card.data_until is not None
        assert refuse_overlap(parse_coefficients(coefficients_text(card)), card.data_until) is None

    def test_a_replay_that_begins_before_its_data_end_is_refused_with_both_instants(self, card: Card):
        assert card.data_until is not None
        begins = card.data_until - timedelta(microseconds=1)
        with pytest.raises(ConflictError) as refused:
            refuse_overlap(parse_coefficients(coefficients_text(card)), begins)
        assert refused.value.code == "data_overlap"
        for part in (card.id, f"{card.data_until:%Y-%m-%d %H:%M}", f"{begins:%Y-%m-%d %H:%M}"):
            assert part in refused.value.why

    def test_an_old_file_that_does_not_say_is_read_and_not_replayed(self, card: Card):
        content = json.loads(coefficients_text(card))
        del content["data_from"], content["data_until"]
        old = parse_coefficients(json.dumps(content))
        with pytest.raises(ConflictError, match="does not say which days"):
            refuse_overlap(old, NOW + timedelta(days=900))

    def test_of_published_figures_nobody_can_tell_and_that_is_said(self):
        assert refuse_overlap(packaged_coefficients(), datetime(2024, 1, 1, tzinfo=UTC)) == UNKNOWN_DATA


class TestJudging:
    """Whoever makes the windows: what would be learnt is compared with what would be judged."""

    rows = make_world({"politics": Bias()}, 3, markets=1_500).seen

    def test_a_result_inside_the_embargo_is_refused(self):
        start, seen, ahead = list(walking.windows(self.rows))[8]
        known = self.rows.resolved_us < start
        purged = np.isin(self.rows.event, self.rows.event[ahead])
        assert (known & ~purged & ~seen).any()
        with pytest.raises(ConflictError, match="ended, or was to end, less than a week before") as refused:
            walking.refuse_overlap(self.rows, known & ~purged, ahead, start)
        assert refused.value.code == "data_overlap"

    def test_a_market_that_ended_before_it_was_to_is_refused_until_it_was_to(self):
        start, seen, ahead = list(walking.windows(self.rows))[8]
        due = start - walking.EMBARGO_US
        early = np.where(seen & (self.rows.ends_us == self.rows.ends_us[seen].max()), due, self.rows.ends_us)
        with pytest.raises(ConflictError, match="or was to end, less than a week before"):
            walking.refuse_overlap(replace(self.rows, ends_us=early), seen, ahead, start)
        walking.refuse_overlap(replace(self.rows, ends_us=np.minimum(early, due - 1)), seen, ahead, start)

    def test_an_event_on_both_sides_is_refused_by_name(self):
        start, seen, ahead = list(walking.windows(self.rows))[8]
        event = self.rows.event[seen][0]
        rows = replace(self.rows, at_us=np.where(self.rows.event == event, start, self.rows.at_us))
        both = ahead | (rows.event == event)
        with pytest.raises(ConflictError, match="is both learnt from and predicted") as refused:
            walking.refuse_overlap(rows, seen, both, start)
        assert rows.events[event] in refused.value.why

    def test_a_row_from_before_the_fit_is_no_test(self):
        start, seen, ahead = list(walking.windows(self.rows))[8]
        early = ahead | (self.rows.at_us == self.rows.at_us.min())
        with pytest.raises(ConflictError, match="lies before"):
            walking.refuse_overlap(self.rows, seen, early, start)
