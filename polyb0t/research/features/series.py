"""Values with the instants from which they were known."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

HOUR_US: Final = 3_600_000_000
LOWEST, HIGHEST = 0.001, 0.999


class Series:
    """Values in the order of time; a value holds until the next. It is never changed once it is made."""

    __slots__ = ("_changes", "at", "values")

    def __init__(self, at: Sequence[int] = (), values: Sequence[float] = ()) -> None:
        if len(at) != len(values):
            raise ValueError("there is not one value for each instant")
        self.at, self.values = at, values
        self._changes: dict[tuple[int, int], tuple[float | None, ...]] = {}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Series):
            return NotImplemented
        return list(self.at) == list(other.at) and list(self.values) == list(other.values)

    def __hash__(self) -> int:
        return hash((tuple(self.at), tuple(self.values)))

    def __len__(self) -> int:
        return len(self.at)

    def cut(self, since_us: int, until_us: int) -> "Series":
        """Only what was known from `since_us` to `until_us`, both included."""
        first, last = bisect_left(self.at, since_us), bisect_right(self.at, until_us)
        return Series(self.at[first:last], self.values[first:last])

    def last(self, at_us: int, oldest_us: int) -> float | None:
        """The value at `at_us`, None where the last one is older than `oldest_us` before it."""
        place = bisect_right(self.at, at_us) - 1
        if place < 0 or at_us - self.at[place] > oldest_us:
            return None
        return self.values[place]

    def hourly_changes(self, until_us: int, hours: int) -> tuple[float | None, ...]:
        """The change of log-odds in each of the last `hours` hours before `until_us`, oldest first; None
        where a value at one of its ends is not known or more than an hour old."""
        key = (until_us, hours)
        if key not in self._changes:
            levels = [level(self.last(until_us - back * HOUR_US, HOUR_US)) for back in range(hours, -1, -1)]
            self._changes[key] = tuple(
                None if before is None or after is None else after - before
                for before, after in pairwise(levels)
            )
        return self._changes[key]


def level(price: float | None) -> float | None:
    """The log-odds of a price, which is taken as a tenth of a cent where it is nearer to 0 or 1."""
    if price is None:
        return None
    kept = min(max(price, LOWEST), HIGHEST)
    return math.log(kept / (1 - kept))
