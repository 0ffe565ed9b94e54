"""A database that nobody needs after a crash: for what can be computed anew, a replay above all."""

import sqlite3
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import event

from polyb0t.core.clock import Clock
from polyb0t.db import migrate
from polyb0t.db.engine import open_database
from polyb0t.db.remembered import remembering
from polyb0t.db.stores import SqlStores, stores_of
from polyb0t.execution.scope import Scope

# Nothing is waited for on the disk, and one process uses it: what a crash destroys is computed again.
PRAGMAS: Final = ("journal_mode=MEMORY", "synchronous=OFF", "cache_size=-32768")
FOR_EVER: Final = 10.0**9  # seconds: nobody waits behind this engine


def scratch_stores(path: Path, scope: Scope, clock: Clock, *, opening_cooldown_seconds: float) -> SqlStores:
    """A new database at `path`, which no file may be at yet, with every table, and `clock` for its time.

    Raises:
        FileExistsError: there is something at `path`; nothing of it was touched.
        DatabaseError: it could not be made.
    """
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(_migrated())
    database = open_database(f"sqlite:///{path}", clock)
    event.listen(database.engine, "connect", _cheap)
    stores = stores_of(
        database, scope, opening_cooldown_seconds=opening_cooldown_seconds, lease_seconds=FOR_EVER
    )
    return remembering(stores)


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
