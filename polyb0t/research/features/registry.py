"""Every feature there is. None has a weight: a model that uses one has to beat the price first."""

from collections.abc import Sequence
from typing import Final

from polyb0t.core.errors import ConfigurationError
from polyb0t.research.features import comovement, momentum, order_flow
from polyb0t.research.features.feature import (
    BOOK,
    EVENT,
    OPENING,
    PRICES,
    SCHEDULE,
    THEME,
    TRADES,
    Feature,
    PointFeature,
)
from polyb0t.research.features.momentum import DAY_US, WEEK_US, change_over, stale_us
from polyb0t.research.features.order_flow import BOOK_US, MINUTE_US
from polyb0t.research.features.point_in_time import PointInTime
from polyb0t.research.features.series import HOUR_US


def _days_to_end(view: PointInTime) -> float | None:
    return None if view.ends_us is None else (view.ends_us - view.at_us) / DAY_US


def _age_days(view: PointInTime) -> float | None:
    return None if view.opens_us is None else (view.at_us - view.opens_us) / DAY_US


def _change(name: str, span_us: int, words: str) -> PointFeature:
    window = span_us + stale_us(span_us)
    says = f"change of the price in log-odds over {words}"
    return PointFeature(name, 1, frozenset({PRICES}), window, says, change_over(span_us))


_BOOK: Final = frozenset({BOOK})
_TRADES: Final = frozenset({TRADES})

FEATURES: Final[tuple[Feature, ...]] = (
    PointFeature(
        "imbalance_best", 1, _BOOK, BOOK_US, "shares bid less asked at the best prices, as a share of both",
        order_flow.imbalance_best,
    ),
    PointFeature(
        "imbalance_5", 1, _BOOK, BOOK_US, "the same over five levels", order_flow.imbalance_5
    ),
    PointFeature(
        "microprice_less_mid", 1, _BOOK, BOOK_US, "price weighed with the other side's shares, less the mid",
        order_flow.microprice_less_mid,
    ),
    PointFeature("spread", 1, _BOOK, BOOK_US, "best ask less best bid", order_flow.spread),
    PointFeature("depth_5", 1, _BOOK, BOOK_US, "shares on five levels of both sides", order_flow.depth_5),
    PointFeature(
        "signed_volume_10m", 1, _TRADES, 10 * MINUTE_US, "shares that takers bought less sold in ten minutes",
        order_flow.signed_volume_10m,
    ),
    PointFeature(
        "signed_volume_1h", 1, _TRADES, 60 * MINUTE_US, "the same in an hour", order_flow.signed_volume_1h
    ),
    _change("logit_change_1h", HOUR_US, "an hour"),
    _change("logit_change_6h", 6 * HOUR_US, "six hours"),
    _change("logit_change_24h", DAY_US, "a day"),
    _change("logit_change_7d", WEEK_US, "a week"),
    PointFeature(
        "hours_since_jump", 1, frozenset({PRICES}), WEEK_US, "hours since the price jumped, at most a week's",
        momentum.hours_since_jump,
    ),
    PointFeature(
        "event_comovement", 1, frozenset({PRICES, EVENT}), WEEK_US + 2 * HOUR_US,
        "correlation with the event's other markets, hourly, over a week",
        comovement.with_others(comovement.of_event),
    ),
    PointFeature(
        "theme_comovement", 1, frozenset({PRICES, THEME}), WEEK_US + 2 * HOUR_US,
        "correlation with the theme's other markets, hourly, over a week",
        comovement.with_others(comovement.of_theme),
    ),
    PointFeature("days_to_end", 1, frozenset({SCHEDULE}), 0, "days to the scheduled end", _days_to_end),
    PointFeature("age_days", 1, frozenset({OPENING}), 0, "days since it opened", _age_days),
)  # fmt: skip

WINDOW_US: Final = max(each.window_us for each in FEATURES)


def named(names: Sequence[str]) -> tuple[Feature, ...]:
    """The features of these names.

    Raises:
        ConfigurationError: there is none of that name.
    """
    known = {each.name: each for each in FEATURES}
    for name in names:
        if name not in known:
            raise ConfigurationError(
                f"There is no feature {name!r:.40}.",
                do="See them: polyb0t model features",
                code="unknown_feature",
            )
    return tuple(known[name] for name in names)
