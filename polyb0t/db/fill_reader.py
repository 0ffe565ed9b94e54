"""Every fill of a scope, read whole once and from then on only where it changed.

The engine asks for them many times in a cycle and there are thousands after some months. Time in a write
unit never moves back and units come one after the other, so what changed since the last look has a time
no earlier than the newest that was seen. As long as nothing changed the very same tuple is handed out,
so that who computes from it can tell.
"""

from datetime import datetime
from threading import Lock
from typing import Final

from sqlalchemy import Connection, bindparam, func, select

from polyb0t.core.clock import from_microseconds
from polyb0t.data.fills import Fill
from polyb0t.db.rows import fill_of
from polyb0t.db.tables import fills
from polyb0t.execution.scope import Scope

_HERE: Final = fills.c.scope == bindparam("of_scope")
_SINCE: Final = select(fills).where(_HERE, fills.c.updated_at >= bindparam("since"))
_COUNT: Final = select(func.count()).select_from(fills).where(_HERE)
_BEFORE_ALL: Final = from_microseconds(0)

Key = tuple[str, int, str]


class FillReader:
    """Of one scope; may be used by several threads."""

    def __init__(self, scope: Scope) -> None:
        self._which = {"of_scope": str(scope)}
        self._lock = Lock()
        self._known: dict[Key, Fill] = {}
        self._newest: datetime = _BEFORE_ALL
        self._all: tuple[Fill, ...] = ()

    def read(self, connection: Connection) -> tuple[Fill, ...]:
        """All fills as they stand in `connection`'s transaction, oldest first."""
        with self._lock:
            changed, newest = self._changed(connection)
            if connection.scalar(_COUNT, self._which) != len(self._known.keys() | changed.keys()):
                self._forget()  # a row went away, which polyb0t never does: believe the database
                changed, newest = self._changed(connection)
            if changed:
                self._known.update(changed)
                self._all = tuple(sorted(self._known.values(), key=_age))
            self._newest = newest
            return self._all

    def _changed(self, connection: Connection) -> tuple[dict[Key, Fill], datetime]:
        """What differs from what is known, and the newest time that was seen."""
        rows = connection.execute(_SINCE, {**self._which, "since": self._newest}).mappings().all()
        found = {_key(fill): fill for fill in map(fill_of, rows)}
        newest = max((row["updated_at"] for row in rows), default=self._newest)
        return {key: fill for key, fill in found.items() if self._known.get(key) != fill}, newest

    def _forget(self) -> None:
        self._known, self._newest, self._all = {}, _BEFORE_ALL, ()


def _key(fill: Fill) -> Key:
    return (fill.trade_id, fill.bucket_index, fill.order_id)


def _age(fill: Fill) -> tuple[datetime, str, int, str]:
    return (fill.matched_at, fill.trade_id, fill.bucket_index, fill.order_id)
