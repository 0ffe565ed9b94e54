"""Small files of history, made where they are needed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from polyb0t.core.clock import microseconds
from polyb0t.research.replay.events import Event
from polyb0t.research.replay.tape import Tape

Kind = TypeVar("Kind")
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def at(hours: float = 0, day: datetime = MONDAY) -> datetime:
    return day + timedelta(hours=hours)


def us(hours: float = 0) -> int:
    return microseconds(at(hours))


def parquet(path: Path, types: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> Path:
    """A Parquet file with these columns in this order of rows."""
    columns = ", ".join(f'"{name}" {kind}' for name, kind in types.items())
    values = [list(row) for row in rows]
    with duckdb.connect(config={"threads": 1}) as database:
        database.execute(f"CREATE TABLE told ({columns})")
        if values:
            one = f"({', '.join('?' for _ in types)})"
            every = ", ".join(one for _ in values)
            database.execute(f"INSERT INTO told VALUES {every}", [each for row in values for each in row])
        database.execute(f"COPY told TO '{path}' (FORMAT parquet)")
    return path


def everything(tape: Tape) -> list[Event]:
    """All events of a tape, in its own order."""
    return list(tape.events(tape.about.starts, tape.about.ends))


def of(events: Iterable[Event], kind: type[Kind]) -> list[Kind]:
    return [event for event in events if isinstance(event, kind)]
