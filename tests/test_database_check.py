"""The preflight's look at our own database: writable, of the present schema, with room to grow."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Lease
from polyb0t.runtime.database_check import LEAST_FREE_BYTES, check_database
from tests.support.builders import a_scope
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_stores, sqlite_url


@pytest.fixture
def check(tmp_path: Path):
    engine = sqlite_stores(tmp_path, FakeClock(), scope=a_scope()).engine
    lease = engine.acquire("engine", holder="here:1", boot_id="b", process_started="1", regime=Regime.LIVE)
    assert isinstance(lease, Lease)

    def run(free: int = 10**12):
        return check_database(engine, lease, sqlite_url(tmp_path), tmp_path, lambda _folder: free)

    return run


def test_all_is_well(check):
    found = check()
    assert (found.name, found.state, found.do) == ("database", "ok", "")
    assert "1,000,000 MB are free" in found.detail


def test_a_disk_with_less_than_200_MB_fails(check):
    assert check(LEAST_FREE_BYTES).state == "ok"
    found = check(LEAST_FREE_BYTES - 1)
    assert found.state == "failed"
    assert "Only 199 MB are free" in found.detail
    assert "Make room" in found.do


def test_one_that_cannot_be_written_fails(check, tmp_path: Path):
    with closing(sqlite3.connect(tmp_path / "polyb0t.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        found = check()
    assert found.state == "failed"
    assert found.do


def test_one_of_another_schema_fails(check, tmp_path: Path):
    with closing(sqlite3.connect(tmp_path / "polyb0t.db", isolation_level=None)) as other:
        other.execute("UPDATE alembic_version SET version_num = '0000'")
    assert "has schema 0000" in check().detail
