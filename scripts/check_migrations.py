"""The tables that the migrations make are the tables that the code declares."""

import sys
import tempfile
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from polyb0t.db import migrate
from polyb0t.db.tables import metadata


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'check.sqlite3'}"
        migrate.upgrade(url)
        engine = create_engine(url)
        with engine.connect() as connection:
            differences = compare_metadata(MigrationContext.configure(connection), metadata)
        engine.dispose()
    for difference in differences:
        print(difference)  # noqa: T201 - the answer of a script
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
