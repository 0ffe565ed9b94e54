"""One line that tells somebody who waits how far it is; for a terminal only, and gone when it is over."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from polyb0t.cli.terminal import Terminal

APART_SECONDS: Final = 0.2
_ANEW: Final = "\r\x1b[K"


@dataclass
class ProgressLine:
    """On standard error, written anew at most five times a second."""

    terminal: Terminal
    _due: float = 0.0

    def tell(self, text: str) -> None:
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + APART_SECONDS
        self._write(self.terminal.spell(text[: self.terminal.columns - 1], self.terminal.err))

    def clear(self) -> None:
        if self._due:
            self._write("")

    def _write(self, text: str) -> None:
        self.terminal.err.write(f"{_ANEW}{text}")
        self.terminal.err.flush()


@contextmanager
def progress_line(terminal: Terminal) -> Iterator[ProgressLine | None]:
    """None where nobody would see it: a file, a pipe, a terminal that cannot write a line anew."""
    if not terminal.err.isatty() or os.environ.get("TERM") == "dumb":
        yield None
        return
    line = ProgressLine(terminal)
    try:
        yield line
    finally:
        line.clear()
