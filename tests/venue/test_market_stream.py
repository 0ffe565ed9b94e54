"""The market socket against a server on this machine: books arrive, and no gap goes unseen."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Queue
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from polyb0t.core.ids import AssetId
from polyb0t.venue.books import BookCache
from polyb0t.venue.market_stream import Gap, MarketStream, StreamSettings
from tests.support.clock import FakeClock
from tests.venue.rows import NO, YES, a_book_frame, a_change, a_price_change

QUICK = StreamSettings(poll=0.01, first_wait=0.01, longest_wait=0.02)
PATIENCE_SECONDS = 10


class Exchange:
    """Notes what clients say; says what the test says."""

    def __init__(self) -> None:
        self.heard: Queue[str] = Queue()
        self.lines: list[ServerConnection] = []
        self.carried: Counter[int] = Counter()  # assets by connection
        self.answers_ping = True
        self.url = ""

    def serve_one(self, line: ServerConnection) -> None:
        self.lines.append(line)
        try:
            for message in line:
                if message == "PING":
                    if self.answers_ping:
                        line.send("PONG")
                    continue
                self.carried[id(line)] += len(json.loads(message)["assets_ids"])
                self.heard.put(str(message))
        except ConnectionClosed:
            pass

    def said(self) -> dict[str, Any]:
        """The next subscription message."""
        message: dict[str, Any] = json.loads(self.heard.get(timeout=PATIENCE_SECONDS))
        return message

    def tell(self, *frames: str) -> None:
        for frame in frames:
            self.lines[-1].send(frame)


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    """A market socket; pings of the protocol itself are off, as only text PING counts here."""
    exchange = Exchange()
    with serve(exchange.serve_one, "127.0.0.1", 0, ping_interval=None) as server:
        exchange.url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}/ws/market"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield exchange
        server.shutdown()
        thread.join()


class Watcher:
    """A stream with its clock, books and gaps."""

    def __init__(self, url: str, settings: StreamSettings) -> None:
        self.clock = FakeClock()
        self.cache = BookCache(self.clock)
        self.gaps: Queue[Gap] = Queue()
        self.stream = MarketStream(url, self.cache, self.clock, settings=settings, on_gap=self.gaps.put)

    def gap(self) -> Gap:
        return self.gaps.get(timeout=PATIENCE_SECONDS)


@contextmanager
def watching(exchange: Exchange, *assets: str, settings: StreamSettings = QUICK) -> Iterator[Watcher]:
    watcher = Watcher(exchange.url, settings)
    try:
        watcher.stream.watch(AssetId(asset) for asset in assets)
        yield watcher
    finally:
        watcher.stream.close()


def until(happened: Callable[[], object]) -> None:
    """Waits for another thread, with a limit that no healthy run comes near."""
    pause = threading.Event()
    for _ in range(int(PATIENCE_SECONDS / 0.005)):
        if happened():
            return
        pause.wait(0.005)
    pytest.fail("it did not happen")


def numbered(count: int) -> list[str]:
    return [str(10**70 + number) for number in range(count)]


def test_the_first_message_names_the_channel_and_books_arrive(exchange: Exchange) -> None:
    with watching(exchange, YES) as watcher:
        assert exchange.said() == {"type": "market", "assets_ids": [YES]}
        exchange.tell(f"[{a_book_frame()}]", "", a_price_change(a_change(size="150")))
        until(lambda: watcher.cache.statistics().changes)
        book = watcher.cache.get(AssetId(YES))
        assert book is not None
        assert str(book.bids[0].shares) == "150"
        statistics = watcher.stream.statistics()
        assert (statistics.connections, statistics.connected, statistics.watched) == (1, 1, 1)
        assert (statistics.gaps, statistics.garbage, statistics.events) == (0, 0, 2)
        watcher.clock.advance(seconds=5)
        assert statistics.age_seconds(watcher.clock.now()) == 5


def test_no_connection_carries_more_assets_than_it_can(exchange: Exchange) -> None:
    with watching(exchange, *numbered(450)) as watcher:
        sizes = sorted(len(exchange.said()["assets_ids"]) for _ in range(3))
        assert sizes == sorted(exchange.carried.values()) == [50, 200, 200]
        assert watcher.stream.statistics().connections == 3


def test_subscriptions_follow_the_universe(exchange: Exchange) -> None:
    with watching(exchange, YES) as watcher:
        exchange.said()
        exchange.tell(a_book_frame())
        until(lambda: watcher.cache.get(AssetId(YES)))
        watcher.stream.watch([AssetId(YES), AssetId(NO)])
        assert exchange.said() == {"operation": "subscribe", "assets_ids": [NO]}
        watcher.stream.watch([AssetId(NO)])
        assert exchange.said() == {"operation": "unsubscribe", "assets_ids": [YES]}
        assert watcher.cache.get(AssetId(YES)) is None
        exchange.tell(a_book_frame(YES), a_book_frame(NO))
        until(lambda: watcher.cache.get(AssetId(NO)))
        assert watcher.cache.get(AssetId(YES)) is None
        watcher.stream.watch([])
        assert watcher.stream.statistics().connections == 0


def test_a_lost_connection_is_a_gap_and_its_books_are_in_doubt_until_the_next_snapshot(
    exchange: Exchange,
) -> None:
    with watching(exchange, YES) as watcher:
        exchange.said()
        exchange.tell(a_book_frame())
        until(lambda: watcher.cache.get(AssetId(YES)))
        exchange.lines[-1].close()
        gap = watcher.gap()
        assert (gap.assets, gap.connection) == (1, "polyb0t-market-1")
        assert watcher.cache.get(AssetId(YES)) is None
        assert "interrupted" in watcher.cache.doubts([AssetId(YES)])[AssetId(YES)]
        assert exchange.said() == {"type": "market", "assets_ids": [YES]}
        exchange.tell(a_price_change(a_change(size="7")), a_book_frame(timestamp="1795348900000"))
        until(lambda: watcher.cache.get(AssetId(YES)))
        assert watcher.stream.statistics().gaps == 1


def test_ping_goes_out_as_text_and_a_missing_pong_ends_the_connection(exchange: Exchange) -> None:
    with watching(exchange, YES) as watcher:
        exchange.said()
        watcher.clock.advance(seconds=11)
        until(lambda: watcher.stream.statistics().connected == 1)
        exchange.answers_ping = False
        watcher.clock.advance(seconds=31)
        assert "PONG" in watcher.gap().reason
        exchange.answers_ping = True
        assert exchange.said()["type"] == "market"


def test_a_connection_that_answers_pings_but_says_nothing_is_replaced(exchange: Exchange) -> None:
    settings = StreamSettings(poll=0.01, first_wait=0.01, longest_wait=0.02, silence=60, pong_within=1_000)
    with watching(exchange, YES, settings=settings) as watcher:
        exchange.said()
        until(lambda: watcher.stream.statistics().connected == 1)
        watcher.clock.advance(seconds=61)
        assert "silent" in watcher.gap().reason


def test_garbage_is_counted_and_does_not_end_the_stream(exchange: Exchange) -> None:
    with watching(exchange, YES) as watcher:
        exchange.said()
        exchange.tell(
            "", "{", "<html>", "[1, null]", '{"event_type":"surprise"}', "[" * 50_000, a_book_frame()
        )
        until(lambda: watcher.cache.get(AssetId(YES)))
        statistics = watcher.stream.statistics()
        assert (statistics.garbage, statistics.gaps) == (6, 0)


@pytest.mark.parametrize(
    ("frame", "doubted"),
    [
        (a_price_change(a_change(price="7")), {YES}),
        (a_price_change(a_change(size=5)), {YES}),
        (a_price_change(a_change(YES), a_change(NO, side="HOLD")), {YES, NO}),
        (a_book_frame(bids=[{"price": "0.46", "size": "5"}]), {YES}),
        (json.dumps({"event_type": "surprise", "asset_id": NO}), {NO}),
        ("[1]", {YES, NO}),
        ("{", {YES, NO}),
        ('{"event_type":"surprise"}', set()),
    ],
)
def test_a_message_that_can_not_be_read_puts_the_books_it_may_concern_in_doubt(
    exchange: Exchange, frame: str, doubted: set[str]
) -> None:
    both = [AssetId(YES), AssetId(NO)]
    with watching(exchange, *both) as watcher:
        exchange.said()
        exchange.tell(a_book_frame(YES), a_book_frame(NO))
        until(lambda: not watcher.cache.doubts(both))
        exchange.tell(frame)
        until(lambda: watcher.stream.statistics().frames == 3)
        until(lambda: set(watcher.cache.doubts(both)) == doubted)


def test_a_frame_that_is_too_large_is_a_gap_and_not_the_end(exchange: Exchange) -> None:
    settings = StreamSettings(poll=0.01, first_wait=0.01, longest_wait=0.02, most_frame_bytes=10_000)
    with watching(exchange, YES, settings=settings) as watcher:
        exchange.said()
        exchange.tell(" " * 20_000)
        watcher.gap()
        exchange.said()


def test_a_host_that_is_not_there_is_a_visible_gap_each_time(exchange: Exchange) -> None:
    watcher = Watcher("ws://127.0.0.1:9/ws/market", QUICK)
    watcher.stream.watch([AssetId(YES)])
    assert "refused" in watcher.gap().reason.lower()
    watcher.gap()
    watcher.stream.close()
    assert watcher.stream.statistics().gaps >= 2


def test_closing_ends_every_thread_and_leaves_no_book_trusted(exchange: Exchange) -> None:
    with watching(exchange, YES) as watcher:
        exchange.said()
        exchange.tell(a_book_frame())
        until(lambda: watcher.cache.get(AssetId(YES)))
    assert watcher.cache.get(AssetId(YES)) is None
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("polyb0t-market")]
    assert watcher.stream.statistics().events == 1
