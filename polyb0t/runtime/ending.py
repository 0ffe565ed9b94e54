"""The end of a run has a budget: what hangs is left behind and looked up at the next start."""

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NoReturn

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import PolybotError

log = structlog.get_logger()

_LOOK_SECONDS: Final = 0.05

Step = tuple[str, Callable[[], object]]


class Ending:
    """Steps of an end, each in a thread of its own, waited for until the budget is used up."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: float | None = None
        self.left_behind: list[str] = []

    def within(self, seconds: float) -> None:
        """Be done in so many seconds from now; of several such words the earliest counts."""
        until = self._clock.boot_seconds() + seconds
        self._until = until if self._until is None else min(self._until, until)

    def run(self, *steps: Step, keep: float = 0.0) -> None:
        """Take the steps side by side; stop waiting when only `keep` seconds are left.

        A step that fails is logged, never raised: the steps after it matter as much.
        """
        begun = [(name, beside(name, action)) for name, action in steps]
        while any(thread.is_alive() for _, thread in begun) and self._left() > keep:
            next(thread for _, thread in begun if thread.is_alive()).join(_LOOK_SECONDS)
        for name, thread in begun:
            if thread.is_alive():
                log.warning("stop.left_behind", step=name)
                self.left_behind.append(name)

    def _left(self) -> float:
        return float("inf") if self._until is None else self._until - self._clock.boot_seconds()


def leave(code: int) -> NoReturn:
    """End this process although threads of it hang; like a kill, after everything was said."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def beside(name: str, action: Callable[[], object]) -> threading.Thread:
    """A started thread that nobody has to wait for, also not the interpreter; its failure is logged."""
    thread = threading.Thread(target=_guarded, args=(name, action), name=name, daemon=True)
    thread.start()
    return thread


def _guarded(name: str, action: Callable[[], object]) -> None:
    try:
        action()
    except PolybotError as error:
        log.warning("step.failed", step=name, reason=str(error))
    except Exception:
        log.exception("step.crashed", step=name)  # the other steps matter as much
