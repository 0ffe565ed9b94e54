"""How an engine ends: in time whatever hangs, and never leaving a process behind."""

import signal
import sqlite3
import stat
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from tests.e2e.household import Household, Process, eventually, household

pytestmark = pytest.mark.xdist_group("e2e to the end")

PROMISED_SECONDS = 5.0
LEAVING_SECONDS = 1.5  # for the interpreter, on a busy machine


@pytest.fixture
def home(tmp_path: Path):
    with household(tmp_path) as running:
        yield running


def interrupted(engine: Process) -> float:
    """Seconds from Ctrl-C to the end."""
    begun = time.monotonic()
    engine.send_signal(signal.SIGINT)
    engine.wait(60)
    return time.monotonic() - begun


def database_of(home: Household) -> Path:
    [path] = (home.folder / "data").glob("sandbox-*/polyb0t.sqlite3")
    return path


class TestCtrlC:
    def test_a_slow_exchange_keeps_nobody_waiting(self, home: Household) -> None:
        home.start_sandbox()
        engine = home.start_engine(practice=True)
        slow = {"action": "latency", "latency_ms": 60_000}
        home.http("PUT", "/sandbox/faults", [slow | {"path": "/gamma"}, slow | {"path": "/clob"}])
        log = home.folder / "data" / "polyb0t.log"
        eventually(lambda: "stage.failed" in log.read_text(), what="a cycle that waits for the exchange")

        assert interrupted(engine) < PROMISED_SECONDS + LEAVING_SECONDS

        assert engine.returncode == 0
        assert "Stopped after" in home.output("engine")

    def test_nor_does_a_locked_database(self, home: Household) -> None:
        home.start_sandbox()
        engine = home.start_engine(practice=True)
        with closing(sqlite3.connect(database_of(home), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")

            assert interrupted(engine) < PROMISED_SECONDS + LEAVING_SECONDS

        assert engine.returncode == 0
        assert "Stopped after" in home.output("engine")

    def test_nor_does_it_before_the_first_comparison_is_over(self, home: Household) -> None:
        home.start_sandbox()
        home.http(
            "PUT", "/sandbox/faults", [{"action": "latency", "latency_ms": 60_000, "path": "/clob/data"}]
        )
        command = "-m polyb0t run --live --sandbox --yes"
        engine = home.spawn("engine", *command.split(), POLYBOT_DRY_RUN="false")

        def begun() -> bool:
            try:
                with closing(sqlite3.connect(database_of(home))) as database:
                    kinds = database.execute("SELECT kind FROM journal").fetchall()
            except (ValueError, sqlite3.Error):
                return False  # not made yet
            return ("engine.started",) in kinds

        eventually(begun, what="the start")

        assert interrupted(engine) < PROMISED_SECONDS + LEAVING_SECONDS

        assert engine.returncode == 0
        assert "Stopped after 0 cycles" in home.output("engine")

    def test_what_stays_at_the_exchange_is_said_also_then(self, home: Household) -> None:
        home.start_sandbox()
        engine = home.start_engine(practice=True)
        proposal = home.waiting()
        lost = {"action": "drop_before", "path": "/clob/order", "method": "POST", "count": 1}
        slow = {"action": "latency", "latency_ms": 60_000, "path": "/clob/data"}
        home.http("PUT", "/sandbox/faults", [lost, slow])
        home.command("intents", "approve", proposal["id"], "--yes", "--no-wait")
        eventually(
            lambda: [row for row in home.json("orders", "list") if row["status"] == "UNKNOWN"],
            what="an order of unknown outcome",
        )

        assert interrupted(engine) < PROMISED_SECONDS + LEAVING_SECONDS

        assert engine.returncode == 0
        assert "Of unknown outcome: 1 order" in home.output("engine")


class TestNoMarket:
    def test_cycles_that_could_not_read_the_market_end_with_6_and_say_why(self, home: Household) -> None:
        home.start_sandbox()
        home.http("PUT", "/sandbox/faults", [{"action": "status", "status": 404, "path": "/gamma"}])
        engine = home.spawn("engine", *"-m polyb0t run --live --sandbox --cycles 1".split())

        assert engine.wait(60) == 6

        said = " ".join(home.output("engine").split())
        assert "gave no usable answer. HTTP 404" in said
        assert "polyb0t sandbox" in said


class TestLauncher:
    def test_killed_it_leaves_nothing_running(self, home: Household) -> None:
        launcher = home.spawn("run", "-m", "polyb0t.runtime.launch")
        eventually(lambda: "make shell" in home.output("run"), within=60, what="the four steps")
        children = psutil.Process(launcher.pid).children(recursive=True)
        assert len(children) == 3
        launcher.kill()
        launcher.wait()
        try:
            _, alive = psutil.wait_procs(children, timeout=15)
            assert alive == []
        finally:
            for child in children:
                if child.is_running():
                    child.kill()

    def test_logs_and_keys_are_their_owners_alone(self, home: Household) -> None:
        launcher = home.spawn("run", "-m", "polyb0t.runtime.launch")
        eventually(lambda: "make shell" in home.output("run"), within=60, what="the four steps")
        data = home.folder / "data"
        eventually(lambda: (data / "api.log").exists(), what="the API's log")
        launcher.send_signal(signal.SIGINT)
        assert launcher.wait(30) == 0
        files = [data / "sandbox.log", data / "api.log", data / "sandbox" / "credentials.json"]
        assert [stat.S_IMODE(path.stat().st_mode) for path in files] == [0o600] * 3
