"""Programs without their cold start: each is a process of its own, forked from one that has loaded the modules.

A cold command spends 0.4 s on loading and a cold engine more than a second; the tests here run some five hundred
commands and a hundred programs. What a cold start itself does is tested by tests/cli/test_cold_start.py, by the
launcher, which starts all of its programs so, and by every process that is handed descriptors.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polyb0t.cli
from polyb0t.core.clock import SystemClock
from polyb0t.venue.tls import trust

NOT_USED_HERE = ("model", "backtest")  # beginnings of names: never asked for
PROGRAMS = (
    "polyb0t.api.serving",
    "polyb0t.runtime.claims_service",
    "polyb0t.runtime.service",
    "polyb0t.sandbox.server",
)
LONGEST_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str


class Started:
    """A program that was forked, with what `subprocess.Popen` has of it."""

    def __init__(self, warm: "Warm", pid: int) -> None:
        self._warm, self.pid = warm, pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._warm.code_of(self.pid, within=0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code; negative: the signal that ended it.

        Raises:
            subprocess.TimeoutExpired: it still runs.
        """
        if self.returncode is None:
            self.returncode = self._warm.code_of(self.pid, within=timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Warm:
    """The parent of the programs. It takes one request at a time, and tells of each program that has ended."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.out, self.err = (Path(self._folder.name) / name for name in ("out", "err"))
        self._ended: dict[int, int] = {}
        told, tells = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.warm", str(tells)],
            cwd=Path(__file__).parents[2],
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # a process with threads should not fork
            stdin=subprocess.PIPE,
            pass_fds=(tells,),
            start_new_session=True,
        )
        os.close(tells)
        self._told = os.fdopen(told, "rb", buffering=0)  # so that `select` sees what is not read yet
        atexit.register(self.close)

    def run(self, arguments: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> Ended:
        """What `polyb0t ...` did."""
        pid = self._ask(arguments, cwd, environment, self.out, self.err, apart=False)
        code = self.code_of(pid, within=LONGEST_SECONDS)
        if code is None:
            self.close()
            raise AssertionError(f"{arguments} was not over after {LONGEST_SECONDS} s")
        return Ended(code, self.out.read_text(), self.err.read_text())

    def start(
        self, arguments: Sequence[str], *, cwd: Path, environment: Mapping[str, str], out: Path
    ) -> Started:
        """`polyb0t ...` in a session of its own, which goes on writing to `out`."""
        out.touch()  # there before its first word
        return Started(self, self._ask(arguments, cwd, environment, out, out, apart=True))

    def code_of(self, pid: int, *, within: float | None) -> int | None:
        """The exit code of a program; nothing if it still runs after `within` seconds."""
        clock = SystemClock()
        end = None if within is None else clock.boot_seconds() + within
        while pid not in self._ended:
            left = None if end is None else max(end - clock.boot_seconds(), 0)
            if not select.select([self._told], [], [], left)[0]:
                return None
            self._hear()
        return self._ended[pid]

    def close(self) -> None:
        atexit.unregister(self.close)
        warm.cache_clear()
        os.killpg(self._process.pid, signal.SIGKILL)  # with a command that hangs
        self._process.communicate()
        self._told.close()
        self._folder.cleanup()

    def _ask(
        self,
        arguments: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
        out: Path,
        err: Path,
        *,
        apart: bool,
    ) -> int:
        """The process that does it. `apart`: in a session of its own, and its output is added to."""
        asked = {
            "arguments": arguments,
            "cwd": str(cwd),
            "environment": dict(environment),
            "out": str(out),
            "err": str(err),
            "apart": apart,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        self._process.stdin.flush()
        while (pid := self._hear()) is None:
            pass
        return pid

    def _hear(self) -> int | None:
        """One line: of a program that ended, which is kept, or of one that began."""
        pid, _, code = self._told.readline().partition(b" ")
        assert pid, "the parent of the programs is gone"
        if not code.strip():
            return int(pid)
        self._ended[int(pid)] = int(code)
        return None


@cache
def warm() -> Warm:
    return Warm()


def serve(tells: int) -> None:
    """Fork a child for each line of standard input, and tell of it, and how it ended."""
    for module in pkgutil.iter_modules(polyb0t.cli.__path__):
        if not module.name.startswith(NOT_USED_HERE):
            importlib.import_module(f"polyb0t.cli.{module.name}")
    for program in PROGRAMS:
        importlib.import_module(program)
    trust()  # the certificates, which take longer to read than most commands last
    gc.collect()
    gc.freeze()
    ends, awake = os.pipe()  # written to whenever a child ends
    os.set_blocking(awake, False)
    signal.set_wakeup_fd(awake)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    while True:
        ready, _, _ = select.select([0, ends], [], [])
        if ends in ready:
            os.read(ends, 4096)
            _reap(tells)
        if 0 in ready:
            asked = sys.stdin.buffer.readline()  # the next one is not written before the answer to this one
            if not asked:
                return
            _fork(json.loads(asked), tells)


def _reap(tells: int) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        os.write(tells, f"{pid} {os.waitstatus_to_exitcode(status)}\n".encode())


def _fork(asked: dict[str, Any], tells: int) -> None:
    child = os.fork()
    if child == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(tells)
        _be(asked)
    os.write(tells, f"{child}\n".encode())


def _be(asked: dict[str, Any]) -> None:
    """What `python -m polyb0t ...` is, from here on and with this environment; it exits."""
    kept = os.O_APPEND if asked["apart"] else os.O_TRUNC
    for path, descriptor in ((os.devnull, 0), (asked["out"], 1), (asked["err"], 2)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | kept)
        os.dup2(opened, descriptor)
        os.close(opened)
    if asked["apart"]:
        os.setsid()
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    tempfile.tempdir = None  # its own: asked for anew
    sys.argv = ["polyb0t", *asked["arguments"]]
    from polyb0t.cli.main import main

    main()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
