"""Turns of writers: one after the other, and nobody waits for somebody who was stopped in the middle.

Two `Turns` of one file behave like two processes: the kernel's lock belongs to the opened file.
"""

import fcntl
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from polyb0t.core.clock import SystemClock
from polyb0t.db.engine import Database, open_database
from polyb0t.db.turns import PATIENCE_SECONDS, Turns
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_stores, sqlite_url


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "polyb0t.db"


def is_free(file: Path) -> bool:
    with file.with_name("polyb0t.db-turn").open() as line:
        try:
            fcntl.flock(line, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


def becomes_free(file: Path) -> bool:
    """Whoever stood in the line gets its turn at first, and gives it back by itself."""
    with file.with_name("polyb0t.db-turn").open() as line, ThreadPoolExecutor(1) as pool:
        pool.submit(fcntl.flock, line, fcntl.LOCK_EX).result(timeout=5)
    return True


def test_the_second_writer_is_let_in_when_the_first_is_done(file: Path) -> None:
    first, second = Turns(file), Turns(file)
    order: list[str] = []
    inside = threading.Event()

    def later() -> None:
        inside.wait()
        with second.one():
            order.append("second")

    with ThreadPoolExecutor(1) as pool:
        with first.one():
            waiting = pool.submit(later)
            inside.set()
            order.append("first")
        waiting.result(timeout=5)
    assert order == ["first", "second"]
    assert is_free(file)


def test_who_gets_no_turn_in_time_goes_on_without_one(file: Path) -> None:
    stopped, other = Turns(file), Turns(file)
    clock = SystemClock()
    with stopped.one():
        began = clock.boot_seconds()
        with other.one():
            waited = clock.boot_seconds() - began
    assert PATIENCE_SECONDS <= waited < 8 * PATIENCE_SECONDS


def test_a_place_in_the_line_that_was_given_up_blocks_nobody(file: Path) -> None:
    stopped, other = Turns(file), Turns(file)
    with stopped.one(), other.one():
        pass
    assert becomes_free(file)


def test_who_gave_up_once_gets_a_turn_the_next_time(file: Path) -> None:
    stopped, other = Turns(file), Turns(file)
    with stopped.one(), other.one(), other.one():
        pass
    with other.one():
        assert not is_free(file)


def test_a_line_that_cannot_be_made_keeps_nobody_from_writing(tmp_path: Path) -> None:
    with Turns(tmp_path / "nowhere" / "polyb0t.db").one():
        pass


def test_a_stopped_writer_of_another_process_does_not_keep_a_write_out(tmp_path: Path) -> None:
    """The line is a courtesy: the database's own lock is free, so the write is made."""
    sqlite_stores(tmp_path, FakeClock()).close()
    database = open_database(sqlite_url(tmp_path))
    with Turns(tmp_path / "polyb0t.db").one():
        assert database.write(lambda connection: connection.scalar(text("SELECT 1"))) == 1
    database.close()


def test_the_line_is_for_the_owner_only_and_closed_with_the_database(tmp_path: Path) -> None:
    sqlite_stores(tmp_path, FakeClock()).close()
    database = open_database(sqlite_url(tmp_path))
    database.write(_nothing)
    assert (tmp_path / "polyb0t.db-turn").stat().st_mode & 0o777 == 0o600
    database.close()
    assert _written_again(database)


def _nothing(_connection: Connection) -> None:
    """A write unit without a write."""


def _written_again(database: Database) -> bool:
    database.write(_nothing)
    database.close()
    return True
