"""The portfolio of an account that goes on: worked out again only where something has changed."""

from collections.abc import Sequence
from typing import NamedTuple

from polyb0t.core.units import Pusd
from polyb0t.data.cash_flows import Booked
from polyb0t.data.fills import Fill, FillStatus
from polyb0t.models.portfolio import Books, Portfolio, books_of, fill_key, order_of


class Reckoning:
    """`portfolio_of` that works again only where something has changed: between two fills a cycle asks for
    it many times, and where the newest fills came behind all others only they are gone through. The store
    hands out the same tuple of fills as long as none is new, so only that is taken for unchanged. Several
    threads may ask: the last answer is replaced, never changed."""

    def __init__(self) -> None:
        self._last: _Reckoned | None = None

    def of(self, fills: Sequence[Fill], starting_cash: Pusd, booked: Sequence[Booked]) -> Portfolio:
        """As `portfolio_of`."""
        last = self._last
        if last is None or last.starting_cash != starting_cash or last.booked != booked:
            books = books_of(fills, starting_cash, booked)
        elif last.fills is fills and isinstance(fills, tuple):
            return last.portfolio
        else:
            books = _behind(last, fills) or books_of(fills, starting_cash, booked)
        made = _Reckoned(fills, starting_cash, booked, books, books.portfolio())
        self._last = made
        return made.portfolio


class _Reckoned(NamedTuple):
    fills: Sequence[Fill]
    starting_cash: Pusd
    booked: Sequence[Booked]
    books: Books
    portfolio: Portfolio


def _behind(last: _Reckoned, fills: Sequence[Fill]) -> Books | None:
    """The books after the fills that came behind all that were reckoned; None: others changed too."""
    known = len(last.fills)
    if not isinstance(last.fills, tuple) or fills[:known] != last.fills:
        return None
    new = sorted(fills[known:], key=order_of)
    newest, keys = last.books.newest, last.books.keys
    if newest is None or any(
        fill.status is FillStatus.FAILED or order_of(fill) < newest or fill_key(fill) in keys for fill in new
    ):
        return None
    takings = last.books.takings
    if takings and takings[-1][0] >= new[0].matched_at:
        return None  # what was taken in the end belongs behind some of them
    books = last.books.copy()
    for fill in new:
        books.add(fill)
    return books if len(books.keys) == known + len(new) else None
