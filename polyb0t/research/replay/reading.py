"""How files of history are opened: with little memory, refused with what was expected of them."""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from polyb0t.core.errors import ConfigurationError
from polyb0t.research.quiet_duckdb import in_memory

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_ROWS: Final = 5_000  # read at a time
_MEBIBYTE: Final = 1 << 20


@contextmanager
def database() -> "Iterator[DuckDBPyConnection]":
    """A database in memory that puts aside on the disk what does not fit into 256 MB."""
    with in_memory(memory_limit="256MB", temp_directory=tempfile.gettempdir()) as opened:
        opened.execute("SET TimeZone = 'UTC'")
        yield opened


def rows(opened: "DuckDBPyConnection", query: str, given: Sequence[object]) -> Iterator[tuple[Any, ...]]:
    """The rows of a query, a few thousand at a time."""
    answer = opened.execute(query, list(given))
    while some := answer.fetchmany(_ROWS):
        yield from some


def source_of(path: Path, columns: Sequence[str] = ()) -> str:
    """The SQL that reads a file, by its ending. The path itself is given as a parameter. Values that are
    written out (CSV, and JSON when its `columns` are given) stay text, so that a zone is not lost.

    Raises:
        ValueError: no file of rows.
    """
    ending = path.name.lower().removesuffix(".gz")
    if ending.endswith(".parquet"):
        return "read_parquet(?)"
    if ending.endswith(".csv"):
        return "read_csv(?, header = true, all_varchar = true)"
    if ending.endswith((".jsonl", ".ndjson")):
        told = f"columns = {{{', '.join(_texts(columns))}}}" if columns else "sample_size = -1"
        return f"read_json(?, format = 'newline_delimited', {told})"
    raise ValueError("its name ends neither in .parquet, .csv nor .jsonl")


def _texts(columns: Sequence[str]) -> list[str]:
    return ["'" + name.replace("'", "''") + "': 'VARCHAR'" for name in columns]


def columns_of(path: Path) -> Mapping[str, str]:
    """Column -> SQL type; empty for what is no file of rows at all."""
    try:
        now = path.stat()
    except OSError:
        return {}
    return _columns(path, now.st_mtime_ns, now.st_size)


@lru_cache(maxsize=64)
def _columns(path: Path, _changed_ns: int, _size: int) -> Mapping[str, str]:
    """Asked several times while a file is recognised; opening a database takes longer than reading this."""
    import duckdb  # noqa: PLC0415 - as above

    try:
        with database() as opened:
            told = opened.execute(f"DESCRIBE SELECT * FROM {source_of(path)}", [str(path)]).fetchall()  # noqa: S608
    except (duckdb.Error, OSError, ValueError):
        return {}
    written = not path.name.lower().endswith(".parquet")
    return {str(name): "VARCHAR" if written else str(kind) for name, kind, *_ in told}


def parquet(files: Sequence[str]) -> str:
    """The SQL that reads these Parquet files; columns that one of them does not have are NULL."""
    return f"read_parquet({listed(files)}, union_by_name = true)"


def listed(files: Sequence[str]) -> str:
    """File names as an SQL list."""
    return "[" + ", ".join("'" + name.replace("'", "''") + "'" for name in files) + "]"


def source_text(path: Path, columns: Sequence[str]) -> str:
    """The SQL that reads a file, with its name in it."""
    name = "'" + str(path).replace("'", "''") + "'"
    return source_of(path, columns).replace("(?", f"({name}", 1)


def hash_of(paths: Sequence[Path]) -> str:
    """SHA-256 over the files, one after another."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while some := file.read(_MEBIBYTE):
                digest.update(some)
    return digest.hexdigest()


def refused(name: str, why: str, do: str) -> ConfigurationError:
    """The error of a file that is not used."""
    return ConfigurationError(f"{name} was not used.", why=why, do=do, code="history_file")


def has_zone(kind: str) -> bool:
    """Whether values of this SQL type say their time zone."""
    return "TIME ZONE" in kind


def instant_sql(column: str, kind: str, zone: str) -> str:
    """SQL for microseconds since 1970 of a column of times.

    Whole numbers count seconds, milliseconds or microseconds since 1970; which, their size tells. A text
    or a time without a zone is taken in `zone`.

    Raises:
        ValueError: it has no zone and none was given, or it is no time.
    """
    quoted = f'"{column}"'
    if has_zone(kind):
        return f"epoch_us({quoted})"
    if kind in {"BIGINT", "INTEGER", "UBIGINT", "HUGEINT", "DOUBLE"}:
        return _counted(quoted)
    if kind == "VARCHAR":
        plain = f"TRY_CAST({quoted} AS TIMESTAMP)"
        naive = f"epoch_us(timezone('{_zone(zone)}', {plain}))" if zone else "NULL"
        return (
            f"CASE WHEN {_is_number(quoted)} THEN {_counted(f'CAST({quoted} AS DOUBLE)')} "
            f"WHEN {_is_zoned(quoted)} THEN epoch_us(TRY_CAST({quoted} AS TIMESTAMPTZ)) ELSE {naive} END"
        )
    if kind.startswith("TIMESTAMP") or kind == "DATE":
        if not zone:
            raise ValueError(f"its times in {column} have no time zone")
        return f"epoch_us(timezone('{_zone(zone)}', CAST({quoted} AS TIMESTAMP)))"
    raise ValueError(f"{column} is no time but {kind.lower()}")


def naive_sql(column: str) -> str:
    """SQL for whether a text is a time that does not say its zone."""
    quoted = f'"{column}"'
    told = f"{_is_zoned(quoted)} OR {_is_number(quoted)}"
    return f"(TRY_CAST({quoted} AS TIMESTAMP) IS NOT NULL AND NOT ({told}))"


def _counted(number: str) -> str:
    return (
        f"CAST(CASE WHEN abs({number}) < 100000000000 THEN {number} * 1000000 "
        f"WHEN abs({number}) < 100000000000000 THEN {number} * 1000 ELSE {number} END AS BIGINT)"
    )


def _is_number(quoted: str) -> str:
    return f"regexp_full_match({quoted}, '[0-9]+([.][0-9]+)?')"


def _is_zoned(quoted: str) -> str:
    return f"regexp_matches({quoted}, '[0-9].*:.*(Z|z|[+-][0-9][0-9](:?[0-9][0-9])?)$')"


def _zone(zone: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 - reads a data base of zones

    try:
        return ZoneInfo(zone).key
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"there is no time zone {zone!r:.40}") from error
