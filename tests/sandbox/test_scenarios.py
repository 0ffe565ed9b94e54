"""Each file of the folder `scenarios`: what a client sees while it goes on."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from polyb0t.sandbox.scenario import ScenarioError, load
from polyb0t.venue.tls import trust
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.trader import Trader, tradable_book

FOLDER = Path(__file__).parents[2] / "scenarios"
IMPATIENT = 0.5  # seconds that a client waits


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=6) as running:
        yield running


@pytest.fixture
def trader(sandbox: RunningSandbox) -> Iterator[Trader]:
    with httpx.Client(trust_env=False, verify=trust(), timeout=IMPATIENT) as client:
        yield Trader(sandbox, sandbox.account(), client)


def begin(sandbox: RunningSandbox, name: str) -> None:
    (path,) = FOLDER.glob(f"{name}.*")
    scenario = load(path)
    sandbox.call(lambda: sandbox.app.timetable.start(scenario, sandbox.world.now_ms))


def bid(trader: Trader, **rest: Any) -> httpx.Response:
    return trader.place(tradable_book(trader.sandbox).token_id, "BUY", 50_000, 10_000_000, **rest)


def live(trader: Trader) -> list[str]:
    return [row["id"] for row in trader.get("/data/orders").json()["data"]]


def a_lost_reply(trader: Trader, problem: type[Exception]) -> None:
    with pytest.raises(problem):
        bid(trader)
    assert len(live(trader)) == 1


def reply_lost(trader: Trader) -> None:
    a_lost_reply(trader, httpx.RemoteProtocolError)


def reply_late(trader: Trader) -> None:
    a_lost_reply(trader, httpx.ReadTimeout)


def reply_cut(trader: Trader) -> None:
    a_lost_reply(trader, httpx.RemoteProtocolError)


def never_arrived(trader: Trader) -> None:
    with pytest.raises(httpx.ReadTimeout):
        bid(trader)
    assert live(trader) == []


def errors(trader: Trader) -> None:
    answers = [bid(trader) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [500, 502, 503, 425, 429, 429]
    assert live(trader) == []
    assert answers[0].json() == {"error": "could not insert order"}
    assert answers[1].headers["content-type"] == "text/html"
    assert answers[3].headers["retry-after"] == "30"
    assert answers[4].headers["poly-ratelimit-remaining"] == "0"
    assert "poly-ratelimit-remaining" not in answers[5].headers
    assert bid(trader).status_code == 200


def unknown_status(trader: Trader) -> None:
    answer = bid(trader).json()
    assert answer["status"] == "parked"
    assert live(trader) == [answer["orderID"]]


def success_with_error(trader: Trader) -> None:
    answer = bid(trader).json()
    assert (answer["success"], answer["orderID"]) == (True, "")
    assert answer["errorMsg"]
    assert len(live(trader)) == 1


def foreign_id(trader: Trader) -> None:
    answer = bid(trader).json()
    assert answer["orderID"] == "0x" + "11" * 32
    (real,) = live(trader)
    assert real != answer["orderID"]


def late_visibility(trader: Trader) -> None:
    order_id = bid(trader).json()["orderID"]
    assert trader.get(f"/data/order/{order_id}").status_code == 404
    assert live(trader) == []
    trader.sandbox.step(29_999)
    assert live(trader) == []
    trader.sandbox.step(1)
    assert trader.get(f"/data/order/{order_id}").json()["status"] == "LIVE"
    assert live(trader) == [order_id]


def restart(trader: Trader) -> None:
    order_id = bid(trader).json()["orderID"]
    trader.sandbox.step(10_000)
    refused = bid(trader)
    assert (refused.status_code, refused.json()) == (425, {"error": "service not ready"})
    assert refused.headers["retry-after"] == "90"
    assert trader.get(f"/data/order/{order_id}").status_code == 425
    assert trader.request("DELETE", "/order", {"orderID": order_id}).status_code == 425
    trader.sandbox.step(90_000)
    refused = bid(trader)
    assert refused.status_code == 503
    assert refused.json() == {
        "error": "post-only mode: only post-only orders and cancels are allowed",
        "code": "post_only_mode",
        "retry_after_seconds": 120,
    }
    assert bid(trader, post_only=True).status_code == 200
    assert trader.get(f"/data/order/{order_id}").status_code == 404
    assert len(live(trader)) == 1
    trader.sandbox.step(120_000)
    assert bid(trader).status_code == 200


def cancel_only(trader: Trader) -> None:
    order_id = bid(trader).json()["orderID"]
    refused = bid(trader, post_only=True)
    assert refused.status_code == 503
    assert "cancel-only" in refused.json()["error"]
    assert trader.request("DELETE", "/order", {"orderID": order_id}).json()["canceled"] == [order_id]
    trader.sandbox.step(60_000)
    off = {"error": "Trading is currently disabled. Check polymarket.com for updates"}
    for refused in (bid(trader), trader.request("DELETE", "/cancel-all")):
        assert (refused.status_code, refused.json()) == (503, off)
    assert live(trader) == []
    trader.sandbox.step(60_000)
    assert bid(trader).status_code == 200


def ghost_fill(trader: Trader) -> None:
    book = tradable_book(trader.sandbox)
    before = trader.sandbox.world.balance(trader.account.wallet)
    (trade_id,) = trader.spend(book.token_id, 10_000_000, book.asks[-1][0]).json()["tradeIDs"]
    trader.sandbox.step(600_000)
    (trade,) = trader.get(f"/data/trades?id={trade_id}").json()["data"]
    assert trade["status"] == "TRADE_STATUS_FAILED"
    assert trader.sandbox.world.balance(trader.account.wallet) == before


def clock_wrong(trader: Trader) -> None:
    refused = bid(trader)
    assert (refused.status_code, refused.json()) == (401, {"error": "Unauthorized/Invalid api key"})
    venue = trader.http.get(f"{trader.sandbox.url}/clob/time").json()
    assert venue - trader.sandbox.app.clock.right.now().timestamp() == pytest.approx(300, abs=2)
    trader.sandbox.step(60_000)
    assert bid(trader).status_code == 200


def rate_limits(trader: Trader) -> None:
    answers = [bid(trader) for _ in range(62)]
    while answers[-1].status_code == 200:
        answers.append(bid(trader))
    assert answers[0].headers["poly-ratelimit-remaining"] == "59"
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1


def closed_region(trader: Trader) -> None:
    refused = trader.http.post(f"{trader.sandbox.url}/clob/order", content=b"nobody asked who I am")
    assert refused.status_code == 403
    assert refused.json()["error"].startswith("Trading restricted in your region")
    told = trader.http.get(f"{trader.sandbox.url}/api/geoblock").json()
    assert (told["blocked"], told["country"]) == (True, "US")
    assert trader.request("DELETE", "/cancel-all").status_code == 200


def listening(trader: Trader, token: str) -> Connection:
    """A market socket that has read its snapshot, unless it is kept from it."""
    socket = connect(f"ws://{trader.sandbox.host}/ws/market", proxy=None)
    socket.send(json.dumps({"type": "market", "assets_ids": [token]}))
    return socket


def events(socket: Connection) -> list[dict[str, Any]]:
    """Every event that came before the answer to a PING."""
    found: list[dict[str, Any]] = []
    socket.send("PING")
    while (text := socket.recv(timeout=5)) != "PONG":
        frame = json.loads(text)
        found += frame if isinstance(frame, list) else [frame]
    return found


def silent_sockets(trader: Trader) -> None:
    token = tradable_book(trader.sandbox).token_id
    with listening(trader, token) as socket:
        bid(trader)
        assert events(socket) == []
        trader.sandbox.step(60_000)
        bid(trader)
        assert [event["event_type"] for event in events(socket)][-1:] == ["price_change"]


def gap(trader: Trader) -> None:
    token = tradable_book(trader.sandbox).token_id
    with listening(trader, token) as socket:
        socket.recv(timeout=5)
        for price_e6 in range(10_000, 80_000, 10_000):
            trader.place(token, "BUY", price_e6, 10_000_000)
        told = [event for event in events(socket) if event["event_type"] == "price_change"]
    prices = [event["price_changes"][0]["price"] for event in told]
    assert prices == ["0.04", "0.04", "0.06", "0.05", "0.07"]


def cut_sockets(trader: Trader) -> None:
    token = tradable_book(trader.sandbox).token_id
    with listening(trader, token) as socket:
        socket.recv(timeout=5)
        bid(trader)
        with pytest.raises(ConnectionClosed):
            while True:
                socket.recv(timeout=5)


def balance_gone(trader: Trader) -> None:
    book = tradable_book(trader.sandbox)
    order_id = trader.place(book.token_id, "BUY", 50_000, 100_000_000).json()["orderID"]
    assert trader.sandbox.world.balance(trader.account.wallet) == 1_000_000
    (row,) = trader.get(f"/data/orders?id={order_id}").json()["data"]
    assert row["status"] == "CANCELED_NOT_ENOUGH_BALANCE"
    assert live(trader) == []


CASES: dict[str, Callable[[Trader], None]] = {
    "balance-gone": balance_gone,
    "cancel-only": cancel_only,
    "clock-wrong": clock_wrong,
    "closed-region": closed_region,
    "cut-sockets": cut_sockets,
    "errors": errors,
    "foreign-id": foreign_id,
    "gap": gap,
    "ghost-fill": ghost_fill,
    "late-visibility": late_visibility,
    "never-arrived": never_arrived,
    "rate-limits": rate_limits,
    "reply-cut": reply_cut,
    "reply-late": reply_late,
    "reply-lost": reply_lost,
    "restart": restart,
    "silent-sockets": silent_sockets,
    "success-with-error": success_with_error,
    "unknown-status": unknown_status,
}


def test_every_scenario_is_used_here_and_called_by_its_name() -> None:
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(CASES)
    assert all(load(path).name == path.stem and load(path).about for path in FOLDER.iterdir())


@pytest.mark.parametrize("name", sorted(CASES))
def test_what_a_client_sees(trader: Trader, name: str) -> None:
    begin(trader.sandbox, name)
    CASES[name](trader)
    told = trader.http.get(f"{trader.sandbox.url}/sandbox/scenario").json()
    assert told["name"] == name
    assert [step["answered"] for step in told["steps"]] == [200] * len(told["steps"])


def test_a_scenario_is_started_looked_at_and_left_over_http(sandbox: RunningSandbox) -> None:
    panel = f"{sandbox.url}/sandbox/scenario"
    steps = [
        {"do": "PUT /sandbox/venue", "at_ms": 500, "body": {"mode": "cancel_only"}},
        {"do": "PUT /sandbox/venue", "at_ms": 800, "body": {"mode": "dancing"}},
    ]
    started = httpx.put(panel, json={"name": "mine", "steps": steps}, trust_env=False).json()
    assert [step["answered"] for step in started["steps"]] == [None, None]
    step = {"action": "step", "step_ms": 1_000}
    httpx.post(f"{sandbox.url}/sandbox/clock", json=step, trust_env=False)
    told = httpx.get(panel, trust_env=False).json()["steps"]
    assert [one["answered"] for one in told] == [200, 400]
    assert "expected mode" in told[1]["refusal"]
    assert httpx.delete(panel, trust_env=False).json() == {"name": None, "steps": []}
    assert httpx.get(f"{sandbox.url}/sandbox/venue", trust_env=False).json()["mode"] == "cancel_only"


def test_steps_happen_at_their_instants_however_far_the_clock_is_stepped(sandbox: RunningSandbox) -> None:
    start = sandbox.world.now_ms
    steps = [{"do": "PUT /sandbox/venue", "at_ms": 700, "body": {"mode": "restart", "for_ms": 1_000}}]
    body = {"name": "mine", "steps": steps}
    httpx.put(f"{sandbox.url}/sandbox/scenario", json=body, trust_env=False)
    sandbox.step(1_000)
    assert sandbox.app.house.until_ms == start + 1_700


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name = 'x'",
        "name = 'x'\nsteps = [{ do = 'GET /sandbox/venue' }]",
        "name = 'x'\nsteps = [{ do = 'PUT /clob/order' }]",
        "name = 'x'\nsteps = [{ do = 'PUT /sandbox/scenario' }]",
        "name = 'x'\nsteps = [{ do = 'PUT /sandbox/venue', at_ms = -1 }]",
        "name = 'x'\nsteps = [{ do = 'PUT /sandbox/venue', when = { path = '/x', count = 0 } }]",
        "name = 'x'\nsteps = [{ do = 'PUT /sandbox/venue', typo = 1 }]",
        "not toml at all = = =",
    ],
)
def test_a_file_that_makes_no_sense_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ScenarioError, match=r"mine\.toml"):
        load(path)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"gone\.json"):
        load(tmp_path / "gone.json")
