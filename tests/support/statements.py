"""Compiled statements, kept from one test's database to the next.

SQLAlchemy keeps them with each engine, and with us each test opens a database of its own: without this, a third
of what such a test takes goes into writing the same SQL again. What is kept is found by the whole statement and
by the kind of database.
"""

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache, immutabledict

KEPT = 5_000


def keep_compiled_statements() -> None:
    """For all engines of this process."""
    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        dialect.__eq__ = _is_same_kind  # type: ignore[method-assign]
        dialect.__hash__ = _kind  # type: ignore[method-assign, assignment]
    Engine._execution_options = immutabledict({"compiled_cache": LRUCache(KEPT)})


def _is_same_kind(one: object, other: object) -> bool:
    return type(one) is type(other)


def _kind(dialect: object) -> int:
    return hash(type(dialect))
