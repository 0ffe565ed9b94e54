"""A replay over months uses in each of them the model that one would have had, and no younger one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from evidence.worlds import Bias
from polyb0t.models.calibration import MarketCalibrationModel
from polyb0t.models.signals import IdentityModel, MarketState, ProbEstimate
from polyb0t.research.history.past_markets import History
from polyb0t.research.replay.refits import MonthlyModels, walk_forward_models
from tests.support.decisions import a_market, books_at
from tests.support.worlds import a_history

EARLY, LATE = datetime(2024, 3, 5, tzinfo=UTC), datetime(2025, 11, 17, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def history() -> History:
    return a_history({"politics": Bias(2.0), "sports": Bias()}, markets=4_000)


@pytest.fixture(scope="module")
def models(history: History) -> MonthlyModels:
    return walk_forward_models(history, venue="sandbox")


def said(models: MonthlyModels, at: datetime) -> object:
    market = a_market(category="politics", tags=(), end_date=at + timedelta(days=20))
    return models.at(at).predict(MarketState(market, None, books_at(market, "0.69", "0.71"), at))


def test_before_the_price_was_beaten_the_price_is_right(models: MonthlyModels):
    assert isinstance(models.at(EARLY), IdentityModel)
    assert models.live(EARLY) == ()


def test_afterwards_it_speaks_where_it_was_licensed_by_then(models: MonthlyModels):
    assert models.live(LATE) == ("politics",)
    estimate = said(models, LATE)
    assert isinstance(estimate, ProbEstimate)
    assert estimate.q > estimate.anchor
    assert estimate.version.endswith("-2025-11")


def test_a_month_has_one_model_and_the_next_another(models: MonthlyModels):
    assert models.at(LATE) is models.at(datetime(2025, 11, 1, tzinfo=UTC))
    assert models.at(LATE) is not models.at(datetime(2025, 12, 1, tzinfo=UTC))


def test_what_ended_later_changes_nothing_of_it(models: MonthlyModels, history: History):
    month = datetime(2025, 11, 1, tzinfo=UTC)
    cut = int(month.timestamp() * 1_000_000)
    poisoned = replace(
        history,
        markets=tuple(
            replace(each, outcome=1 - each.outcome) if each.resolved_us >= cut else each
            for each in history.markets
        ),
    )
    again = walk_forward_models(poisoned, venue="sandbox")
    assert repr(said(again, LATE)) == repr(said(models, LATE))
    assert isinstance(models.at(LATE), MarketCalibrationModel)
    assert repr(said(again, LATE + timedelta(days=60))) != repr(said(models, LATE + timedelta(days=60)))


def test_where_ends_were_found_out_afterwards_no_month_has_a_licence(history: History):
    untold = replace(history, markets=tuple(replace(each, end_told=False) for each in history.markets))
    assert walk_forward_models(untold, venue="sandbox").live(LATE) == ()


def test_an_instant_without_a_zone_is_nobodys(models: MonthlyModels):
    with pytest.raises(ValueError, match="time zone"):
        models.at(datetime(2025, 1, 1))  # noqa: DTZ001 - that is the point
