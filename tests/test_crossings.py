"""Settings that are refused at start: each names the setting, what it is and what would be possible."""

from typing import Any

import pytest

from polyb0t.config.crossings import CROSSINGS
from polyb0t.config.settings import Settings, load_settings
from polyb0t.core.errors import ConfigurationError

FRACTIONS = sorted(name for name in Settings.model_fields if name.startswith("max_") and "fraction" in name)
THRESHOLDS = [*FRACTIONS, "min_edge", "suspicious_edge", "max_spread"]


@pytest.fixture(autouse=True)
def _nothing_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)


def refused(**settings: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(**settings)
    return caught.value


@pytest.mark.parametrize("name", THRESHOLDS)
@pytest.mark.parametrize("value", ["0", "-0.01", "1.01", "NaN", "Infinity"])
def test_a_threshold_of_zero_below_it_or_above_one_is_refused_by_name(name: str, value: str) -> None:
    refusal = refused(**{name: value})
    assert f"POLYBOT_{name.upper()} is '{value}'" in refusal.what
    assert "Possible: more than 0" in refusal.do


@pytest.mark.parametrize("name", ["budget_pusd", "max_order_pusd", "small_order_pusd", "max_daily_turnover"])
@pytest.mark.parametrize("value", ["0", "-5"])
def test_an_amount_of_nothing_or_less_is_refused_by_name(name: str, value: str) -> None:
    refusal = refused(**{name: value})
    assert f"POLYBOT_{name.upper()}" in refusal.what
    assert "Possible: more than 0" in refusal.do


@pytest.mark.parametrize(
    ("settings", "named", "possible"),
    [
        ({"max_order_fraction": "0.03"}, "POLYBOT_MAX_ORDER_FRACTION is 0.03", "at most 0.02, or a higher"),
        (
            {"max_market_fraction": "0.05"},
            "POLYBOT_MAX_MARKET_FRACTION is 0.05",
            "POLYBOT_MAX_EVENT_FRACTION",
        ),
        ({"max_far_fraction": "0.005"}, "POLYBOT_MAX_ORDER_FRACTION is 0.01", "POLYBOT_MAX_FAR_FRACTION"),
        ({"max_tail_fraction": "0.005"}, "POLYBOT_MAX_ORDER_FRACTION is 0.01", "POLYBOT_MAX_TAIL_FRACTION"),
        ({"max_theme_fraction": "0.03"}, "POLYBOT_MAX_EVENT_FRACTION is 0.04", "POLYBOT_MAX_THEME_FRACTION"),
        ({"max_category_fraction": "0.6"}, "POLYBOT_MAX_CATEGORY_FRACTION is 0.6", "at most 0.5"),
        ({"max_exposure_fraction": "0.9"}, "POLYBOT_MAX_EXPOSURE_FRACTION is 0.9", "at most 0.8"),
        ({"cash_floor_fraction": "0.7"}, "POLYBOT_MAX_EXPOSURE_FRACTION is 0.5", "at most 0.3"),
        ({"max_open_orders_fraction": "0.6"}, "POLYBOT_MAX_OPEN_ORDERS_FRACTION is 0.6", "at most 0.5"),
        ({"small_order_pusd": "300"}, "POLYBOT_SMALL_ORDER_PUSD is 300", "at most 250"),
        ({"min_edge": "0.08"}, "POLYBOT_MIN_EDGE is 0.08", "less than 0.08"),
        ({"min_hours_to_end": "9000"}, "POLYBOT_MIN_HOURS_TO_END is 9000", "less than 8760"),
    ],
)
def test_limits_that_cross_are_refused_with_what_is_possible(
    settings: dict[str, str], named: str, possible: str
) -> None:
    refusal = refused(**settings)
    assert refusal.code == "settings_cross"
    assert named in refusal.what
    assert possible in f"{refusal.why} {refusal.do}"


def test_a_limit_at_its_border_is_possible() -> None:
    settings = load_settings(max_order_fraction="0.02", max_exposure_fraction="0.8")
    assert settings.max_order_fraction == settings.max_market_fraction


def test_raising_both_is_possible() -> None:
    wide = dict.fromkeys(("max_order_fraction", "max_market_fraction", "max_event_fraction"), "0.05")
    assert load_settings(**wide).max_order_fraction == load_settings(**wide).max_event_fraction


def test_the_sandbox_starts_with_its_own_defaults() -> None:
    assert load_settings(venue="sandbox").max_daily_turnover == 20


def test_every_crossing_names_settings_that_exist() -> None:
    names = {name for crossing in CROSSINGS for name in (crossing.less, crossing.more)}
    assert names <= set(Settings.model_fields)
