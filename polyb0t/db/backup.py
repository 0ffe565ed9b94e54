"""A copy of an SQLite database while it is in use: whole, checked, readable by its owner only."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url

from polyb0t.core.errors import ConfigurationError, ConflictError, DatabaseError
from polyb0t.core.files import sync_folder


def backup(url: str, target: Path) -> int:
    """Copy the database at `url` to the new file `target`; its size in bytes.

    Raises:
        ConfigurationError: PostgreSQL has its own tools for this.
        ConflictError: `target` exists; no file is overwritten.
        DatabaseError: it could not be read or written whole.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise ConfigurationError(
            "Nothing was copied.",
            why="This is PostgreSQL, which has its own tools for backups.",
            do="Use pg_dump, and copy anchor.json of the data directory beside it.",
            code="not_sqlite",
        )
    if target.exists():
        raise ConflictError(
            "Nothing was copied.", why=f"{target} exists.", do="Name a new file.", code="file_exists"
        )
    source = Path(str(parsed.database).removeprefix("file:"))
    if not source.exists():
        raise DatabaseError("Nothing was copied.", why=f"There is no {source}.", code="database_missing")
    try:
        _copy(source, target)
    except (OSError, sqlite3.Error) as error:
        target.unlink(missing_ok=True)
        raise DatabaseError("Nothing was copied.", why=f"{error}.", code="backup_failed") from error
    return target.stat().st_size


def _copy(source: Path, target: Path) -> None:
    target.touch(mode=0o600)
    with closing(sqlite3.connect(source)) as reading, closing(sqlite3.connect(target)) as writing:
        reading.backup(writing)
        if writing.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("the copy is not whole")
    descriptor = os.open(target, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(target.parent)
