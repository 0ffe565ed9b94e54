"""Where the price has come from, in log-odds."""

from collections.abc import Callable
from typing import Final

from polyb0t.research.features.point_in_time import PointInTime
from polyb0t.research.features.series import HOUR_US, level

DAY_US: Final = 24 * HOUR_US
WEEK_US: Final = 7 * DAY_US
JUMP: Final = 0.5  # in log-odds from one price to the next: from 50 to 62 cents


def stale_us(span_us: int) -> int:
    """How old a price may be at either end of a change over `span_us`: as long as the span, at most a day."""
    return min(span_us, DAY_US)


def change_over(span_us: int) -> Callable[[PointInTime], float | None]:
    """The change of log-odds over `span_us`."""

    def change(view: PointInTime) -> float | None:
        oldest = stale_us(span_us)
        now = level(view.prices.last(view.at_us, oldest))
        before = level(view.prices.last(view.at_us - span_us, oldest))
        return None if now is None or before is None else now - before

    return change


def hours_since_jump(view: PointInTime) -> float | None:
    """Hours since a price was half a unit of log-odds from the one before, at most a week's; None where
    no two prices are known."""
    prices = view.prices.cut(view.at_us - WEEK_US, view.at_us)
    if len(prices) < 2:
        return None
    levels = [level(each) for each in prices.values]
    for place in range(len(levels) - 1, 0, -1):
        before, after = levels[place - 1], levels[place]
        if before is not None and after is not None and abs(after - before) > JUMP:
            return float(view.at_us - prices.at[place]) / HOUR_US
    return float(WEEK_US) / HOUR_US
