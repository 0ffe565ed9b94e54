"""What the drivers' errors mean, told in sentences, and which of them are only a lock in the way."""

from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError

from polyb0t.core.errors import DatabaseError

# lock_not_available, deadlock_detected, serialization_failure, idle_in_transaction_session_timeout
_POSTGRES_LOCKS: Final = frozenset({"55P03", "40P01", "40001", "25P03"})
_SQLITE_LOCKS: Final = ("SQLITE_BUSY", "SQLITE_LOCKED")

# start of the driver's code -> (our code, why, what to do)
_MEANINGS: Final[tuple[tuple[tuple[str, ...], tuple[str, str, str]], ...]] = (
    (
        (*_SQLITE_LOCKS, *_POSTGRES_LOCKS),
        (
            "database_locked",
            "Another process holds its lock.",
            "Try again; if it stays so, look for a program that keeps the database open.",
        ),
    ),
    (
        ("SQLITE_READONLY", "25006", "42501"),
        (
            "database_read_only",
            "This user may not write to it, or to its folder.",
            "Check the permissions of the file and its folder, or the rights of the database user.",
        ),
    ),
    (
        ("SQLITE_FULL", "53100"),
        ("database_full", "The disk is full.", "Make room; nothing is permitted until then."),
    ),
    (
        ("SQLITE_CANTOPEN",),
        ("database_unopenable", "The file cannot be opened.", "Check the path and its permissions."),
    ),
    (
        ("SQLITE_CORRUPT", "SQLITE_NOTADB", "XX001", "XX002"),
        (
            "database_damaged",
            "Its content is not that of a database.",
            "Restore a copy, or name another path in POLYBOT_DATABASE_URL.",
        ),
    ),
    (
        ("42P01", "3F000"),
        ("schema_missing", "Its tables are not there.", "Make them with `polyb0t db upgrade`."),
    ),
    (
        ("SQLITE_CONSTRAINT", "23", "P0001"),
        (
            "database_refused",
            "A rule of the database forbids this change.",
            "Report it with the log; nothing was changed.",
        ),
    ),
    (
        ("57P", "08"),
        (
            "database_unreachable",
            "The server ended the connection: it restarts, or somebody ended it.",
            "Check that it runs, and try again.",
        ),
    ),
    (
        ("3D000", "28"),
        (
            "database_unreachable",
            "The server knows no such database, or refuses this user.",
            "Check POLYBOT_DATABASE_URL.",
        ),
    ),
)
_NO_TABLE: Final = "no such table"


def is_lock_failure(error: DBAPIError) -> bool:
    """The transaction did nothing and may be begun anew."""
    return _code(error).startswith((*_SQLITE_LOCKS, *_POSTGRES_LOCKS))


def told(error: DBAPIError, name: str, *, known: bool = True) -> DatabaseError:
    """The failure of the database `name`, in three sentences and with its own code; `known`: nothing was
    written, else it may have been."""
    code, why, do = _meaning(error)
    if not known:
        why = f"{why} Whether this change was written is not known."
        do = f"{do} Look before you repeat it."
    return DatabaseError(f"The database {name} could not be used.", why=why, do=do, code=code)


def _meaning(error: DBAPIError) -> tuple[str, str, str]:
    code = _code(error)
    if _NO_TABLE in str(error.orig):
        code = "42P01"
    for starts, meaning in _MEANINGS:
        if code.startswith(starts):
            return meaning
    if not code:
        return (
            "database_unreachable",
            f"The server does not answer: {_first_line(error)}.",
            "Check that it runs and POLYBOT_DATABASE_URL.",
        )
    return ("database", f"It answered {code}: {_first_line(error)}.", "Check the database and try again.")


def _code(error: DBAPIError) -> str:
    """SQLITE_... or a PostgreSQL SQLSTATE; empty when there was no answer at all."""
    cause = error.orig
    return str(getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or "")


def _first_line(error: DBAPIError) -> str:
    lines = str(error.orig).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error.orig).__name__


def is_duplicate(error: IntegrityError) -> bool:
    """Whether a unique index or a primary key refused the row."""
    code = str(getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", ""))
    return code in ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "23505")
