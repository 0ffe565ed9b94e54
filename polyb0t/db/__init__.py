"""The only home of SQLAlchemy: tables, transactions, lock order."""

from polyb0t.core.clock import Clock
from polyb0t.db.stores import SqlStores, open_stores, peek_scope, stores_on

__all__ = ["SqlStores", "current", "open_stores", "peek_scope", "stores_on", "upgrade"]


def upgrade(url: str, clock: Clock | None = None) -> str:
    """Make the database if need be and bring it to the present schema; its revision then.

    Raises:
        DatabaseError: it is of a newer version, or cannot be written.
        ConflictError: `engine_running`.
    """
    from polyb0t.db import migrate  # noqa: PLC0415 - only who migrates pays for it

    return migrate.upgrade(url, clock)


def current(url: str) -> str | None:
    """The revision of the database, None when it has no tables.

    Raises:
        DatabaseError: no database there, or it does not answer.
    """
    from polyb0t.db import migrate  # noqa: PLC0415

    return migrate.current(url)
