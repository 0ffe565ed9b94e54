"""What models may say: the identity abstains, calibration follows its file or abstains with a reason."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from importlib import resources
from math import exp, log
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyb0t.core.errors import ConfigurationError
from polyb0t.models.calibration import (
    PACKAGED,
    MarketCalibrationModel,
    packaged_coefficients,
    parse_coefficients,
)
from polyb0t.models.logit import expit, logit
from polyb0t.models.signals import Abstain, IdentityModel, ProbabilityModel, ProbEstimate
from tests.support.decisions import NOW, a_market, a_state, books_at, d

MODEL = MarketCalibrationModel(packaged_coefficients())
TEXT = resources.files("polyb0t.models").joinpath("coefficients").joinpath(PACKAGED).read_text("utf-8")


def estimate(**changes: Any) -> ProbEstimate:
    answer = MODEL.predict(a_state(**changes))
    assert isinstance(answer, ProbEstimate), answer
    return answer


def abstained(**changes: Any) -> str:
    answer = MODEL.predict(a_state(**changes))
    assert isinstance(answer, Abstain), answer
    assert answer.reason.endswith(".")
    return answer.code


def test_the_identity_abstains_on_everything() -> None:
    model: ProbabilityModel = IdentityModel()
    (answer,) = model.estimate_all([a_state()])
    assert isinstance(answer, Abstain)
    assert "its price is taken as right" in answer.reason


class TestLogit:
    @given(st.integers(1, 9999))
    def test_there_and_back(self, k: int) -> None:
        p = Decimal(k) / 10_000
        assert abs(expit(logit(p)) - p) < d("1e-14")

    def test_against_the_textbook(self) -> None:
        assert logit(d("0.8")) == d("1.386294361119891")
        assert logit(d("0.5")) == 0

    @pytest.mark.parametrize("nonsense", ["0", "1", "-0.1", "1.5"])
    def test_only_inside_the_unit_interval(self, nonsense: str) -> None:
        with pytest.raises(ValueError, match="is not a probability"):
            logit(d(nonsense))


class TestCalibration:
    # The published worth of a slope of 1.31 in cents a share, by price.
    @pytest.mark.parametrize(
        ("mid", "gross"), [("0.90", "4.7"), ("0.80", "6.0"), ("0.70", "5.2"), ("0.60", "3.0")]
    )
    def test_politics_as_published(self, mid: str, gross: str) -> None:
        half = d("0.005")
        answer = estimate(bid=str(d(mid) - half), ask=str(d(mid) + half))
        assert round((answer.q - d(mid)) * 100, 1) == d(gross)

    @pytest.mark.parametrize(
        ("mid", "gross"), [("0.90", "1.5"), ("0.80", "1.7"), ("0.70", "1.4"), ("0.60", "0.8")]
    )
    def test_sports_as_published(self, mid: str, gross: str) -> None:
        half = d("0.005")
        sports = a_market(category="sports")
        answer = estimate(market=sports, bid=str(d(mid) - half), ask=str(d(mid) + half))
        assert round((answer.q - d(mid)) * 100, 1) == d(gross)

    def test_it_agrees_with_an_independent_reckoning(self) -> None:
        answer = estimate(bid="0.82", ask="0.84")
        wanted = 1 / (1 + exp(-1.31 * log(0.83 / 0.17)))
        assert abs(float(answer.q) - wanted) < 1e-6

    def test_it_is_symmetric_in_the_outcomes(self) -> None:
        high, low = estimate(bid="0.79", ask="0.81"), estimate(bid="0.19", ask="0.21")
        assert high.q + low.q == 1
        assert high.sd == low.sd

    def test_a_middle_price_stays(self) -> None:
        assert estimate(bid="0.49", ask="0.51").q == d("0.5")

    def test_weather_moves_towards_the_middle(self) -> None:
        answer = estimate(market=a_market(category="weather"), bid="0.79", ask="0.81")
        assert answer.q < d("0.80")
        assert "too far from the middle" in answer.because

    def test_it_says_what_it_is(self) -> None:
        answer = estimate()
        assert (answer.model, answer.version) == ("market calibration", "1")
        assert not answer.validated
        assert not answer.independent
        assert answer.because == "Politics one to three months out is priced too close to the middle."
        assert "not yet tested on own data" in MODEL.status

    def test_the_interval_is_the_sd_times_the_normal_factor(self) -> None:
        answer = estimate()
        assert answer.low < answer.q < answer.high
        assert abs((answer.high - answer.low) / 2 - d("1.645") * answer.sd) < d("0.00001")

    def test_the_other_outcome_has_the_complement(self) -> None:
        answer = estimate()
        other = answer.belief(1)
        assert (other.q, other.low, other.high) == (1 - answer.q, 1 - answer.high, 1 - answer.low)

    def test_the_parts_add_up_to_the_move(self) -> None:
        answer = estimate(bid="0.79", ask="0.81")
        moved = sum(part for _, part in answer.parts)
        assert abs(logit(answer.q) - logit(d("0.80")) - moved) < d("0.0002")

    @pytest.mark.parametrize(
        ("days", "words"),
        [(3, "days before"), (20, "one to four weeks"), (60, "one to three"), (200, "more than three")],
    )
    def test_the_horizon_is_named(self, days: int, words: str) -> None:
        market = a_market(end_date=NOW + timedelta(days=days))
        assert words in estimate(market=market).because

    def test_less_is_known_far_out(self) -> None:
        near, far = (estimate(market=a_market(end_date=NOW + timedelta(days=n))) for n in (20, 200))
        assert far.sd > near.sd

    def test_a_tag_serves_when_the_catalogue_gives_no_category(self) -> None:
        assert estimate(market=a_market(category="", tags=("Tavia", "Elections"))).q == estimate().q


class TestAbstaining:
    def test_a_spread_of_three_cents_is_the_widest(self) -> None:
        assert estimate(bid="0.78", ask="0.81").spread == d("0.03")
        assert abstained(bid="0.77", ask="0.81") == "spread_wide"

    def test_one_side_is_no_view(self) -> None:
        state = a_state()
        book = state.books[0]
        assert book is not None
        assert abstained(books=(replace(book, bids=()), None)) == "one_sided"
        assert abstained(books=(None, state.books[1])) == "no_book"

    def test_a_crossed_book_is_no_view(self) -> None:
        assert abstained(bid="0.81", ask="0.79") == "spread_wide"

    def test_a_day_is_the_shortest_horizon(self) -> None:
        assert abstained(market=a_market(end_date=NOW + timedelta(hours=24))) == "ends_too_soon"
        assert abstained(market=a_market(end_date=NOW - timedelta(days=1))) == "ends_too_soon"
        assert estimate(market=a_market(end_date=NOW + timedelta(hours=25))).q > d("0.80")

    def test_no_end_is_no_horizon(self) -> None:
        assert abstained(market=a_market(end_date=None)) == "no_end"

    @pytest.mark.parametrize(("bid", "ask"), [("0.02", "0.03"), ("0.97", "0.98")])
    def test_extreme_prices(self, bid: str, ask: str) -> None:
        assert abstained(bid=bid, ask=ask) == "price_extreme"

    @pytest.mark.parametrize("category", ["tech", "economics"])
    def test_a_category_without_a_figure_even_when_a_tag_has_one(self, category: str) -> None:
        assert abstained(market=a_market(category=category)) == "no_figure"

    def test_a_market_without_any_category(self) -> None:
        assert abstained(market=a_market(category="", tags=())) == "no_figure"


class TestTheFile:
    def test_it_names_its_source_and_claims_no_test_of_ours(self) -> None:
        coefficients = packaged_coefficients()
        assert "2602.19520" in coefficients.source
        assert coefficients.validated is False

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"format": "other-1"}, "format is 'other-1'"),
            ({"source": ""}, "does not name its source"),
            ({"categories": {"politics": {"aliases": [], "cells": {}}}}, "1-7d"),
            ({"categories": []}, "not as expected"),
        ],
    )
    def test_another_file_is_refused(self, change: dict[str, object], why: str) -> None:
        with pytest.raises(ConfigurationError, match=why):
            parse_coefficients(json.dumps({**json.loads(TEXT), **change}))

    @pytest.mark.parametrize("slope", [1.31, "NaN", "-1", "0", None, ""])
    def test_a_slope_that_is_no_positive_decimal_string_is_refused(self, slope: object) -> None:
        content = json.loads(TEXT)
        content["categories"]["politics"]["cells"]["7-30d"]["slope"] = slope
        with pytest.raises(ConfigurationError, match="cannot be used"):
            parse_coefficients(json.dumps(content))

    def test_only_a_literal_true_is_validated(self) -> None:
        assert not parse_coefficients(json.dumps({**json.loads(TEXT), "validated": "yes"})).validated


def test_books_of_a_state_are_found_by_asset() -> None:
    market = a_market()
    first, second = books_at(market, "0.79", "0.80")
    state = a_state(market, books=(first, second))
    assert state.book(market.outcomes[1].asset_id) is second
    assert state.book(a_market("other").outcomes[0].asset_id) is None
