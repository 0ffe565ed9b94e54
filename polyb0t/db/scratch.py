"""A database that nobody needs after a crash: for what can be computed anew, a replay above all.

Nothing is waited for on the disk, nobody else opens the file, and one thread uses it. An engine's money
never lies in one: it is made for the scope of a replay, in a file that was not there, and for no other.
"""

import sqlite3
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import Connection, RowMapping, create_engine, event
from sqlalchemy.exc import DBAPIError

from polyb0t.core.clock import Clock
from polyb0t.db import migrate
from polyb0t.db.engine import Database
from polyb0t.db.failures import told
from polyb0t.db.journal import Head, head_of
from polyb0t.db.remembered import no_override, remembering
from polyb0t.db.stores import SqlStores, stores_of
from polyb0t.db.touched import Memory, Touched
from polyb0t.db.unit import Unit, locked_gate
from polyb0t.execution.scope import REPLAY_WORLD, Scope
from polyb0t.models.kill_switches import SwitchState

T = TypeVar("T")

# The rules that a row has to keep are those of every database; what a crash destroys is computed again.
PRAGMAS: Final = (
    *("foreign_keys=ON", "recursive_triggers=ON"),
    *("locking_mode=EXCLUSIVE", "journal_mode=MEMORY", "synchronous=OFF", "cache_size=-32768"),
)
FOR_EVER: Final = 10.0**9  # seconds: nobody waits behind this engine


class ScratchDatabase(Database):
    """One connection that is kept, for one thread: no lock is waited for or let go of, and a read needs no
    transaction, since nobody writes beside it. A write is a transaction as anywhere: whole, or undone."""

    def __init__(self, path: Path, clock: Clock) -> None:
        engine = create_engine(f"sqlite:///{path}", connect_args={"isolation_level": None})
        event.listen(engine, "connect", _cheap)
        super().__init__(engine, clock)
        self.touched = Touched()
        self.memory = Memory(self.touched)
        event.listen(engine, "before_cursor_execute", self._executed)
        self._connection = engine.connect()
        driver = self._connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        self._driver = driver

    def read(self, work: Callable[[Connection], T]) -> T:
        """As `Database.read`."""
        try:
            return work(self._connection)
        except DBAPIError as error:
            raise told(error, self.name) from error

    def write(self, work: Callable[[Connection], T]) -> T:
        """As `Database.write`."""
        self._driver.execute("BEGIN").close()
        try:
            result = self.read(work)
        except BaseException:
            self._driver.execute("ROLLBACK").close()
            self.touched.undone()
            raise
        self._driver.execute("COMMIT").close()
        return result

    def close(self) -> None:
        self._connection.close()
        super().close()

    def _executed(self, _connection: object, _cursor: object, statement: str, *_of_it: object) -> None:
        self.touched.executed(statement)


class ScratchUnit(Unit):
    """What nobody else writes need not be read again at the beginning of each unit."""

    @property
    def _memory(self) -> Memory:
        assert isinstance(self.database, ScratchDatabase)
        return self.database.memory

    def note(self, kind: str, subject: str, payload: Mapping[str, object], *, actor: str) -> int:
        sequence = super().note(kind, subject, payload, actor=actor)
        self._memory.keep("head", self._head, "journal_head")
        return sequence

    def _locked_gate(self) -> tuple[RowMapping, Head | None]:
        gate = self._memory.answer("gate", lambda: locked_gate(self.connection, self.scope))
        return gate, self._memory.answer("head", lambda: head_of(self.connection, self.scope))

    def _lease(self, role: str) -> RowMapping | None:
        return self._memory.answer(("lease", role), lambda: super(ScratchUnit, self)._lease(role))

    def _locked_switches(self) -> tuple[SwitchState, ...]:
        ask = super()._locked_switches
        return self._memory.answer("switches", ask, keep=no_override)


def scratch_stores(path: Path, scope: Scope, clock: Clock, *, opening_cooldown_seconds: float) -> SqlStores:
    """A new database at `path`, which no file may be at yet, with every table, and `clock` for its time.

    Raises:
        ValueError: the scope is not that of a replay.
        FileExistsError: there is something at `path`; nothing of it was touched.
        DatabaseError: it could not be made.
    """
    if not scope.is_paper or scope.world != REPLAY_WORLD:
        raise ValueError(f"{scope} is not the scope of a replay: what is written here may be lost")
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(_migrated())
    database = ScratchDatabase(path, clock)
    stores = stores_of(
        database,
        scope,
        opening_cooldown_seconds=opening_cooldown_seconds,
        lease_seconds=FOR_EVER,
        unit=ScratchUnit,
    )
    return remembering(stores, database.touched, database.memory)


@cache
def _migrated() -> bytes:
    """A database with every table that nobody has used: made once by the migrations, then copied."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "new.db"
        migrate.upgrade(f"sqlite:///{made}")
        return made.read_bytes()


def _cheap(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()
