"""What tapes of files of rows have in common: markets that are told, rows that are read, ends that come."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from polyb0t.core.clock import from_microseconds, microseconds
from polyb0t.research.replay.assumptions import MILLION, Payment
from polyb0t.research.replay.described import Described
from polyb0t.research.replay.events import Event, Resolved, place
from polyb0t.research.replay.known_first import known_first
from polyb0t.research.replay.losing import with_losses
from polyb0t.research.replay.past_books import OLDEST, ScannedBooks
from polyb0t.research.replay.tape import About, PastBooks

PAYS: Final[Mapping[float, tuple[int, int]]] = {
    0.0: (0, MILLION),
    0.5: (MILLION // 2, MILLION // 2),
    1.0: (MILLION, 0),
}
_OLDEST_US: Final = OLDEST // timedelta(microseconds=1)


class FileMarket(NamedTuple):
    """A market of a file. `pays_e6` is None where the file does not tell how it ended; `last_us` is when it
    did, and without an end the last row's instant."""

    described: Described
    last_us: int
    pays_e6: tuple[int, int] | None


# Books and trades of [since, until) in microseconds, by time; read anew at each call.
Rows = Callable[[int, int], Iterator[Event]]


@dataclass(frozen=True)
class FileTape:
    """Reads its file anew for each replay, sorted on the disk where it is large. A book that is not shown
    again within `kept_us` is lost."""

    about: About
    markets: Mapping[str, FileMarket] = field(repr=False)
    rows: Rows = field(repr=False)
    payment: Payment = field(repr=False)
    kept_us: int = field(repr=False)

    def events(self, since: datetime, until: datetime) -> Iterator[Event]:
        since_us, until_us = microseconds(since), microseconds(until)
        here = [
            each
            for each in self.markets.values()
            if each.described.told_us < until_us and (each.pays_e6 is None or each.last_us >= since_us)
        ]
        assets = {asset for each in here for asset in each.described.assets}
        told = heapq.merge(*(each.described.told(min(until_us, each.last_us)) for each in here), key=place)
        rows = (row for row in self.rows(since_us - _OLDEST_US, until_us) if _asset(row) in assets)
        ends = sorted(self._ends(here, until_us), key=place)
        together = with_losses(heapq.merge(told, rows, ends, key=place), self.kept_us, until_us)
        return known_first(together, since_us)

    def past_books(self) -> PastBooks:
        return ScannedBooks(self.events)

    def _ends(self, markets: Iterable[FileMarket], until_us: int) -> Iterator[Event]:
        for each in markets:
            if each.pays_e6 is not None and each.last_us < until_us:
                condition = each.described.condition
                yield Resolved(
                    each.last_us, condition, each.pays_e6, self.payment.paid_us(condition, each.last_us)
                )


def span(markets: Iterable[FileMarket]) -> tuple[datetime, datetime]:
    """From the first word on any market to just after the last."""
    each = tuple(markets)
    first = min(market.described.told_us for market in each)
    last = max(market.last_us for market in each)
    return from_microseconds(first), from_microseconds(last + 1)


NO_EVENTS: Final = (
    "Which markets belong to one event is not told: each counts as an event of its own, so those that win "
    "and lose together count as if they knew nothing of each other, and intervals are too narrow."
)


def kept_sentence(kept_us: int) -> str:
    """What is said of how long a book stands."""
    hours = kept_us / (3_600 * MILLION)
    return f"A book stands until the next one, for {hours:g} {'hour' if hours == 1 else 'hours'} at most."


def _asset(event: Event) -> str:
    return getattr(event, "asset", "")
