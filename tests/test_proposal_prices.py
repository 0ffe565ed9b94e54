"""What proposals are worth is followed beside the cycle's work, in few calls, and never in its way."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price
from polyb0t.data.order_book import OrderBook
from polyb0t.runtime.proposal_prices import ASK_EVERY_SECONDS, ASKED_AT_ONCE, ProposalPrices
from tests.support.clock import FakeClock
from tests.support.databases import World, migrated_file, sqlite_url
from tests.test_universe import a_book


def price(text: str) -> Price:
    return Price(Decimal(text))


@dataclass
class Exchange:
    """Answers with one bid for every book, and with the payouts that it is told of."""

    payouts: dict[AssetId, Price] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)
    down: bool = False

    def resolved(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, Price]:
        self.asked.append(len(asset_ids))
        if self.down:
            raise VenueUnreachableError("Nobody answers.")
        return {asset: self.payouts[asset] for asset in asset_ids if asset in self.payouts}

    def books(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, OrderBook]:
        return {asset: a_book("0.30", "0.40", asset) for asset in asset_ids}


@dataclass
class Room:
    """An engine's store, the exchange, and what the engine watches."""

    world: World
    exchange: Exchange
    watched: dict[AssetId, OrderBook]
    prices: ProposalPrices

    def proposed(self, asset: str) -> AssetId:
        self.world.proposed(asset_id=AssetId(asset))
        return AssetId(asset)

    def later(self, seconds: float) -> None:
        self.world.clock.advance(seconds=seconds)
        self.prices.look()

    def worth(self) -> dict[AssetId, Price | None]:
        return {asset: each.worth for asset, each in self.world.stores.prices.all().items()}


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    (tmp_path / "polyb0t.db").write_bytes(migrated_file())
    clock = FakeClock()
    world = World(sqlite_url(tmp_path), clock)
    exchange, watched = Exchange(), dict[AssetId, OrderBook]()
    prices = ProposalPrices(
        world.stores, world.lease, clock, book=watched.get, ask=exchange.books, resolutions=exchange
    )
    yield Room(world, exchange, watched, prices)
    world.close()


def test_a_watched_book_costs_no_call(room: Room) -> None:
    asset = room.proposed("1")
    room.watched[asset] = a_book("0.44", "0.50", asset)

    room.prices.look()

    assert room.worth() == {asset: price("0.44")}
    assert room.exchange.asked == []


def test_what_is_not_watched_any_more_is_asked_for_and_not_often(room: Room) -> None:
    asset = room.proposed("1")
    room.prices.look()
    assert room.worth() == {asset: price("0.30")}

    for _ in range(4):
        room.later(61)
    assert room.exchange.asked == [1]

    room.exchange.payouts[asset] = price("1")
    room.later(ASK_EVERY_SECONDS)
    assert room.worth() == {asset: price("1")}


def test_many_are_asked_for_in_turn(room: Room) -> None:
    for number in range(ASKED_AT_ONCE + 5):
        room.proposed(str(number + 1))

    room.prices.look()
    room.later(ASK_EVERY_SECONDS + 1)

    assert room.exchange.asked == [ASKED_AT_ONCE, ASKED_AT_ONCE]
    assert len(room.worth()) == ASKED_AT_ONCE + 5


def test_nobody_waits_for_an_exchange_that_does_not_answer(room: Room) -> None:
    room.proposed("1")
    room.exchange.down = True

    room.prices.look()

    assert room.worth() == {}


def test_an_empty_side_is_no_price(room: Room) -> None:
    asset = room.proposed("1")
    room.watched[asset] = a_book("0.44", "0.50", asset)
    room.prices.look()
    room.watched[asset] = a_book(None, "0.50", asset)

    room.later(61)

    assert room.worth() == {asset: price("0.44")}
