"""Records what the markets showed, so that it can be replayed: books, trades, terms, metadata, rules.

The cycle hands over what it has read anyway; a thread of its own writes it down. Only what changed is
written. Recording never stands in the way of trading: what can not be written is counted and logged.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Final

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.ids import AssetId
from polyb0t.data.markets import Market
from polyb0t.research.observing import Observation, SeenTrade
from polyb0t.research.rows import (
    Row,
    book_row,
    feature_row,
    market_row,
    outside_row,
    rules_row,
    seen_row,
    terms_row,
    trade_row,
)
from polyb0t.research.spool import SYNC_SECONDS, Spool

log = structlog.get_logger(__name__)

MOST_QUEUED: Final = 2_000
CLOSE_SECONDS: Final = 60.0
CONVERTING_SECONDS: Final = 30.0
BEAT: Final = timedelta(minutes=1)  # a row of `seen` at least so often
LOOKED_AT: Final = timedelta(minutes=1)  # a book older than that was not looked at
SILENCE: Final = timedelta(minutes=5)  # without a look for so long, all books are written anew
WRITE_SECONDS: Final = 5.0  # trades that came one by one are written together


class Recorder:
    """`observe` and `traded` only queue. Files of one day lie together under `folder`."""

    def __init__(self, folder: Path, clock: Clock, *, retention_days: int) -> None:
        self._folder = folder
        self._clock = clock
        self._retention_days = retention_days
        self._queue: Queue[Observation | SeenTrade | None] = Queue(MOST_QUEUED)
        self._spool = Spool(folder / "spool")
        self._changes = Changes()
        self._dropped = 0
        self._synced = clock.boot_seconds()
        self._converter: subprocess.Popen[bytes] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    @property
    def dropped(self) -> int:
        """Observations that were not written since the start."""
        return self._dropped

    def start(self) -> None:
        """Also converts what an earlier run left behind."""
        if self._folder.exists():
            self._convert()
        self._thread.start()

    def close(self) -> None:
        """Write what is queued."""
        self._stop.set()
        with suppress(Full):
            self._queue.put_nowait(None)  # whoever waits for something to write waits no longer
        if self._thread.ident is not None:
            self._thread.join(CLOSE_SECONDS)

    def observe(self, seen: Observation) -> None:
        self._put(seen)

    def traded(self, trade: SeenTrade) -> None:
        self._put(trade)

    def _put(self, seen: Observation | SeenTrade) -> None:
        if self._thread.ident is None:
            return  # it was not started, so nobody would ever take it
        try:
            self._queue.put_nowait(seen)
        except Full:
            self._lost("the queue is full")

    def _run(self) -> None:
        while not (self._stop.is_set() and self._queue.empty()):
            try:
                self._write(self._taken())
            except Exception as error:
                # A full disk, most likely. The thread lives on: the disk may have room again.
                log.exception("recording.failed")
                self._lost(type(error).__name__)
        self._end()

    def _end(self) -> None:
        """Everything is on the disk; it becomes Parquet when it is read, or at the next start."""
        try:
            self._spool.close()
            if self._converter is not None:
                self._converter.wait(timeout=CONVERTING_SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            log.warning("recording.not_closed", reason=str(error))

    def _taken(self) -> list[Observation | SeenTrade]:
        """What is queued, after a short wait for the first; the rest at most so many at once."""
        try:
            taken = [self._queue.get(timeout=0.2 if self._stop.is_set() else WRITE_SECONDS)]  # None: the end
        except Empty:
            return []
        while len(taken) < MOST_QUEUED:
            try:
                taken.append(self._queue.get_nowait())
            except Empty:
                break
        return [each for each in taken if each is not None]

    def _write(self, taken: list[Observation | SeenTrade]) -> None:
        batches = self._changes.of(taken)
        if self._spool.write(batches, self._clock.now()):
            self._convert()
        if self._clock.boot_seconds() - self._synced >= SYNC_SECONDS:
            self._spool.sync()
            self._synced = self._clock.boot_seconds()

    def _convert(self) -> None:
        """In a process of its own, which ends: what it needs in memory is not kept by the engine."""
        if self._converter is not None and self._converter.poll() is None:
            return
        command = [sys.executable, "-m", "polyb0t.research.convert", str(self._folder)]
        command += ["--retention-days", str(self._retention_days), "--writer", str(os.getpid())]
        command += [part for name in self._spool.open_names() for part in ("--leave", name)]
        self._converter = subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def _lost(self, why: str) -> None:
        self._dropped += 1
        if self._dropped == 1 or self._dropped % 1_000 == 0:
            log.warning("recording.dropped", count=self._dropped, why=why)


class Changes:
    """Which rows are new: whatever was written of a thing before, on the same UTC day, is not written
    again, so that each day can be read by itself."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], object] = {}
        self._day = ""
        self._standing: frozenset[AssetId] = frozenset()
        self._looked: datetime | None = None
        self._told: datetime | None = None  # the last row of `seen`

    def of(self, taken: Iterable[Observation | SeenTrade]) -> Mapping[str, list[Row]]:
        batches: dict[str, list[Row]] = {}
        for seen in taken:
            if isinstance(seen, SeenTrade):
                batches.setdefault("trades", []).append(trade_row(seen))
            else:
                self._observation(seen, batches)
        return batches

    def _observation(self, seen: Observation, batches: dict[str, list[Row]]) -> None:
        day = seen.at.astimezone(UTC).date().isoformat()
        if day != self._day or (self._looked is not None and seen.at - self._looked > SILENCE):
            self._day, self._known, self._told = day, {}, None
        self._looked = seen.at
        looked_at = [book for book in seen.books if seen.at - book.observed_at <= LOOKED_AT]
        self._seen(seen.at, frozenset(book.asset_id for book in looked_at), batches)
        for book in looked_at:
            state = hash((book.bids, book.asks, book.tick))  # of a book itself it would be megabytes
            if self._is_new("books", book.asset_id, state):
                batches.setdefault("books", []).append(book_row(book))
        for terms in seen.terms:
            if self._is_new("terms", terms.condition_id, terms_row(terms)["content"]):
                batches.setdefault("terms", []).append(terms_row(terms))
        for market in seen.markets:
            self._market(market, batches)
        for view in seen.outside:
            row = outside_row(view)
            name = f"{view.condition_id} {view.source}"
            if self._is_new("independent", name, tuple(row.values())):
                batches.setdefault("independent", []).append(row)
        if seen.features:
            batches.setdefault("features", []).extend(map(feature_row, seen.features))

    def _seen(self, at: datetime, standing: frozenset[AssetId], batches: dict[str, list[Row]]) -> None:
        """What is lost is written again when it is back, whether or not it has changed meanwhile."""
        lost = sorted(self._standing - standing)
        self._standing = standing
        for asset in lost:
            self._known.pop(("books", asset), None)
        if lost or self._told is None or at - self._told >= BEAT:
            self._told = at
            batches.setdefault("seen", []).append(seen_row(at, len(standing), lost))

    def _market(self, market: Market, batches: dict[str, list[Row]]) -> None:
        row = market_row(market)
        if self._is_new("markets", market.condition_id, row["content"]):
            batches.setdefault("markets", []).append(row)
        if self._is_new("rules", market.condition_id, market.rules_hash):
            batches.setdefault("rules", []).append(rules_row(market))

    def _is_new(self, table: str, name: str, state: object) -> bool:
        if self._known.get((table, name)) == state:
            return False
        self._known[table, name] = state
        return True
