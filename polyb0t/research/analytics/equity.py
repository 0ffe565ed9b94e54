"""The equity curve: what the account was worth, how deep it fell and for how long, and what it returned.

Money that came or went is no result. Between two points it counts as if it had moved at the later one,
so a point right before a deposit makes the return exact. Returns are chained (time-weighted): a large
deposit before a bad month weighs no more than the month itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from polyb0t.core.clock import utc
from polyb0t.core.units import ONE, ZERO, Pusd
from polyb0t.research.analytics.records import EquityPoint, Flow


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall from a peak. `fraction` is of the peak (0.1: a tenth); `pusd` what that was of the
    equity at the peak. `recovered_at` None: the peak has not been reached again."""

    fraction: Decimal
    pusd: Pusd
    peak_at: datetime
    deepest_at: datetime
    recovered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Curve:
    """`index` is what one pUSD of the first point has become, by point; `longest` the longest time under a
    peak, up to the end if it lasts."""

    points: tuple[EquityPoint, ...]
    index: tuple[Decimal, ...]
    moved_pusd: Pusd
    deepest: Drawdown | None
    longest: timedelta

    @property
    def time_weighted_return(self) -> Decimal | None:
        """0.02: two per cent; None with fewer than two points."""
        return self.index[-1] - ONE if len(self.index) > 1 else None

    @property
    def result_pusd(self) -> Pusd | None:
        """What was made between the first and the last point."""
        if len(self.points) < 2:
            return None
        return Pusd(self.points[-1].equity_pusd - self.points[0].equity_pusd - self.moved_pusd)


def curve(points: Sequence[EquityPoint], flows: Sequence[Flow] = ()) -> Curve:
    """Of points in any order; flows outside of them are no part of it."""
    found = tuple(sorted(points))
    if not found:
        return Curve((), (), Pusd(ZERO), None, timedelta())
    index, moved = [ONE], ZERO
    for before, after in pairwise(found):
        came = sum((flow.pusd for flow in flows if before.at < flow.at <= after.at), ZERO)
        moved += came
        grew = (after.equity_pusd - came) / before.equity_pusd if before.equity_pusd > 0 else ONE
        index.append(index[-1] * grew)
    return Curve(found, tuple(index), Pusd(moved), _deepest(found, index), _longest(found, index))


def daily_returns(made: Curve) -> list[tuple[date, Decimal]]:
    """From the last point of one UTC day to that of the next day that has one."""
    last: dict[date, Decimal] = {}
    for point, level in zip(made.points, made.index, strict=True):
        last[utc(point.at).date()] = level
    days = list(last.items())
    return [(day, level / before - ONE) for (_, before), (day, level) in pairwise(days) if before > 0]


def _deepest(points: Sequence[EquityPoint], index: Sequence[Decimal]) -> Drawdown | None:
    peak, worst = 0, (ZERO, 0, 0)
    for at, level in enumerate(index):
        if level > index[peak]:
            peak = at
        fell = ONE - level / index[peak] if index[peak] else ZERO
        worst = max(worst, (fell, -peak, -at))
    fell, begun, deepest = worst[0], -worst[1], -worst[2]
    if not fell:
        return None
    again = next((n for n in range(deepest, len(index)) if index[n] >= index[begun]), None)
    return Drawdown(
        fraction=fell,
        pusd=Pusd(points[begun].equity_pusd * fell),
        peak_at=points[begun].at,
        deepest_at=points[deepest].at,
        recovered_at=None if again is None else points[again].at,
    )


def _longest(points: Sequence[EquityPoint], index: Sequence[Decimal]) -> timedelta:
    peak, longest = 0, timedelta()
    for at, level in enumerate(index):
        if level >= index[peak]:
            if any(index[n] < index[peak] for n in range(peak, at)):
                longest = max(longest, points[at].at - points[peak].at)
            peak = at
        else:
            longest = max(longest, points[at].at - points[peak].at)
    return longest
