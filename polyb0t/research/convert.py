"""Closed segments to Parquet by day, and days past their time away. Run as a process of its own.

    python -m polyb0t.research.convert FOLDER --retention-days 90 --writer PID --leave SEGMENT

`books/2026-11-22/1795348800000000.parquet` holds what was seen of books in one stretch of that day. A
part is written beside its place and moved there whole, and only then is its segment removed: a crash
in between converts that segment again, to the same file.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import duckdb
import psutil

from polyb0t.research.quiet_duckdb import in_memory
from polyb0t.research.rows import TABLES
from polyb0t.research.spool import SUFFIX

_MEMORY: Final = "256MB"
_SPOOL: Final = "spool"
# Small, and needed until the markets are over: what a source is worth is learnt from it.
KEPT: Final = frozenset({"independent"})


def convert(folder: Path, *, writer: int = 0, leave: Collection[str] = ()) -> list[Path]:
    """Every closed segment; the files that were made. Open are those in `leave`, and those of another
    process than `writer` that still runs."""
    found = [path for path in sorted((folder / _SPOOL).glob(f"*{SUFFIX}")) if path.name not in leave]
    waiting = [path for path in found if not _still_written(path, writer)]
    if not waiting:
        return []
    made = []
    with in_memory(memory_limit=_MEMORY) as database:
        for segment in waiting:
            table, day, began, _ = _parts(segment)
            if table not in TABLES:
                continue
            target = folder / table / day / f"{began}.parquet"
            try:
                if _write(database, segment, table, target):
                    made.append(target)
            except duckdb.IOException:
                if segment.exists():
                    raise
                continue  # another process made Parquet of it meanwhile, as an engine that starts does
            segment.unlink(missing_ok=True)
    return made


def forget(folder: Path, *, before: date) -> list[Path]:
    """Remove whole days that are older than `before`; what was removed."""
    old = [path for path in _days(folder) if path.name < before.isoformat() and path.parent.name not in KEPT]
    for path in old:
        shutil.rmtree(path)
    return old


def read_table(folder: Path, table: str) -> "duckdb.DuckDBPyRelation":
    """Every recorded row of one table, by the time when it was seen; what lies in segments that nobody
    writes any more is converted first.

    Raises:
        FileNotFoundError: nothing of it was recorded yet.
    """
    convert(folder)
    parts = sorted(str(path) for path in (folder / table).glob("*/*.parquet"))
    if not parts:
        raise FileNotFoundError(f"no recorded {table} under {folder}")
    return in_memory(memory_limit=_MEMORY).read_parquet(parts).order("at_us")


def _write(database: "duckdb.DuckDBPyConnection", segment: Path, table: str, target: Path) -> bool:
    """Whether there was a row in it. Lines that are torn or foreign are left out."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_suffix(f".{os.getpid()}.part")
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in TABLES[table].items())
    rows = (  # names are ours and the path is quoted
        f"SELECT * FROM read_json({_quoted(segment)}, format='newline_delimited', ignore_errors=true, "  # noqa: S608
        f"maximum_object_size=16777216, columns={{{columns}}}) WHERE at_us IS NOT NULL ORDER BY at_us"
    )
    (count,) = database.execute(
        f"COPY ({rows}) TO {_quoted(beside)} (FORMAT parquet, COMPRESSION zstd)"
    ).fetchone() or (0,)
    if not count:
        beside.unlink(missing_ok=True)
        return False
    with beside.open("rb") as written:
        os.fsync(written.fileno())
    beside.replace(target)
    return True


def _parts(segment: Path) -> tuple[str, str, str, int]:
    """Table, day, beginning and writer from `books-2026-11-22-1795348800000000-4711.jsonl`."""
    table, year, month, day, began, writer = segment.name.removesuffix(SUFFIX).split("-")
    return table, f"{year}-{month}-{day}", began, int(writer)


def _still_written(segment: Path, writer: int) -> bool:
    owner = _parts(segment)[3]
    return owner != writer and psutil.pid_exists(owner)


def _days(folder: Path) -> Iterator[Path]:
    for table in TABLES:
        for path in (folder / table).glob("????-??-??"):
            if path.is_dir():
                yield path


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m polyb0t.research.convert")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--retention-days", type=int, required=True)
    parser.add_argument("--writer", type=int, default=0)
    parser.add_argument("--leave", action="append", default=[])
    given = parser.parse_args(arguments)
    convert(given.folder, writer=given.writer, leave=given.leave)
    today = datetime.now(UTC).date()  # noqa: TID251 - a process of its own, and a day is coarse
    forget(given.folder, before=today - timedelta(days=given.retention_days))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
