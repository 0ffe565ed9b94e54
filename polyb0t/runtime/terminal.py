"""Ctrl-C for a launcher that make started: it must reach the launcher and not make.

Make would print an error of its own and end before its children. So the launcher becomes a process
group of its own and takes the terminal's foreground; the terminal then interrupts only that group.
"""

import contextlib
import os
import signal
import sys


def own_the_terminal() -> None:
    """Make this process the terminal's foreground group, if there is a terminal."""
    if not sys.stdin.isatty():
        return
    with contextlib.suppress(OSError):
        before = os.tcgetpgrp(sys.stdin.fileno())
        os.setpgid(0, 0)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # else setting the foreground from behind stops us
        os.tcsetpgrp(sys.stdin.fileno(), os.getpgrp())
        global _before  # noqa: PLW0603 - one terminal, one owner before us
        _before = before


def give_the_terminal_back() -> None:
    """Hand the foreground to who had it."""
    if _before is not None:
        with contextlib.suppress(OSError):
            os.tcsetpgrp(sys.stdin.fileno(), _before)


_before: int | None = None
