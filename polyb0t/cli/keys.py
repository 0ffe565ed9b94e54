"""Single keys from a terminal, which is always put back as it was."""

import contextlib
import os
import select
import sys
from collections.abc import Iterator
from typing import Final

from polyb0t.core.errors import UsageError

_ARROWS: Final = {b"\x1b[A": "up", b"\x1b[B": "down", b"\x1bOA": "up", b"\x1bOB": "down"}
_SCREEN_ON: Final = "\x1b[?1049h\x1b[?25l"  # the alternate screen, without a cursor
_SCREEN_OFF: Final = "\x1b[?25h\x1b[?1049l"


class Keys:
    """Reads one key at a time."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def wait(self, seconds: float) -> str | None:
        """The next key, or None when none came in time."""
        ready, _, _ = select.select([self._descriptor], [], [], seconds)
        if not ready:
            return None
        data = os.read(self._descriptor, 32)
        if not data:
            return "q"  # the terminal is gone
        if data in _ARROWS:
            return _ARROWS[data]
        return data[:1].decode("ascii", "ignore") if data[:1] != b"\x1b" else ""

    def drop(self) -> None:
        """Forget what was typed ahead."""
        import termios

        with contextlib.suppress(termios.error):
            termios.tcflush(self._descriptor, termios.TCIFLUSH)


@contextlib.contextmanager
def single_keys() -> Iterator[Keys]:
    """Keys without Enter on an alternate screen; whatever happens, the terminal is restored.

    Raises:
        UsageError: this is no terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "Not watching: this is not a terminal.",
            do="See what waits: polyb0t intents list",
            code="no_terminal",
        )
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        sys.stdout.write(_SCREEN_ON)
        yield Keys(descriptor)
    finally:
        sys.stdout.write(_SCREEN_OFF)
        sys.stdout.flush()
        termios.tcsetattr(descriptor, termios.TCSANOW, before)  # DRAIN would wait for a stopped terminal
