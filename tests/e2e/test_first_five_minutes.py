"""What a newcomer has after five minutes, in the order in which it happens, over real processes."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import psutil
import pytest

from tests.e2e.household import Household, Process, eventually, household

pytestmark = pytest.mark.xdist_group("e2e")

DRY_RUN = ["-m", "polyb0t.runtime.launch"]
PRACTICE = [*DRY_RUN, "--practice"]


class Terminal:
    """A real terminal with one command in it."""

    def __init__(self, home: Household, *arguments: str, rows: int = 30, columns: int = 100) -> None:
        self._primary, secondary = pty.openpty()
        fcntl.ioctl(secondary, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "polyb0t", *arguments],
            cwd=home.folder,
            env=home.environment | {"TERM": "xterm", "LINES": str(rows), "COLUMNS": str(columns)},
            stdin=secondary,
            stdout=secondary,
            stderr=secondary,
            start_new_session=True,
        )
        os.close(secondary)
        self.text = ""

    def read_until(self, pattern: str, within: float = 20) -> "re.Match[str]":
        """What matches in everything that was printed so far."""

        def look() -> "re.Match[str] | None":
            if select.select([self._primary], [], [], 0)[0]:
                with suppress(OSError):  # the other end is closed
                    self.text += os.read(self._primary, 65_536).decode(errors="replace")
            return re.search(pattern, self.text)

        return eventually(look, within=within, what=f"{pattern!r} in {self.text[-2000:]!r}")

    def type(self, keys: str) -> None:
        os.write(self._primary, keys.encode())

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)
        os.close(self._primary)


@pytest.fixture
def home(tmp_path: Path):
    with household(tmp_path) as running:
        yield running


def start(home: Household, name: str, arguments: list[str]) -> Process:
    launcher = home.spawn(name, *arguments)

    def up() -> bool:
        assert launcher.poll() is None, home.output(name)
        return "make shell" in home.output(name)

    eventually(up, within=60, what="the four steps")
    return launcher


def interrupt(launcher: Process) -> int:
    launcher.send_signal(signal.SIGINT)
    return launcher.wait(30)


def test_the_first_five_minutes(home: Household) -> None:
    # 1:30  four steps with times, and the line to type in the second terminal
    launcher = start(home, "run", DRY_RUN)
    printed = home.output("run")
    assert [int(step) for step in re.findall(r"^ (\d)/4 .* done +\d+ s$", printed, re.MULTILINE)] == [
        1,
        2,
        3,
        4,
    ]
    assert "make watch" in printed
    assert "make practice" in printed
    # a path is as long as it is
    lines = [line for line in printed.splitlines() if str(home.folder) not in line]
    assert [line for line in lines if len(line) > 100] == []

    # 2:00  a proposal with its reason on the watch screen, the bell rung
    home.waiting()
    watch = Terminal(home, "intents", "watch")
    watch.read_until(r"\a")
    watch.read_until(r"model \d+%")

    # 3:00  approved with two keys, nothing sent; another one rejected
    watch.type("a")
    watch.read_until(r"y = approve")
    watch.type("y")
    watch.read_until("(?i)nothing .*sent")
    watch.type("q")
    assert watch.process.wait(10) == 0
    watch.close()
    done = eventually(lambda: _with(home, "EXECUTED"), what="the dry run's result")
    assert done["result"] == "dry_run"
    other = home.waiting()
    home.command("intents", "reject", other["id"], "--reason", "not for me")
    assert home.json("intents", "show", other["id"])["status"] == "REJECTED"
    assert interrupt(launcher) == 0
    assert "Error" not in home.output("run")

    # 4:00  practice money: an approved trade is filled, and cash changes by what it cost
    launcher = start(home, "practice", PRACTICE)
    proposal = home.waiting()
    assert proposal["regime"] == "live"
    home.command("intents", "approve", proposal["id"], "--yes", "--wait", "10")
    order = eventually(lambda: _filled(home, proposal["id"]), what="the fill")
    cost = Decimal(order["filled_notional"]) + Decimal(order["fees"])
    assert cost <= Decimal(proposal["max_cost"])
    assert proposal["outcome_label"].upper() in home.command("positions").upper()
    expected = Decimal(10_000) - cost
    eventually(lambda: f"{expected:,.2f}" in home.command("status"), what=f"cash of {expected:,.2f}")

    # 5:00  halt; a refusal explains itself; resume works
    waiting = home.waiting()
    home.command("halt", "--reason", "trying it")
    refused = home.command("intents", "approve", waiting["id"], "--yes", code=4)
    assert "Not approved" in refused
    assert "MANUAL" in refused
    home.command("resume", "--reason", "tried it")
    fresh = home.waiting()
    home.command("intents", "approve", fresh["id"], "--yes", "--no-wait")

    # Ctrl-C leaves nothing behind
    assert len(psutil.Process(launcher.pid).children()) == 4  # sandbox, engine, claims, API
    children = psutil.Process(launcher.pid).children(recursive=True)  # also what those have started
    assert interrupt(launcher) == 0
    # One that has ended and whose parent ended before it waits for the machine to take note: a zombie.
    assert [each for each in children if each.is_running() and each.status() != psutil.STATUS_ZOMBIE] == []


def test_a_taken_port_is_named_before_anything_starts(home: Household) -> None:
    home.start_sandbox()

    launcher = home.spawn("run", *DRY_RUN)

    assert launcher.wait(30) == 4
    assert f"port {home.sandbox_port} on 127.0.0.1 is taken" in home.output("run")
    assert "POLYBOT_SANDBOX_URL" in home.output("run")


def _with(home: Household, status: str) -> dict[str, str] | None:
    listed: list[dict[str, str]] = home.json("intents", "list", "--all")
    return next((row for row in listed if row["status"] == status), None)


def _filled(home: Household, intent_id: str) -> dict[str, str] | None:
    orders: list[dict[str, str]] = home.json("orders", "list")
    return next((o for o in orders if o["intent_id"] == intent_id and o["status"] == "FILLED"), None)
