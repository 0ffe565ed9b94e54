"""All fills, read once and then only where they changed: never another answer than the table's."""

from dataclasses import replace
from decimal import Decimal

import pytest

from polyb0t.core.ids import TradeId
from polyb0t.core.units import Shares
from polyb0t.data.fills import Fill, FillStatus
from polyb0t.execution.orders import OrderRecord
from tests.support.builders import a_fill
from tests.support.databases import World


@pytest.fixture
def order(world: World) -> OrderRecord:
    return world.permitted()


def piece(order: OrderRecord, number: int, **changes: object) -> Fill:
    """One of many small fills of the order."""
    fill = a_fill(order.id, trade_id=TradeId(f"trade-{number}"), shares=Shares(Decimal(2)))
    return replace(fill, **changes)  # type: ignore[arg-type]


def test_a_fill_that_was_stored_since_is_there(world: World, order: OrderRecord) -> None:
    world.orders.record_fills(order.id, [piece(order, 1)], world.lease)
    assert len(world.orders.fills()) == 1
    world.orders.record_fills(order.id, [piece(order, 2)], world.lease)
    assert [fill.trade_id for fill in world.orders.fills()] == ["trade-1", "trade-2"]


def test_a_fill_that_moved_within_the_same_instant_is_shown_as_it_stands(
    world: World, order: OrderRecord
) -> None:
    world.orders.record_fills(order.id, [piece(order, 1)], world.lease)
    assert world.orders.fills()[0].status is FillStatus.MATCHED
    failed = piece(order, 1, status=FillStatus.FAILED)
    world.orders.record_fills(order.id, [failed], world.lease)  # the clock has not moved
    assert world.orders.fills()[0].status is FillStatus.FAILED


def test_what_another_process_stored_is_seen(world: World, order: OrderRecord) -> None:
    assert world.orders.fills() == ()
    world.another().orders.record_fills(order.id, [piece(order, 1)], world.lease)
    assert len(world.orders.fills()) == 1


def test_a_clock_that_is_set_back_hides_nothing(world: World, order: OrderRecord) -> None:
    world.orders.record_fills(order.id, [piece(order, 1)], world.lease)
    assert len(world.orders.fills()) == 1
    world.clock.jump_wall(seconds=-86_400)
    world.orders.record_fills(order.id, [piece(order, 2)], world.lease)
    assert len(world.orders.fills()) == 2


def test_a_row_that_somebody_took_away_is_not_believed_in(world: World, order: OrderRecord) -> None:
    world.orders.record_fills(order.id, [piece(order, 1), piece(order, 2)], world.lease)
    assert len(world.orders.fills()) == 2
    world.sql("DELETE FROM fills WHERE trade_id = 'trade-1'")
    assert [fill.trade_id for fill in world.orders.fills()] == ["trade-2"]


def test_while_nothing_changes_the_same_answer_is_handed_out(world: World, order: OrderRecord) -> None:
    """Who computes from all fills computes again only when there is something new."""
    world.orders.record_fills(order.id, [piece(order, 1)], world.lease)
    assert world.orders.fills() is world.orders.fills()
