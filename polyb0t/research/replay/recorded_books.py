"""Books that we recorded, as they were known at instants behind us.

Also for reports of a running engine: lines that are not Parquet yet are read as well.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from polyb0t.core.clock import microseconds
from polyb0t.data.order_book import OrderBook
from polyb0t.research.recorder import SILENCE
from polyb0t.research.replay.events import BookShown
from polyb0t.research.replay.past_books import OLDEST, order_book_of
from polyb0t.research.replay.reading import database, listed, parquet
from polyb0t.research.replay.recorded_problems import gaps
from polyb0t.research.replay.recorded_rows import CROSSED, EMPTY_LEVEL, OUTSIDE, around, files_of
from polyb0t.research.replay.tape import PastBooks, Sight
from polyb0t.research.rows import TABLES
from polyb0t.research.spool import SUFFIX

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_OLDEST_US: Final = OLDEST // timedelta(microseconds=1)
_SILENCE_US: Final = SILENCE // timedelta(microseconds=1)
_LONGEST_LINE: Final = 1 << 24
_SELECT: Final = f"""
    WITH shown AS (
        SELECT *, {CROSSED} OR {OUTSIDE} OR {EMPTY_LEVEL} AS bad FROM books
        WHERE asset IN (SELECT asset FROM asked)
    ), gone AS (
        SELECT at_us, asset FROM (SELECT at_us, unnest(lost) AS asset FROM seen)
        WHERE asset IN (SELECT asset FROM asked)
    )
    SELECT asked.n, shown.at_us, shown.asset, condition, hash, venue_us,
           bid_prices_e6, bid_shares_e6, ask_prices_e6, ask_shares_e6
    FROM asked ASOF JOIN shown ON asked.asset = shown.asset AND asked.at_us >= shown.at_us
    ASOF LEFT JOIN gone ON asked.asset = gone.asset AND asked.at_us >= gone.at_us
    WHERE NOT bad AND (gone.at_us IS NULL OR gone.at_us < shown.at_us)
"""  # noqa: S608 - every name in it is ours


@dataclass(frozen=True, slots=True)
class RecordedBooks:
    """Looks up any number of instants in one query."""

    folder: Path

    def books(self, sights: Sequence[Sight]) -> Mapping[Sight, OrderBook]:
        """The last book at or before each instant; missing where none was known within the day before it,
        where nobody looked at it any more, and where the recording had stopped since."""
        asked = sorted(set(sights))
        if not asked:
            return {}
        since_us = microseconds(min(sight.at for sight in asked) - OLDEST)
        until_us = microseconds(max(sight.at for sight in asked))
        with _opened(self.folder, since_us, until_us) as opened:
            _ask(opened, asked)
            every = " UNION ALL ".join(f"SELECT at_us FROM {table}" for table in TABLES)  # noqa: S608
            stops = [*gaps(opened, every), _last(opened, every)]
            rows = opened.execute(_SELECT).fetchall()
        return {
            sight: order_book_of(book)
            for number, *told in rows
            if _stands(book := _book(told), sight := asked[number], stops)
        }


def recorded_books(folder: Path) -> PastBooks:
    """The books of a recorder's folder, whether or not its engine is running."""
    return RecordedBooks(folder)


@contextmanager
def _opened(folder: Path, since_us: int, until_us: int) -> "Iterator[DuckDBPyConnection]":
    """With a view of each table, over the Parquet of these days and the lines that are none yet."""
    days = around(since_us, until_us)
    with database() as opened:
        for table, columns in TABLES.items():
            empty = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in columns.items())
            parts = [f"SELECT {empty} WHERE false"]
            files = files_of(folder, table, days)
            if files:
                parts.append(f"SELECT * FROM {parquet(files)}")  # noqa: S608 - names are ours and quoted
            lines = sorted(str(path) for path in (folder / "spool").glob(f"{table}-*{SUFFIX}"))
            if lines:
                parts.append(f"SELECT * FROM {_json(lines, columns)} WHERE at_us IS NOT NULL")  # noqa: S608
            opened.execute(f"CREATE VIEW {table} AS {' UNION ALL BY NAME '.join(parts)}")
        yield opened


def _json(lines: Sequence[str], columns: Mapping[str, str]) -> str:
    """Torn lines are left out, as they are when they become Parquet."""
    types = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    return (
        f"read_json({listed(lines)}, format='newline_delimited', ignore_errors=true, "
        f"maximum_object_size={_LONGEST_LINE}, columns={{{types}}})"
    )


def _ask(opened: "DuckDBPyConnection", asked: Sequence[Sight]) -> None:
    opened.execute("CREATE TABLE asked (n INTEGER, asset VARCHAR, at_us BIGINT)")
    rows = [[n, sight.asset_id, microseconds(sight.at)] for n, sight in enumerate(asked)]
    opened.executemany("INSERT INTO asked VALUES (?, ?, ?)", rows)


def _book(told: Sequence[Any]) -> BookShown:
    at_us, asset, condition, told_hash, venue_us, bids, bid_shares, asks, ask_shares = told
    return BookShown(
        at_us,
        asset,
        condition,
        tuple(zip(bids, bid_shares, strict=True)),
        tuple(zip(asks, ask_shares, strict=True)),
        told_hash or "",
        venue_us,
    )


def _last(opened: "DuckDBPyConnection", every: str) -> tuple[int, int]:
    """The last row there is, and that none comes after it."""
    (last,) = opened.execute(f"SELECT max(at_us) FROM ({every})").fetchone() or (None,)  # noqa: S608
    return int(last or 0), sys.maxsize


def _stands(book: BookShown, sight: Sight, stops: Sequence[tuple[int, int]]) -> bool:
    """Not older than a day, and nothing stopped between it and the instant that is asked for."""
    asked_us = microseconds(sight.at)
    stopped = any(book.at_us <= stop and min(back, asked_us) - stop > _SILENCE_US for stop, back in stops)
    return asked_us - book.at_us <= _OLDEST_US and not stopped
