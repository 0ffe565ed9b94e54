"""Real databases for tests: SQLite in a temporary folder, PostgreSQL when there is one."""

from pathlib import Path

from polyb0t.core.clock import Clock
from polyb0t.db import open_stores, upgrade
from polyb0t.execution.scope import Scope
from polyb0t.execution.store import Stores
from tests.support.builders import a_scope


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder}/polyb0t.db"


def sqlite_stores(folder: Path, clock: Clock, scope: Scope | None = None) -> Stores:
    """Migrated stores in `folder`, of the builders' scope unless another is given."""
    url = sqlite_url(folder)
    upgrade(url, clock)
    return open_stores(url, scope or a_scope(), clock)
