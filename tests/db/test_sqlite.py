"""SQLite: how it is opened, and each way in which a database can be unusable told in one message."""

import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from polyb0t.core.errors import ConfigurationError, ConflictError, DatabaseError
from polyb0t.db import current, open_stores, upgrade
from polyb0t.db.engine import Database, open_database
from polyb0t.execution.intents import IntentStatus
from tests.support.builders import a_scope
from tests.support.clock import FakeClock
from tests.support.databases import World, sqlite_stores, sqlite_url


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def database(tmp_path: Path, clock: FakeClock) -> Iterator[Database]:
    sqlite_stores(tmp_path, clock).close()
    opened = open_database(sqlite_url(tmp_path), clock)
    yield opened
    opened.close()


def code_of(error: pytest.ExceptionInfo[DatabaseError]) -> str:
    """The code, after a look at whether all three sentences are there."""
    assert error.value.what
    assert error.value.why
    assert error.value.do
    return error.value.code


def test_a_claim_looks_at_the_journal_from_where_the_account_was_looked_at(
    tmp_path: Path, clock: FakeClock
) -> None:
    """Whatever its length: by the index of a scope it would read all of it, with everybody waiting."""
    sqlite_stores(tmp_path, clock, a_scope()).close()
    world = World(sqlite_url(tmp_path), clock)
    asked: list[tuple[str, tuple[object, ...]]] = []

    def heard(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        if "FROM journal" in statement and "reservations" in statement:
            asked.append((statement, values))

    event.listen(world.stores.database.engine, "before_cursor_execute", heard)
    world.claimed()

    ((statement, values),) = asked
    plan = world.stores.database.read(
        lambda connection: connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    )
    (journal,) = [row.detail for row in plan if "journal" in row.detail]
    assert "(sequence>?)" in journal
    world.close()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("recursive_triggers", 1)],
)
def test_every_connection_is_durable_and_strict(database: Database, pragma: str, value: object) -> None:
    assert database.read(lambda connection: connection.scalar(text(f"PRAGMA {pragma}"))) == value


def test_who_waited_for_the_lock_past_the_deadline_is_too_late(tmp_path: Path, clock: FakeClock) -> None:
    """The clock goes on for two minutes between the wish to write and the lock."""
    sqlite_stores(tmp_path, clock, a_scope()).close()
    world = World(sqlite_url(tmp_path), clock)
    record = world.proposed()

    def waited(_connection: object) -> None:
        clock.advance(seconds=120)

    begin = "begin"
    event.listen(world.stores.database.engine, begin, waited)
    try:
        with pytest.raises(ConflictError) as late:
            world.stores.intents.approve(record.id, digest=record.digest, actor="user:anna", grace_seconds=10)
    finally:
        event.remove(world.stores.database.engine, begin, waited)
    assert late.value.code == "expired"
    assert world.intents.get(record.id).status is IntentStatus.EXPIRED
    world.close()


def test_a_write_takes_its_lock_before_it_reads(database: Database) -> None:
    path = str(database.engine.url.database)

    def locked(_connection: object) -> bool:
        other = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        finally:
            other.close()
        return False

    assert database.write(locked)
    assert not database.read(locked)


def test_folder_and_file_are_for_the_owner_only(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/data/scope/polyb0t.db"
    upgrade(url)
    assert stat.S_IMODE((tmp_path / "data" / "scope").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "data" / "scope" / "polyb0t.db").stat().st_mode) == 0o600


def test_a_database_that_is_not_there_is_not_made_by_looking(tmp_path: Path, clock: FakeClock) -> None:
    for look in (current, lambda url: open_stores(url, a_scope(), clock)):
        with pytest.raises(DatabaseError) as error:
            look(sqlite_url(tmp_path))
        assert code_of(error) == "database_missing"
    assert list(tmp_path.iterdir()) == []


def test_a_password_among_the_parameters_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigurationError) as refused:
        open_database("postgresql://bot@db/bot?password=s3cret")
    assert "s3cret" not in str(refused.value)


def test_a_file_that_is_no_database_says_so(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "polyb0t.db").write_bytes(b"not a database, " * 100)
    with pytest.raises(DatabaseError) as error:
        open_stores(sqlite_url(tmp_path), a_scope(), clock)
    assert code_of(error) == "database_damaged"


def test_an_empty_file_has_no_tables(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "polyb0t.db").touch()
    with pytest.raises(DatabaseError) as error:
        open_stores(sqlite_url(tmp_path), a_scope(), clock)
    assert code_of(error) == "schema_missing"


def test_a_read_only_database_can_be_read_and_says_why_it_is_not_written(
    tmp_path: Path, clock: FakeClock
) -> None:
    world = World(_made(tmp_path, clock), clock)
    record = world.proposed()
    read_only = open_stores(f"sqlite:///file:{tmp_path}/polyb0t.db?mode=ro&uri=true", a_scope(), clock)
    assert read_only.intents.get(record.id) == record
    with pytest.raises(DatabaseError) as error:
        read_only.intents.reject(record.id, actor="user:anna", reason="no")
    assert code_of(error) == "database_read_only"
    assert world.intents.get(record.id) == record
    read_only.close()
    world.close()


def test_a_locked_database_says_so_and_nothing_is_half_done(tmp_path: Path, clock: FakeClock) -> None:
    world = World(_made(tmp_path, clock), clock)
    record = world.proposed()
    other = sqlite3.connect(tmp_path / "polyb0t.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseError) as error:
        world.approve(record.id)
    assert code_of(error) == "database_locked"
    assert world.intents.get(record.id) == record  # reading goes on beside a writer
    other.rollback()
    other.close()
    assert world.approve(record.id).decided_by == "user:anna"
    world.close()


def test_a_full_disk_says_so_and_nothing_is_half_done(database: Database, clock: FakeClock) -> None:
    world = World(database.engine.url.render_as_string(), clock)

    def fill(connection: Connection) -> None:
        connection.execute(text("PRAGMA max_page_count = 1"))
        for n in range(10_000):
            connection.execute(
                text("INSERT INTO account_states (scope, observed_at, content) VALUES ('', :n, :c)"),
                {"n": n, "c": "x" * 4000},
            )

    with pytest.raises(DatabaseError) as error:
        database.write(fill)
    assert code_of(error) == "database_full"
    assert world.sql("SELECT count(*) FROM account_states")[0][0] == 0
    world.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/db", "nonsense", ""])
def test_a_url_that_is_none_of_ours_is_a_setting_to_mend(url: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        open_database(url)
    assert error.value.code == "database_url"
    assert "POLYBOT_DATABASE_URL" in error.value.do


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(DatabaseError) as error:
        open_database("postgresql://polyb0t:hunter2@127.0.0.1:1/none").read(lambda connection: None)
    assert code_of(error) == "database_unreachable"
    assert "hunter2" not in str(error.value)


def _made(folder: Path, clock: FakeClock) -> str:
    sqlite_stores(folder, clock).close()
    return sqlite_url(folder)
