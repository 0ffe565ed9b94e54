"""The hard limits of the claim: held under its locks, with the reservation of whatever is not over."""

from collections.abc import Callable
from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest

from polyb0t.core.ids import ConditionId
from polyb0t.core.units import Pusd
from polyb0t.data.fills import FillStatus
from polyb0t.db import SqlStores
from polyb0t.execution.intents import IntentRecord, IntentStatus
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import ClaimLimits, Denied
from tests.contracts.test_races import CONTENDERS, at_once
from tests.support.builders import a_fill, wide_limits
from tests.support.databases import World

COST = Decimal("10.2")  # of the builders' intent


def pusd(text: str) -> Pusd:
    return Pusd(Decimal(text))


def approved(world: World, number: int) -> IntentRecord:
    return world.approved(asset_id=str(number), condition_id=ConditionId(f"0x{number}"))


def claimed(world: World, number: int, limits: ClaimLimits) -> IntentRecord | Denied:
    return world.intents.claim(approved(world, number).id, world.lease, Regime.LIVE, limits)


# A limit with room for exactly two of the builders' intents.
ROOM_FOR_TWO: dict[str, dict[str, Any]] = {
    "balance_too_low": {"spendable_pusd": pusd("20.4")},
    "exposure_too_high": {"max_exposure_pusd": pusd("20.4"), "max_used_pusd": pusd("500")},
    "budget": {"max_used_pusd": pusd("20.4")},
    "turnover_day": {"max_turnover_pusd": pusd("120.4"), "bought_today_pusd": pusd("100")},
    "orders_hour": {"max_orders_hour": 2},
}
each_limit = pytest.mark.parametrize("code", ROOM_FOR_TWO)


@each_limit
def test_the_third_of_two_is_refused_and_ends(world: World, code: str) -> None:
    limits = wide_limits(**ROOM_FOR_TWO[code])
    assert isinstance(claimed(world, 1, limits), IntentRecord)
    assert isinstance(claimed(world, 2, limits), IntentRecord)
    third = approved(world, 3)
    answer = world.intents.claim(third.id, world.lease, Regime.LIVE, limits)
    assert isinstance(answer, Denied)
    assert answer.code == code
    assert world.intents.get(third.id).status is IntentStatus.FAILED
    assert world.orders.reserved_pusd() == 2 * COST


@each_limit
def test_eight_at_once_do_not_take_more_than_there_is(world: World, code: str) -> None:
    """Each process looked before any of them claimed: what they read was true for all of them."""
    limits = wide_limits(**ROOM_FOR_TWO[code])
    records = [approved(world, number) for number in range(CONTENDERS)]

    def claim(stores: SqlStores, record: IntentRecord) -> Callable[[], object]:
        return lambda: stores.intents.claim(record.id, world.lease, Regime.LIVE, limits)

    answers = at_once([claim(world.another(), record) for record in records])
    assert sum(isinstance(answer, IntentRecord) for answer in answers) == 2
    assert {answer.code for answer in answers if isinstance(answer, Denied)} == {code}


@each_limit
def test_an_order_of_unknown_outcome_keeps_its_part(world: World, code: str) -> None:
    limits = wide_limits(**ROOM_FOR_TWO[code])
    order = world.permitted(asset_id="1", condition_id=ConditionId("0x1"))
    world.orders.settle(order.id, world.lease, status=OrderStatus.UNKNOWN, code="unknown", detail="timeout")
    assert isinstance(claimed(world, 2, limits), IntentRecord)
    answer = claimed(world, 3, limits)
    assert isinstance(answer, Denied)
    assert answer.code == code


@pytest.mark.parametrize("code", ["balance_too_low", "exposure_too_high", "budget", "turnover_day"])
def test_what_never_became_an_order_gives_its_part_back(world: World, code: str) -> None:
    limits = wide_limits(**ROOM_FOR_TWO[code])
    first = claimed(world, 1, limits)
    assert isinstance(first, IntentRecord)
    world.intents.fail(first.id, world.lease, code="no_fresh_book", detail="")
    assert isinstance(claimed(world, 2, limits), IntentRecord)
    assert isinstance(claimed(world, 3, limits), IntentRecord)


class TestOrdersAnHour:
    ONE = wide_limits(max_orders_hour=1)

    def test_an_order_that_found_nothing_counts_as_well(self, world: World) -> None:
        order = world.permitted(asset_id="1", condition_id=ConditionId("0x1"))
        world.orders.settle(order.id, world.lease, status=OrderStatus.CANCELLED, code="no_fill", detail="")
        assert world.intents.get(order.intent_id).status is IntentStatus.FAILED
        assert isinstance(claimed(world, 2, self.ONE), Denied)

    def test_what_was_refused_before_it_was_an_order_does_not(self, world: World) -> None:
        first = claimed(world, 1, self.ONE)
        assert isinstance(first, IntentRecord)
        world.intents.fail(first.id, world.lease, code="price_worse", detail="")
        assert isinstance(claimed(world, 2, self.ONE), IntentRecord)

    def test_after_an_hour_there_is_room_again(self, world: World) -> None:
        world.permitted(asset_id="1", condition_id=ConditionId("0x1"))
        world.advance(3_601)
        world.lease = world.start_engine(take_over_from=world.lease.token)
        assert isinstance(claimed(world, 2, self.ONE), IntentRecord)

    def test_a_sale_is_never_held_back(self, world: World) -> None:
        sale = world.approved(world.close_intent(asset_id="9"))
        answer = world.intents.claim(sale.id, world.lease, Regime.LIVE, wide_limits(max_orders_hour=0))
        assert isinstance(answer, IntentRecord)


@pytest.mark.parametrize("name", ["max_used_pusd", "max_turnover_pusd", "max_orders_hour", "thresholds"])
def test_a_limit_that_nobody_told_leaves_no_room(world: World, name: str) -> None:
    told = {spec.name: getattr(wide_limits(), spec.name) for spec in fields(ClaimLimits)}
    del told[name]
    assert isinstance(claimed(world, 1, ClaimLimits(**told)), Denied)


def test_a_fill_moves_its_part_from_the_reservation_to_what_was_bought(world: World) -> None:
    """The desk reads again after it: the day's purchases grow by what the reservation lost."""
    order = world.permitted(asset_id="1", condition_id=ConditionId("0x1"))
    fill = a_fill(order.id, asset_id="1", condition_id=order.condition_id, status=FillStatus.CONFIRMED)
    world.orders.record_fills(order.id, [fill], world.lease)
    world.orders.settle(order.id, world.lease, status=OrderStatus.FILLED, code="filled", detail="")
    paid = fill.notional + fill.fee
    limits = wide_limits(max_turnover_pusd=Pusd(paid + COST), bought_today_pusd=Pusd(paid))
    assert isinstance(claimed(world, 2, limits), IntentRecord)
    over = wide_limits(max_turnover_pusd=Pusd(paid + COST), bought_today_pusd=Pusd(paid))
    assert isinstance(claimed(world, 3, over), Denied)
