"""How files of history are opened: with little memory, refused with what was expected of them."""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from polyb0t.core.errors import ConfigurationError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_ROWS: Final = 5_000  # read at a time
_MEBIBYTE: Final = 1 << 20


@contextmanager
def database() -> "Iterator[DuckDBPyConnection]":
    """A database in memory that puts aside on the disk what does not fit into 256 MB."""
    import duckdb  # noqa: PLC0415 - slow to load, and needed for files of history alone

    limits: dict[str, str | bool | int | float | list[str]] = {
        "threads": 1,
        "memory_limit": "256MB",
        "temp_directory": tempfile.gettempdir(),
    }
    with duckdb.connect(config=limits) as opened:
        opened.execute("SET TimeZone = 'UTC'")
        yield opened


def rows(opened: "DuckDBPyConnection", query: str, given: Sequence[object]) -> Iterator[tuple[Any, ...]]:
    """The rows of a query, a few thousand at a time."""
    answer = opened.execute(query, list(given))
    while some := answer.fetchmany(_ROWS):
        yield from some


def source_of(path: Path) -> str:
    """The SQL that reads a file, by its ending. The path itself is given as a parameter.

    Raises:
        ValueError: no file of rows.
    """
    ending = "".join(path.suffixes[-2:]).removesuffix(".gz").lower()
    if ending.endswith(".parquet"):
        return "read_parquet(?, file_row_number = true)"
    if ending.endswith(".csv"):
        return "read_csv(?, header = true)"
    if ending.endswith((".jsonl", ".ndjson")):
        return "read_json(?, format = 'newline_delimited')"
    raise ValueError("its name ends neither in .parquet, .csv nor .jsonl")


def columns_of(path: Path) -> Mapping[str, str]:
    """Column -> SQL type; empty for what is no file of rows at all."""
    import duckdb  # noqa: PLC0415 - as above

    try:
        with database() as opened:
            told = opened.execute(f"DESCRIBE SELECT * FROM {source_of(path)}", [str(path)]).fetchall()  # noqa: S608
    except (duckdb.Error, OSError, ValueError):
        return {}
    return {str(name): str(kind) for name, kind, *_ in told if name != "file_row_number"}


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
        return (
            f"CAST(CASE WHEN abs({quoted}) < 100000000000 THEN {quoted} * 1000000 "
            f"WHEN abs({quoted}) < 100000000000000 THEN {quoted} * 1000 ELSE {quoted} END AS BIGINT)"
        )
    if kind.startswith("TIMESTAMP") or kind == "DATE":
        if not zone:
            raise ValueError(f"its times in {column} have no time zone")
        return f"epoch_us(timezone('{_zone(zone)}', CAST({quoted} AS TIMESTAMP)))"
    raise ValueError(f"{column} is no time but {kind.lower()}")


def _zone(zone: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 - reads a data base of zones

    try:
        return ZoneInfo(zone).key
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"there is no time zone {zone!r:.40}") from error
