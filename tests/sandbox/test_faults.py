"""The fault panel: what a broken network and a broken venue look like from outside."""

import time
from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage
from websockets.sync.client import connect

from polyb0t.sandbox.faults import Fault, Faults
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.trader import Trader, tradable_book


@pytest.fixture(scope="module")
def shared() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=12) as running:
        yield running


@pytest.fixture
def sandbox(shared: RunningSandbox) -> Iterator[RunningSandbox]:
    yield shared
    shared.faults.clear()


@pytest.fixture
def trader(sandbox: RunningSandbox) -> Iterator[Trader]:
    trader = Trader(sandbox, sandbox.account())
    yield trader
    sandbox.faults.clear()
    trader.request("DELETE", "/cancel-all")
    trader.http.close()


def test_an_injected_status_answers_without_handling_and_runs_out(trader: Trader) -> None:
    book = tradable_book(trader.sandbox)
    trader.sandbox.faults.add(
        Fault(
            "status",
            path="/clob/order",
            method="POST",
            status=425,
            body={"error": "service not ready"},
            count=1,
        )
    )
    refused = trader.place(book.token_id, "BUY", 50_000, 10_000_000)
    assert (refused.status_code, refused.json()) == (425, {"error": "service not ready"})
    assert trader.get("/data/orders").json()["data"] == []
    assert trader.place(book.token_id, "BUY", 50_000, 10_000_000).status_code == 200


def test_a_page_of_html_comes_as_html(sandbox: RunningSandbox) -> None:
    sandbox.faults.add(Fault("status", path="/gamma", status=403, body="<html>no</html>"))
    answer = httpx.get(f"{sandbox.url}/gamma/markets/keyset", trust_env=False)
    assert (answer.status_code, answer.text) == (403, "<html>no</html>")
    assert answer.headers["content-type"] == "text/html"
    assert httpx.get(f"{sandbox.url}/clob/time", trust_env=False).status_code == 200


def test_a_connection_dropped_before_handling_leaves_nothing_behind(trader: Trader) -> None:
    book = tradable_book(trader.sandbox)
    trader.sandbox.faults.add(Fault("drop_before", path="/clob/order", method="POST", count=1))
    with pytest.raises(httpx.TransportError):
        trader.place(book.token_id, "BUY", 50_000, 10_000_000)
    assert trader.get("/data/orders").json()["data"] == []


def test_a_reply_lost_after_handling_leaves_the_order_live_and_its_copy_duplicated(trader: Trader) -> None:
    book = tradable_book(trader.sandbox)
    payload = trader.payload(book.token_id, "BUY", 50_000, 10_000_000)
    trader.sandbox.faults.add(Fault("drop_after", path="/clob/order", method="POST", count=1))
    with pytest.raises(httpx.TransportError):
        trader.request("POST", "/order", payload)
    (live,) = trader.get("/data/orders").json()["data"]
    again = trader.request("POST", "/order", payload)
    assert again.status_code == 400
    assert again.json()["error"] == f"order {live['id']} is invalid. Duplicated."


def test_latency_delays_and_then_carries_on(sandbox: RunningSandbox) -> None:
    sandbox.faults.add(Fault("latency", path="/clob/time", latency_ms=150))
    started = time.perf_counter()
    assert httpx.get(f"{sandbox.url}/clob/time", trust_env=False).status_code == 200
    assert time.perf_counter() - started >= 0.15


def test_faults_are_set_listed_and_lifted_over_http(sandbox: RunningSandbox) -> None:
    panel = f"{sandbox.url}/sandbox/faults"
    rules = {
        "faults": [{"action": "status", "path": "/", "status": 503, "body": {"error": "no"}, "count": 3}]
    }
    assert httpx.put(panel, json=rules, trust_env=False).json()["faults"][0]["count"] == 3
    assert httpx.get(f"{sandbox.url}/clob/time", trust_env=False).status_code == 503
    (listed,) = httpx.get(panel, trust_env=False).json()["faults"]
    assert (listed["count"], listed["struck"]) == (2, 1)
    assert httpx.delete(panel, trust_env=False).json() == {"faults": []}
    assert httpx.get(f"{sandbox.url}/clob/time", trust_env=False).status_code == 200


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"faults":[{"action":"explode"}]}', b'[{"action":"status","typo":1}]']
)
def test_a_rule_that_makes_no_sense_is_refused(sandbox: RunningSandbox, body: bytes) -> None:
    answer = httpx.put(f"{sandbox.url}/sandbox/faults", content=body, trust_env=False)
    assert answer.status_code == 400
    assert sandbox.faults.listing() == []


def test_sockets_can_be_refused_and_cut(sandbox: RunningSandbox) -> None:
    address = f"ws://{sandbox.host}/ws/market"
    with connect(address, proxy=None) as socket:
        socket.send("PING")
        assert socket.recv() == "PONG"
        assert httpx.delete(f"{sandbox.url}/sandbox/sockets", trust_env=False).json() == {"cut": 1}
        with pytest.raises(ConnectionClosed):
            socket.recv()
    sandbox.faults.add(Fault("drop_before", path="/ws/market", count=1))
    with pytest.raises((OSError, EOFError, InvalidMessage)):
        connect(address, proxy=None)
    with connect(address, proxy=None) as socket:
        socket.send("PING")
        assert socket.recv() == "PONG"


@pytest.mark.parametrize(
    ("rule", "method", "path", "struck"),
    [
        ("/clob", "GET", "/clob/order", True),
        ("/clob/order", "POST", "/clob/orders", False),
        ("/clob/order*", "POST", "/clob/orders", True),
        ("/", "GET", "/gamma/markets/1", True),
        ("/clob/order", "POST", "/clob/order", True),
    ],
)
def test_which_paths_a_rule_covers(rule: str, method: str, path: str, struck: bool) -> None:
    faults = Faults()
    faults.add(Fault("drop_before", path=rule))
    assert (faults.strike(method, path)[1] is not None) is struck


def test_a_rule_for_one_method_leaves_the_others_alone() -> None:
    faults = Faults()
    faults.add(Fault("status", path="/clob/order", method="POST", count=1))
    assert faults.strike("DELETE", "/clob/order")[1] is None
    assert faults.strike("POST", "/clob/order")[1] is not None
    assert faults.strike("POST", "/clob/order")[1] is None
