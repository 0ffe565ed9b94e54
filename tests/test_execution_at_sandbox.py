"""The executor with nothing faked on its way: real storage, real signatures, an exchange that checks them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from polyb0t.core.clock import SystemClock
from polyb0t.core.ids import AssetId, new_intent_id
from polyb0t.core.units import Price, Shares, floor_to, from_e6
from polyb0t.data.order_book import Level, OrderBook
from polyb0t.execution.intents import IntentStatus, TradeIntent
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.scope import SANDBOX, Scope
from polyb0t.models.limits import RiskLimits
from polyb0t.sandbox.faults import Fault
from polyb0t.venue.account import PolymarketAccount
from tests.support.builders import a_cancel
from tests.support.clock import FakeClock
from tests.support.databases import World, sqlite_stores, sqlite_url
from tests.support.engine_room import EngineRoom
from tests.support.fake_gateway import FakeGateway
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.trading import FakeBooks, a_book, a_market
from tests.venue.connected import Connected, connected

TOLERANT = RiskLimits(
    collar_pusd=Decimal(1), collar_fraction=Decimal(1), spread_max=Decimal(1), edge_suspicious=Decimal(1)
)
SETTLED_MS = 120_000  # of the sandbox's time: more than a trade needs to be confirmed


@dataclass
class Practice:
    """An engine of the first practice account."""

    room: EngineRoom
    link: Connected

    def buying(self, **changes: Any) -> TradeIntent:
        """10 pUSD for as many shares as three cents above the best offer allow."""
        intent = self.link.intent(**{**self._common(), **changes})
        assert intent.worst_price is not None
        least = floor_to(Decimal(10) / intent.worst_price, Decimal("0.01"))
        return replace(intent, least_shares=Shares(least)) if intent.amount else intent

    def resting(self) -> TradeIntent:
        return self.link.resting(**self._common())

    def settle(self) -> None:
        """Let every trade come to its end on chain."""
        for _ in range(6):
            self.link.sandbox.step(SETTLED_MS // 6)
            self.room.reconciler.run()

    def _common(self) -> dict[str, Any]:
        return {
            "id": new_intent_id(),
            "rules_hash": "c0ffee",
            "created_at": self.room.clock.now(),
            "deadline": self.room.clock.now() + timedelta(minutes=3),
        }


class SandboxBooks:
    """The sandbox's own book, as of now."""

    def __init__(self, link: Connected, clock: FakeClock) -> None:
        self._link, self._clock = link, clock

    def fresh_book(self, asset_id: AssetId) -> OrderBook:
        view = self._link.book()
        return a_book(
            asset_id=asset_id,
            bids=tuple(Level(Price(from_e6(p)), Shares(from_e6(s))) for p, s in reversed(view.bids)),
            asks=tuple(Level(Price(from_e6(p)), Shares(from_e6(s))) for p, s in reversed(view.asks)),
            observed_at=self._clock.now(),
        )


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=6) as running:
        yield running


@pytest.fixture
def practice(sandbox: RunningSandbox, tmp_path: Path) -> Iterator[Practice]:
    sandbox.faults.clear()
    with connected(sandbox) as link:
        clock = FakeClock(SystemClock().now())
        scope = Scope(SANDBOX, 137, link.wallet, link.environment.world_id)
        sqlite_stores(tmp_path, clock, scope).close()
        world = World(sqlite_url(tmp_path), clock, scope)
        room = EngineRoom(world=world)
        room.gateway = cast("FakeGateway", link.gateway)
        room.books = cast("FakeBooks", SandboxBooks(link, clock))
        room.situation.market = a_market(end_date=clock.now() + timedelta(days=20))
        room.situation.changes = {"limits": TOLERANT}
        room.read_cash = PolymarketAccount(
            link.environment, link.wallet, link.reader, clock, api=link.api
        ).cash_pusd
        room.start()
        yield Practice(room, link)
        world.close()
    sandbox.faults.clear()


def test_an_approved_order_has_the_predicted_id_and_its_fills_become_final(practice: Practice) -> None:
    room, intent = practice.room, practice.buying()
    predicted = practice.link.gateway.order_id(intent)

    done = room.execute(intent)

    order = room.order(intent)
    assert (done.status, order.id) == (IntentStatus.EXECUTED, predicted), done
    assert order.status is OrderStatus.MATCHED
    assert order.filled_shares >= (intent.least_shares or 0)
    assert order.provisional_shares == order.filled_shares
    room.read_held = lambda _asset_id: order.filled_shares
    practice.settle()
    order = room.order(intent)
    assert order.status is OrderStatus.FILLED
    assert order.provisional_shares == 0
    assert room.stores.orders.reserved_pusd() == 0


@pytest.mark.parametrize("crash", [False, True], ids=["same process", "new process"])
def test_a_reply_cut_off_after_acceptance_is_found_and_nothing_is_sent_twice(
    practice: Practice, crash: bool
) -> None:
    room, intent = practice.room, practice.buying()
    practice.link.sandbox.faults.replace(
        [
            Fault("drop_after", "/clob/order", method="POST"),
            Fault("status", "/clob/data", status=503, body={"error": "service not ready"}),
        ]
    )

    assert room.execute(intent).status is IntentStatus.EXECUTING
    assert room.order(intent).status is OrderStatus.UNKNOWN
    assert room.stores.orders.reserved_pusd() == intent.max_cost
    assert not room.reconciler.run().ok

    practice.link.sandbox.faults.clear()
    report = room.restart() if crash else room.reconciler.run()

    assert report.ok, report
    assert report.unresolved == ()
    assert room.status(intent) is IntentStatus.EXECUTED
    assert room.order(intent).status is OrderStatus.MATCHED
    assert room.order(intent).copies == 1


def test_an_order_that_never_arrived_stays_unknown(practice: Practice) -> None:
    room, intent = practice.room, practice.buying()
    practice.link.sandbox.faults.replace([Fault("drop_before", "/clob/order", method="POST")])

    room.execute(intent)
    practice.link.sandbox.faults.clear()
    report = room.reconciler.run()

    assert report.ok
    assert report.unresolved == (room.order(intent).id,)
    assert room.order(intent).status is OrderStatus.UNKNOWN
    assert room.stores.orders.reserved_pusd() == intent.max_cost


def test_a_price_that_nobody_offers_is_a_no_fill(practice: Practice) -> None:
    room, far = practice.room, practice.buying(worst_price=Price(Decimal("0.05")))
    # Between the look at the book and the arrival somebody took the offers away.
    room.books = cast("FakeBooks", _Generous(room.clock))
    room.start()

    done = room.execute(far)

    assert (done.status, done.result) == (IntentStatus.FAILED, "no_fill"), done
    assert room.order(far).status is OrderStatus.CANCELLED
    assert room.order(far).filled_shares == 0


def test_a_resting_order_is_listed_as_ours_and_cancelled_by_an_intent(practice: Practice) -> None:
    room, intent = practice.room, practice.resting()
    room.books = cast("FakeBooks", _Generous(room.clock))
    room.start()
    room.execute(intent)
    order = room.order(intent)
    assert order.status is OrderStatus.LIVE
    assert room.reconciler.run().foreign_orders == ()

    done = room.execute(
        a_cancel(order.id, scope=intent.scope, created_at=room.clock.now(), asset_id=intent.asset_id)
    )

    assert (done.status, done.result) == (IntentStatus.EXECUTED, "cancelled")
    assert room.order(intent).status is OrderStatus.CANCELLED
    assert room.stores.orders.reserved_pusd() == 0


class _Generous:
    """A book that offers what the exchange does not."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock

    def fresh_book(self, asset_id: AssetId) -> OrderBook:
        return a_book("0.04", "0.05", "100000", asset_id=asset_id, observed_at=self._clock.now())
