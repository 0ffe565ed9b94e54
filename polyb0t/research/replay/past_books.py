"""Books as they were known at instants behind us, looked up in one pass over a history."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

from polyb0t.core.clock import from_microseconds, microseconds
from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import Price, Shares, from_e6
from polyb0t.data.order_book import Level, OrderBook
from polyb0t.research.replay.events import BookLost, BookShown, Event, LevelChanged, LevelE6
from polyb0t.research.replay.tape import Sight

OLDEST: Final = timedelta(days=1)
_APART: Final = timedelta(days=2)  # sights further apart than this are read for in passes of their own

Events = Callable[[datetime, datetime], Iterator[Event]]


def order_book_of(shown: BookShown) -> OrderBook:
    """An event's book as decisions see books. A history does not say its tick and least size again."""
    return OrderBook(
        asset_id=AssetId(shown.asset),
        condition_id=ConditionId(shown.condition),
        bids=_levels(shown.bids),
        asks=_levels(shown.asks),
        tick=None,
        min_shares=None,
        neg_risk=None,
        last_trade_price=None,
        hash=shown.hash,
        venue_time=None if shown.venue_us is None else from_microseconds(shown.venue_us),
        observed_at=from_microseconds(shown.at_us),
    )


def after_change(book: BookShown, change: LevelChanged) -> BookShown:
    """The book with one level put, replaced or, with no shares, taken away."""
    side = book.bids if change.is_bid else book.asks
    others = [level for level in side if level[0] != change.price_e6]
    if change.shares_e6:
        others.append((change.price_e6, change.shares_e6))
    levels = tuple(sorted(others, reverse=change.is_bid))
    told = book._replace(at_us=change.at_us, hash="")
    return told._replace(bids=levels) if change.is_bid else told._replace(asks=levels)


@dataclass(frozen=True, slots=True)
class ScannedBooks:
    """Answers out of the events of a tape, each stretch of time once, however many are asked at a time."""

    events: Events

    def books(self, sights: Sequence[Sight]) -> Mapping[Sight, OrderBook]:
        """The last book at or before each instant; missing where none was known within the day before it."""
        found: dict[Sight, OrderBook] = {}
        for run in _runs(sights):
            found |= self._of_run(run)
        return found

    def _of_run(self, run: Sequence[Sight]) -> dict[Sight, OrderBook]:
        known: dict[str, BookShown] = {}
        wanted = {sight.asset_id for sight in run}
        found: dict[Sight, OrderBook] = {}
        waiting = iter(run)
        sight = next(waiting, None)
        read = self.events(run[0].at - OLDEST, run[-1].at + timedelta(microseconds=1))
        for event in chain(read, (None,)):
            while sight is not None and (event is None or microseconds(sight.at) < event.at_us):
                book = known.get(sight.asset_id)
                if book is not None and from_microseconds(book.at_us) >= sight.at - OLDEST:
                    found[sight] = order_book_of(book)
                sight = next(waiting, None)
            _take(event, known, wanted)
        return found


def _take(event: Event | None, known: dict[str, BookShown], wanted: set[AssetId]) -> None:
    match event:
        case BookShown() if event.asset in wanted:
            known[event.asset] = event
        case BookLost():
            known.pop(event.asset, None)
        case LevelChanged() if event.asset in known:
            known[event.asset] = after_change(known[event.asset], event)
        case _:
            pass


def _runs(sights: Sequence[Sight]) -> Iterator[list[Sight]]:
    """In the order of time, cut where nothing is asked for a while."""
    run: list[Sight] = []
    for sight in sorted(set(sights), key=lambda each: (each.at, each.asset_id)):
        if run and sight.at - run[-1].at > _APART:
            yield run
            run = []
        run.append(sight)
    if run:
        yield run


def _levels(levels: Sequence[LevelE6]) -> tuple[Level, ...]:
    return tuple(Level(Price(from_e6(price)), Shares(from_e6(shares))) for price, shares in levels)
