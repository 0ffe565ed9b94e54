"""Migrations as the commands and the launcher run them."""

from pathlib import Path

from polyb0t.config.settings import Settings
from polyb0t.core.errors import ConfigurationError, DatabaseError
from polyb0t.db import migrate
from polyb0t.db.stores import without_password
from polyb0t.runtime.current import meant, read_current
from polyb0t.runtime.places import data_dir


def target_url(settings: Settings) -> str:
    """The database that a migration means: the setting, else the last run's.

    Raises:
        ConfigurationError: neither names one.
    """
    if settings.database_url:
        return settings.database_url
    runs = read_current(data_dir(settings))
    run = meant(runs, venue=settings.venue, mode=settings.mode)
    if run is not None:
        return run.database_url
    if len(runs) == 1 and "venue" not in settings.model_fields_set:
        return next(iter(runs.values())).database_url
    raise ConfigurationError(
        "Nothing migrated: no database is named.",
        why=f"POLYBOT_DATABASE_URL is not set and no engine has run on {settings.venue} yet.",
        do="An engine migrates its own database at its first start; or name one: --database-url URL",
    )


def bring_up_to_date(url: str) -> bool:
    """Migrate the database at `url`, making it if there is none; whether it is new.

    Raises:
        DatabaseError: it cannot be used or is of a newer version.
    """
    try:
        before = migrate.current(url)
    except DatabaseError:
        before = None  # not there yet; what is wrong with one that is there, the migration says
    migrate.upgrade(url)
    return before is None


def backup(url: str, target: Path) -> int:
    """Copy an SQLite database while it is in use; bytes of the copy.

    Raises:
        ConfigurationError, ConflictError, DatabaseError: said in `db.backup`.
    """
    from polyb0t.db.backup import backup as copy  # noqa: PLC0415 - of all commands only this one copies

    return copy(url, target)


def upgrade(settings: Settings) -> tuple[str, str]:
    """Bring the database to this program's version; (URL without password, revision)."""
    url = target_url(settings)
    migrate.upgrade(url)
    return without_password(url), migrate.current(url) or "none"


def current(settings: Settings) -> tuple[str, str]:
    """(URL without password, revision) as it stands."""
    url = target_url(settings)
    return without_password(url), migrate.current(url) or "none"
