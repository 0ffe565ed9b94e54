"""What is wrong with a recording, and its span: counted by DuckDB, without reading it row by row."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from polyb0t.core.clock import from_microseconds, iso
from polyb0t.research.history.problems import Problems
from polyb0t.research.recorder import SILENCE
from polyb0t.research.replay.reading import database, parquet, rows
from polyb0t.research.replay.recorded_rows import CROSSED, EMPTY_LEVEL, OUTSIDE
from polyb0t.research.rows_read import market_from, terms_from

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BOOKS: Final = f"""
    SELECT count(*) FILTER ({CROSSED}), min(asset) FILTER ({CROSSED}),
           count(*) FILTER ({OUTSIDE}), min(asset) FILTER ({OUTSIDE}),
           count(*) FILTER ({EMPTY_LEVEL}), min(asset) FILTER ({EMPTY_LEVEL}),
           count(*) FILTER (len(bid_prices_e6) = 0 OR len(ask_prices_e6) = 0),
           min(asset) FILTER (len(bid_prices_e6) = 0 OR len(ask_prices_e6) = 0)
    FROM read_parquet(?, union_by_name = true)
"""  # noqa: S608 - every name in it is ours
_GAPS: Final = """
    WITH looked AS (
        SELECT DISTINCT at_us FROM ({rows})
    ), stepped AS (
        SELECT lag(at_us) OVER (ORDER BY at_us) AS stopped, at_us FROM looked
    )
    SELECT stopped, at_us FROM stepped WHERE at_us - stopped > {silence_us} ORDER BY at_us
"""
_ONE_EACH: Final = """
    SELECT condition, any_value(at_us), any_value(content) FROM read_parquet(?, union_by_name = true)
    GROUP BY condition
"""


def problems_of(files: Mapping[str, Sequence[str]]) -> tuple[Problems, int, int, frozenset[str]]:
    """(what is wrong, first and last instant, the conditions of its markets)."""
    problems = Problems()
    with database() as opened:
        _books(opened, files["books"], problems)
        _trades(opened, files.get("trades", ()), problems)
        for table in ("markets", "terms"):
            _contents(opened, table, files.get(table, ()), problems)
        everything = [path for paths in files.values() for path in paths]
        for stopped_us, back_us in gaps(opened, f"SELECT at_us FROM {parquet(everything)}"):  # noqa: S608
            problems.note("recording_stopped", f"{_at(stopped_us)} to {_at(back_us)}")
        span = "SELECT min(at_us), max(at_us) FROM read_parquet(?, union_by_name = true)"
        first, last = opened.execute(span, [everything]).fetchone() or (0, 0)
        each = "SELECT DISTINCT condition FROM read_parquet(?, union_by_name = true)"
        conditions = frozenset(name for (name,) in rows(opened, each, (list(files["markets"]),)))
    return problems, int(first), int(last), conditions


def gaps(opened: "DuckDBPyConnection", query: str) -> list[tuple[int, int]]:
    """Stretches of more than five minutes in which nothing was written: (last row, first row after it).
    `query` selects `at_us` of every row there is."""
    silence_us = SILENCE // timedelta(microseconds=1)
    found = opened.execute(_GAPS.format(rows=query, silence_us=silence_us)).fetchall()
    return [(int(stopped), int(back)) for stopped, back in found]


def _books(opened: "DuckDBPyConnection", files: Sequence[str], problems: Problems) -> None:
    told = opened.execute(_BOOKS, [list(files)]).fetchone() or ()
    kinds = ("crossed", "price_outside", "no_size", "one_side")
    for kind, count, example in zip(kinds, told[::2], told[1::2], strict=True):
        problems.note(kind, f"asset {example}", int(count))


def _trades(opened: "DuckDBPyConnection", files: Sequence[str], problems: Problems) -> None:
    if not files:
        return
    query = """
        SELECT count(*) FILTER (price_e6 IS NULL OR price_e6 <= 0 OR price_e6 >= 1000000),
               count(*) FILTER (shares_e6 IS NULL OR shares_e6 <= 0),
               count(*) FILTER (taker_side IS NULL OR taker_side = ''), min(asset)
        FROM read_parquet(?, union_by_name = true)
    """
    outside, sizeless, sideless, example = opened.execute(query, [list(files)]).fetchone() or (0, 0, 0, "")
    problems.note("price_outside", f"a trade of {example}", int(outside))
    problems.note("no_size", f"a trade of {example}", int(sizeless))
    problems.note("no_side", f"a trade of {example}", int(sideless))


def _contents(opened: "DuckDBPyConnection", table: str, files: Sequence[str], problems: Problems) -> None:
    """One row of each market is tried: what a version wrote that told less, it wrote of all."""
    if not files:
        return
    for condition, at_us, content in rows(opened, _ONE_EACH, (list(files),)):
        try:
            if table == "markets":
                market_from(condition, at_us, content, "")
            else:
                terms_from(condition, at_us, content)
        except ValueError:
            problems.note("unreadable_market", f"{table} of {condition}")


def _at(at_us: int) -> str:
    return iso(from_microseconds(at_us))[:19]
