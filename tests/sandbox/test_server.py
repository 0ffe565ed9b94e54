"""`run`: a sandbox as a process of its own, from bind to goodbye."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from websockets.sync.client import connect

from polyb0t.core.clock import SystemClock
from polyb0t.core.errors import PolybotError, UsageError
from polyb0t.sandbox.house import VenueClock
from polyb0t.sandbox.server import open_app, run, save
from polyb0t.sandbox.serving import PortInUseError, bind
from polyb0t.sandbox.types import PracticeAccount
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.shared import shared_path
from tests.support.trader import Trader

PROGRAM = """
import sys, json
from pathlib import Path
from polyb0t.sandbox.server import run
options = json.loads(sys.argv[1])
options["state_dir"] = Path(options["state_dir"])
if "import_dir" in options:
    options["import_dir"] = Path(options["import_dir"])
run(ready=lambda url: print(url, flush=True), **options)
print("saved", flush=True)
"""


@contextmanager
def served(state_dir: Path, **options: Any) -> Iterator[tuple[subprocess.Popen[str], str]]:
    given = {"port": 0, "markets": 6, "state_dir": str(state_dir)} | options
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, json.dumps(given)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            url = process.stdout.readline().strip()
            yield process, url or process.stderr.read()
        finally:
            process.kill()


def environment(url: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{url}/sandbox/environment", trust_env=False).json()
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_and_the_next_run_goes_on_with_the_same_world(
    tmp_path: Path, number: signal.Signals
) -> None:
    with served(tmp_path) as (process, url):
        first = environment(url)
        socket = connect(first["urls"]["market_ws"], proxy=None)
        socket.send("PING")
        assert socket.recv(timeout=10) == "PONG"
        process.send_signal(number)
        output, errors = process.communicate(timeout=20)
        assert (process.returncode, output.strip(), errors) == (0, "saved", "")
        socket.close()
    with served(tmp_path, markets=9) as (_process, url):
        again = environment(url)
        assert again["world_id"] == first["world_id"]
        assert again["accounts"] == first["accounts"]
        page = httpx.get(f"{url}/gamma/markets/keyset?limit=100", trust_env=False).json()
        assert len(page["markets"]) == 6
    with served(tmp_path, fresh=True) as (_process, url):
        assert environment(url)["world_id"] != first["world_id"]


def test_a_killed_sandbox_leaves_a_world_that_can_be_opened(tmp_path: Path) -> None:
    with served(tmp_path) as (process, url):
        first = environment(url)
        process.kill()
    with served(tmp_path) as (_process, url):
        assert environment(url)["world_id"] == first["world_id"]


def test_a_port_in_use_is_said_before_anything_else_happens(tmp_path: Path) -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        heard: list[str] = []
        with pytest.raises(PortInUseError, match=str(port)) as caught:
            run(port=port, state_dir=tmp_path / "state", ready=heard.append)
        assert "--port" in caught.value.do
        assert caught.value.exit_code == 1
    assert heard == []
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("port", [70_000, -1])
def test_an_impossible_port_is_refused(tmp_path: Path, port: int) -> None:
    with pytest.raises(PortInUseError, match=str(port)):
        run(port=port, state_dir=tmp_path)


@pytest.mark.parametrize(
    "options", [{"speed": 0}, {"speed": -1}, {"speed": 1e9}, {"markets": -1}, {"markets": 10**9}]
)
def test_an_impossible_world_is_refused_before_anything_is_written(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match="not possible"):
        run(port=0, state_dir=tmp_path / "state", **options)
    assert not (tmp_path / "state").exists()


def test_a_saved_world_does_not_take_an_impossible_speed_either(tmp_path: Path) -> None:
    options = {"clock": SystemClock(), "seed": 1, "markets": 1, "fresh": False}
    save(open_app(tmp_path, speed=1, **options), tmp_path)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="speed"):
        run(port=0, state_dir=tmp_path, speed=0, ready=lambda _url: signal.raise_signal(signal.SIGTERM))


def test_a_damaged_world_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "world.json").write_text("{")
    with pytest.raises(PolybotError) as caught:
        run(port=0, state_dir=tmp_path)
    assert "--fresh" in str(caught.value)
    assert (tmp_path / "world.json").read_text() == "{"


def test_a_directory_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PolybotError, match="cannot save"):
        run(port=0, markets=1, state_dir=tmp_path / "file" / "state")


def a_trader(url: str, first: dict[str, Any]) -> Trader:
    reached = SimpleNamespace(url=url, app=SimpleNamespace(clock=VenueClock(SystemClock())))
    one = {name: value for name, value in first["accounts"][0].items() if name != "funding"}
    account = PracticeAccount(**one, funding_e6=0)
    return Trader(cast("RunningSandbox", reached), account)


def test_orders_and_keys_outlive_a_clean_stop(tmp_path: Path) -> None:
    with served(tmp_path) as (process, url):
        trader = a_trader(url, environment(url))
        market = httpx.get(f"{url}/gamma/markets/keyset", trust_env=False).json()["markets"][0]
        token = json.loads(market["clobTokenIds"])[0]
        order_id = trader.place(token, "BUY", 10_000, 10_000_000).json()["orderID"]
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    with served(tmp_path) as (_process, url):
        trader.sandbox.url = url
        assert trader.get(f"/data/order/{order_id}").json()["status"] == "LIVE"
        trader.http.close()


def test_a_post_is_answered_without_waiting_for_an_acknowledgement() -> None:
    with running_sandbox(markets=1) as sandbox, httpx.Client(trust_env=False) as http:
        took: list[float] = []
        for _ in range(21):
            started = perf_counter()
            assert http.post(f"{sandbox.url}/clob/books", json=[{"token_id": "1"}]).json() == []
            took.append(perf_counter() - started)
    assert median(took) < 0.030  # Nagle and a delayed acknowledgement together take 0.040


def test_recorded_markets_outlive_a_restart_with_all_their_words(tmp_path: Path) -> None:
    options = {"import_dir": str(shared_path("recorded")), "markets": 0}
    seen = []
    for _ in range(2):
        with served(tmp_path, **options) as (process, url):
            page = httpx.get(f"{url}/gamma/markets/keyset?limit=100", trust_env=False).json()["markets"]
            still = ("id", "conditionId", "clobTokenIds", "description", "endDate", "feeSchedule", "events")
            seen.append([[market.get(name) for name in still] for market in page])
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)
    assert seen[0] == seen[1]
    assert any("fed-decision" in str(market) for market in seen[0])
