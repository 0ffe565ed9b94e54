"""Every contract runs on SQLite and on PostgreSQL; both have to keep it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clock import FakeClock
from tests.support.databases import PostgresServer, World, migrated_file, postgres_server, sqlite_url

BACKENDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database that nobody has used."""
    if request.param == "sqlite":
        (tmp_path / "polyb0t.db").write_bytes(migrated_file())
        yield sqlite_url(tmp_path)
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.migrated_database()
    yield url
    server.drop(url)


@pytest.fixture
def world(database_url: str, clock: FakeClock) -> Iterator[World]:
    opened = World(database_url, clock)
    yield opened
    opened.close()
