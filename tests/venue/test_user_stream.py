"""The account's socket against a server on this machine: news arrives whole, and no gap goes unseen."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from queue import Queue
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from polyb0t.core.errors import NotFoundError
from polyb0t.core.ids import ConditionId, OrderId, Wallet
from polyb0t.core.units import ZERO, Price, Pusd
from polyb0t.data.fills import Fill, FillStatus, Role
from polyb0t.data.markets import FeeSchedule
from polyb0t.venue.credentials import ApiCredentials
from polyb0t.venue.socket_line import StreamSettings
from polyb0t.venue.user_stream import UserStream
from tests.support.clock import FakeClock
from tests.venue.rows import CONDITION, NO, YES

QUICK = StreamSettings(poll=0.01, first_wait=0.01, longest_wait=0.02, pong_within=1_000)
PATIENCE_SECONDS = 10
TAKER, MAKER, STRANGER = ("0x" + two * 32 for two in ("1a", "2b", "3c"))
CREDENTIALS = ApiCredentials(Wallet("0x" + "9f" * 20), "key", "c2VjcmV0", "phrase")


def a_trade(**changes: Any) -> dict[str, Any]:
    """A stranger buys 100 YES; 40 of them come from our resting purchase of NO."""
    row = {
        "event_type": "trade",
        "type": "TRADE",
        "id": "t-1",
        "taker_order_id": STRANGER,
        "market": CONDITION,
        "asset_id": YES,
        "side": "BUY",
        "size": "100",
        "price": "0.45",
        "status": "MATCHED",
        "match_time": "1795348800",
        "maker_orders": [
            {"order_id": MAKER, "asset_id": NO, "side": "BUY", "matched_amount": "40", "price": "0.55"},
            {
                "order_id": "0x" + "4d" * 32,
                "asset_id": YES,
                "side": "SELL",
                "matched_amount": "60",
                "price": "0.45",
            },
        ],
    }
    return {**row, **changes}


@dataclass
class Listener:
    """Notes what it is told."""

    fills: Queue[tuple[Fill, ...]] = field(default_factory=Queue)
    orders: Queue[OrderId] = field(default_factory=Queue)
    foreign: Queue[str] = field(default_factory=Queue)
    gaps: Queue[str] = field(default_factory=Queue)

    def traded(self, fills: tuple[Fill, ...], /) -> None:
        self.fills.put(fills)

    def moved(self, order_id: OrderId, /) -> None:
        self.orders.put(order_id)

    def foreign_trade(self, trade_id: str, condition_id: ConditionId, /) -> None:
        assert condition_id == CONDITION
        self.foreign.put(trade_id)

    def missed(self, reason: str, /) -> None:
        self.gaps.put(reason)

    def gap(self) -> str:
        return self.gaps.get(timeout=PATIENCE_SECONDS)

    def next_fills(self) -> tuple[Fill, ...]:
        return self.fills.get(timeout=PATIENCE_SECONDS)


@dataclass
class Wire:
    """Both ends of the socket."""

    clock: FakeClock = field(default_factory=FakeClock)
    news: Listener = field(default_factory=Listener)
    logins: Queue[Any] = field(default_factory=Queue)
    lines: list[ServerConnection] = field(default_factory=list)
    refuses: bool = False
    stream: UserStream = field(init=False)

    def serve_one(self, line: ServerConnection) -> None:
        self.lines.append(line)
        try:
            for message in line:
                if message == "PING":
                    line.send("PONG")
                    continue
                self.logins.put(json.loads(message))
                if self.refuses:
                    return
        except ConnectionClosed:
            pass

    def login(self) -> Any:
        return self.logins.get(timeout=PATIENCE_SECONDS)

    def tell(self, *frames: object) -> None:
        for frame in frames:
            self.lines[-1].send(frame if isinstance(frame, str) else json.dumps(frame))

    def opened(self) -> None:
        self.login()
        assert "opened" in self.news.gap()

    def until(self, happened: Callable[[], object]) -> None:
        pause = threading.Event()
        for _ in range(int(PATIENCE_SECONDS / 0.005)):
            if happened():
                return
            pause.wait(0.005)
        pytest.fail("it did not happen")


def fee_of(order_id: OrderId) -> FeeSchedule:
    if order_id not in (TAKER, MAKER):
        raise NotFoundError("There is no such order.")
    return FeeSchedule(Decimal("0.05"), Decimal(1))


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    with serve(wire.serve_one, "127.0.0.1", 0, ping_interval=None) as server:
        url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}/ws/user"
        wire.stream = UserStream(url, CREDENTIALS, wire.news, wire.clock, fee_of=fee_of, settings=QUICK)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        wire.stream.start()
        yield wire
        wire.stream.close()
        server.shutdown()
        thread.join()
    assert not [one.name for one in threading.enumerate() if one.name == "polyb0t-user"]


def test_the_first_message_logs_in_to_all_markets_and_asks_for_a_comparison(wire: Wire) -> None:
    assert wire.login() == {
        "type": "user",
        "auth": {"apiKey": "key", "secret": "c2VjcmV0", "passphrase": "phrase"},
    }
    assert "opened" in wire.news.gap()


def test_as_maker_only_our_own_entry_counts(wire: Wire) -> None:
    wire.opened()
    wire.tell(a_trade())
    (fill,) = wire.news.next_fills()
    assert (fill.order_id, fill.asset_id, fill.shares) == (MAKER, NO, Decimal(40))
    assert (fill.price, fill.role, fill.fee) == (Price(Decimal("0.55")), Role.MAKER, Pusd(ZERO))


def test_our_taker_and_our_maker_in_one_trade_are_two_fills(wire: Wire) -> None:
    wire.opened()
    wire.tell(a_trade(taker_order_id=TAKER))
    taken, made = wire.news.next_fills()
    assert (taken.order_id, taken.shares, taken.role) == (TAKER, Decimal(100), Role.TAKER)
    assert (made.order_id, made.shares) == (MAKER, Decimal(40))
    assert taken.fee > 0


@pytest.mark.parametrize("stamp", ["1795348800", "1795348800000", 1795348800, 1795348800000])
def test_times_come_in_seconds_and_in_milliseconds(wire: Wire, stamp: object) -> None:
    wire.opened()
    wire.tell(a_trade(match_time=None, matchtime=stamp))
    assert wire.news.next_fills()[0].matched_at == datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_frames_in_an_array_are_all_read_in_their_order(wire: Wire) -> None:
    wire.opened()
    order = {"event_type": "order", "id": MAKER, "type": "UPDATE", "size_matched": "40"}
    wire.tell([a_trade(), order, a_trade(status="MINED", transaction_hash="0xfeed")])
    assert [wire.news.next_fills()[0].status for _ in range(2)] == [FillStatus.MATCHED, FillStatus.MINED]
    assert wire.news.orders.get(timeout=PATIENCE_SECONDS) == MAKER
    assert (wire.stream.statistics().frames, wire.stream.statistics().events) == (1, 3)


def test_a_trade_of_which_no_order_is_ours_is_told_apart(wire: Wire) -> None:
    wire.opened()
    wire.tell(a_trade(id="web", maker_orders=[]))
    assert wire.news.foreign.get(timeout=PATIENCE_SECONDS) == "web"
    assert wire.news.fills.empty()


@pytest.mark.parametrize(
    "frame",
    [
        "{",
        "<html>",
        "[1]",
        {"event_type": "surprise"},
        a_trade(status="NEW WORD"),
        a_trade(price="1.2"),
        a_trade(size="-5"),
        a_trade(size="1e9999"),
        "[" * 50_000,
    ],
    ids=str,
)
def test_what_can_not_be_read_may_have_been_a_fill_so_it_is_a_gap(wire: Wire, frame: object) -> None:
    wire.opened()
    wire.tell(frame, a_trade())
    assert "could not be read" in wire.news.gap()
    assert wire.news.next_fills()  # and the next one is read all the same
    assert wire.stream.statistics().garbage == 1


def test_of_an_array_the_part_that_can_be_read_still_counts(wire: Wire) -> None:
    wire.opened()
    wire.tell([{"event_type": "surprise"}, a_trade()])
    assert wire.news.next_fills()
    assert "could not be read" in wire.news.gap()


def test_a_lost_connection_is_a_gap_and_so_is_the_opening_of_the_next(wire: Wire) -> None:
    wire.opened()
    wire.lines[-1].close()
    assert "interrupted" in wire.news.gap()
    wire.opened()
    assert wire.stream.statistics().gaps == 1


def test_connected_and_silent_is_replaced_in_time(wire: Wire) -> None:
    wire.opened()
    wire.until(lambda: wire.stream.statistics().connected)
    wire.clock.advance(seconds=601)
    assert "silent" in wire.news.gap()


def test_wrong_credentials_close_the_socket_without_a_word_and_each_time_it_is_seen(wire: Wire) -> None:
    wire.refuses = True
    wire.opened()
    for _ in range(3):
        wire.lines[-1].close()
        wire.news.gap()
    assert wire.stream.statistics().gaps >= 1


def test_a_blank_frame_and_pong_are_nothing(wire: Wire) -> None:
    wire.opened()
    wire.tell("", " ", "PONG", a_trade())
    wire.news.next_fills()
    assert (wire.stream.statistics().garbage, wire.news.gaps.qsize()) == (0, 0)
