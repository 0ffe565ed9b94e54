"""A restored backup does not pass for the present, and taking it over executes nothing twice."""

import shutil
from pathlib import Path

import pytest

from polyb0t.core.errors import ConflictError, DatabaseError, VenueUnreachableError
from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.db.backup import backup
from polyb0t.execution.anchor import require_present, restored
from polyb0t.execution.gateway import Unreadable
from polyb0t.execution.intents import IntentStatus, TradeIntent
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.store import Adoption
from polyb0t.models.kill_switches import KillSwitchType, tripped
from polyb0t.runtime.adopting import adopt_with, could_have_orders
from tests.support.builders import an_intent
from tests.support.databases import sqlite_stores, sqlite_url
from tests.support.engine_room import EngineRoom


@pytest.fixture
def room(tmp_path: Path) -> EngineRoom:
    return EngineRoom(tmp_path)


def another() -> TradeIntent:
    return an_intent(asset_id=AssetId("5"), condition_id=ConditionId("0x" + "cd" * 32))


def copy_of(room: EngineRoom, tmp_path: Path) -> Path:
    target = tmp_path / "copy.db"
    backup(sqlite_url(tmp_path), target)
    return target


def restore(room: EngineRoom, tmp_path: Path, copy: Path) -> None:
    """Stop, put the old file in place, start: as a person does it."""
    room.stores.close()  # type: ignore[attr-defined]
    for suffix in ("", "-wal", "-shm"):
        Path(f"{tmp_path}/polyb0t.db{suffix}").unlink(missing_ok=True)
    shutil.copy(copy, tmp_path / "polyb0t.db")
    room.clock.advance(seconds=60)  # whoever held the lease in the backup has been silent since
    anchor = room.anchor
    room.stores = sqlite_stores(tmp_path, room.clock)
    anchor._engine = room.stores.engine


def adopt(room: EngineRoom) -> Adoption:
    adoption, _asked = adopt_with(
        room.stores,
        room.gateway,
        room.anchor,
        could_have_orders(room.stores),
        actor="user:anna",
        reason="the disk broke",
    )
    return adoption


def go_on(room: EngineRoom) -> None:
    """The next start of an engine, after adoption."""
    require_present(room.stores, room.anchor)
    room.situation.stores = room.stores
    lease = room.stores.engine.acquire(
        "engine", holder="host:2", boot_id="boot", process_started="now", regime=room.regime
    )
    assert not hasattr(lease, "holder"), lease
    room.lease = lease
    room.start()
    room.reconciler.run()


def test_the_anchor_knows_the_permit_before_anything_leaves(
    room: EngineRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_send: list[tuple[int, list[str]]] = []
    take = room.gateway.take

    def look(prepared: object) -> object:
        point = room.anchor.read()
        assert point is not None
        kinds = [entry.kind for entry in room.stores.engine.journal(limit=point.sequence)]
        at_send.append((point.sequence, kinds))
        return take(prepared)  # type: ignore[arg-type]

    room.gateway.answers.append(look)  # type: ignore[arg-type]
    room.execute(an_intent())

    assert "order.permitted" in at_send[0][1]


def test_without_an_anchor_nothing_leaves(room: EngineRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(room.anchor, "replace", no_space)
    intent = an_intent()
    record = room.execute(intent)

    assert (record.status, record.result) == (IntentStatus.FAILED, "anchor_not_written")
    assert room.gateway.sent == []


def test_the_database_that_traded_last_is_present(room: EngineRoom) -> None:
    assert restored(room.stores, room.anchor) is None
    room.execute(an_intent())

    assert restored(room.stores, room.anchor) is None
    room.restart()
    assert restored(room.stores, room.anchor) is None


def test_a_database_behind_its_anchor_was_restored(room: EngineRoom, tmp_path: Path) -> None:
    room.approve(another())
    copy = copy_of(room, tmp_path)
    room.execute(an_intent())
    restore(room, tmp_path, copy)

    with pytest.raises(ConflictError) as refused:
        require_present(room.stores, room.anchor)

    assert refused.value.code == "database_restored"
    assert "journal ends at" in refused.value.why
    assert "db adopt --reason" in refused.value.do


def test_a_restored_database_that_went_on_differently_is_known_too(room: EngineRoom, tmp_path: Path) -> None:
    copy = copy_of(room, tmp_path)
    room.execute(an_intent())
    restore(room, tmp_path, copy)
    for _ in range(20):
        room.stores.engine.note(None, kind="note", subject="x", payload={}, actor="user:a")

    found = restored(room.stores, room.anchor)

    assert found is not None
    assert "another than the one that was written" in found.why


def test_another_database_is_not_the_one_that_traded_last(room: EngineRoom, tmp_path: Path) -> None:
    room.execute(an_intent())
    room.stores = sqlite_stores(tmp_path / "other", room.clock)
    room.stores.engine.note(None, kind="note", subject="x", payload={}, actor="user:a")
    # The template is one file for all tests; a database that is made anew has an id of its own.
    point = room.anchor.read()
    assert point is not None
    object.__setattr__(point, "database_id", "f" * 32)
    room.anchor.replace(point)

    found = restored(room.stores, room.anchor)

    assert found is not None
    assert "another database" in found.why


def test_a_server_or_timeline_that_changed_is_a_restore(room: EngineRoom) -> None:
    room.execute(an_intent())
    point = room.anchor.read()
    assert point is not None
    object.__setattr__(point, "server", "7012345/1")
    room.anchor.replace(point)

    found = restored(room.stores, room.anchor)

    assert found is not None
    assert "POLYBOT_DATABASE_URL" in found.why  # a file, where a server was: nobody restored it
    object.__setattr__(point, "server", "")
    room.anchor.replace(point)
    assert restored(room.stores, room.anchor) is None


def test_live_decisions_without_an_anchor_came_from_elsewhere(room: EngineRoom, tmp_path: Path) -> None:
    room.propose(another())
    assert restored(room.stores, room.anchor) is None  # nothing was decided yet
    room.execute(an_intent())
    (room.anchor._path).unlink()

    assert restored(room.stores, room.anchor) is not None


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"sequence": 1}'])
def test_an_anchor_that_cannot_be_read_is_no_permission(room: EngineRoom, content: str) -> None:
    room.execute(an_intent())
    room.anchor._path.write_text(content)

    assert restored(room.stores, room.anchor) is not None


# -- taking over -------------------------------------------------------------------------------


def test_what_was_executed_after_the_backup_is_found_and_not_executed_again(
    room: EngineRoom, tmp_path: Path
) -> None:
    intent, waiting = an_intent(), another()
    room.approve(intent)
    room.propose(waiting)
    copy = copy_of(room, tmp_path)
    room.executor.execute(intent.id)
    assert room.order(intent).status is OrderStatus.MATCHED
    restore(room, tmp_path, copy)
    assert room.status(intent) is IntentStatus.APPROVED

    adoption = adopt(room)
    go_on(room)

    assert adoption.recovered == (room.gateway.order_id(intent),)
    assert adoption.expired == (waiting.id,)
    assert room.status(waiting) is IntentStatus.EXPIRED
    order = room.order(intent)
    assert order.status is OrderStatus.MATCHED
    assert order.filled_shares > 0
    assert room.status(intent) is IntentStatus.EXECUTED
    assert len(room.gateway.sent) == 1


def test_what_was_only_proposed_in_the_backup_is_found_as_well(room: EngineRoom, tmp_path: Path) -> None:
    intent = an_intent()
    room.propose(intent)
    copy = copy_of(room, tmp_path)
    room.stores.intents.approve(intent.id, digest=intent.digest, actor="user:anna", grace_seconds=10)
    room.executor.execute(intent.id)
    restore(room, tmp_path, copy)

    adopt(room)
    go_on(room)

    assert room.order(intent).status is OrderStatus.MATCHED
    assert room.status(intent) is IntentStatus.EXECUTED


def test_what_was_under_way_in_the_backup_and_is_not_found_is_looked_for_and_not_interrupted(
    room: EngineRoom, tmp_path: Path
) -> None:
    intent = an_intent()
    room.approve(intent)
    room.stores.intents.claim(intent.id, room.lease, room.regime, room.situation.claim_limits(intent))
    copy = copy_of(room, tmp_path)
    restore(room, tmp_path, copy)
    room.anchor.replace(room.stores.engine.anchor_point())

    adopt(room)
    go_on(room)

    assert room.order(intent).status is OrderStatus.UNKNOWN
    assert room.stores.orders.reserved_pusd() == intent.max_cost
    for seconds in (61, 10):
        room.advance(seconds=seconds)
        room.reconciler.run()
    assert room.order(intent).status is OrderStatus.ABSENT


def test_taking_over_trips_every_switch_raises_tokens_and_makes_a_new_database_of_it(
    room: EngineRoom, tmp_path: Path
) -> None:
    copy = copy_of(room, tmp_path)
    for _ in range(3):
        room.restart()
    room.execute(an_intent())
    before = room.anchor.read()
    restore(room, tmp_path, copy)

    adoption = adopt(room)

    assert before is not None
    assert [state.type for state in tripped(room.stores.switches.list())] == list(KillSwitchType)
    assert adoption.point.token > before.token
    assert adoption.point.database_id != before.database_id
    assert room.anchor.read() == adoption.point
    assert room.stores.verify_journal().intact  # type: ignore[attr-defined]
    go_on(room)


@pytest.mark.parametrize("failing", ["everything", "by id"])
def test_nothing_is_taken_over_while_the_exchange_cannot_be_asked(
    room: EngineRoom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    intent = an_intent()
    room.approve(intent)
    copy = copy_of(room, tmp_path)
    room.executor.execute(intent.id)
    restore(room, tmp_path, copy)
    if failing == "everything":
        room.gateway.down = True
    else:  # late visibility: its trades do not show, and the read by id fails
        room.gateway.hidden.add(room.gateway.order_id(intent))
        monkeypatch.setattr(room.gateway, "lookup", lambda _order_id: Unreadable("503"))

    with pytest.raises(VenueUnreachableError):
        adopt(room)

    assert room.status(intent) is IntentStatus.APPROVED
    assert restored(room.stores, room.anchor) is not None


# -- the copy ----------------------------------------------------------------------------------


def test_a_backup_is_whole_private_and_never_overwrites(room: EngineRoom, tmp_path: Path) -> None:
    room.execute(an_intent())
    target = tmp_path / "copy.db"

    size = backup(sqlite_url(tmp_path), target)

    assert target.stat().st_size == size
    assert target.stat().st_mode & 0o077 == 0
    (tmp_path / "there").mkdir()
    shutil.copy(target, tmp_path / "there" / "polyb0t.db")
    copied = sqlite_stores(tmp_path / "there", room.clock)
    assert copied.verify_journal().intact
    assert copied.engine.journal() == room.stores.engine.journal()
    with pytest.raises(ConflictError) as refused:
        backup(sqlite_url(tmp_path), target)
    assert refused.value.code == "file_exists"


def test_a_backup_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError):
        backup(sqlite_url(tmp_path), tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []
