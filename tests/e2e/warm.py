"""Commands without their cold start: each is a process of its own, forked from one that has loaded the modules.

A cold `polyb0t` spends 0.4 s on loading; the tests here run some five hundred of them. What a cold start
itself does is tested by tests/cli/test_cold_start.py and by every process that `Household.spawn` starts.
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

NOT_USED_HERE = (
    "api",
    "run",
    "sandbox",
    "model",
    "backtest",
)  # beginnings of names: heavy, or never asked for
LONGEST_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str


class Warm:
    """The parent of the commands. One at a time."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.out, self.err = (Path(self._folder.name) / name for name in ("out", "err"))
        answers, told = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.warm", str(told), str(self.out), str(self.err)],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            pass_fds=(told,),
            start_new_session=True,
        )
        os.close(told)
        self._answers = os.fdopen(answers)
        atexit.register(self.close)

    def run(self, arguments: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> Ended:
        """What `polyb0t ...` did."""
        assert self._process.stdin is not None
        asked = {"arguments": arguments, "cwd": str(cwd), "environment": dict(environment)}
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        self._process.stdin.flush()
        if not select.select([self._answers], [], [], LONGEST_SECONDS)[0]:
            self.close()
            raise AssertionError(f"{arguments} was not over after {LONGEST_SECONDS} s")
        code = int(self._answers.readline())
        return Ended(code, self.out.read_text(), self.err.read_text())

    def close(self) -> None:
        atexit.unregister(self.close)
        warm.cache_clear()
        os.killpg(self._process.pid, signal.SIGKILL)  # with a command that hangs
        self._process.communicate()
        self._answers.close()
        self._folder.cleanup()


@cache
def warm() -> Warm:
    return Warm()


def serve(answers: int, out: str, err: str) -> None:
    """Fork a child for each line of standard input, and tell how it ended."""
    for module in pkgutil.iter_modules(polyb0t.cli.__path__):
        if not module.name.startswith(NOT_USED_HERE):
            importlib.import_module(f"polyb0t.cli.{module.name}")
    gc.freeze()
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            os.close(answers)
            _be(asked, out, err)
        _, status = os.waitpid(child, 0)
        os.write(answers, f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _be(asked: dict[str, Any], out: str, err: str) -> None:
    """What `python -m polyb0t ...` is, from here on and with this environment; it exits."""
    for path, descriptor in ((os.devnull, 0), (out, 1), (err, 2)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    sys.argv = ["polyb0t", *asked["arguments"]]
    from polyb0t.cli.main import main

    main()


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2], sys.argv[3])
