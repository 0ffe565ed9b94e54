"""A machine for histories: one database file, made anew for each, and the connections of several processes.

The connections are kept over all histories, because opening them costs more than a history does. The
file lies on a memory file system where there is one; `synchronous=FULL` and everything else is as in
production.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import event

from polyb0t.db import open_stores, stores_on, upgrade
from polyb0t.db.engine import Database, open_database
from polyb0t.execution.scope import SANDBOX, Scope
from tests.faults.exchange import WORLD, signing_key
from tests.faults.points import Point, Points
from tests.support.clock import FakeClock

START: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PATIENCE_MS: Final = 4  # how long a connection waits for a lock here; production waits a second


class MachineClock(FakeClock):
    """The clock of this machine, set back before each history; `told` hears of every change."""

    def __init__(self, start: datetime, told: Callable[[datetime], None] = lambda _now: None) -> None:
        super().__init__(start)
        self._told = told

    def restart(self) -> None:
        self._now = START
        self._boot = 1_000.0
        self._told(self._now)

    def advance(self, *, seconds: float = 0, minutes: float = 0) -> None:
        super().advance(seconds=seconds, minutes=minutes)
        self._told(self._now)

    def jump_wall(self, *, seconds: float) -> None:
        super().jump_wall(seconds=seconds)
        self._told(self._now)


class Slot:
    """The storage of one process, with the points that it passes."""

    def __init__(self, database: Database, scope: Scope) -> None:
        self.database = database
        self.points = Points()
        self._scope = scope
        self._limited = False
        self.used = False
        event.listen(database.engine, "connect", self._connected)
        self._write = database.write
        database.write = self._watched  # type: ignore[method-assign]
        self.renew()

    def renew(self) -> None:
        """As a process that has just begun: nothing is remembered but what the database says."""
        self.stores = stores_on(self.database, self._scope)

    def forget(self) -> None:
        """The file goes; nothing of it may stay open."""
        self._limited = False
        self.points = Points()
        if self.used:
            self.database.engine.dispose()
            self.used = False

    def limit_pages(self) -> None:
        """From now on the file cannot grow: what does not fit fails as on a full disk."""
        self._limited = True
        self.database.engine.dispose()

    def lift_limit(self) -> None:
        if self._limited:
            self._limited = False
            self.database.engine.dispose()

    def _connected(self, connection: Any, _record: object) -> None:
        self.used = True
        if not self.database.is_sqlite:
            connection.execute(f"SET lock_timeout = {PATIENCE_MS}")
            connection.execute("SET idle_in_transaction_session_timeout = 60000")
            connection.commit()
            return
        connection.execute(f"PRAGMA busy_timeout={PATIENCE_MS}")
        if self._limited:
            connection.execute("PRAGMA max_page_count=1")  # less than there are means: as many as there are

    def _watched(self, work: Callable[[Any], Any]) -> Any:
        return self.points.watch(self._write)(work)


class Machine:
    """One per worker process of the suite."""

    database = "sqlite"

    def __init__(self) -> None:
        shared = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(prefix="faults", dir=shared if shared.is_dir() else None))
        self.in_memory = shared.is_dir()
        self.clock = MachineClock(START)
        self.scope = Scope(SANDBOX, 137, signing_key().address, WORLD)
        self._slots: list[Slot] = []
        self.points: dict[str, list[Point]] = {}  # by shape of trade, once they were enumerated
        self._prepare()

    @property
    def engine_version(self) -> str:
        return f"SQLite {sqlite3.sqlite_version}"

    def _prepare(self) -> None:
        self.path = self.folder / "polyb0t.db"
        self._template: Any = self._made()
        self._source = sqlite3.connect(":memory:")
        self._source.deserialize(_not_wal(self._template))
        self._small = self._repaged()
        self._paged_small = True  # until the first history

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    def fresh(self, *, small_pages: bool = False) -> None:
        """A database that nobody has used, and the clock at its start.

        With pages of 512 bytes every write needs new ones, so that a disk can be full at any moment.
        """
        self.clock.restart()
        self._empty(small_pages)
        for slot in self._slots:
            slot.points = Points()
            slot.renew()
        shutil.rmtree(self.files, ignore_errors=True)
        self.files.mkdir()

    def _empty(self, small_pages: bool) -> None:
        if small_pages or self._paged_small:
            self._replace(self._small if small_pages else self._template)
        else:
            # Page by page under the open connections, which is as new and three times as fast.
            with closing(sqlite3.connect(self.path)) as there:
                self._source.backup(there)
        self._paged_small = small_pages

    def hold_lock(self) -> Callable[[], None]:
        """Somebody else takes what every write needs, and gives it back when the answer is called."""
        blocker = self.slot(4).database.engine.raw_connection()
        blocker.cursor().execute("BEGIN IMMEDIATE")

        def let_go() -> None:
            blocker.rollback()
            blocker.close()

        return let_go

    def backup(self) -> Any:
        """The database as it stands, as a copy that somebody made."""
        with closing(sqlite3.connect(self.path)) as here, closing(sqlite3.connect(":memory:")) as copy:
            here.backup(copy)
            return copy.serialize()

    def restore(self, content: Any) -> None:
        """Put an older copy in its place. No engine runs meanwhile."""
        self._replace(content)
        for slot in self._slots:
            slot.renew()

    def _replace(self, content: bytes) -> None:
        for slot in self._slots:
            slot.forget()
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        self.path.write_bytes(content)

    @property
    def files(self) -> Path:
        """Where the anchor and the spool lie."""
        return self.folder / "files"

    def slot(self, number: int) -> Slot:
        """The storage of process `number`: 0 the first engine, 1 another, 2 and more are people."""
        while len(self._slots) <= number:
            self._slots.append(Slot(open_database(self.url, self.clock), self.scope))
        return self._slots[number]

    def close(self) -> None:
        for slot in self._slots:
            slot.database.close()
        self._end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self) -> None:
        self._source.close()

    def _made(self) -> bytes:
        upgrade(self.url, self.clock)
        open_stores(self.url, self.scope, self.clock).close()  # the first use makes it this scope's
        content = self.path.read_bytes()
        assert not self.path.with_name(self.path.name + "-wal").exists(), "the template is not whole"
        return content

    def _repaged(self) -> bytes:
        with closing(sqlite3.connect(self.path)) as connection:
            for step in ("journal_mode=DELETE", "page_size=512"):
                connection.execute(f"PRAGMA {step}")
            connection.execute("VACUUM")
            connection.execute("PRAGMA journal_mode=WAL")
        return self.path.read_bytes()


def _not_wal(content: bytes) -> bytes:
    """The same database for a connection in memory, which knows no WAL: two bytes of its header say so."""
    return content[:18] + b"\x01\x01" + content[20:]
