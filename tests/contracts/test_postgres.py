"""PostgreSQL alone: a process that hangs must not hold the kill switch's locks."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import text

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
