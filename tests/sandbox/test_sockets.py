"""The market and the user socket, frame by frame."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.sync.connection import Connection

from tests.sandbox.worlds import specs_of
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.trader import Trader, tradable_book

Frame = dict[str, Any]


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=12) as running:
        yield running


@pytest.fixture
def trader(sandbox: RunningSandbox) -> Iterator[Trader]:
    trader = Trader(sandbox, sandbox.account())
    yield trader
    trader.http.close()


def open_socket(sandbox: RunningSandbox, channel: str, first: Frame) -> ClientConnection:
    socket = connect(f"ws://{sandbox.host}/ws/{channel}", proxy=None)
    socket.send(json.dumps(first))
    return socket


def frames(socket: Connection) -> list[Frame]:
    """One message as a list of objects."""
    found = json.loads(socket.recv(timeout=10))
    return found if isinstance(found, list) else [found]


def until(socket: Connection, kind: str) -> Frame:
    """The next object of a kind."""
    for _ in range(100):
        for frame in frames(socket):
            if frame["event_type"] == kind:
                return frame
    raise AssertionError(f"no {kind} came")


def settled(socket: Connection) -> None:
    """Wait until the server has read everything sent before."""
    socket.send("PING")
    assert socket.recv(timeout=10) == "PONG"


def test_a_subscription_begins_with_an_array_of_books(sandbox: RunningSandbox) -> None:
    book = tradable_book(sandbox)
    tokens = list(sandbox.world.market(book.condition_id).spec.token_ids)
    with open_socket(sandbox, "market", {"type": "market", "assets_ids": [*tokens, "12345"]}) as socket:
        snapshot = json.loads(socket.recv(timeout=10))
        assert [frame["asset_id"] for frame in snapshot] == tokens
        assert {frame["event_type"] for frame in snapshot} == {"book"}
        yes, no = snapshot
        assert yes["bids"] == sorted(yes["bids"], key=lambda level: float(level["price"]))
        assert yes["asks"] == sorted(yes["asks"], key=lambda level: -float(level["price"]))
        mirrored = {(round(1 - float(level["price"]), 4), level["size"]) for level in yes["bids"]}
        assert {(float(level["price"]), level["size"]) for level in no["asks"]} == mirrored


def test_a_resting_order_changes_a_level_of_both_outcomes(sandbox: RunningSandbox, trader: Trader) -> None:
    book = tradable_book(sandbox)
    with open_socket(sandbox, "market", {"type": "market", "assets_ids": [book.token_id]}) as socket:
        frames(socket)
        assert trader.place(book.token_id, "BUY", 50_000, 10_000_000).status_code == 200
        change = until(socket, "price_change")
        assert change["market"] == book.condition_id
        sides = {(one["asset_id"], one["side"], one["price"]) for one in change["price_changes"]}
        other = sandbox.world.market(book.condition_id).spec.token_ids[1]
        assert sides == {(book.token_id, "BUY", "0.05"), (other, "SELL", "0.95")}
        current = trader.http.get(f"{sandbox.url}/clob/book", params={"token_id": book.token_id}).json()
        mine = next(one for one in change["price_changes"] if one["asset_id"] == book.token_id)
        assert mine["hash"] == current["hash"]
        assert mine["best_ask"] == current["asks"][-1]["price"]


def test_a_trade_prints_and_custom_listeners_hear_the_best_prices(
    sandbox: RunningSandbox, trader: Trader
) -> None:
    book = tradable_book(sandbox)
    price, size = book.asks[-1]
    first = {"type": "market", "assets_ids": [book.token_id], "custom_feature_enabled": True}
    with open_socket(sandbox, "market", first) as socket:
        frames(socket)
        spent = -(-price * size // 1_000_000 // 10_000) * 10_000
        assert trader.spend(book.token_id, spent, price).status_code == 200
        seen: dict[str, Frame] = {}
        while "last_trade_price" not in seen or "best_bid_ask" not in seen:
            seen |= {frame["event_type"]: frame for frame in frames(socket)}
        assert (seen["last_trade_price"]["side"], seen["last_trade_price"]["asset_id"]) == (
            "BUY",
            book.token_id,
        )
        assert float(seen["best_bid_ask"]["best_ask"]) * 1_000_000 >= price


def test_subscriptions_grow_and_shrink_and_a_duplicate_is_not_answered(sandbox: RunningSandbox) -> None:
    one, two = (view.spec.token_ids[0] for view in sandbox.world.markets()[:2])
    with open_socket(sandbox, "market", {"type": "market", "assets_ids": [one]}) as socket:
        assert [frame["asset_id"] for frame in frames(socket)] == [one]
        socket.send(json.dumps({"operation": "subscribe", "assets_ids": [one, two]}))
        assert [frame["asset_id"] for frame in frames(socket)] == [two]
        socket.send(json.dumps({"operation": "subscribe", "assets_ids": [two]}))
        socket.send(json.dumps({"operation": "unsubscribe", "assets_ids": [one]}))
        settled(socket)


def test_a_resolution_reaches_custom_listeners(sandbox: RunningSandbox) -> None:
    book = tradable_book(sandbox)
    first = {"type": "market", "assets_ids": [book.token_id], "custom_feature_enabled": True}
    with open_socket(sandbox, "market", first) as socket:
        frames(socket)
        sandbox.call(lambda: sandbox.world.resolve(book.condition_id, (1_000_000, 0)))
        resolved = until(socket, "market_resolved")
        assert (resolved["winning_asset_id"], resolved["winning_outcome"]) == (book.token_id, "Yes")


@pytest.mark.parametrize(
    "nonsense", ["hello", "[]", '{"type":"user"}', '{"assets_ids":5}', '{"type":"market","assets_ids":[1]}']
)
def test_nonsense_is_answered_and_survived(sandbox: RunningSandbox, nonsense: str) -> None:
    with connect(f"ws://{sandbox.host}/ws/market", proxy=None) as socket:
        socket.send(nonsense)
        assert socket.recv(timeout=10) == "INVALID OPERATION"
        settled(socket)


def login(trader: Trader, **changed: str) -> Frame:
    who = trader.credentials
    auth = {"apiKey": who.api_key, "secret": who.secret, "passphrase": who.passphrase} | changed
    return {"type": "user", "auth": auth}


def test_a_user_hears_of_its_orders_and_of_each_step_of_its_trades(
    sandbox: RunningSandbox, trader: Trader
) -> None:
    book = tradable_book(sandbox)
    with open_socket(sandbox, "user", login(trader)) as socket:
        settled(socket)
        order_id = trader.place(book.token_id, "BUY", 50_000, 10_000_000).json()["orderID"]
        placed = until(socket, "order")
        assert (placed["type"], placed["id"], placed["status"]) == ("PLACEMENT", order_id, "LIVE")
        trader.request("DELETE", "/order", {"orderID": order_id})
        gone = until(socket, "order")
        assert (gone["type"], gone["id"]) == ("CANCELLATION", order_id)
        taken = trader.spend(book.token_id, 5_000_000, book.asks[-1][0]).json()
        statuses: list[str] = []
        sandbox.step(30_000)
        while len(statuses) < 3:
            for trade in frames(socket):
                if trade["event_type"] == "trade":
                    assert (trade["id"], trade["trader_side"]) == (taken["tradeIDs"][0], "TAKER")
                    statuses.append(trade["status"])
        assert statuses == ["MATCHED", "MINED", "CONFIRMED"]


def test_another_users_socket_stays_silent_and_so_does_another_market(
    sandbox: RunningSandbox, trader: Trader
) -> None:
    book = tradable_book(sandbox)
    other = Trader(sandbox, sandbox.account(1))
    elsewhere = login(trader) | {"markets": ["0x" + "00" * 32]}
    with (
        open_socket(sandbox, "user", login(other)) as stranger,
        open_socket(sandbox, "user", elsewhere) as away,
    ):
        settled(stranger)
        settled(away)
        assert trader.place(book.token_id, "BUY", 50_000, 10_000_000).status_code == 200
        settled(stranger)
        settled(away)
    other.http.close()


@pytest.mark.parametrize("changed", [{"secret": "no"}, {"apiKey": "no"}, {"passphrase": ""}])
def test_wrong_credentials_close_the_user_socket(trader: Trader, changed: dict[str, str]) -> None:
    with (
        open_socket(trader.sandbox, "user", login(trader, **changed)) as socket,
        pytest.raises(ConnectionClosed),
    ):
        socket.recv(timeout=10)


def test_a_reader_that_does_not_read_is_cut_off_and_costs_no_more_memory(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("polyb0t.sandbox.connections.MOST_WAITING", 100)
    with open_socket(sandbox, "market", {"type": "market", "assets_ids": []}) as socket:
        settled(socket)

        def flood() -> None:
            (reader,) = sandbox.app.sockets.connections()
            for _ in range(101):
                reader.put('{"event_type":"last_trade_price"}')

        sandbox.call(flood)
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=10)
    assert sandbox.call(sandbox.app.sockets.connections) == ()


def test_those_with_the_custom_features_hear_of_every_new_market_and_others_do_not(
    sandbox: RunningSandbox,
) -> None:
    token = tradable_book(sandbox).token_id
    (born,) = specs_of("v2")
    first = {"type": "market", "assets_ids": [token]}
    with (
        open_socket(sandbox, "market", first | {"custom_feature_enabled": True}) as custom,
        open_socket(sandbox, "market", first) as plain,
    ):
        settled_books = [frames(one) for one in (custom, plain)]
        assert all(settled_books)
        sandbox.call(lambda: sandbox.world.open_market(born))
        frame = until(custom, "new_market")
        assert (frame["market"], frame["assets_ids"]) == (born.condition_id, list(born.token_ids))
        assert frame["condition_id"] == born.condition_id
        assert frame["order_price_min_tick_size"] == "0.01"
        assert frame["fee_schedule"]["takerOnly"] is True
        settled(plain)


def test_a_grid_that_becomes_finer_is_told_to_both_outcomes(sandbox: RunningSandbox) -> None:
    book = tradable_book(sandbox)
    tokens = list(sandbox.world.market(book.condition_id).spec.token_ids)
    with open_socket(sandbox, "market", {"type": "market", "assets_ids": tokens}) as socket:
        frames(socket)
        sandbox.call(lambda: sandbox.world.set_tick(book.condition_id, 1_000))
        frame = until(socket, "tick_size_change")
        assert (frame["asset_id"], frame["old_tick_size"], frame["new_tick_size"]) == (
            tokens[0],
            "0.01",
            "0.001",
        )
