"""Whose turn it is to write to an SQLite file, among the processes of one machine.

SQLite lets a waiting writer ask again after a while, up to a tenth of a second, and whoever comes at the
right moment is served: of eight writers one may come last ten times over. Here they stand in a line that
the kernel keeps, and the next one is woken at once. It is a courtesy and no more: SQLite's own lock decides,
and who does not get a turn in time goes on without one.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

if sys.platform != "win32":
    import fcntl

PATIENCE_SECONDS: Final = 0.25  # somebody who holds a turn for so long was stopped in the middle of it


class Turns:
    """Used by one thread at a time. The file is never the database itself: closing that would let go of
    SQLite's own locks."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}-turn")
        self._descriptor: int | None = None
        self._lock = threading.Lock()  # of the three below
        self._waiting: threading.Thread | None = None
        self._wanted = False
        self._mine = False

    @contextmanager
    def one(self) -> Iterator[None]:
        """A turn, or none if it does not come in time."""
        mine = self._taken()
        try:
            yield
        finally:
            if mine:
                self._give_back()

    def close(self) -> None:
        """Let go of the file; a thread that still waits for it does so on its own."""
        if self._descriptor is not None and self._waiting is None:
            os.close(self._descriptor)
            self._descriptor = None

    def _taken(self) -> bool:
        if sys.platform == "win32" or not self._opened():
            return False
        if self._waiting is None and self._at_once():
            return True
        return self._in_time()

    def _opened(self) -> bool:
        if self._descriptor is None:
            with suppress(OSError):  # a folder that nobody may write to: the write itself will tell
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._descriptor is not None

    def _at_once(self) -> bool:
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _in_time(self) -> bool:
        """The kernel's line has no time limit, so a thread stands in it; it may stand there longer than
        we wait, and then the next call waits with it."""
        with self._lock:
            self._wanted = True
            if self._waiting is None:
                self._waiting = threading.Thread(target=self._stand, name="turn", daemon=True)
                self._waiting.start()
            waiting = self._waiting
        waiting.join(PATIENCE_SECONDS)
        with self._lock:
            mine, self._mine, self._wanted = self._mine, False, False
        return mine

    def _stand(self) -> None:
        with suppress(OSError):
            fcntl.flock(self._held, fcntl.LOCK_EX)
        with self._lock:
            self._waiting = None
            if self._wanted:
                self._mine = True
            else:
                self._give_back()

    def _give_back(self) -> None:
        with suppress(OSError):
            fcntl.flock(self._held, fcntl.LOCK_UN)

    @property
    def _held(self) -> int:
        assert self._descriptor is not None
        return self._descriptor
