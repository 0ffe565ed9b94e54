"""Thresholds of the exits: what makes no sense is refused at start, with the setting's name."""

import pytest

from polyb0t.config.crossings import EXIT_COST_FRACTION as IN_CONFIG
from polyb0t.config.settings import load_settings
from polyb0t.core.errors import ConfigurationError
from polyb0t.models.exit_rules import EXIT_COST_FRACTION, ExitRules, ExitTrigger
from polyb0t.runtime.choices import exit_rules


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("exit_take_profit_fraction", "0"),
        ("exit_take_profit_fraction", "-0.1"),
        ("exit_take_profit_fraction", "1.5"),
        ("exit_take_profit_fraction", "0.04"),
        ("exit_stop_loss_fraction", "0"),
        ("exit_stop_loss_fraction", "2"),
        ("exit_stop_loss_fraction", "0.15"),
        ("exit_time_hours", "0"),
        ("exit_time_hours", "49"),
        ("exit_spread_multiple", "1"),
        ("exit_depth_fraction", "0"),
        ("exit_depth_fraction", "1.1"),
        ("exit_edge_gone_pusd", "0"),
        ("exit_liquidity_seconds", "-1"),
        ("standing_worst_fraction", "0"),
        ("standing_days", "0"),
    ],
)
def test_an_impossible_threshold_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_settings(**{name: value})
    assert f"POLYBOT_{name.upper()}" in refused.value.what


def test_a_later_time_exit_is_possible_where_nothing_is_opened_so_late() -> None:
    rules = exit_rules(load_settings(exit_time_hours="72", min_hours_to_end="96"))
    assert rules.time_hours == 72
    load_settings(exit_time_hours="72", exit_time="false")


def test_the_defaults_are_the_documented_ones() -> None:
    assert exit_rules(load_settings()) == ExitRules()


def test_each_rule_can_be_switched_off() -> None:
    for trigger in ExitTrigger:
        off = exit_rules(load_settings(**{f"exit_{trigger}": "false"}))
        assert off.enabled == frozenset(ExitTrigger) - {trigger}


def test_both_layers_reckon_with_the_same_cost_of_a_sale() -> None:
    """Settings may not import decisions, so the figure stands in both."""
    assert IN_CONFIG == EXIT_COST_FRACTION
