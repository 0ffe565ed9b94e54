"""What is paid for what was proposed, on both databases: the newest bid, and a payout once for good."""

from datetime import timedelta
from decimal import Decimal

import pytest

from polyb0t.core.errors import LeaseLostError
from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import Price
from tests.support.databases import World

LONG_AGO = timedelta(days=60)


def price(text: str) -> Price:
    return Price(Decimal(text))


def proposed(world: World, asset: str) -> AssetId:
    world.proposed(asset_id=AssetId(asset), condition_id=ConditionId("0x" + asset * 64))
    world.advance(1)
    return AssetId(asset)


def test_what_was_proposed_is_wanted_newest_first_until_it_has_paid(world: World) -> None:
    first, second = proposed(world, "1"), proposed(world, "2")
    prices, since = world.stores.prices, world.intents.now() - LONG_AGO
    assert list(prices.wanted(since)) == [second, first]

    prices.note({}, {second: price("1")}, world.lease)

    assert list(prices.wanted(since)) == [first]
    assert list(prices.wanted(world.intents.now())) == []


def test_the_newest_bid_counts_until_the_market_has_paid(world: World) -> None:
    asset, prices = proposed(world, "1"), world.stores.prices
    assert prices.note({asset: price("0.4")}, {}, world.lease) == 1
    assert prices.note({asset: price("0.4")}, {}, world.lease) == 0
    assert prices.note({asset: price("0.5")}, {}, world.lease) == 1
    assert prices.all()[asset].worth == price("0.5")

    prices.note({asset: price("0.9")}, {asset: price("0")}, world.lease)

    assert (prices.all()[asset].worth, prices.all()[asset].bid) == (price("0"), price("0.9"))


def test_a_payout_is_final(world: World) -> None:
    asset, prices = proposed(world, "1"), world.stores.prices
    prices.note({}, {asset: price("1")}, world.lease)

    assert prices.note({}, {asset: price("0")}, world.lease) == 0
    assert prices.all()[asset].payout == 1


def test_only_the_engine_that_acts_writes(world: World) -> None:
    asset = proposed(world, "1")
    world.engine.release(world.lease)

    with pytest.raises(LeaseLostError):
        world.stores.prices.note({asset: price("0.4")}, {}, world.lease)
    assert world.stores.prices.all() == {}


def test_an_observation_is_not_journalled(world: World) -> None:
    asset = proposed(world, "1")
    before = world.engine.last_sequence()

    world.stores.prices.note({asset: price("0.4")}, {}, world.lease)

    assert world.engine.last_sequence() == before
