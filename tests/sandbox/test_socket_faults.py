"""Sockets that stay open and yet do not tell the truth, or not all of it, or not in time."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from polyb0t.sandbox.socket_faults import SocketFault, SocketFaults
from polyb0t.sandbox.types import MILLION, BookView
from polyb0t.venue.tls import trust
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.trader import Trader, tradable_book

SHARES = 10 * MILLION


@pytest.fixture(scope="module")
def shared() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=4) as running:
        yield running


@pytest.fixture
def sandbox(shared: RunningSandbox) -> Iterator[RunningSandbox]:
    yield shared
    shared.call(lambda: shared.app.socket_faults.replace([]))


@pytest.fixture
def trader(sandbox: RunningSandbox) -> Iterator[Trader]:
    with httpx.Client(trust_env=False, verify=trust(), timeout=10) as client:
        trader = Trader(sandbox, sandbox.account(), client)
        yield trader
        trader.request("DELETE", "/cancel-all")


@pytest.fixture
def book(sandbox: RunningSandbox) -> BookView:
    return tradable_book(sandbox)


@contextmanager
def market_socket(sandbox: RunningSandbox, token: str) -> Iterator[Connection]:
    with connect(f"ws://{sandbox.host}/ws/market", proxy=None) as socket:
        socket.send(json.dumps({"type": "market", "assets_ids": [token]}))
        yield socket


@contextmanager
def user_socket(trader: Trader, markets: list[str] | None = None) -> Iterator[Connection]:
    who = trader.credentials
    auth = {"apiKey": who.api_key, "secret": who.secret, "passphrase": who.passphrase}
    frame: dict[str, object] = {"type": "user", "auth": auth}
    if markets is not None:
        frame["markets"] = markets
    with connect(f"ws://{trader.sandbox.host}/ws/user", proxy=None) as socket:
        socket.send(json.dumps(frame))
        told(socket)
        yield socket


def told(socket: Connection) -> list[dict[str, Any]]:
    """Every event up to the answer to a PING."""
    found: list[dict[str, Any]] = []
    socket.send("PING")
    while (text := socket.recv(timeout=5)) != "PONG":
        frame = json.loads(text)
        found += frame if isinstance(frame, list) else [frame]
    return found


def fault(sandbox: RunningSandbox, *rules: dict[str, object]) -> None:
    answer = httpx.put(f"{sandbox.url}/sandbox/socket-faults", json={"faults": list(rules)}, trust_env=False)
    assert answer.status_code == 200, answer.text


def bids(trader: Trader, book: BookView, *prices_e6: int) -> list[str]:
    return [str(trader.place(book.token_id, "BUY", price, SHARES).json()["orderID"]) for price in prices_e6]


def changed(events: list[dict[str, Any]]) -> list[str]:
    return [event["price_changes"][0]["price"] for event in events if event["event_type"] == "price_change"]


def test_silence_answers_ping_and_keeps_even_the_first_book(
    sandbox: RunningSandbox, trader: Trader, book: BookView
) -> None:
    fault(sandbox, {"action": "silence", "channel": "market"})
    with market_socket(sandbox, book.token_id) as market, user_socket(trader) as user:
        bids(trader, book, 20_000)
        assert told(market) == []
        assert [event["type"] for event in told(user)] == ["PLACEMENT"]


def test_a_user_can_be_kept_in_the_dark_as_well(
    sandbox: RunningSandbox, trader: Trader, book: BookView
) -> None:
    fault(sandbox, {"action": "drop", "channel": "user", "event": "order", "skip": 1, "count": 1})
    with user_socket(trader) as user:
        first, _, third = bids(trader, book, 20_000, 30_000, 40_000)
        assert [event["id"] for event in told(user)] == [first, third]


def test_messages_come_twice_and_in_the_wrong_order(
    sandbox: RunningSandbox, trader: Trader, book: BookView
) -> None:
    with market_socket(sandbox, book.token_id) as market:
        told(market)
        fault(
            sandbox,
            {"action": "duplicate", "event": "price_change", "count": 1},
            {"action": "reorder", "event": "price_change", "count": 2},
        )
        bids(trader, book, 20_000, 30_000, 40_000, 50_000)
        assert changed(told(market)) == ["0.02", "0.02", "0.04", "0.03", "0.05"]


def test_what_was_held_back_is_sent_when_the_fault_is_lifted(
    sandbox: RunningSandbox, trader: Trader, book: BookView
) -> None:
    with market_socket(sandbox, book.token_id) as market:
        told(market)
        fault(sandbox, {"action": "reorder", "event": "price_change"})
        bids(trader, book, 20_000)
        assert changed(told(market)) == []
        httpx.delete(f"{sandbox.url}/sandbox/socket-faults", trust_env=False)
        assert changed(told(market)) == ["0.02"]


def test_a_late_message_comes_after_those_that_followed_it(
    sandbox: RunningSandbox, trader: Trader, book: BookView
) -> None:
    with market_socket(sandbox, book.token_id) as market:
        told(market)
        fault(sandbox, {"action": "late", "event": "price_change", "delay_ms": 300, "count": 1})
        bids(trader, book, 20_000, 30_000)
        assert changed(told(market)) == ["0.03"]
        assert changed([json.loads(market.recv(timeout=5))]) == ["0.02"]


def test_timestamps_come_in_seconds_or_milliseconds(
    sandbox: RunningSandbox, trader: Trader, book: BookView
) -> None:
    with user_socket(trader) as user:
        fault(sandbox, {"action": "seconds", "count": 1})
        bids(trader, book, 20_000, 30_000)
        seconds, milliseconds = (event["timestamp"] for event in told(user))
        assert (len(seconds), len(milliseconds)) == (10, 13)


def test_nothing_is_replayed_after_a_cut_and_the_new_snapshot_has_it_all(
    sandbox: RunningSandbox, trader: Trader, book: BookView
) -> None:
    with market_socket(sandbox, book.token_id) as market:
        told(market)
    bids(trader, book, 20_000)
    with user_socket(trader) as user, market_socket(sandbox, book.token_id) as market:
        assert told(user) == []
        (snapshot,) = told(market)
        assert snapshot["event_type"] == "book"
        assert "0.02" in [level["price"] for level in snapshot["bids"]]


@pytest.mark.parametrize("shape", [str.lower, str.upper])
def test_a_user_socket_takes_a_market_in_any_spelling(trader: Trader, book: BookView, shape: Any) -> None:
    wanted = "0x" + shape(book.condition_id[2:])
    with user_socket(trader, [wanted]) as user:
        (placed,) = bids(trader, book, 20_000)
        assert [event["id"] for event in told(user)] == [placed]
        user.send(json.dumps({"operation": "unsubscribe", "markets": [wanted]}))
        user.send(json.dumps({"operation": "subscribe", "markets": ["0x" + "00" * 32]}))
        told(user)
        bids(trader, book, 30_000)
        assert told(user) == []


@pytest.mark.parametrize(
    "rule",
    [
        {"action": "explode"},
        {"action": "late", "delay_ms": -1},
        {"action": "late", "delay_ms": 10**9},
        {"action": "drop", "typo": 1},
        {"action": "drop", "channel": "sports"},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(sandbox: RunningSandbox, rule: dict[str, object]) -> None:
    answer = httpx.put(f"{sandbox.url}/sandbox/socket-faults", json={"faults": [rule]}, trust_env=False)
    assert answer.status_code == 400
    assert not sandbox.app.socket_faults.armed


def test_a_reader_that_goes_away_takes_along_what_was_held_back_for_it() -> None:
    faults, heard = SocketFaults(), list[str]()
    faults.replace([SocketFault("reorder")])
    faults.send("market", 1, "one", heard.append, lambda *_: None)
    faults.forget(1)
    faults.replace([])
    assert heard == []
