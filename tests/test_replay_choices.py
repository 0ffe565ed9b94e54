"""Who speaks and who decides in a replay, by the words of the command."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from polyb0t.core.errors import ConfigurationError, ConflictError, NotFoundError, UsageError
from polyb0t.core.ids import AssetId, ConditionId, IntentId
from polyb0t.data.outside_views import OutsideView
from polyb0t.models.signals import IdentityModel, MarketState, ProbabilityModel, ProbEstimate
from polyb0t.research.cards.active import set_active_weights
from polyb0t.research.cards.files import Fitted
from polyb0t.research.replay.human import APPROVES_ALL
from polyb0t.runtime.places import models_folder
from polyb0t.runtime.replay.people import person
from polyb0t.runtime.replay.settings import replay_settings
from polyb0t.runtime.replay.speakers import MonthlyModel, Speaker, speaker
from tests.support.hand_tape import Sure, a_market
from tests.support.paper_room import PaperRoom
from tests.support.trading import a_book

SINCE = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def on_the_shelf(folder: Path, *, until: datetime) -> str:
    """A fitted model of the real venue, with what it learnt from; its id."""
    settings = replay_settings({"data_dir": folder}, {})
    fitted = Fitted(
        version="mc-0123456789",
        venue="polymarket",
        expires_at=datetime(2027, 9, 1, tzinfo=UTC),
        data_from=until - timedelta(days=500),
        data_until=until,
        data_hash="ab" * 32,
        source="a test",
        cells={},
    )
    place = models_folder(settings, "polymarket") / fitted.version
    place.mkdir(parents=True)
    (place / "coefficients.json").write_text(fitted.text(), "utf-8")
    (place / "card.json").write_text("{}", "utf-8")
    return fitted.version


class TestSpeakers:
    def test_a_model_that_has_learnt_from_what_is_replayed_is_refused(self, tmp_path):
        model = on_the_shelf(tmp_path, until=SINCE + timedelta(days=1))
        with pytest.raises(ConflictError) as refused:
            speaker(replay_settings({"data_dir": tmp_path}, {}), model, SINCE)
        assert refused.value.code == "data_overlap"

    def test_one_that_ended_learning_before_may_speak(self, tmp_path):
        model = on_the_shelf(tmp_path, until=SINCE - timedelta(days=1))
        spoken = speaker(replay_settings({"data_dir": tmp_path}, {}), "0123", SINCE)
        assert (spoken.model.version, spoken.said) == (model, ())

    def test_of_published_figures_it_is_said_that_nobody_can_tell(self):
        assert "do not say which markets" in speaker(replay_settings({}, {}), "published", SINCE).said[0]

    def test_the_identity_needs_no_excuse(self):
        spoken = speaker(replay_settings({}, {}), "identity", SINCE)
        assert (spoken.model.name, spoken.said) == ("identity", ())

    def test_the_model_of_each_month_speaks_for_it_under_one_name(self):
        """To the controls it is one model: an engine that is restarted with every fit has one, too."""

        class Months:
            asked: list[datetime] = []  # noqa: RUF012
            version = "1"
            memory = None

            def at(self, instant: datetime) -> ProbabilityModel:
                self.asked.append(instant)
                return Sure() if instant.month == 9 else IdentityModel()

        model, months = MonthlyModel(Months(), "1"), Months.asked
        september, october = (model.estimate_all([state(SINCE + timedelta(days=30 * n))])[0] for n in (0, 1))
        assert isinstance(september, ProbEstimate)
        assert (september.model, september.version) == (model.name, model.version)
        assert not isinstance(october, ProbEstimate)
        assert months == [SINCE, SINCE + timedelta(days=30)]


def state(now: datetime) -> MarketState:
    return MarketState(a_market("1"), None, (a_book(), None), now)


class TestWeights:
    """What others are worth is learnt from the past, too: only what was earned before it counts in it."""

    def earned(self, folder: Path, *, until: datetime | None) -> None:
        settings = replay_settings({"data_dir": folder}, {})
        place = models_folder(settings, "polymarket")
        (place / "pw-1").mkdir(parents=True)
        weights = {
            "format": "polyb0t-pool-weights-1",
            "version": "pw-1",
            "venue": "polymarket",
            "expires_at": "2027-09-01T00:00:00+00:00",
            "data_from": None if until is None else "2025-01-01T00:00:00+00:00",
            "data_until": None if until is None else until.isoformat(),
            "earned": [
                {"component": "independent:crowd", "category": "politics", "value": "0.5", "sd": "0.05"}
            ],
        }
        (place / "pw-1" / "weights.json").write_text(json.dumps(weights), "utf-8")
        set_active_weights(place, "pw-1")

    def spoken(self, folder: Path) -> tuple[Speaker, Decimal | None]:
        """Who speaks, and what of a market at 50 cents that the crowd takes to be likelier."""
        spoken = speaker(replay_settings({"data_dir": folder}, {}), "identity", SINCE, hears=True)
        view = OutsideView(ConditionId("0x1"), "crowd", Decimal("0.7"), Decimal("0.01"), SINCE, SINCE)
        (answer,) = spoken.model.estimate_all([replace(state(SINCE), outside=(view,))])
        return spoken, answer.q if isinstance(answer, ProbEstimate) else None

    def test_what_was_earned_before_counts(self, tmp_path):
        self.earned(tmp_path, until=SINCE)
        spoken, q = self.spoken(tmp_path)
        assert (spoken.said, spoken.model.version) == ((), "1+pw-1")
        assert q is not None and q > Decimal("0.55")

    @pytest.mark.parametrize("until", [SINCE + timedelta(seconds=1), None])
    def test_what_was_earned_later_counts_for_nothing_and_that_is_said(self, tmp_path, until):
        self.earned(tmp_path, until=until)
        spoken, q = self.spoken(tmp_path)
        assert q is None
        assert spoken.model.version == "1"
        (said,) = spoken.said
        assert said.startswith("The weights pw-1 were earned ") and "no component counts" in said

    def test_without_weights_others_are_heard_and_nothing_has_to_be_said(self, tmp_path):
        spoken, q = self.spoken(tmp_path)
        assert (spoken.said, q) == ((), None)


class TestPeople:
    @pytest.mark.parametrize(
        ("word", "parts"),
        [
            ("0.7", (0.7, 0.3)),
            ("0.7/0.1", (0.7, 0.1)),
            ("1", (1, 0)),
            ("nobody", (0, 0)),
            ("at-once", (1, 0)),
        ],
    )
    def test_a_person_is_stated(self, word, parts):
        human = person(word, replay_settings({}, {}))
        assert (human.approves, human.rejects) == pytest.approx(parts)

    def test_unsaid_he_approves(self):
        assert person("approves", replay_settings({}, {})) is APPROVES_ALL

    @pytest.mark.parametrize("word", ["", "often", "2", "0.9/0.2", "0.1/0.1/0.1"])
    def test_a_word_that_means_nobody_is_refused(self, word):
        with pytest.raises(UsageError):
            person(word, replay_settings({}, {}))

    def test_he_is_measured_from_the_journal_which_is_only_read(self, tmp_path):
        """Three approvals after 10 to 30 s, two rejections after 40 and 50 s, one proposal left alone."""
        room = PaperRoom(tmp_path)
        for number, after in enumerate((10, 20, 30, 40, 50, None)):
            decided(room, number, after)
        before = (tmp_path / "polyb0t.db").read_bytes()
        settings = replay_settings({}, {}).model_copy(
            update={"database_url": f"sqlite:///{tmp_path}/polyb0t.db"}
        )
        human = person("journal", settings)
        assert list(human.delays) == [10, 20, 30, 40, 50]
        assert (human.approves, human.rejects) == pytest.approx((3 / 6, 2 / 6))
        assert (tmp_path / "polyb0t.db").read_bytes() == before

    def test_too_few_decisions_say_nothing_of_him(self, tmp_path):
        room = PaperRoom(tmp_path)
        decided(room, 1, 10)
        settings = replay_settings({}, {}).model_copy(
            update={"database_url": f"sqlite:///{tmp_path}/polyb0t.db"}
        )
        with pytest.raises(ConfigurationError) as refused:
            person("journal", settings)
        assert refused.value.code == "human_not_measured"

    def test_where_nothing_has_run_there_is_nobody_to_measure(self, tmp_path):
        with pytest.raises(NotFoundError):
            person("journal", replay_settings({"data_dir": tmp_path}, {}))


def decided(room: PaperRoom, number: int, after: float | None) -> None:
    """A proposal about an asset of its own, decided by a person so many seconds later, or by nobody."""
    intent = room.intent(
        id=IntentId(f"{number}" * 16), asset_id=AssetId(f"{number}"), condition_id=ConditionId(f"0x{number}")
    )
    room.stores.intents.propose(intent, room.lease)
    if after is None:
        return
    room.clock.advance(seconds=after)
    if after < 35:
        room.stores.intents.approve(intent.id, digest=intent.digest, actor="user:ann", grace_seconds=10)
    else:
        room.stores.intents.reject(intent.id, actor="user:ann", reason="no")
