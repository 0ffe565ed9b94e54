"""From a message on the account's socket to the committed fill.

Real socket, parser, threads, intake and SQLite file (FULL sync); the far end is a socket server in this
process, so that the moment of sending is known. Twenty resting orders are filled piece by piece: each
message is a trade of its own.

    .venv/bin/python -m bench fills
"""

import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from queue import Queue
from typing import cast

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from bench.figures import Section, median, percentile
from bench.worlds import pause
from polyb0t.core.clock import SystemClock
from polyb0t.core.ids import AssetId, Wallet
from polyb0t.core.units import Shares
from polyb0t.execution.fill_intake import FillIntake
from polyb0t.execution.intents import OrderType
from polyb0t.execution.orders import OrderRecord
from polyb0t.execution.store import OrderStore
from polyb0t.runtime.account import fee_lookup
from polyb0t.runtime.agreement import Agreement
from polyb0t.runtime.logging import configure_logging
from polyb0t.runtime.user_feed import UserFeed
from polyb0t.venue.credentials import ApiCredentials
from polyb0t.venue.user_stream import UserStream
from tests.support.builders import an_intent
from tests.support.engine_room import EngineRoom

MESSAGES = 500
ORDERS = 20
TARGET_MS = 50.0


def measure(messages: int = MESSAGES) -> Section:
    with tempfile.TemporaryDirectory(prefix="polyb0t-bench-") as folder:
        configure_logging(Path(folder) / "log", "error")
        times = _times(Path(folder), messages)
    section = Section(f"A message of the account's socket to its committed fill, {messages} messages")
    section.add("median", median(times), "ms")
    section.add("99 of 100", percentile(times, 0.99), "ms", target=TARGET_MS)
    section.add("slowest", max(times), "ms")
    return section


@dataclass(frozen=True, slots=True)
class _Line:
    url: str
    sockets: "Queue[ServerConnection]"


class _Noting:
    """The order store, with the moment at which each commit came back."""

    def __init__(self, orders: object, done: "Queue[float]") -> None:
        self._orders, self._done = orders, done

    def __getattr__(self, name: str) -> object:
        found = getattr(self._orders, name)
        if name != "record_fills":
            return found

        def recorded(*args: object) -> object:
            result = found(*args)
            self._done.put(time.perf_counter())
            return result

        return recorded


def _times(folder: Path, messages: int) -> list[float]:
    room, done = EngineRoom(folder), Queue[float]()
    orders = [_resting(room, number) for number in range(ORDERS)]
    stores = replace(room.stores, orders=cast("OrderStore", _Noting(room.stores.orders, done)))
    intake = partial(FillIntake, stores, room.lease, room.in_flight)
    feed = UserFeed(intake, Agreement(room.reconciler, SystemClock(), quiet_seconds=1e9))
    with _server() as line:
        credentials = ApiCredentials(Wallet("0x" + "9f" * 20), "key", "c2VjcmV0", "phrase")
        stream = UserStream(line.url, credentials, feed, SystemClock(), fee_of=fee_lookup(room.stores))
        feed.start()
        stream.start()
        try:
            socket = line.sockets.get(timeout=10)
            return [_one(socket, done, orders[number % ORDERS], number) for number in range(messages)]
        finally:
            stream.close()
            feed.close()


def _resting(room: EngineRoom, number: int) -> OrderRecord:
    """A post-only purchase of 20 shares."""
    intent = an_intent(
        order_type=OrderType.GTC,
        post_only=True,
        amount=None,
        least_shares=None,
        shares=Shares(Decimal(20)),
        asset_id=AssetId(str(10**70 + number)),
    )
    room.execute(intent)
    return room.order(intent)


def _one(socket: ServerConnection, done: "Queue[float]", order: OrderRecord, number: int) -> float:
    frame = json.dumps(_trade(order, number))
    pause(0.01)
    sent = time.perf_counter()
    socket.send(frame)
    return (done.get(timeout=10) - sent) * 1_000


def _trade(order: OrderRecord, number: int) -> dict[str, object]:
    """A hundredth of a share for a stranger, out of our resting order."""
    ours = {
        "order_id": order.id,
        "asset_id": order.asset_id,
        "side": "BUY",
        "matched_amount": "0.01",
        "price": str(order.price),
    }
    return {
        "event_type": "trade",
        "id": f"trade-{number}",
        "taker_order_id": "0x" + "3c" * 32,
        "market": order.condition_id,
        "asset_id": order.asset_id,
        "side": "SELL",
        "size": "0.01",
        "price": str(order.price),
        "status": "MATCHED",
        "match_time": "1795348800",
        "maker_orders": [ours],
    }


@contextmanager
def _server() -> Iterator[_Line]:
    sockets = Queue[ServerConnection]()

    def talk(socket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            for message in socket:
                if message == "PING":
                    socket.send("PONG")
                else:
                    sockets.put(socket)

    with serve(talk, "127.0.0.1", 0, ping_interval=None) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield _Line(f"ws://127.0.0.1:{server.socket.getsockname()[1]}/", sockets)
        server.shutdown()
        thread.join()
