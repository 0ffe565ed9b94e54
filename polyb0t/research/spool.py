"""Where recorded rows lie until they become Parquet: lines of JSON in segments of a day and an hour.

A line is in the hands of the operating system as soon as it is written and on the disk within half a
minute, so that a crash of the process loses what was not yet handed over and a crash of the machine
that half minute. A torn last line is left out when the segment is converted.
"""

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

import msgspec

from polyb0t.core.clock import microseconds
from polyb0t.research.rows import Row

SEGMENT_SECONDS: Final = 3_600
SYNC_SECONDS: Final = 30.0
SUFFIX: Final = ".jsonl"
_ENCODER: Final = msgspec.json.Encoder()


class Segment:
    """One open file of one table. Its name says table, day, when it began, and whose it is."""

    def __init__(self, folder: Path, table: str, now: datetime) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.day = now.astimezone(UTC).date()
        self.began = now
        self.path = folder / f"{table}-{self.day:%Y-%m-%d}-{microseconds(now)}-{os.getpid()}{SUFFIX}"
        self._file = self.path.open("ab", buffering=0)
        self._unsynced = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, rows: Iterable[Row]) -> None:
        """Raises OSError: the disk is full or gone; part of the last line may have been written."""
        self._file.write(b"".join(_ENCODER.encode(row) + b"\n" for row in rows))
        self._unsynced = True

    def sync(self) -> None:
        if self._unsynced:
            os.fsync(self._file.fileno())
            self._unsynced = False

    def close(self) -> None:
        try:
            self.sync()
        finally:
            self._file.close()

    def is_over(self, now: datetime) -> bool:
        """Its hour or its UTC day has ended."""
        aged = (now - self.began).total_seconds() >= SEGMENT_SECONDS
        return aged or now.astimezone(UTC).date() != self.day


class Spool:
    """The open segments of every table. Used by one thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, Segment] = {}

    def write(self, batches: Mapping[str, Iterable[Row]], now: datetime) -> bool:
        """Append; whether a segment was closed, so that there is something to convert."""
        closed = self.close_over(now)
        for table, rows in batches.items():
            if table not in self._open:
                self._open[table] = Segment(self._folder, table, now)
            self._open[table].write(rows)
        return closed

    def close_over(self, now: datetime) -> bool:
        over = [table for table, segment in self._open.items() if segment.is_over(now)]
        for table in over:
            self._open.pop(table).close()
        return bool(over)

    def sync(self) -> None:
        for segment in self._open.values():
            segment.sync()

    def close(self) -> None:
        while self._open:
            self._open.popitem()[1].close()

    def open_names(self) -> list[str]:
        """Segments that are being written: not to be converted."""
        return [segment.path.name for segment in self._open.values()]
