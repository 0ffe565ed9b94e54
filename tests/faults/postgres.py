"""The same machine with PostgreSQL: a server of its own, whose time is moved by hand like everybody's.

The server's `clock_timestamp()` is hidden behind one that reads a row, because histories move the time. The
database is emptied to what its first use left, row by row, which is as new and much faster than another one.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, NullPool, RowMapping, Table, create_engine, make_url, text

from polyb0t.db import open_stores
from polyb0t.db.tables import metadata
from tests.faults.machine import START, Machine, MachineClock
from tests.support.databases import postgres_server

CLOCK: Final = (
    "CREATE SCHEMA by_hand",
    "CREATE TABLE by_hand.wall (at timestamptz NOT NULL)",
    "INSERT INTO by_hand.wall VALUES (now())",
    "CREATE FUNCTION by_hand.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT at FROM by_hand.wall'",
)
HISTORIES_BETWEEN_VACUUMS: Final = 100
Content = dict[str, Sequence[RowMapping]]


class PostgresMachine(Machine):
    """One per worker process; no disk of it can be full."""

    database = "postgres"

    @property
    def url(self) -> str:
        return self._url

    @property
    def engine_version(self) -> str:
        with self._admin.connect() as connection:
            return f"PostgreSQL {connection.scalar(text('SHOW server_version'))}"

    def _prepare(self) -> None:
        self._running = ExitStack()
        server = self._running.enter_context(postgres_server())
        self._url = server.migrated_database()
        self._admin = self._opened()
        with self._admin.connect() as connection:
            for statement in CLOCK:
                connection.execute(text(statement))
            name = make_url(self._url).database
            path = "by_hand, public, pg_catalog"
            connection.execute(text(f'ALTER DATABASE "{name}" SET search_path = {path}'))
        self.clock = MachineClock(START, self._tell)
        self.clock.restart()
        open_stores(self._url, self.scope, self.clock).close()  # the first use makes it this scope's
        self._template = self.backup()
        self._histories = 0

    def hold_lock(self) -> Callable[[], None]:
        blocker = self._opened(autocommit=False).connect()
        blocker.execute(text("SELECT * FROM gates FOR UPDATE"))

        def let_go() -> None:
            blocker.rollback()
            blocker.close()

        return let_go

    def backup(self) -> Content:
        with self._admin.connect() as connection:
            return {
                table.name: connection.execute(table.select()).mappings().all()
                for table in metadata.sorted_tables
            }

    def restore(self, content: Content) -> None:
        self._fill(content)
        for slot in self._slots:
            slot.renew()

    def _empty(self, small_pages: bool) -> None:
        del small_pages  # scenarios that ask for them are SQLite's
        self._histories += 1
        if self._histories % HISTORIES_BETWEEN_VACUUMS == 0:
            with self._admin.connect() as connection:
                connection.execute(text("VACUUM"))
        self._fill(self._template)

    def _fill(self, content: Content) -> None:
        with self._opened(autocommit=False).begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))  # no triggers
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())
            for table in metadata.sorted_tables:
                _insert(connection, table, content[table.name])

    def _tell(self, now: datetime) -> None:
        with self._admin.connect() as connection:
            connection.execute(text("UPDATE by_hand.wall SET at = :now"), {"now": now})

    def _end(self) -> None:
        self._admin.dispose()
        self._running.close()

    def _opened(self, *, autocommit: bool = True) -> Engine:
        url = make_url(self._url).set(drivername="postgresql+psycopg")
        if autocommit:
            return create_engine(url, isolation_level="AUTOCOMMIT")
        return create_engine(url, poolclass=NullPool)


def _insert(connection: Connection, table: Table, rows: Sequence[Any]) -> None:
    if rows:
        connection.execute(table.insert(), [dict(row) for row in rows])
