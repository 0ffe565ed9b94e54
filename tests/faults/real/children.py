"""Real processes, cheaply: whoever imported the program once forks, and the child calls its usual entry point.

A child has its own pid, session, environment, folder and output; it ends like a program does, and it can be
killed and stopped like one. Nothing of the parent's is open in it but what this module hands over.
"""

import ctypes
import gc
import importlib
import os
import pkgutil
import random
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polyb0t
from polyb0t.core.clock import SystemClock
from polyb0t.venue.one_shot import OneShot

CRASHED: Final = 70  # the exit code of a child that ended with a traceback
_DIE_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG
# What the program imports when it needs it: every process of every history does.
_LATE: Final = ("apscheduler.triggers.interval", "encodings.idna", "uvicorn.lifespan.on", "typer._adapters")
_LEFT_OUT: Final = ("polyb0t.__main__", "polyb0t.db.migrations.", "polyb0t.research.")


def import_everything() -> None:
    """Once, before the first child."""
    for module in pkgutil.walk_packages(polyb0t.__path__, "polyb0t."):
        if not module.name.startswith(_LEFT_OUT):
            importlib.import_module(module.name)
    for late in _LATE:
        importlib.import_module(late)
    OneShot(SystemClock()).close()  # what it imports, and the authorities that it reads
    gc.collect()
    gc.freeze()  # pages that the collector does not write to stay shared


@dataclass
class Child:
    """A process that we started."""

    name: str
    pid: int
    out: Path
    code: int | None = None  # its exit code; negative: the signal that ended it
    stopped: bool = False

    def look(self) -> "Child":
        """Ask the system how it is."""
        while self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
            if pid == 0:
                break
            if os.WIFSTOPPED(status):
                self.stopped = True
            elif os.WIFCONTINUED(status):
                self.stopped = False
            else:
                self.code = os.waitstatus_to_exitcode(status)
        return self

    @property
    def running(self) -> bool:
        return self.look().code is None

    def signal(self, number: int) -> None:
        if self.running:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """kill -9, and the end of it."""
        self.signal(signal.SIGKILL)
        if self.code is None:
            _, status = os.waitpid(self.pid, 0)
            self.code = os.waitstatus_to_exitcode(status)

    def go_on(self) -> None:
        self.signal(signal.SIGCONT)
        self.stopped = False

    @property
    def output(self) -> str:
        return self.out.read_text(errors="replace")


def fork(
    name: str, run: Callable[[], object], *, folder: Path, environment: Mapping[str, str], out: Path
) -> Child:
    """A child that does `run` and ends with the code that it exits with."""
    sys.stdout.flush()
    sys.stderr.flush()
    out.touch()
    pid = os.fork()
    if pid:
        return Child(name, pid, out)
    _live(run, folder, environment, out)
    raise AssertionError("unreachable")


def program(*arguments: str) -> Callable[[], object]:
    """`polyb0t` with these arguments."""

    def run() -> None:
        from polyb0t.cli.main import main

        sys.argv = ["polyb0t", *arguments]
        main()

    return run


def _live(run: Callable[[], object], folder: Path, environment: Mapping[str, str], out: Path) -> None:
    code = CRASHED
    try:
        _begin(folder, environment, out)
        run()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - the child's outermost line
        traceback.print_exc()
    finally:
        try:
            threading._shutdown()  # type: ignore[attr-defined]  # wait for threads as a program's end does
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


def _begin(folder: Path, environment: Mapping[str, str], out: Path) -> None:
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    os.chdir(folder)
    nothing = os.open(os.devnull, os.O_RDONLY)
    written = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, target in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(source, target)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # its own: asked for anew
    random.seed()
