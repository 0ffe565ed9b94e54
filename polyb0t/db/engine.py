"""Opens SQLite and PostgreSQL the same way for the program, the migrations and the tests.

A transaction is the unit of everything: it is written whole, begun anew as a whole when a lock was in
the way or the connection was lost and nothing was written, and its failure is told in sentences.
"""

import sqlite3
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from polyb0t.core.clock import Clock, SystemClock, from_microseconds
from polyb0t.core.errors import ConfigurationError, DatabaseError, PolybotError
from polyb0t.db.attempts import Attempt, Fate
from polyb0t.db.failures import told
from polyb0t.db.turns import Turns

T = TypeVar("T")

ATTEMPTS: Final = 4
SQLITE_BUSY_MS: Final = 1_000
SQLITE_PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "recursive_triggers=ON",
    "wal_autocheckpoint=256",  # pages: the log beside the database stays at a megabyte
)
# A process that was stopped in the middle of a transaction must not hold the kill switch's locks.
POSTGRES_OPTIONS: Final = (
    "-c lock_timeout=500 -c idle_in_transaction_session_timeout=1000 -c synchronous_commit=on -c timezone=UTC"
)


class Database:
    """One database, SQLite or PostgreSQL, with its clock."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock
        self.written = 0  # write transactions that this process began here
        # SQLite lets waiters poll; here the threads of this process queue up, and then the processes.
        self._queue = threading.Lock()
        self._turns = Turns(Path(str(engine.url.database).removeprefix("file:"))) if self.is_sqlite else None

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @property
    def name(self) -> str:
        """The URL for a person to read, without a password."""
        return self.engine.url.render_as_string(hide_password=True)

    def read(self, work: Callable[[Connection], T]) -> T:
        """`work` in one read transaction.

        Raises:
            DatabaseError: locked, unreachable, damaged.
        """
        return self._attempts(work, write=False)

    def write(self, work: Callable[[Connection], T]) -> T:
        """`work` in one write transaction, begun anew as a whole when a lock was in the way or the connection
        was lost and nothing was written.

        Raises:
            DatabaseError: locked, read-only, full, unreachable.
        """
        self.written += 1
        if self._turns is None:
            return self._attempts(work, write=True)
        with self._queue, self._turns.one():
            return self._attempts(work, write=True)

    def now(self, connection: Connection) -> datetime:
        """Database time: on SQLite this machine's clock, on PostgreSQL the server's."""
        if self.is_sqlite:
            return self.clock.now()
        instant = connection.scalar(text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"))
        return from_microseconds(int(instant))

    def close(self) -> None:
        self.engine.dispose()
        if self._turns is not None:
            self._turns.close()

    def _attempts(self, work: Callable[[Connection], T], *, write: bool) -> T:
        for number in range(1, ATTEMPTS + 1):
            attempt = Attempt(work)
            try:
                return self._once(attempt, write=write)
            except DBAPIError as error:
                fate = attempt.fate(error, self.engine, self.clock)
                if fate is Fate.WRITTEN:
                    return attempt.result
                if number == ATTEMPTS or fate is not Fate.NOTHING:
                    raise told(error, self.name, known=fate is not Fate.UNKNOWN) from error
        raise AssertionError("unreachable")

    def _once(self, attempt: Attempt[T], *, write: bool) -> T:
        with self.engine.connect() as connection:
            connection.execution_options(polyb0t_write=write)
            with connection.begin():
                return attempt(connection)


def open_database(url: str, clock: Clock | None = None, *, create: bool = False) -> Database:
    """A database ready for use; `create` makes an SQLite file and its folder, which only we may read.

    Raises:
        ConfigurationError: the URL is not one of a database that we know.
        DatabaseError: an SQLite file that is not there.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        engine = _sqlite(parsed, create=create)
    else:
        engine = _postgres(parsed)
    return Database(engine, clock or SystemClock())


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise _bad_url("It is not a database URL.") from error
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise _bad_url(f"{parsed.get_backend_name()} is not supported.")
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise _bad_url("A database in memory would be lost with the process.")
    if "password" in parsed.query:  # it would be shown wherever the URL is
        raise _bad_url("Its password stands among its parameters: PGPASSWORD or ~/.pgpass takes it.")
    return parsed


def _bad_url(why: str) -> PolybotError:
    return ConfigurationError(
        "The database was not opened.",
        why=why,
        do="Set POLYBOT_DATABASE_URL to sqlite:////absolute/path.db or postgresql://user@host/name.",
        code="database_url",
    )


def _sqlite(url: URL, *, create: bool) -> Engine:
    name = str(url.database)
    path = Path(name.removeprefix("file:"))
    if create:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
    elif not path.exists():
        raise DatabaseError(
            f"There is no database at {path}.",
            why="Nothing has run for this account yet, or the path is another one.",
            do="Start with `polyb0t run`, or make it with `polyb0t db upgrade`.",
            code="database_missing",
        )
    # isolation_level None: BEGIN is ours, so that a write takes its lock at once.
    engine = create_engine(url, connect_args={"isolation_level": None, "timeout": SQLITE_BUSY_MS / 1000})
    event.listen(engine, "connect", _sqlite_connected)
    event.listen(engine, "begin", _sqlite_begin)
    return engine


def _sqlite_connected(connection: sqlite3.Connection, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in SQLITE_PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    """A deferred read-then-write fails at once with `locked`, so writers say so at the start."""
    if connection.get_execution_options().get("polyb0t_write", True):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:  # takes no lock, so nothing can go wrong that would have to be told
        connection.connection.cursor().execute("BEGIN")


def _postgres(url: URL) -> Engine:
    try:
        return create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={"options": POSTGRES_OPTIONS, "connect_timeout": 5, "application_name": "polyb0t"},
            pool_pre_ping=True,
            pool_size=10,
        )
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "The database was not opened.",
            why="PostgreSQL needs the psycopg package.",
            do="Install it: pip install 'polyb0t[postgres]'.",
            code="driver_missing",
        ) from error
