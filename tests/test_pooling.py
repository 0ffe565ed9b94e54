"""Several models about one market: what a component says counts for what it has earned, and is shown."""

import json
import os
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyb0t.config.settings import load_settings
from polyb0t.core.canonical import sha256_hex
from polyb0t.core.errors import ConfigurationError
from polyb0t.core.units import ZERO
from polyb0t.models.calibration import (
    FITTED_FORMAT,
    MarketCalibrationModel,
    anchor_of,
    packaged_coefficients,
    parse_coefficients,
)
from polyb0t.models.chances import Candidate
from polyb0t.models.logit import logit
from polyb0t.models.pooling import PooledModel, Weight, Weights
from polyb0t.models.proposal import decide_openings
from polyb0t.models.signals import (
    BOOK,
    END,
    OTHERS,
    Abstain,
    Answer,
    IdentityModel,
    LoneModel,
    MarketState,
    ProbabilityModel,
    ProbEstimate,
    missing_input,
    model_id,
)
from polyb0t.runtime.choices import limit_settings, probability_model, regime_of
from polyb0t.runtime.places import models_folder
from tests.support.decisions import NOW, a_desk, a_market, a_state, d

CALIBRATION = MarketCalibrationModel(packaged_coefficients())


@dataclass
class Oracle(LoneModel):
    """Says one probability of everything."""

    q: str = "0.9"
    sd: str = "0.01"
    name: str = "oracle"
    version: str = "1"
    validated: bool = False
    independent: bool = True
    requires: frozenset[str] = frozenset({BOOK})

    def predict(self, state: MarketState) -> Answer:
        anchor = anchor_of(state.books[0])
        if isinstance(anchor, Abstain):
            return anchor
        q, sd = d(self.q), d(self.sd)
        return ProbEstimate(
            q=q, low=q - sd, high=q + sd, sd=sd, anchor=anchor.mid, spread=anchor.spread, model=self.name,
            version=self.version, validated=self.validated, independent=self.independent,
            parts=(), because="It was told so.",
        )  # fmt: skip


def weights(value: str = "0.2", sd: str = "0.05", *, category: str = "politics", days: int = 45) -> Weights:
    earned = {("oracle", category): Weight(d(value), d(sd))}
    return Weights("w-1", NOW + timedelta(days=days), earned)


def estimate(model: ProbabilityModel, state: MarketState | None = None) -> ProbEstimate:
    (answer,) = model.estimate_all([state or a_state()])
    assert isinstance(answer, ProbEstimate), answer
    return answer


class TestWithoutAWeight:
    def test_the_pool_says_what_its_base_says(self) -> None:
        pooled, alone = estimate(PooledModel(CALIBRATION, [Oracle()])), estimate(CALIBRATION)
        kept = replace(pooled, parts=alone.parts, voices=(), because=alone.because)
        assert kept == alone

    def test_the_component_is_heard_and_shown_with_its_zero(self) -> None:
        answer = estimate(PooledModel(CALIBRATION, [Oracle()]))
        assert answer.parts[-1] == ("oracle", ZERO)
        (voice,) = answer.voices
        assert (voice.says, voice.weight, voice.because) == (d("0.9"), ZERO, "It was told so.")

    def test_the_approver_reads_it_with_its_weight(self) -> None:
        ignored = estimate(PooledModel(CALIBRATION, [Oracle()]))
        assert ignored.because.endswith("Oracle says 90% and counts for nothing (weight 0).")
        counted = estimate(PooledModel(CALIBRATION, [Oracle()], weights()))
        assert counted.because.endswith("Oracle says 90%, weight 0.2: It was told so.")
        (proposal,) = decide_openings(
            [Candidate(a_state(), ignored)], a_desk(allow_unvalidated=True)
        ).proposals
        assert "(weight 0)" in proposal.reason

    @pytest.mark.parametrize("base", [IdentityModel(), CALIBRATION])
    def test_a_component_alone_never_makes_a_trade(self, base: ProbabilityModel) -> None:
        markets = [a_market(f"m{n}", category="culture") for n in range(20)]
        states = [a_state(market, bid="0.49", ask="0.50") for market in markets]
        model = PooledModel(base, [Oracle("0.95")])
        openings = decide_openings(map(Candidate, states, model.estimate_all(states)), a_desk())
        assert openings.proposals == ()

    def test_its_name_and_version_are_those_of_the_base(self) -> None:
        model = PooledModel(CALIBRATION, [Oracle()])
        assert model_id(model.name, model.version) == model_id(CALIBRATION.name, CALIBRATION.version)


class TestWithAWeight:
    def test_the_move_is_the_weighted_difference_from_the_price(self) -> None:
        answer = estimate(PooledModel(CALIBRATION, [Oracle()], weights()))
        alone, price = estimate(CALIBRATION), logit(answer.anchor)
        wanted = logit(alone.q) + d("0.2") * (logit(d("0.9")) - price)
        assert abs(logit(answer.q) - wanted) < d("0.00002")

    @given(st.integers(5, 95), st.integers(4, 96), st.integers(0, 40))
    def test_the_parts_add_up_to_the_move(self, said: int, price: int, weight: int) -> None:
        state = a_state(bid=str(d(price) / 100 - d("0.005")), ask=str(d(price) / 100 + d("0.005")))
        model = PooledModel(CALIBRATION, [Oracle(str(d(said) / 100))], weights(str(d(weight) / 100)))
        answer = estimate(model, state)
        moved = sum((part for _, part in answer.parts), ZERO)
        assert abs(logit(answer.q) - logit(answer.anchor) - moved) < d("0.0005")

    def test_it_never_goes_past_what_was_said(self) -> None:
        model = PooledModel(IdentityModel(), [Oracle("0.9")], weights("1", "0"))
        assert estimate(model, a_state(bid="0.49", ask="0.51")).q == d("0.9")

    def test_in_another_category_it_counts_for_nothing(self) -> None:
        model = PooledModel(CALIBRATION, [Oracle()], weights(category="sports"))
        assert estimate(model).q == estimate(CALIBRATION).q

    def test_an_expired_weight_counts_for_nothing(self) -> None:
        last = NOW + timedelta(days=45)
        model = PooledModel(CALIBRATION, [Oracle()], weights())
        market = a_market(end_date=last + timedelta(days=60))
        before = a_state(market, now=last - timedelta(seconds=1))
        assert estimate(model, before).voices[0].weight == d("0.2")
        assert estimate(model, a_state(market, now=last)).voices[0].weight == 0

    def test_what_it_is_worth_and_what_it_says_are_both_uncertain(self) -> None:
        sure = estimate(PooledModel(CALIBRATION, [Oracle(sd="0")], weights(sd="0")))
        doubted = estimate(PooledModel(CALIBRATION, [Oracle(sd="0")], weights(sd="0.3")))
        vague = estimate(PooledModel(CALIBRATION, [Oracle(sd="0.2")], weights(sd="0")))
        assert sure.sd < doubted.sd
        assert sure.sd < vague.sd

    def test_every_estimate_carries_the_version_of_the_pool(self) -> None:
        model = PooledModel(CALIBRATION, [Oracle()], weights(category="politics"))
        moved, still = model.estimate_all([a_state(), a_state(a_market(category="sports"))])
        assert isinstance(moved, ProbEstimate)
        assert isinstance(still, ProbEstimate)
        assert moved.version == still.version == model.version == "1+w-1"

    def test_published_figures_stay_unvalidated_beside_an_earned_weight(self) -> None:
        assert not estimate(PooledModel(CALIBRATION, [Oracle()], weights())).validated
        assert estimate(PooledModel(IdentityModel(), [Oracle()], weights())).validated


class TestWhatTheBaseDoesNotSpeakOf:
    def test_where_the_price_is_right_an_earned_component_moves_the_price(self) -> None:
        answer = estimate(PooledModel(IdentityModel(), [Oracle()], weights()))
        assert answer.anchor < answer.q < d("0.9")
        assert answer.independent

    @pytest.mark.parametrize(
        ("state", "code"),
        [
            (a_state(bid="0.70", ask="0.80"), "spread_wide"),
            (a_state(a_market(end_date=NOW + timedelta(hours=3))), "ends_too_soon"),
            (a_state(a_market(end_date=None)), "no_end"),
            (a_state(books=(None, None)), "no_book"),
        ],
    )
    def test_a_base_that_does_not_trust_the_price_silences_all(self, state: MarketState, code: str) -> None:
        (answer,) = PooledModel(CALIBRATION, [Oracle()], weights()).estimate_all([state])
        assert isinstance(answer, Abstain)
        assert answer.code == code
        (answer,) = PooledModel(IdentityModel(), [Oracle()], weights()).estimate_all([state])
        assert isinstance(answer, Abstain)

    def test_an_expired_base_silences_all(self) -> None:
        (answer,) = PooledModel(_fitted(expired=True), [Oracle()], weights()).estimate_all([a_state()])
        assert isinstance(answer, Abstain)
        assert answer.code == "model_expired"


class TestWhichKindOfInformation:
    def test_most_of_the_move_decides(self) -> None:
        state = a_state(bid="0.49", ask="0.51")  # the calibration moves nothing here
        assert estimate(PooledModel(CALIBRATION, [Oracle()], weights()), state).independent
        inside = PooledModel(CALIBRATION, [Oracle(independent=False)], weights())
        assert not estimate(inside, state).independent

    def test_a_crumb_of_outside_information_does_not_double_the_size(self) -> None:
        crumb = PooledModel(CALIBRATION, [Oracle("0.81")], weights("0.01"))
        assert not estimate(crumb).independent


class TestWhatAModelRequires:
    @pytest.mark.parametrize("model", [IdentityModel(), CALIBRATION, Oracle()])
    def test_every_model_abstains_without_it(self, model: ProbabilityModel) -> None:
        without = {
            BOOK: a_state(books=(None, None)),
            END: a_state(a_market(end_date=None)),
        }
        for name in model.requires - {OTHERS}:
            (answer,) = model.estimate_all([without[name]])
            assert isinstance(answer, Abstain), name
            assert missing_input(without[name], model.requires) is not None

    def test_what_is_not_known_is_not_made_up(self) -> None:
        component = Oracle(requires=frozenset({BOOK, "momentum_24h"}))
        model = PooledModel(CALIBRATION, [component], weights())
        (voice,) = estimate(model).voices
        assert (voice.says, "momentum_24h" in voice.because) == (None, True)

    def test_the_other_markets_are_asked_for_only_where_they_can_move_it(self) -> None:
        around = Oracle(requires=frozenset({BOOK, OTHERS}))
        assert OTHERS not in PooledModel(CALIBRATION, [around]).requires
        assert OTHERS in PooledModel(CALIBRATION, [around], weights()).requires


def _cells() -> dict[str, object]:
    cell = {"intercept": "0", "slope": "1.2", "sd_intercept": "0.01", "sd_slope": "0.01"}
    return dict.fromkeys(("1-7d", "7-30d", "30-90d", "90d+"), cell)


def _fitted_text(*, venue: str = "sandbox", expired: bool = False, slope: str | None = None) -> str:
    cells = _cells()
    if slope is not None:
        cells = {key: {**dict(_cells()[key]), "slope": slope} for key in cells}  # type: ignore[call-overload]
    return json.dumps(
        {
            "format": FITTED_FORMAT,
            "version": "mc-1",
            "status": "fitted here",
            "source": "our own history",
            "venue": venue,
            "expires_at": (NOW + timedelta(days=-1 if expired else 3_650)).isoformat(),
            "categories": {"politics": {"aliases": [], "cells": cells}},
        }
    )


def _fitted(*, expired: bool = False) -> MarketCalibrationModel:
    return MarketCalibrationModel(parse_coefficients(_fitted_text(expired=expired)))


class TestChoosing:
    @pytest.fixture(autouse=True)
    def _plain(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        for name in [name for name in os.environ if name.startswith("POLYBOT_")]:
            monkeypatch.delenv(name)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("POLYBOT_DATA_DIR", str(tmp_path))

    def activate(self, text: str, venue: str = "sandbox", digest: str | None = None) -> None:
        folder = models_folder(load_settings(venue=venue), venue)
        (folder / "mc-1").mkdir(parents=True)
        (folder / "mc-1" / "coefficients.json").write_text(text)
        noted = {"id": "mc-1", "sha256": digest or sha256_hex(text)}
        (folder / "active").write_text(json.dumps(noted))

    def test_the_published_coefficients_speak_where_nothing_is_said(self) -> None:
        model = probability_model(load_settings())
        assert (model.name, model.version, model.validated) == ("market calibration", "1", False)
        assert estimate(model).q == estimate(CALIBRATION).q

    def test_the_identity_can_be_chosen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("POLYBOT_MODEL", "identity")
        settings = load_settings()
        model = probability_model(settings)
        (answer,) = model.estimate_all([a_state()])
        assert isinstance(answer, Abstain)
        assert answer.code == "price_is_right"
        assert limit_settings(settings, regime_of(settings)).active_model == "identity 1"

    def test_another_name_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="MODEL"):
            load_settings(model="oracle")

    def test_the_active_model_speaks_with_its_own_coefficients(self) -> None:
        self.activate(_fitted_text(slope="1.2"))
        first = estimate(probability_model(load_settings(venue="sandbox")))
        assert (first.version, first.validated) == ("mc-1", True)
        assert abs(logit(first.q) - d("1.2") * logit(first.anchor)) < d("0.00002")

    def test_an_active_model_of_another_venue_is_refused(self) -> None:
        self.activate(_fitted_text(venue="polymarket"))
        with pytest.raises(ConfigurationError, match="fitted on polymarket, not on sandbox") as refused:
            probability_model(load_settings(venue="sandbox"))
        assert refused.value.code == "model_file"

    def test_one_that_names_no_venue_is_refused(self) -> None:
        self.activate(_fitted_text(venue=""))
        with pytest.raises(ConfigurationError, match="fitted on no venue") as refused:
            probability_model(load_settings(venue="sandbox"))
        assert refused.value.code == "model_file"

    @pytest.mark.parametrize("text", ["{", "[]", '{"format": "polyb0t-market-calibration-9"}'])
    def test_one_whose_text_is_of_no_use_is_refused(self, text: str) -> None:
        self.activate(text)
        with pytest.raises(ConfigurationError, match="active model cannot be used") as refused:
            probability_model(load_settings(venue="sandbox"))
        assert refused.value.code == "model_file"

    def test_one_that_was_changed_after_its_activation_is_refused(self) -> None:
        self.activate(_fitted_text(slope="1.4"), digest=sha256_hex(_fitted_text()))
        with pytest.raises(ConfigurationError, match="not those that were activated") as refused:
            probability_model(load_settings(venue="sandbox"))
        assert refused.value.code == "model_file"

    def test_active_weights_count_and_those_of_another_venue_are_refused(self) -> None:
        folder = models_folder(load_settings(venue="sandbox"), "sandbox")
        (folder / "pw-1").mkdir(parents=True)
        earned = [{"component": "coherence", "category": "politics", "value": "0.2", "sd": "0.05"}]
        for venue in ("sandbox", "polymarket"):
            text = json.dumps(
                {
                    "format": "polyb0t-pool-weights-1",
                    "version": "pw-1",
                    "venue": venue,
                    "expires_at": (NOW + timedelta(days=3_650)).isoformat(),
                    "earned": earned,
                }
            )
            (folder / "pw-1" / "weights.json").write_text(text)
            (folder / "active-weights").write_text(json.dumps({"id": "pw-1", "sha256": sha256_hex(text)}))
            settings = load_settings(venue="sandbox")
            assert probability_model(settings, IdentityModel()).version == "1"  # a replay of the past
            if venue == "sandbox":
                assert probability_model(settings).version == "1+pw-1"
                continue
            with pytest.raises(ConfigurationError, match="fitted on polymarket, not on sandbox"):
                probability_model(settings)

    def test_another_venues_model_is_not_looked_at(self) -> None:
        self.activate(_fitted_text(), venue="sandbox")
        assert probability_model(load_settings(venue="polymarket")).version == "1"
