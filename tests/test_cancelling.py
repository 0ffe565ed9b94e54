"""A cancel that a person types reaches the exchange first and the journal second."""

from pathlib import Path

import pytest

from polyb0t.core.errors import DatabaseError, VenueUnreachableError
from polyb0t.core.ids import OrderId
from polyb0t.core.units import Shares
from polyb0t.execution.cancelling import cancel_orders
from polyb0t.execution.intents import OrderType
from polyb0t.execution.orders import OrderStatus
from polyb0t.models.kill_switches import KillSwitchType
from tests.support.builders import an_intent
from tests.support.decisions import d
from tests.support.engine_room import EngineRoom


@pytest.fixture
def room(tmp_path: Path) -> EngineRoom:
    return EngineRoom(tmp_path)


@pytest.fixture
def resting(room: EngineRoom) -> OrderId:
    intent = an_intent(
        order_type=OrderType.GTC, amount=None, shares=Shares(d(20)), least_shares=None, post_only=True
    )
    room.execute(intent)
    return room.order(intent).id


def test_it_is_cancelled_noted_and_read_back_by_the_engine(room: EngineRoom, resting: OrderId) -> None:
    answer = cancel_orders(room.gateway, room.stores.engine, [resting], actor="user:anna")

    assert answer.cancelled == (resting,)
    entry = room.stores.engine.journal(subject=resting)[-1]
    assert (entry.kind, entry.actor) == ("cancel.requested", "user:anna")
    assert '"cancelled"' in entry.payload
    room.reconciler.run()
    assert room.stores.orders.order(resting).status is OrderStatus.CANCELLED


def test_no_switch_and_no_stuck_journal_stands_in_its_way(
    room: EngineRoom, resting: OrderId, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.stores.switches.trip(KillSwitchType.MANUAL, actor="user:anna", reason="enough")

    def full(*_args: object, **_kwargs: object) -> None:
        raise DatabaseError("The database is full.")

    monkeypatch.setattr(room.stores.engine, "note", full)

    answer = cancel_orders(room.gateway, room.stores.engine, [resting], actor="user:anna")

    assert answer.cancelled == (resting,)
    assert room.gateway.orders[resting].status == "CANCELED"


def test_without_an_answer_nothing_is_believed(room: EngineRoom, resting: OrderId) -> None:
    room.gateway.down = True

    with pytest.raises(VenueUnreachableError):
        cancel_orders(room.gateway, room.stores.engine, [resting], actor="user:anna")

    assert room.stores.orders.order(resting).status is OrderStatus.LIVE
