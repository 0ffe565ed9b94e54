"""What a history tells, one thing at a time, in the order in which it became known.

An event may be used from its `at_us` on and never before: that is when it was seen, not when it happened.
Amounts are whole millionths, instants microseconds since 1970 UTC: a replay of a day has millions of them,
and only what a decision looks at becomes a `Decimal`.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from polyb0t.data.markets import Market, TradingTerms
from polyb0t.data.outside_views import OutsideView

LevelE6 = tuple[int, int]  # price and shares, in millionths


class MarketTold(NamedTuple):
    """The catalogue described a market, for the first time or anew. Nothing of its end is in it."""

    at_us: int
    market: Market


class TermsTold(NamedTuple):
    """The exchange told the terms of a market: tick, least size, and the fee of that day."""

    at_us: int
    terms: TradingTerms


class ViewTold(NamedTuple):
    """What somebody outside thought of a market. `at_us` is when it was known here: made and read."""

    at_us: int
    view: OutsideView


class Graded(NamedTuple):
    """From now on the books of this asset are those of a history of that grade (`tape.Fidelity`, as a text).
    Only a mixture of histories says it, before the first book of each."""

    at_us: int
    asset: str
    grade: str


class BookShown(NamedTuple):
    """A whole book, best level first on both sides. It replaces what was shown of this asset before."""

    at_us: int
    asset: str
    condition: str
    bids: Sequence[LevelE6]
    asks: Sequence[LevelE6]
    hash: str = ""
    venue_us: int | None = None


class BookLost(NamedTuple):
    """Nobody looked at this book any more: what was shown of it before may not be used until it is shown
    again. Nothing is said of the market itself."""

    at_us: int
    asset: str


class LevelChanged(NamedTuple):
    """One level of a book has these shares now; none: it is gone."""

    at_us: int
    asset: str
    is_bid: bool
    price_e6: int
    shares_e6: int


class Traded(NamedTuple):
    """Others traded. `taker_side` is BUY or SELL, empty where it is not told."""

    at_us: int
    asset: str
    price_e6: int
    shares_e6: int
    taker_side: str


class Resolved(NamedTuple):
    """A market is over: what a share of each outcome pays (0, 500,000 for a void, 1,000,000), and from when
    on the money can be used. Between `at_us` and `paid_us` the capital is locked."""

    at_us: int
    condition: str
    pays_e6: tuple[int, int]
    paid_us: int


Event = MarketTold | TermsTold | ViewTold | Graded | BookLost | BookShown | LevelChanged | Traded | Resolved

# At one instant: what a market is comes before its book, a trade before the book that is left, its end last.
_RANKS: Final[Mapping[type, int]] = {
    kind: rank
    for rank, kinds in enumerate(
        (
            *((MarketTold,), (TermsTold,), (ViewTold,), (BookLost,), (Traded,)),
            *((Graded, BookShown), (LevelChanged,), (Resolved,)),
        )
    )
    for kind in kinds
}


def place(event: Event) -> tuple[int, int]:
    """Where an event stands in a history: by its instant, then by its kind. Equals keep their order."""
    return event.at_us, _RANKS[type(event)]
