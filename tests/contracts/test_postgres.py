"""PostgreSQL alone: a process that hangs must not hold the kill switch's locks."""

from collections.abc import Iterator

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


def test_one_whose_connection_is_lost_at_the_commit_is_not_repeated(world: World) -> None:
    """Nobody knows whether it was written, so whoever asked is told and looks."""
    database, begun = world.stores.database, []

    def work(connection: Connection) -> None:
        begun.append(_process_of(connection))

    event.listen(database.engine, "commit", lambda _connection: _end(world, begun[-1]))

    with pytest.raises(DatabaseError):
        database.write(work)

    assert len(begun) == 1


def _process_of(connection: Connection) -> int:
    return int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)


def _end(world: World, process: int) -> None:
    """As an administrator does, and a server that restarts."""
    with psycopg.connect(world.url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
