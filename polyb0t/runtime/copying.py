"""Moving a scope's database to another place: copied, proven, and anchored anew."""

from dataclasses import dataclass
from typing import Final

from polyb0t.core.clock import Clock, SystemClock
from polyb0t.core.errors import ConfigurationError, ConflictError, UsageError
from polyb0t.db.copying import Copied, copy_database, holds_password
from polyb0t.db.stores import open_stores, without_password
from polyb0t.execution.anchor import AnchorFile, restored
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.places import anchor_path

MOVED: Final = "database.moved"


@dataclass(frozen=True, slots=True)
class Moved:
    """What came of it, for the screen."""

    source: str
    target: str
    copied: Copied


def move_database(opened: OpenedStore, target_url: str, *, actor: str, clock: Clock | None = None) -> Moved:
    """Copy the SQLite database that `opened` is to `target_url` and let the anchor follow it there.

    Raises:
        ConfigurationError: the source is no SQLite database, or the target's URL holds a password.
        ConflictError: an engine runs on it, the target is in use, or the source was restored itself.
        DatabaseError: said in `copy_database`.
    """
    clock = clock or SystemClock()
    _refuse_urls(opened.database_url, target_url)
    if opened.engine_alive():
        raise ConflictError(
            "Nothing was copied.",
            why="An engine runs on it.",
            do="Stop engine, claims and API first, then try again.",
            code="engine_running",
        )
    anchor = AnchorFile(anchor_path(opened.settings, opened.scope), opened.stores.engine)
    _refuse_restored(opened, anchor)
    copied = copy_database(opened.database_url, target_url, clock)
    stores = open_stores(target_url, opened.scope, clock)
    try:
        payload = {
            "from": without_password(opened.database_url),
            "to": without_password(target_url),
            "sequence": copied.sequence,
            "head": copied.head,
        }
        stores.engine.note(None, kind=MOVED, subject="database", payload=payload, actor=actor)
        AnchorFile(anchor_path(opened.settings, opened.scope), stores.engine).advance()
    finally:
        stores.close()
    return Moved(without_password(opened.database_url), target_url, copied)  # which holds no password


def _refuse_restored(opened: OpenedStore, anchor: AnchorFile) -> None:
    """Anchored anew in another place, a restored one would pass for the present."""
    found = restored(opened.stores, anchor)
    if found is not None:
        raise ConflictError(
            "Nothing was copied: this database was restored or replaced.",
            why=found.why,
            do="If it was moved before, use it there. A restored one is taken over first: polyb0t db adopt",
            code="database_restored",
        )


def _refuse_urls(source: str, target: str) -> None:
    if not source.startswith("sqlite"):
        raise ConfigurationError(
            "Nothing was copied.",
            why=f"{without_password(source)} is no SQLite database.",
            do="PostgreSQL has its own tools: pg_dump and pg_restore.",
            code="not_sqlite",
        )
    if not target.startswith("postgresql"):
        raise UsageError(
            "Nothing was copied.",
            why="--to names no PostgreSQL database.",
            do="polyb0t db copy --to postgresql://user@host/name",
        )
    if holds_password(target):
        raise UsageError(
            "Nothing was copied: the URL holds a password, which everybody on this machine can read now.",
            do="Leave it out; the driver reads PGPASSWORD or ~/.pgpass. Think of changing it.",
            code="password_in_url",
        )
