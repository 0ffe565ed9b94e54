"""Settings that make no sense together: one limit that lies beyond another one is never reached.

A new pair is a line in `CROSSINGS`; a rule that compares more than two is a function in `RULES`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from polyb0t.config.refusals import PREFIX, shown
from polyb0t.core.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Crossing:
    """`less` may not be above `more`; `strictly`: nor equal to it. `why` is a sentence."""

    less: str
    more: str
    why: str
    strictly: bool = False
    times: Decimal = Decimal(1)  # `more` counts so many times, where the units differ


# What a sale costs at most, of its proceeds, at the highest fee rate that we plan with.
EXIT_COST_FRACTION: Final = Decimal("0.04")
TIME_TO_GET_OUT_HOURS: Final = 24  # between the least time at an opening and the time exit

CROSSINGS: Final[tuple[Crossing, ...]] = (
    Crossing(
        "max_order_fraction", "max_market_fraction", "An order cannot be larger than its market may hold."
    ),
    Crossing("max_market_fraction", "max_event_fraction", "A market cannot hold more than its event may."),
    Crossing("max_event_fraction", "max_theme_fraction", "An event cannot hold more than its theme may."),
    Crossing(
        "max_theme_fraction", "max_category_fraction", "A theme cannot hold more than its category may."
    ),
    Crossing(
        "max_category_fraction", "max_exposure_fraction", "A category cannot hold more than all together."
    ),
    Crossing(
        "max_order_fraction", "max_open_orders_fraction", "One order is more than all under way may cost."
    ),
    Crossing("max_order_fraction", "max_far_fraction", "One order is more than all that ends late may hold."),
    Crossing(
        "max_order_fraction",
        "max_dependent_fraction",
        "One order is more than all trades without own information may hold.",
    ),
    Crossing(
        "max_order_fraction", "max_tail_fraction", "One order alone may lose more than all together may."
    ),
    Crossing("max_open_orders_fraction", "max_exposure_fraction", "Orders under way are at risk as well."),
    Crossing("small_order_pusd", "max_order_pusd", "The first orders cannot be larger than any order."),
    Crossing(
        "min_edge", "suspicious_edge", "An edge would be too small and too large at once.", strictly=True
    ),
    Crossing(
        "exit_stop_loss_fraction",
        "standing_worst_fraction",
        "A stop that fires under the price at which its approval ends would never sell.",
        strictly=True,
    ),
    Crossing(
        "min_hours_to_end", "max_days_to_end", "No market ends late and soon enough.", True, Decimal(24)
    ),
)


def _floor_and_exposure(settings: Any) -> ConfigurationError | None:
    """What always stays in cash can never be at risk."""
    floor, left = _name("cash_floor_fraction"), 1 - settings.cash_floor_fraction
    if settings.max_exposure_fraction <= left:
        return None
    return crossed(
        "max_exposure_fraction",
        settings.max_exposure_fraction,
        why=f"{floor} keeps {shown(settings.cash_floor_fraction)} of the bankroll in cash.",
        do=f"Possible: at most {shown(left)}, or a lower {floor}.",
    )


def _day_and_drawdown(settings: Any) -> ConfigurationError | None:
    """What a day loses is under the peak as well, so the wider of the two would never be reached. Only a
    daily loss that somebody gave is held against him: who lowers the drawdown need not name both."""
    day, peak = settings.daily_loss_fraction, settings.drawdown_fraction
    if "daily_loss_fraction" not in settings.model_fields_set or day <= peak:
        return None
    return crossed(
        "daily_loss_fraction",
        day,
        why=f"DRAWDOWN would always trip first: {_name('drawdown_fraction')} is {shown(peak)}.",
        do=f"Possible: at most {shown(peak)}, or a higher {_name('drawdown_fraction')}.",
    )


def _take_profit_and_cost(settings: Any) -> ConfigurationError | None:
    """A gain that the sale itself costs is none."""
    if settings.exit_take_profit_fraction > EXIT_COST_FRACTION:
        return None
    return crossed(
        "exit_take_profit_fraction",
        settings.exit_take_profit_fraction,
        why=f"Selling alone may cost {shown(EXIT_COST_FRACTION)} of what it brings.",
        do=f"Possible: more than {shown(EXIT_COST_FRACTION)}.",
    )


def _time_exit_and_opening(settings: Any) -> ConfigurationError | None:
    """What is opened has a day at least before its time exit asks for its sale."""
    least = settings.exit_time_hours + TIME_TO_GET_OUT_HOURS
    if not settings.exit_time or settings.min_hours_to_end >= least:
        return None
    return crossed(
        "exit_time_hours",
        settings.exit_time_hours,
        why=f"{_name('min_hours_to_end')} is {settings.min_hours_to_end}: what is opened would soon be sold.",
        do=f"Possible: {_name('min_hours_to_end')} of {least} or more, or {_name('exit_time')}=false.",
    )


RULES: Final[tuple[Callable[[Any], ConfigurationError | None], ...]] = (
    _floor_and_exposure,
    _day_and_drawdown,
    _take_profit_and_cost,
    _time_exit_and_opening,
)


def refuse_crossings(settings: Any) -> None:
    """Compare the settings with each other.

    Raises:
        ConfigurationError: two of them cross; names both, and what would be possible.
    """
    for crossing in CROSSINGS:
        less = Decimal(getattr(settings, crossing.less))
        more = Decimal(getattr(settings, crossing.more)) * crossing.times
        if less > more or (crossing.strictly and less == more):
            raise _refusal(crossing, settings)
    for rule in RULES:
        refusal = rule(settings)
        if refusal is not None:
            raise refusal


def crossed(name: str, value: object, *, why: str, do: str) -> ConfigurationError:
    """The refusal of a setting that another one makes impossible."""
    return ConfigurationError(
        f"Not started: {_name(name)} is {shown(value)}, which is not possible.",
        why=why,
        do=do,
        code="settings_cross",
    )


def _refusal(crossing: Crossing, settings: Any) -> ConfigurationError:
    value, other = getattr(settings, crossing.less), getattr(settings, crossing.more)
    border = Decimal(other) * crossing.times
    most = f"{'less than' if crossing.strictly else 'at most'} {shown(border)}"
    return crossed(
        crossing.less,
        value,
        why=f"{crossing.why} {_name(crossing.more)} is {shown(other)}.",
        do=f"Possible: {most}, or a higher {_name(crossing.more)}.",
    )


def _name(field: str) -> str:
    return f"{PREFIX}{field.upper()}"
