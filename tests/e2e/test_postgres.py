"""One PostgreSQL database for an engine, one that waits behind it, and two APIs: moved there from SQLite,
decided once whoever asks, and carried on when the engine is killed."""

import json
import signal
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.household import Household, eventually, free_port, household
from tests.support.databases import PostgresServer, postgres_server

CANARY = "canary-of-the-database-5530"  # its server asks nobody for a password

pytestmark = pytest.mark.xdist_group("e2e")


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


class Deployment:
    """A household whose processes share one database."""

    def __init__(self, home: Household, url: str) -> None:
        self.home, self.url = home, url
        self.shared: Any = {"POLYBOT_VENUE": "sandbox", "POLYBOT_DATABASE_URL": url}
        self.ports: list[int] = []

    def command(self, *arguments: str, code: int = 0) -> str:
        return self.home.command(*arguments, code=code, **self.shared)

    def told_of(self, name: str) -> str:
        """What a command says of itself and of the database."""
        return self.command(*{"config": ("config", "show"), "db": ("db", "current")}[name])

    def told(self, *arguments: str) -> Any:
        return json.loads(self.command(*arguments, "--json"))

    def start_apis(self, number: int) -> None:
        for index in range(number):
            port = free_port()
            settings = {**self.shared, "POLYBOT_API_PORT": str(port)}
            self.home.spawn(f"api{index}", "-m", "polyb0t", "api", **settings)
            self.ports.append(port)
        for port in self.ports:
            eventually(lambda port=port: self.try_ask(port, "/health"), what="an API")  # type: ignore[misc]

    def ask(self, port: int, path: str, body: object = None) -> tuple[int, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{path}",
            method="GET" if body is None else "POST",
            data=None if body is None else json.dumps(body).encode(),
            headers={} if body is None else {"content-type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)

    def try_ask(self, port: int, path: str) -> Any:
        try:
            return self.ask(port, path)
        except OSError:
            return None

    def waiting(self, but: frozenset[str] = frozenset()) -> dict[str, Any]:
        def look() -> Any:
            listed = self.ask(self.ports[0], "/intents?status=PENDING")[1]
            return [one for one in listed if one["asset_id"] not in but]

        found: list[dict[str, Any]] = eventually(look, what="a proposal")
        return found[0]

    def settled(self, order_id: str) -> dict[str, Any]:
        def look() -> Any:
            row = next((one for one in self.ask(self.ports[0], "/orders")[1] if one["id"] == order_id), None)
            return row if row and row["status"] in ("FILLED", "CANCELLED") else None

        found: dict[str, Any] = eventually(look, within=60, what="the order's end")
        return found


def decide_everywhere(run: Deployment, intent_id: str, times: int = 4) -> list[int]:
    """Each API is told `approve` by several clients at once; their answers."""
    codes: list[int] = []
    gate = threading.Barrier(times * len(run.ports))

    def client(port: int) -> None:
        gate.wait(20)
        codes.append(run.ask(port, f"/intents/{intent_id}/approve", {})[0])

    clients = [threading.Thread(target=client, args=(port,)) for port in run.ports for _ in range(times)]
    for each in clients:
        each.start()
    for each in clients:
        each.join(30)
    return codes


def test_engine_standby_and_several_apis_on_one_database_that_was_moved_there(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    url = postgres.empty_database()
    with household(tmp_path) as home:
        home.start_sandbox()
        on_file = home.start_engine(practice=True)
        first = home.waiting()
        home.command("intents", "approve", first["id"], "--yes", "--wait", "10")
        on_file.send_signal(signal.SIGINT)
        on_file.wait(20)

        run = Deployment(home, url.replace("postgres:@", f"postgres:{CANARY}@"))
        moved = json.loads(home.command("db", "copy", "--to", url, "--json"))
        assert moved["rows"]["orders"] == 1
        engine = home.start_engine(practice=True, **run.shared)  # not refused: the anchor came along
        run.start_apis(2)
        [order] = run.told("orders", "list")
        run.settled(order["id"])
        _goes_on_behind(run, engine)
        assert run.told("audit", "verify")["findings"] == []
        _old_file_is_refused(home)
        assert _places_of(CANARY, run) == {"current"}  # which only its owner reads
    postgres.drop(url)


def _goes_on_behind(run: Deployment, engine: Any) -> None:
    """A standby takes over from a killed engine, and what both APIs were told at once is done once."""
    home = run.home
    ready = home.folder / "standby-ready"
    options = ("--live", "--sandbox", "--yes", "--standby", "--ready-file", str(ready))
    money = {"POLYBOT_DRY_RUN": "false", **run.shared}
    standby = home.spawn("standby", "-m", "polyb0t", "run", *options, **money)
    eventually(lambda: "Standing by behind" in home.output("standby"), what="the standby")
    engine.kill()
    engine.wait()
    eventually(ready.exists, within=60, what="the standby's first cycle")
    bought = frozenset(row["asset_id"] for row in run.told("orders", "list"))
    proposal = run.waiting(but=bought)

    codes = decide_everywhere(run, proposal["id"])

    assert sorted(codes) == [200, *[409] * (len(codes) - 1)]
    taken = eventually(lambda: _orders_of(run, proposal["id"]), what="its order")
    assert len(taken) == 1
    run.settled(taken[0]["id"])
    wallet = home.http("GET", "/sandbox/environment")["accounts"][0]["wallet"]
    at_exchange = [row["order_id"] for row in home.ledger_orders(wallet)]
    assert sorted(at_exchange) == sorted(row["id"] for row in run.ask(run.ports[1], "/orders")[1])
    assert standby.poll() is None
    standby.send_signal(signal.SIGINT)
    standby.wait(20)


def _orders_of(run: Deployment, intent_id: str) -> list[Any]:
    rows = run.ask(run.ports[1], "/orders")[1]
    return [row for row in rows if row["intent_id"] == intent_id]


def _places_of(secret: str, run: Deployment) -> set[str]:
    """Folders and answers in which the database's password is found."""
    found = {
        path.parent.name
        for path in run.home.folder.rglob("*")
        if path.is_file() and secret.encode() in path.read_bytes()
    }
    paths = ("/status", "/health", "/ready", "/account", "/orders", "/nowhere")
    answers = {path for path in paths for port in run.ports if secret in str(run.ask(port, path))}
    shown = {name for name in ("config", "db") if secret in run.told_of(name)}
    [current] = (run.home.folder / "data" / "current").glob("*.json")
    assert current.stat().st_mode & 0o077 == 0
    return found | answers | shown


def _old_file_is_refused(home: Household) -> None:
    """Whoever forgets the setting does not trade a second history."""
    said = home.command(
        "run", "--live", "--sandbox", "--yes", "--cycles", "1", code=4, POLYBOT_DRY_RUN="false"
    )
    assert "restored or replaced" in said
