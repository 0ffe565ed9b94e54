"""The doctor's look at the database: its version, its size, the room that is left, its last copy."""

import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from polyb0t.core.errors import PolybotError
from polyb0t.db import migrate
from polyb0t.execution.store import Stores
from polyb0t.models.wording import coarse
from polyb0t.runtime.database_check import LEAST_FREE_BYTES
from polyb0t.venue.preflight import Check, CheckState

NAME: Final = "database"
OLD_BACKUP_SECONDS: Final = 7 * 86_400
COPIED: Final = "database.copied"


def file_of(url: str) -> Path | None:
    """The file of an SQLite database; None for a server."""
    kind, _, path = url.partition(":///")
    return Path(path.removeprefix("file:")) if kind.startswith("sqlite") and path else None


def check(url: str) -> Check:
    """Version, size and room. Changes nothing; a database that is not there yet is not made here."""
    file = file_of(url)
    if file is not None and not file.exists():
        detail = "There is none for this wallet yet; the first start makes it."
        return Check(NAME, CheckState.NOT_RUN, detail, "Start the engine once: polyb0t run --live")
    try:
        revision = migrate.current(url)
        free = None if file is None else shutil.disk_usage(file.parent).free
        size = None if file is None else file.stat().st_size
    except (PolybotError, OSError) as error:
        return Check(NAME, CheckState.FAILED, str(error), "See who uses it and whether its disk is full.")
    if revision != migrate.latest():
        detail = f"It has version {revision or 'none'}; this program needs {migrate.latest()}."
        return Check(NAME, CheckState.FAILED, detail, "Stop the engine, copy it, then: polyb0t db upgrade")
    if free is not None and free < LEAST_FREE_BYTES:
        detail = f"Only {free // 1_000_000:,} MB are free on its disk."
        return Check(NAME, CheckState.FAILED, detail, f"Make room: {LEAST_FREE_BYTES // 1_000_000} MB.")
    return Check(NAME, CheckState.OK, ", ".join(["up to date", *_sizes(size, free)]))


def with_backup(found: Check, stores: Stores, now: datetime) -> Check:
    """The same with the age of the last copy that `polyb0t db backup` made."""
    entry = stores.engine.latest_entry(NAME)
    if entry is None or entry.kind != COPIED:
        return replace(found, detail=f"{found.detail}; no copy by polyb0t db backup is known")
    age = (now - entry.at).total_seconds()
    detail = f"{found.detail}; copied {coarse(age)} ago"
    if age > OLD_BACKUP_SECONDS:
        return replace(found, state=CheckState.WARNING, detail=detail, do="polyb0t db backup FILE")
    return replace(found, detail=detail)


def _sizes(size: int | None, free: int | None) -> list[str]:
    if size is None or free is None:
        return []
    return [f"{size / 1_000_000:,.1f} MB", f"{free / 1_000_000_000:,.0f} GB free"]
