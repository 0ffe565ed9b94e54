"""Alembic's way in: the program hands over its connection; the command line opens one itself."""

import os

from sqlalchemy import Connection

from alembic import context
from polyb0t.db.engine import open_database
from polyb0t.db.tables import complete_metadata


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=complete_metadata())
    context.run_migrations()


def main() -> None:
    """Run what was asked for, in the caller's transaction if there is one."""
    given = context.config.attributes.get("connection")
    if given is not None:
        _run(given)
        return
    url = os.environ.get("POLYBOT_DATABASE_URL") or context.config.get_main_option("sqlalchemy.url")
    if not url:
        raise SystemExit("Set POLYBOT_DATABASE_URL, or use `polyb0t db upgrade`.")
    open_database(url, create=True).write(_run)


main()
