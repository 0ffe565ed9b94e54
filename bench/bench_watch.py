"""The live screen: how soon it stands there, and what it costs while it does."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import psutil

from bench.figures import Section, median
from bench.worlds import home_with_sandbox, pause
from tests.e2e.household import Household

RUNS = 7
MARKETS = 80
WATCHED_SECONDS = 20.0
OPENS_SECONDS = 0.5
SHARE_PERCENT = 2.0  # of one core
BIN = Path(sys.executable).parent
_THERE = b"? help"
_ALIVE = b"polyb0t\x07"  # the title, which the library sets once it runs
_ROWS, _COLUMNS = 30, 100


def measure() -> Section:
    section = Section(f"The live screen, {MARKETS} markets, real terminal of {_COLUMNS} x {_ROWS}")
    with home_with_sandbox(MARKETS) as home:
        home.start_engine(practice=False, POLYBOT_LOOP_INTERVAL_SECONDS="10")
        home.start_api()
        pause(15)  # so that something waits
        opens, alive, costs = [], [], []
        for _ in range(RUNS):
            screen = Screen(home, "intents", "watch", "--quiet")
            opens.append(screen.until(_THERE))
            costs.append(screen.cpu())
            alive.append(screen.until(_ALIVE))
            screen.close()
        section.add("intents watch: first screen, wall", median(opens), "s", target=OPENS_SECONDS)
        section.add("  its CPU until then", median(costs), "s")
        section.add("  keys are alive, wall", median(alive), "s")
        url = f"http://127.0.0.1:{home.environment['POLYBOT_API_PORT']}"
        for name, arguments in (
            ("intents watch", ("intents", "watch", "--quiet")),
            ("intents watch --url", ("intents", "watch", "--quiet", "--url", url)),
            ("status --watch", ("status", "--watch")),
        ):
            section.add(f"{name}: share of a core", _share(home, *arguments), "%", target=SHARE_PERCENT)
    section.notes.append("four looks a second (status: one), proposals waiting, books moving beside them")
    return section


def _share(home: Household, *arguments: str) -> float:
    screen = Screen(home, *arguments)
    screen.watch(4)
    before, began = screen.cpu(), time.perf_counter()
    screen.watch(WATCHED_SECONDS)
    used, took = screen.cpu() - before, time.perf_counter() - began
    screen.close()
    return used / took * 100


class Screen:
    """One command in a terminal of its own, whose output is read as a terminal would."""

    def __init__(self, home: Household, *arguments: str) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
        self._began = time.perf_counter()
        self._process = subprocess.Popen(
            [str(BIN / "polyb0t"), *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=home.folder,
            env={**home.environment, "TERM": "xterm-256color"},
        )
        os.close(slave)
        self._read = b""

    def until(self, text: bytes) -> float:
        """Seconds from the start until it stood there."""
        while text not in self._read:
            assert time.perf_counter() - self._began < 60, self._read[-2_000:]
            self.watch(0.02, until_read=True)
        return time.perf_counter() - self._began

    def watch(self, seconds: float, *, until_read: bool = False) -> None:
        end = time.perf_counter() + seconds
        while (rest := end - time.perf_counter()) > 0:
            if select.select([self._master], [], [], rest)[0]:
                try:
                    self._read = (self._read + os.read(self._master, 65_536))[-200_000:]
                except OSError:  # the program has ended, and its end of the terminal with it
                    return
                if until_read:
                    return

    def cpu(self) -> float:
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)

    def close(self) -> None:
        os.write(self._master, b"q")
        while self._process.poll() is None:
            self.watch(0.05)
        os.close(self._master)
