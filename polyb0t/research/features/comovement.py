"""Whether a market has moved with others of its event or theme; that says little about how they end."""

from collections.abc import Callable, Sequence
from math import sqrt
from typing import Final

from polyb0t.research.features.momentum import WEEK_US
from polyb0t.research.features.point_in_time import PointInTime
from polyb0t.research.features.series import HOUR_US, Series

LEAST: Final = 60  # hours in which both were seen; fewer say nothing
HOURS: Final = WEEK_US // HOUR_US
MOST_OTHERS: Final = 20


def with_others(others: Callable[[PointInTime], tuple[Series, ...]]) -> Callable[[PointInTime], float | None]:
    """The correlation of the hourly change of log-odds with the mean change of the others, over a week."""

    def correlation(view: PointInTime) -> float | None:
        until = view.at_us - view.at_us % HOUR_US
        own = view.prices.hourly_changes(until, HOURS)
        theirs = [each.hourly_changes(until, HOURS) for each in others(view)[:MOST_OTHERS]]
        pairs = [
            (mine, sum(there) / len(there))
            for at, mine in enumerate(own)
            if mine is not None and (there := _known(theirs, at))
        ]
        return _correlation(pairs)

    return correlation


def of_event(view: PointInTime) -> tuple[Series, ...]:
    return view.event


def of_theme(view: PointInTime) -> tuple[Series, ...]:
    return view.theme


def _known(series: Sequence[Sequence[float | None]], at: int) -> list[float]:
    return [change for each in series if (change := each[at]) is not None]


def _correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    """None for fewer than `LEAST` pairs, or where one of the two never moved."""
    count = len(pairs)
    if count < LEAST:
        return None
    mean_x, mean_y = sum(x for x, _ in pairs) / count, sum(y for _, y in pairs) / count
    xx = sum((x - mean_x) ** 2 for x, _ in pairs)
    yy = sum((y - mean_y) ** 2 for _, y in pairs)
    xy = sum((x - mean_x) * (y - mean_y) for x, y in pairs)
    return xy / sqrt(xx * yy) if xx > 0 and yy > 0 else None
