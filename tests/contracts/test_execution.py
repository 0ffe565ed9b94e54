"""At most one order, whatever crashes, on each database that the engine may run on."""

from contextlib import suppress
from datetime import timedelta

import pytest

from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.execution.intents import IntentStatus, TradeIntent
from polyb0t.execution.orders import OrderStatus
from tests.support.databases import World
from tests.support.engine_room import CrashError, EngineRoom, Tripwire


def an_idea(room: EngineRoom, world: World, number: int) -> TradeIntent:
    """The same trade in another market each time, with an hour to decide."""
    return world.intent(
        asset_id=AssetId(str(1_000 + number)),
        condition_id=ConditionId(f"0x{number:064x}"),
        deadline=room.stores.intents.now() + timedelta(hours=1),
    )


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_call_leaves_one_order_at_most(world: World, after: bool) -> None:
    room = EngineRoom(world=world)
    wire = Tripwire()
    room.start(wire)
    first = an_idea(room, world, 0)
    room.approve(first)
    wire.calls.clear()
    room.executor.execute(first.id)
    calls = list(wire.calls)
    assert {"intents.claim", "intents.permit", "gateway.send", "orders.settle"} <= set(calls)

    for at, label in enumerate(calls, start=1):
        intent = an_idea(room, world, at)
        room.approve(intent)
        room.start(Tripwire(at=at, after=after))
        with suppress(CrashError):
            room.executor.execute(intent.id)

        assert room.restart().ok, label
        if room.status(intent) is IntentStatus.APPROVED:
            room.executor.execute(intent.id)
        room.gateway.settle_trades()
        room.reconciler.run()
        sent = room.gateway.sent.count(room.order_id(intent))
        record = room.stores.intents.get(intent.id)

        assert sent <= 1, label
        if sent:
            assert record.status is IntentStatus.EXECUTED, label
            assert room.order(intent).status is OrderStatus.FILLED, label
        elif record.order_id is None:
            assert (record.status, record.result) == (IntentStatus.FAILED, "interrupted"), label
        else:
            assert record.status is IntentStatus.EXECUTING, label
            assert room.order(intent).status is OrderStatus.UNKNOWN, label


def test_an_order_goes_from_approval_to_final_fills(world: World) -> None:
    room = EngineRoom(world=world)
    intent = world.intent()

    assert room.execute(intent).status is IntentStatus.EXECUTED
    room.gateway.settle_trades()
    report = room.reconciler.run()

    assert report.ok
    assert room.order(intent).status is OrderStatus.FILLED
    assert room.stores.orders.reserved_pusd() == 0
