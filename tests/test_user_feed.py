"""From a match at the exchange to a stored fill, over the account's own socket, and what happens without it."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from polyb0t.core.clock import SystemClock
from polyb0t.core.ids import AssetId, new_intent_id
from polyb0t.core.units import Price, Shares, from_e6
from polyb0t.data.fills import FillStatus
from polyb0t.data.order_book import OrderBook
from polyb0t.execution.fill_intake import FillIntake
from polyb0t.execution.intents import OrderType, TradeIntent
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.scope import SANDBOX, Scope
from polyb0t.models.kill_switches import Stance, stance_of
from polyb0t.runtime.agreement import Agreement
from polyb0t.runtime.user_feed import UserFeed
from polyb0t.sandbox.socket_faults import SocketFault
from polyb0t.venue.socket_line import StreamSettings
from polyb0t.venue.user_stream import UserStream
from tests.support.clock import FakeClock
from tests.support.databases import World, sqlite_stores, sqlite_url
from tests.support.engine_room import EngineRoom
from tests.support.fake_gateway import FakeGateway
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.trader import Trader
from tests.support.trading import FakeBooks, a_book, a_market
from tests.test_execution_at_sandbox import TOLERANT
from tests.venue.connected import Connected, connected

PATIENCE_SECONDS = 10


@dataclass
class Engine:
    """An engine whose only source of fills is the socket: nothing polls."""

    room: EngineRoom
    link: Connected
    stream: UserStream
    feed: UserFeed
    other: Trader

    def resting(self) -> TradeIntent:
        """A purchase of 20 shares that becomes the best bid."""
        book = self.link.book()
        price = Price(from_e6(book.bids[-1][0]))
        now = self.room.clock.now()
        intent = self.link.intent(
            id=new_intent_id(),
            order_type=OrderType.GTC,
            post_only=True,
            amount=None,
            least_shares=None,
            shares=Shares(Decimal(20)),
            worst_price=price,
            rules_hash="c0ffee",
            created_at=now,
            deadline=now + timedelta(minutes=3),
        )
        self.room.execute(intent)
        assert self.room.order(intent).status is OrderStatus.LIVE
        return intent

    def sell_into_it(self, intent: TradeIntent) -> None:
        """Somebody else sells everything down to our price and as much as we want."""
        assert intent.worst_price is not None
        price_e6 = int(intent.worst_price * 1_000_000)
        token = str(intent.asset_id)
        book = self.link.sandbox.world.book(token)
        ahead = sum(size for price, size in book.bids if price >= price_e6)
        complement = next(one for one in self._tokens(intent) if one != token)
        answer = self.other.place(complement, "BUY", 1_000_000 - price_e6, -(-ahead // 10_000) * 10_000)
        assert answer.status_code == 200, answer.text

    def lie(self, *faults: SocketFault) -> None:
        """What the exchange's sockets do from now on."""
        self.link.sandbox.call(lambda: self.link.sandbox.app.socket_faults.replace(list(faults)))

    def poll(self) -> None:
        """As the engine does every few seconds while an order is open."""
        assert self.room.reconciler.run().ok

    def order(self, intent: TradeIntent) -> OrderRecord:
        return self.room.order(intent)

    def _tokens(self, intent: TradeIntent) -> tuple[str, ...]:
        return self.link.sandbox.world.market(str(intent.condition_id)).spec.token_ids


class Willing:
    """Offers enough at the best bid: the controls of this version want something to take."""

    def __init__(self, link: Connected, clock: FakeClock) -> None:
        self._link, self._clock = link, clock

    def fresh_book(self, asset_id: AssetId) -> OrderBook:
        bid = Decimal(self._link.book().bids[-1][0]) / 1_000_000
        return a_book(f"{bid - Decimal('0.01')}", f"{bid}", asset_id=asset_id, observed_at=self._clock.now())


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=6) as running:
        yield running


@pytest.fixture
def engine(sandbox: RunningSandbox, tmp_path: Path) -> Iterator[Engine]:
    with connected(sandbox) as link:
        clock = FakeClock(SystemClock().now())
        scope = Scope(SANDBOX, 137, link.wallet, link.environment.world_id)
        sqlite_stores(tmp_path, clock, scope).close()
        world = World(sqlite_url(tmp_path), clock, scope)
        room = EngineRoom(world=world)
        room.gateway = cast("FakeGateway", link.gateway)
        room.books = cast("FakeBooks", Willing(link, clock))
        room.read_cash = lambda: None
        room.read_held = lambda _asset: Shares(Decimal(20))
        room.situation.market = a_market(end_date=clock.now() + timedelta(days=20))
        room.situation.changes = {"limits": TOLERANT}
        room.start()
        agreement = Agreement(room.reconciler, SystemClock(), quiet_seconds=1e9)
        feed = UserFeed(partial(FillIntake, room.stores, room.lease, room.in_flight), agreement)
        stream = UserStream(
            link.environment.user_ws_url,
            link.credentials,
            feed,
            SystemClock(),
            fee_of=lambda order_id: (room.stores.orders.order(order_id), link.fee)[1],
            settings=StreamSettings(poll=0.01, first_wait=0.01, longest_wait=0.05),
        )
        feed.start()
        stream.start()
        until(lambda: sandbox.app.sockets.listeners(link.credentials.api_key))
        other = Trader(sandbox, sandbox.account(1))
        yield Engine(room, link, stream, feed, other)
        other.http.close()
        stream.close()
        feed.close()
        world.close()


def until(happened: Callable[[], object]) -> None:
    """Waits for another thread, with a limit that no healthy run comes near."""
    pause = threading.Event()
    for _ in range(int(PATIENCE_SECONDS / 0.01)):
        if happened():
            return
        pause.wait(0.01)
    pytest.fail("it did not happen")


def test_a_maker_fill_is_stored_without_anybody_asking(engine: Engine) -> None:
    intent = engine.resting()
    engine.sell_into_it(intent)
    until(lambda: engine.order(intent).filled_shares == 20)
    assert engine.stream.statistics().garbage == 0


def test_its_end_on_the_chain_is_read_before_it_is_believed(engine: Engine) -> None:
    intent = engine.resting()
    engine.sell_into_it(intent)
    until(lambda: engine.order(intent).filled_shares == 20)
    for _ in range(6):
        engine.link.sandbox.step(20_000)
    until(lambda: engine.order(intent).status is OrderStatus.FILLED)
    assert engine.order(intent).provisional_shares == 0


class Comparing:
    """In place of the comparison with the exchange: notes that one was asked for."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    def compare(self) -> None:
        self.asked.set()


def test_a_gap_has_everything_compared_anew(tmp_path: Path) -> None:
    room, comparing = EngineRoom(tmp_path), Comparing()
    intake = partial(FillIntake, room.stores, room.lease, room.in_flight)
    feed = UserFeed(intake, cast("Agreement", comparing))
    feed.start()
    try:
        feed.missed("the socket was cut")
        assert comparing.asked.wait(PATIENCE_SECONDS)
    finally:
        feed.close()


def test_what_happened_while_the_socket_was_cut_is_read_after_it_opened_again(engine: Engine) -> None:
    intent = engine.resting()
    engine.link.sandbox.call(lambda: (engine.link.sandbox.app.sockets.cut_all(), None))
    engine.sell_into_it(intent)
    until(lambda: engine.order(intent).filled_shares == 20)
    assert engine.stream.statistics().gaps >= 1


@pytest.mark.parametrize(
    "lie",
    [
        SocketFault("duplicate", channel="user"),
        SocketFault("reorder", channel="user"),
        SocketFault("seconds", channel="user"),
        SocketFault("late", channel="user", delay_ms=200),
    ],
    ids=lambda lie: lie.action,
)
def test_messages_may_come_twice_out_of_order_late_and_in_seconds(engine: Engine, lie: SocketFault) -> None:
    engine.lie(lie)
    intent = engine.resting()
    engine.sell_into_it(intent)
    until(lambda: engine.order(intent).filled_shares == 20)
    for _ in range(6):
        engine.link.sandbox.step(20_000)
    engine.lie()
    until(lambda: engine.order(intent).status is OrderStatus.FILLED)
    fills = engine.room.stores.orders.fills(order_id=engine.order(intent).id)
    assert sum(fill.shares for fill in fills) == 20
    assert {fill.status for fill in fills} == {FillStatus.CONFIRMED}
    assert stance_of(engine.room.stores.switches.list()) is Stance.ACTIVE


@pytest.mark.parametrize("action", ["silence", "drop"])
def test_what_the_socket_keeps_to_itself_is_found_by_asking(engine: Engine, action: Any) -> None:
    engine.lie(SocketFault(action, channel="user", event="trade"))
    intent = engine.resting()
    engine.sell_into_it(intent)
    engine.poll()
    assert engine.order(intent).filled_shares == 20


def test_polling_and_the_socket_together_count_nothing_twice(engine: Engine) -> None:
    engine.lie(SocketFault("late", channel="user", delay_ms=300))
    intent = engine.resting()
    engine.sell_into_it(intent)
    engine.poll()
    heard = engine.stream.statistics().events
    until(lambda: engine.stream.statistics().events > heard)
    engine.poll()
    assert engine.order(intent).filled_shares == 20
