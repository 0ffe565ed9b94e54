"""One thread tails the journal for everybody who listens in this process.

The journal has no gaps and its numbers are given in the order of commits, so whoever knows the last
number that it saw can be told everything behind it, here or by another process. What was written lately
is kept in memory, spelled out once for all listeners; whoever is further behind reads the database.
"""

import asyncio
import json
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import Final

import structlog

from polyb0t.execution.store import EngineStore, JournalEntry
from polyb0t.runtime.views import entry_view

POLL_SECONDS: Final = 0.2
KEPT: Final = 2_000  # entries in memory: about a megabyte, minutes of a busy day
AT_ONCE: Final = 500  # entries of one read
_RUNG_AT_ONCE: Final = 10  # listeners
_PAUSE_SECONDS: Final = 0.005

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Told:
    """A journal entry as it goes over the wire."""

    sequence: int
    kind: str
    subject: str
    wire: bytes


def told(entry: JournalEntry) -> Told:
    """One event: its id is the journal's number. JSON has no line breaks, so its data is one line."""
    data = json.dumps(entry_view(entry), separators=(",", ":"))
    return Told(entry.sequence, entry.kind, entry.subject, f"id: {entry.sequence}\ndata: {data}\n\n".encode())


class JournalFeed:
    """What is behind a number, and a bell for who waits for more."""

    def __init__(self, engine: EngineStore, *, poll_seconds: float = POLL_SECONDS, kept: int = KEPT) -> None:
        self._engine = engine
        self._poll_seconds = poll_seconds
        self._lock = threading.Lock()  # over all that follows
        self._kept: deque[Told] = deque(maxlen=kept)
        self._floor: int | None = None  # everything behind this number is kept, up to `_seen`
        self._seen = 0
        self._bells: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    @property
    def closed(self) -> bool:
        return self._closed.is_set()

    @property
    def listeners(self) -> int:
        return len(self._bells)

    def newest(self) -> int:
        """The number of the newest entry, asked of the database."""
        return self._engine.last_sequence()

    def read(self, after: int) -> Sequence[Told]:
        """What the database has behind `after`: the oldest first, and not everything at once."""
        return [told(entry) for entry in self._engine.journal(after=after, limit=AT_ONCE)]

    def kept(self, after: int) -> Sequence[Told] | None:
        """What is behind `after` as far as this feed has come; None: that is further back than it keeps.
        Before it has begun that is nothing: it rings when it has, and hundreds who come at once after a
        restart then need no look at the database each."""
        with self._lock:
            if self._floor is None:
                return ()
            if after < self._floor:
                return None
            before = min(after - self._floor, len(self._kept))  # numbers have no gap: so many are known
            return tuple(islice(self._kept, before, before + AT_ONCE))

    @contextmanager
    def listening(self) -> Iterator[asyncio.Event]:
        """A bell of this event loop that rings when there is more, and when the feed closes."""
        bell = asyncio.Event()
        with self._lock:
            self._bells[bell] = asyncio.get_running_loop()
            if self._thread is None:
                self._thread = threading.Thread(target=self._tail, name="journal-feed", daemon=True)
                self._thread.start()
        try:
            yield bell
        finally:
            with self._lock:
                del self._bells[bell]

    def close(self) -> None:
        """End: every listener is woken and finds the feed closed."""
        self._closed.set()
        self._ring()
        if self._thread is not None:
            self._thread.join(5)

    def _tail(self) -> None:
        failing = False
        while not self._closed.wait(self._poll_seconds):
            try:
                self._look()
            except Exception:  # listeners are told once it answers again; nothing is left out
                if not failing:
                    log.exception("events.interrupted")
                failing = True
            else:
                failing = False

    def _look(self) -> None:
        """Fetch what is new. While nobody listens nothing is fetched, and nothing kept is believed in."""
        if not self._bells:
            self._begin_at(None)
        elif self._floor is None:
            self._begin_at(self.newest())
            self._ring()  # who came while nothing was kept looks again
        else:
            while more := self.read(self._seen):
                self._keep(more)
                self._ring()

    def _begin_at(self, number: int | None) -> None:
        with self._lock:
            self._kept.clear()
            self._floor, self._seen = number, number or 0

    def _keep(self, more: Sequence[Told]) -> None:
        with self._lock:
            self._kept.extend(more)
            self._floor, self._seen = self._kept[0].sequence - 1, more[-1].sequence

    def _ring(self) -> None:
        with self._lock:
            waiting = list(self._bells.items())
        for loop in {loop for _, loop in waiting}:
            bells = [bell for bell, of in waiting if of is loop]
            with suppress(RuntimeError):  # that loop has ended, and its listeners with it
                loop.call_soon_threadsafe(_ring_some, loop, bells)


def _ring_some(loop: asyncio.AbstractEventLoop, bells: Sequence[asyncio.Event]) -> None:
    """A few at a time and with pauses: a decision works in a thread, which gets no turn while this loop has
    something to say to hundreds of listeners."""
    for bell in bells[:_RUNG_AT_ONCE]:
        bell.set()
    if len(bells) > _RUNG_AT_ONCE:
        loop.call_later(_PAUSE_SECONDS, _ring_some, loop, bells[_RUNG_AT_ONCE:])
