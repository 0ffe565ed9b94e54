"""An answer that the database does not take is kept in a file, and imported before anything else."""

from pathlib import Path
from typing import Any

import pytest

from polyb0t.core.errors import DatabaseError
from polyb0t.core.ids import AssetId, ConditionId, OrderId
from polyb0t.execution.gateway import Unknown
from polyb0t.execution.intents import IntentStatus, TradeIntent
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.spool import AnswerSpool, SpooledAnswer
from polyb0t.models.kill_switches import KillSwitchType, tripped
from tests.support.builders import an_intent
from tests.support.engine_room import EngineRoom


@pytest.fixture
def room(tmp_path: Path) -> EngineRoom:
    return EngineRoom(tmp_path)


def another() -> TradeIntent:
    return an_intent(asset_id=AssetId("5"), condition_id=ConditionId("0x" + "cd" * 32))


def full(*_args: object, **_kwargs: object) -> Any:
    raise DatabaseError("The database is full.")


def sent_into_a_full_database(room: EngineRoom, monkeypatch: pytest.MonkeyPatch) -> TradeIntent:
    """Accepted by the exchange; the answer could not be written and nothing can be read back."""
    intent = an_intent()
    room.gateway.down = True
    with monkeypatch.context() as patch:
        patch.setattr(room.stores.orders, "settle", full)
        room.execute(intent)
    assert room.order(intent).status is OrderStatus.SIGNED
    return intent


def test_the_answer_waits_in_a_file_and_nothing_more_is_permitted(
    room: EngineRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent_into_a_full_database(room, monkeypatch)

    second = another()
    room.execute(second)

    assert room.spool.waiting() == 1
    assert room.status(second) is IntentStatus.APPROVED
    assert "could not be written" in (room.executor.stopped or "")
    assert len(room.gateway.sent) == 1


def test_it_is_imported_before_the_exchange_is_asked_and_sends_go_on(
    room: EngineRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    intent = sent_into_a_full_database(room, monkeypatch)

    room.reconciler.run()  # the exchange is still down

    assert room.order(intent).status is OrderStatus.MATCHED
    assert room.status(intent) is IntentStatus.EXECUTED
    assert (room.spool.waiting(), room.executor.stopped) == (0, None)
    room.gateway.down = False
    second = another()
    assert room.execute(second).status is IntentStatus.EXECUTED


def test_a_new_process_imports_it_first(room: EngineRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    intent = sent_into_a_full_database(room, monkeypatch)

    room.restart()

    assert room.order(intent).status is OrderStatus.MATCHED
    kinds = [entry.kind for entry in room.stores.engine.journal(subject=room.order_id(intent))]
    assert "answer.imported" in kinds


def test_it_stays_while_the_database_takes_nothing(room: EngineRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    sent_into_a_full_database(room, monkeypatch)

    with monkeypatch.context() as patch, pytest.raises(DatabaseError):
        patch.setattr(room.stores.orders, "settle", full)
        room.reconciler.run()

    assert room.spool.waiting() == 1


def test_what_was_read_from_the_exchange_meanwhile_is_newer(
    room: EngineRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    intent = sent_into_a_full_database(room, monkeypatch)
    order_id = room.order_id(intent)
    for status in (OrderStatus.UNKNOWN, OrderStatus.CANCELLED):
        room.stores.orders.settle(order_id, room.lease, status=status, code="cancelled", detail="")
    (answer,) = (SpooledAnswer(order_id, OrderStatus.LIVE, "accepted", "", "live"),)
    room.spool.keep(answer)

    room.reconciler.run()

    assert room.order(intent).status is OrderStatus.CANCELLED
    assert room.spool.waiting() == 0


def test_an_answer_about_another_order_trips_the_switch_when_it_is_imported(
    room: EngineRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.gateway.answers.append(Unknown("names another", foreign_id=True))
    with monkeypatch.context() as patch:
        patch.setattr(room.stores.orders, "settle", full)
        patch.setattr(room.stores.switches, "trip", full)
        room.execute(an_intent())
    assert tripped(room.stores.switches.list()) == ()

    room.restart()

    assert [state.type for state in tripped(room.stores.switches.list())] == [KillSwitchType.RECONCILIATION]


def test_without_a_disk_the_process_stops_sending_for_good(
    room: EngineRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(room.spool, "keep", no_space)
    intent = sent_into_a_full_database(room, monkeypatch)
    room.gateway.down = False

    room.reconciler.run()

    assert room.order(intent).status is OrderStatus.MATCHED  # found by asking
    assert "could not be written anywhere" in (room.executor.stopped or "")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"status": "LIVE"}', '{"status": "SOLD"}'])
def test_a_file_that_cannot_be_read_is_set_aside_for_a_person(
    room: EngineRoom, tmp_path: Path, content: str
) -> None:
    folder = tmp_path / "another"
    folder.mkdir()
    (folder / "0xab.json").write_text(content)
    spool = AnswerSpool(folder)

    assert spool.import_into(room.stores, room.lease) == ()

    assert spool.waiting() == 0
    assert [path.name for path in folder.iterdir()] == ["0xab.damaged"]


def test_an_order_that_this_database_does_not_know_is_set_aside(room: EngineRoom, tmp_path: Path) -> None:
    spool = AnswerSpool(tmp_path / "another")
    spool.keep(SpooledAnswer(OrderId("0x" + "99" * 32), OrderStatus.LIVE, "accepted", "", "live"))

    assert spool.import_into(room.stores, room.lease) == ()

    assert [path.suffix for path in (tmp_path / "another").iterdir()] == [".unknown"]
