"""The engine writes the books beside proposals only while somebody looks, and only what has changed."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import Price, Shares, parse_decimal
from polyb0t.data.order_book import Level, OrderBook
from polyb0t.db.stores import SqlStores
from polyb0t.execution.intents import IntentRecord
from polyb0t.execution.scope import Lease, Regime
from polyb0t.execution.store import Stores
from polyb0t.runtime.shown_books import BooksForScreens
from tests.support.builders import an_intent
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_stores

RAIN = AssetId("71")


class Counting:
    """A store of onlookers that counts what is written into it."""

    def __init__(self, store: object) -> None:
        self._store = store
        self.written = 0

    def __getattr__(self, name: str) -> object:
        if name == "show":
            self.written += 1
        return getattr(self._store, name)


class Scene:
    """One proposal that waits, a book that moves, and the thread's work taken step by step."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.stores = sqlite_stores(folder, self.clock)
        assert isinstance(self.stores, SqlStores)
        lease = self.stores.engine.acquire(
            "engine", holder="h:1", boot_id="b", process_started="1", regime=Regime.LIVE
        )
        assert isinstance(lease, Lease)
        record = self.stores.intents.propose(an_intent(asset_id=RAIN, created_at=self.clock.now()), lease)
        assert isinstance(record, IntentRecord)
        self.record = record
        self.book: OrderBook | None = self.a_book("0.60")
        self.counting = Counting(self.stores.onlookers)
        stores = cast("Stores", replace(self.stores, onlookers=self.counting))  # type: ignore[arg-type]
        self.books = BooksForScreens(stores, lambda _asset: self.book, self.clock)

    def a_book(self, ask: str) -> OrderBook:
        level = Level(Price(parse_decimal(ask)), Shares(parse_decimal("10")))
        lower = Level(Price(parse_decimal("0.5")), Shares(parse_decimal("10")))
        return OrderBook(
            asset_id=RAIN,
            condition_id=ConditionId("0x1"),
            bids=(lower,),
            asks=(level,) * 9,
            tick=None,
            min_shares=None,
            neg_risk=None,
            last_trade_price=None,
            hash="",
            venue_time=None,
            observed_at=self.clock.now(),
        )

    def looks(self) -> None:
        self.stores.onlookers.look("a", actor="user:bob", looking_at=None)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_while_nobody_looks_nothing_is_written(scene: Scene) -> None:
    scene.books.show()
    assert scene.stores.onlookers.glance().books == {}


def test_who_looks_gets_the_best_three_levels_of_what_waits(scene: Scene) -> None:
    scene.looks()
    scene.books.show()
    shown = scene.stores.onlookers.glance().books[RAIN]
    assert (len(shown.asks), shown.asks[0].price) == (3, Price(parse_decimal("0.6")))


def test_a_book_that_has_not_moved_is_not_written_again(scene: Scene) -> None:
    scene.looks()
    scene.books.show()
    scene.books.show()
    assert scene.counting.written == 1
    scene.clock.advance(seconds=1)
    scene.book = scene.a_book("0.62")
    scene.books.show()
    assert scene.counting.written == 2
    assert scene.stores.onlookers.glance().books[RAIN].asks[0].price == Price(parse_decimal("0.62"))


def test_what_waits_no_more_goes(scene: Scene) -> None:
    scene.looks()
    scene.books.show()
    scene.stores.intents.reject(scene.record.id, actor="user:bob", reason="")
    scene.books.show()
    assert scene.stores.onlookers.glance().books == {}


def test_who_has_gone_ends_it(scene: Scene) -> None:
    scene.looks()
    scene.clock.advance(seconds=timedelta(seconds=11).total_seconds())
    scene.books.show()
    assert scene.stores.onlookers.glance().books == {}
