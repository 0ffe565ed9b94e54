"""What our own recorder wrote, as a history that can be replayed: the books that an order would have met.

Read day by day; memory holds the last word on each thing and no more. What was recorded is used from the
instant at which we saw it. Where the recording stopped, no book is known until it is shown again. When
markets ended the recording does not tell: `with_ends.py` adds it from the collected past.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from polyb0t.core.clock import from_microseconds, microseconds
from polyb0t.research.convert import convert
from polyb0t.research.recorder import SILENCE
from polyb0t.research.replay.events import BookLost, BookShown, Event, place
from polyb0t.research.replay.known_first import known_first
from polyb0t.research.replay.past_books import OLDEST
from polyb0t.research.replay.reading import database, hash_of, refused
from polyb0t.research.replay.recorded_books import RecordedBooks
from polyb0t.research.replay.recorded_problems import problems_of
from polyb0t.research.replay.recorded_rows import READ, Looked, Raw, files_of, table_rows
from polyb0t.research.replay.recorded_views import OLDEST_US, sources, views
from polyb0t.research.replay.tape import About, Fidelity, PastBooks
from polyb0t.research.rows import LEVELS, TABLES

_DAY: Final = timedelta(days=1)
_SILENCE_US: Final = SILENCE // timedelta(microseconds=1)
_SAID: Final = (
    f"Books have their {LEVELS} best levels a side; what lay beyond was not recorded.",
    "Books are those of the cycles; what they were while an order was on its way was not recorded.",
    "Where nobody looked for five minutes, no book is known until it is shown again.",
    "What a running engine has not put into Parquet yet is not in it.",
)


@dataclass(frozen=True)
class RecorderTape:
    """A folder of recorded days."""

    about: About
    conditions: frozenset[str] = field(repr=False)
    _folder: Path = field(repr=False)

    def events(self, since: datetime, until: datetime) -> Iterator[Event]:
        """A day more is read, for what was known before `since`: each day of a recording tells everything."""
        until = min(until, self.about.ends)
        told = without_gaps(self._days(max(since - OLDEST, self.about.starts), until), microseconds(until))
        heard = self._views(microseconds(since), microseconds(until))
        return known_first(heapq.merge(told, heard, key=place), microseconds(since))

    def past_books(self) -> PastBooks:
        return RecordedBooks(self._folder)

    def _views(self, since_us: int, until_us: int) -> Iterator[Event]:
        """Apart from the rest: they say nothing of whether anybody looked at a market."""
        with database() as opened:
            yield from views(opened, self._folder, since_us - OLDEST_US, until_us)

    def _days(self, since: datetime, until: datetime) -> Iterator[Raw]:
        with database() as opened:
            while since < until:
                midnight = since.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
                stop = min(midnight, until)
                tables = [
                    table_rows(opened.cursor(), self._folder, table, microseconds(since), microseconds(stop))
                    for table in READ
                ]
                yield from heapq.merge(*tables, key=_order)
                since = stop


def recorder_tape(folder: Path) -> RecorderTape:
    """The tape of a folder that the recorder wrote. Segments that nobody writes any more are converted.

    Raises:
        ConfigurationError: no books were recorded in it.
    """
    convert(folder)
    files = {table: files_of(folder, table) for table in TABLES}
    if not files["books"] or not files["markets"]:
        raise refused(
            str(folder),
            "No books and markets were recorded in it.",
            "Give the folder record/ of a place whose engine has run, or run it: polyb0t run",
        )
    problems, starts_us, ends_us, conditions = problems_of(files)
    with database() as opened:
        heard = sources(opened, folder)
    about = About(
        name=f"{folder.parent.name}/{folder.name}",
        kind="recorder",
        fidelity=Fidelity.OWN_BOOKS,
        data_hash=hash_of([Path(path) for table in sorted(files) for path in files[table]]),
        starts=from_microseconds(starts_us),
        ends=from_microseconds(ends_us + 1),
        markets=len(conditions),
        assumed=_SAID,
        problems=problems,
        sources=heard,
    )
    return RecorderTape(about, conditions, folder)


def without_gaps(raw: Iterator[Raw], until_us: int) -> Iterator[Event]:
    """Events; books are lost where nobody looks at them any more and where nothing was recorded."""
    known: set[str] = set()
    last_us: int | None = None
    for item in raw:
        if last_us is not None and item.at_us - last_us > _SILENCE_US:
            yield from _all_lost(known, last_us + 1)
        last_us = item.at_us
        if isinstance(item, Looked):
            gone = sorted(known.intersection(item.lost))
            known.difference_update(gone)
            yield from (BookLost(item.at_us, asset) for asset in gone)
            continue
        if isinstance(item, BookShown):
            known.add(item.asset)
        elif isinstance(item, BookLost):
            known.discard(item.asset)
        yield item
    if last_us is not None and until_us - last_us > _SILENCE_US:
        yield from _all_lost(known, last_us + 1)


def _all_lost(known: set[str], at_us: int) -> Iterator[BookLost]:
    for asset in sorted(known):
        yield BookLost(at_us, asset)
    known.clear()


def _order(item: Raw) -> tuple[int, int]:
    return (item.at_us, -1) if isinstance(item, Looked) else place(item)
