"""PostgreSQL alone: a process that hangs must not hold the kill switch's locks."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, event, text

from polyb0t.core.errors import DatabaseError
from polyb0t.models.kill_switches import KillSwitchType
from tests.support.clock import FakeClock
from tests.support.databases import PostgresServer, World


@pytest.fixture
def world(postgres: PostgresServer) -> Iterator[World]:
    url = postgres.migrated_database()
    opened = World(url, FakeClock())
    yield opened
    opened.close()
    postgres.drop(url)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("lock_timeout", "500ms"),
        ("idle_in_transaction_session_timeout", "1s"),
        ("synchronous_commit", "on"),
        ("TimeZone", "UTC"),
    ],
)
def test_every_session_has_its_limits(world: World, setting: str, value: str) -> None:
    assert world.sql(f"SHOW {setting}")[0][0] == value


def test_a_lock_that_is_not_given_up_is_told_in_sentences(world: World) -> None:
    record = world.proposed()
    with psycopg.connect(world.url) as other:
        other.execute("SELECT * FROM gates FOR UPDATE")
        with pytest.raises(DatabaseError) as error:
            world.approve(record.id)
        assert error.value.code == "database_locked"
        other.rollback()
    assert world.approve(record.id).decided_by == "user:anna"


def test_a_session_of_ours_that_hangs_in_a_transaction_loses_its_locks(world: World) -> None:
    connection = world.stores.database.engine.connect()
    connection.execute(text("SELECT * FROM gates FOR UPDATE"))
    # No sleep: the trip waits behind the hanging session and gets through when the server ends it.
    assert world.switches.trip(KillSwitchType.MANUAL, actor="user:anna", reason="stop")
    connection.invalidate()
    connection.close()


def test_a_transaction_whose_connection_is_lost_before_the_commit_is_begun_anew(world: World) -> None:
    begun: list[int] = []

    def work(connection: Connection) -> int:
        begun.append(_process_of(connection))
        if len(begun) == 1:
            _end(world, begun[0])
        return int(connection.scalar(text("SELECT count(*) FROM journal")))

    assert world.stores.database.write(work) > 0
    assert len(set(begun)) == 2


def test_one_whose_connection_is_lost_before_the_commit_arrives_is_begun_anew(world: World) -> None:
    database, begun = world.stores.database, []
    before = len(world.engine.journal())

    def work(connection: Connection) -> int:
        begun.append(_process_of(connection))
        return _note(connection)

    event.listen(
        database.engine, "commit", lambda _connection: _end(world, begun[0]) if len(begun) == 1 else None
    )

    assert database.write(work) == 1
    assert (len(begun), _notes(world), len(world.engine.journal())) == (2, 1, before)


def test_one_whose_answer_was_lost_after_the_commit_is_not_written_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, begun = world.stores.database, []
    commit = database.engine.dialect.do_commit

    def work(connection: Connection) -> int:
        begun.append(_process_of(connection))
        return _note(connection)

    def unanswered(connection: Any) -> None:
        commit(connection)
        if len(begun) == 1:
            _end(world, begun[0])
            connection.execute("SELECT 1")  # what a lost answer looks like from here

    monkeypatch.setattr(database.engine.dialect, "do_commit", unanswered)

    assert database.write(work) == 1
    assert (len(begun), _notes(world)) == (1, 1)


def test_one_of_which_nobody_can_tell_any_more_is_told(world: World) -> None:
    """The server is gone as well: whoever asked is told, and looks."""
    database, begun = world.stores.database, []

    def work(connection: Connection) -> int:
        begun.append(_process_of(connection))
        event.listen(database.engine, "do_connect", _nobody_there)
        return _note(connection)

    event.listen(database.engine, "commit", lambda _connection: _end(world, begun[0]))

    with pytest.raises(DatabaseError) as lost:
        database.write(work)
    event.remove(database.engine, "do_connect", _nobody_there)

    assert lost.value.code == "database_unreachable"
    assert "Whether this change was written is not known." in lost.value.why
    assert "Look before you repeat it." in lost.value.do
    assert len(begun) == 1


def _nobody_there(*_arguments: Any) -> None:
    raise psycopg.OperationalError("connection refused")


def _note(connection: Connection) -> int:
    """Written once, it is one; a table of this test's own."""
    connection.execute(text("CREATE TABLE IF NOT EXISTS notes (written int)"))
    connection.execute(text("INSERT INTO notes VALUES (1)"))
    return int(connection.scalar(text("SELECT count(*) FROM notes")) or 0)


def _notes(world: World) -> int:
    return int(world.sql("SELECT count(*) FROM notes")[0][0])


def _process_of(connection: Connection) -> int:
    return int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)


def _end(world: World, process: int) -> None:
    """As an administrator does, and a server that restarts."""
    with psycopg.connect(world.url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
