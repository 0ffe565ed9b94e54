"""One attempt at a transaction, and what became of it when its answer did not come.

A connection can be lost after the COMMIT was sent: then only the server knows whether it was written. A
PostgreSQL server remembers that by the transaction's number, so it is asked over another connection; the
transaction is begun anew only if it says that nothing was written.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Final, Generic, TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from polyb0t.core.clock import Clock
from polyb0t.db.failures import is_lock_failure

T = TypeVar("T")

LOOKS: Final = 20  # at a transaction that the server is still about to end
APART_SECONDS: Final = 0.05
_NUMBER: Final = text("SELECT pg_current_xact_id_if_assigned()::text")
_STATUS: Final = text("SELECT pg_xact_status(CAST(:number AS xid8))")


class Fate(Enum):
    """Of a transaction that failed."""

    NOTHING = auto()  # nothing was written: it may be begun anew
    REFUSED = auto()  # nothing was written, and a repetition would not help
    WRITTEN = auto()  # only the answer was lost
    UNKNOWN = auto()


class Attempt(Generic[T]):
    """Called once, with a connection in a transaction."""

    result: T

    def __init__(self, work: Callable[[Connection], T]) -> None:
        self._work = work
        self._worked = False
        self._number: str | None = None  # of the transaction; None: it has changed nothing

    def __call__(self, connection: Connection) -> T:
        self.result = self._work(connection)
        if connection.dialect.name == "postgresql":
            self._number = connection.scalar(_NUMBER)
        self._worked = True
        return self.result

    def fate(self, error: DBAPIError, engine: Engine, clock: Clock) -> Fate:
        """What is known after `error`; the server is asked where it has to be."""
        if is_lock_failure(error):
            return Fate.NOTHING
        if not error.connection_invalidated:
            return Fate.REFUSED
        if not self._worked or self._number is None:
            return Fate.NOTHING
        return _looked_up(self._number, engine, clock)


def _looked_up(number: str, engine: Engine, clock: Clock) -> Fate:
    known = {"committed": Fate.WRITTEN, "aborted": Fate.NOTHING}
    for _ in range(LOOKS):
        try:
            with engine.connect() as connection:
                status = connection.scalar(_STATUS, {"number": number})
        except DBAPIError:
            return Fate.UNKNOWN  # not there any more, or one that never saw the transaction
        if status != "in progress":
            return known.get(str(status), Fate.UNKNOWN)
        clock.sleep(APART_SECONDS)
    return Fate.UNKNOWN
