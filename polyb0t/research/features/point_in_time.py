"""What was known of a market at an instant, and the record that it is cut from.

A `PointInTime` physically holds nothing else: no winner, no `closed`, no final price or volume, no end but
the one that was scheduled then. A feature that is computed from it alone cannot look ahead.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

from polyb0t.research.features.series import Series


class Book(NamedTuple):
    """The first outcome's book, best level first: price and shares, as floats, for statistics only."""

    at_us: int
    bids: Sequence[tuple[float, float]]
    asks: Sequence[tuple[float, float]]


class Trade(NamedTuple):
    """A trade of anybody's, told of the first outcome: its price there, and +shares where the taker bought
    it (or sold the second), -shares where the other way; `known` is False where the side was not told."""

    at_us: int
    shares: float
    known: bool = True


class Schedule(NamedTuple):
    """When the market was scheduled to end, as told at `at_us`."""

    at_us: int
    ends_us: int | None


@dataclass(frozen=True, slots=True)
class PointInTime:
    """One market at `at_us`. `None` is "was not known". Lists hold what lies inside the window alone.

    `trades` is None where nobody was listening; `event` and `theme` are the prices of the other markets.
    """

    at_us: int
    opens_us: int | None = None
    ends_us: int | None = None
    prices: Series = field(default_factory=Series)
    book: Book | None = None
    trades: Sequence[Trade] | None = None
    event: tuple[Series, ...] = ()
    theme: tuple[Series, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that was ever written down of a market, also what came later. `outcome` is what a share
    of the first outcome paid in the end."""

    market: str
    prices: Series
    opens_us: int | None = None
    schedule: Sequence[Schedule] = ()
    books: Sequence[Book] = ()
    trades: Sequence[Trade] | None = None
    event: tuple[Series, ...] = ()
    theme: tuple[Series, ...] = ()
    resolved_us: int | None = None
    outcome: float | None = None

    def known_at(self, at_us: int, window_us: int) -> PointInTime:
        """The view of `at_us` that looks `window_us` back."""
        since = at_us - window_us
        schedule = _upto(self.schedule, at_us)
        books = _upto(self.books, at_us)
        return PointInTime(
            at_us=at_us,
            opens_us=self.opens_us if self.opens_us is None or self.opens_us <= at_us else None,
            ends_us=schedule[-1].ends_us if schedule else None,
            prices=self.prices.cut(since, at_us),
            book=books[-1] if books and books[-1].at_us >= since else None,
            trades=None if self.trades is None else _since(_upto(self.trades, at_us), since),
            event=tuple(each.cut(since, at_us) for each in self.event),
            theme=tuple(each.cut(since, at_us) for each in self.theme),
        )

    def until(self, at_us: int) -> "Record":
        """As it was at `at_us`: the record of somebody who stopped then."""
        return replace(
            self,
            prices=self.prices.cut(0, at_us),
            opens_us=self.opens_us if self.opens_us is None or self.opens_us <= at_us else None,
            schedule=_upto(self.schedule, at_us),
            books=_upto(self.books, at_us),
            trades=None if self.trades is None else _upto(self.trades, at_us),
            event=tuple(each.cut(0, at_us) for each in self.event),
            theme=tuple(each.cut(0, at_us) for each in self.theme),
            resolved_us=self.resolved_us if self.resolved_us and self.resolved_us <= at_us else None,
            outcome=self.outcome if self.resolved_us and self.resolved_us <= at_us else None,
        )


_Seen = TypeVar("_Seen", Book, Trade, Schedule)


def _upto(rows: Sequence[_Seen], at_us: int) -> Sequence[_Seen]:
    return rows[: bisect_right(rows, at_us, key=_at)]


def _since(rows: Sequence[_Seen], since_us: int) -> Sequence[_Seen]:
    return rows[bisect_left(rows, since_us, key=_at) :]


def _at(row: Book | Trade | Schedule) -> int:
    return row.at_us
