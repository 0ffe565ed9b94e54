"""Brings a database to the present schema. The scripts lie in the package, so a wheel carries them."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, inspect, select, text

from polyb0t.core.clock import Clock
from polyb0t.core.errors import ConflictError, DatabaseError
from polyb0t.db.engine import Database, open_database
from polyb0t.db.tables import engine_lease
from polyb0t.db.unit import SCHEMA_VERSION
from polyb0t.execution.scope import LEASE_SECONDS

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

MIGRATIONS: Final = Path(__file__).parent / "migrations"
_ADVISORY_LOCK: Final = 0x706F6C79  # two processes that upgrade at once take turns


def latest() -> str:
    """The revision that this program was written for."""
    return f"{SCHEMA_VERSION:04d}"


def current(url: str) -> str | None:
    """The revision of the database, None when it has no tables.

    Raises:
        DatabaseError: no database there, or it does not answer.
    """
    database = open_database(url)
    try:
        return database.read(_revision)
    finally:
        database.close()


def upgrade(url: str, clock: Clock | None = None, *, to: str = "head") -> str:
    """Make the database if need be and bring it to the present schema; the revision that it has then.

    Raises:
        DatabaseError: it is of a newer version, or cannot be written.
        ConflictError: an engine is running on it.
    """
    return _migrate(url, clock, to, up=True)


def downgrade(url: str, clock: Clock | None = None, *, to: str = "base") -> str:
    """Take the schema back; what the removed tables held is gone."""
    return _migrate(url, clock, to, up=False)


def _migrate(url: str, clock: Clock | None, to: str, *, up: bool) -> str:
    database = open_database(url, clock, create=up)
    try:
        return database.write(lambda connection: _run(database, connection, to, up=up))
    finally:
        database.close()


def _run(database: Database, connection: Connection, to: str, *, up: bool) -> str:
    # Imported here: commands that only read must not pay for alembic.
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    from alembic import command  # noqa: PLC0415

    if not database.is_sqlite:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    config = _config()
    scripts = ScriptDirectory.from_config(config)
    before = _revision(connection)
    _refuse_newer(scripts, before)
    target = scripts.as_revision_number(to)
    if before == target:
        return str(before or "")
    refuse_running(database, connection, before)

    config.attributes["connection"] = connection
    (command.upgrade if up else command.downgrade)(config, to)
    return _revision(connection) or ""


def _config() -> "Config":
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)


def _refuse_newer(scripts: "ScriptDirectory", revision: str | None) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    if revision is None or revision in known:
        return
    raise DatabaseError(
        "The database was not upgraded.",
        why=f"Its schema is version {revision}; this program knows up to {latest()}.",
        do="Install the newer polyb0t.",
        code="schema_newer",
    )


def refuse_running(database: Database, connection: Connection, revision: str | None) -> None:
    """An engine that runs would go on with what is changed under it. Raises ConflictError."""
    if revision is None:
        return
    alive_since = database.now(connection) - timedelta(seconds=LEASE_SECONDS)
    holder = connection.scalar(
        select(engine_lease.c.holder).where(
            engine_lease.c.released.is_(False), engine_lease.c.beat_at > alive_since
        )
    )
    if holder is not None:
        raise ConflictError(
            "The database was not changed.",
            why=f"An engine runs on it ({holder}).",
            do="Stop it first, then try again.",
            code="engine_running",
        )
