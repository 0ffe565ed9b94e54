"""Every record of one table, read whole once and from then on only where it was written.

Whoever writes says which records he wrote. A write of which nobody said anything is seen by the tables'
counts of writes, and then all records are read anew: what is kept is never older than the database.
"""

from bisect import insort
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from polyb0t.db.touched import State, Touched

K = TypeVar("K", bound=str)


class Kept(Protocol):
    """An intent's or an order's record."""

    @property
    def id(self) -> Any: ...
    @property
    def status(self) -> Any: ...
    @property
    def updated_at(self) -> datetime: ...


R = TypeVar("R", bound=Kept)
Age = tuple[datetime, str]


class KeptRows(Generic[K, R]):
    """The records of `tables`, `all_` of them or `one` by its id; `born` is when one was made."""

    def __init__(
        self,
        touched: Touched,
        tables: Sequence[str],
        *,
        all_: Callable[[], Iterable[R]],
        one: Callable[[K], R],
        born: Callable[[R], datetime],
    ) -> None:
        self._touched, self._tables = touched, tuple(tables)
        self._all, self._one, self._born = all_, one, born
        self._state: State | None = None  # of the tables, up to which every write is known
        self._written: set[K] = set()  # to be read anew
        self._records: dict[K, R] = {}
        self._aged: list[Age] = []  # the oldest first
        self._changed: dict[K, None] = {}  # what was changed last is last
        self._standing: dict[Any, dict[K, None]] = {}  # the ids of each status

    def write(self, work: Callable[[], Any], ids: Callable[[Any], Iterable[K]]) -> Any:
        """Do `work`, which changes no records but those that `ids` tells of what it gave."""
        knew = self._state is not None and self._touched.holds(self._state)
        done = work()
        if knew:
            self._written.update(ids(done))
            self._state = self._touched.state(*self._tables)
        return done

    def get(self, key: K) -> R | None:
        """One record as it stands."""
        self._look()
        return self._records.get(key)

    def newest_first(
        self, *, statuses: Collection[Any] = (), changed_since: datetime | None = None
    ) -> Iterator[R]:
        """Those that have one of these statuses (none: any) and were changed after that time."""
        self._look()
        if changed_since is not None:
            found = self._changed_after(changed_since)
            return self._sorted(record for record in found if not statuses or record.status in statuses)
        if statuses:
            keys = [key for status in set(statuses) for key in self._standing.get(status, ())]
            return self._sorted(map(self._records.__getitem__, keys))
        return (self._records[key] for _, key in reversed(self._aged))  # type: ignore[index]

    def _changed_after(self, instant: datetime) -> Iterator[R]:
        for key in reversed(self._changed):
            record = self._records[key]
            if record.updated_at <= instant:
                return
            yield record

    def _sorted(self, records: Iterable[R]) -> Iterator[R]:
        return iter(sorted(records, key=self._age, reverse=True))

    def _age(self, record: R) -> Age:
        return self._born(record), record.id

    def _look(self) -> None:
        """Bring what is kept up to the database."""
        if self._state is None or not self._touched.holds(self._state):
            self._read_all()
        elif self._written:
            for key in sorted(self._written):
                self._keep(self._one(key))
            self._written.clear()

    def _read_all(self) -> None:
        for kept in (self._records, self._aged, self._changed, self._standing, self._written):
            kept.clear()
        for record in sorted(self._all(), key=_last_change):
            self._keep(record)
        self._state = self._touched.state(*self._tables)

    def _keep(self, record: R) -> None:
        key, before = record.id, self._records.get(record.id)
        self._records[key] = record
        if before is None:
            insort(self._aged, self._age(record))
        else:
            del self._standing[before.status][key]
        self._standing.setdefault(record.status, {})[key] = None
        # Time in a write unit never moves back, so what was written later stands later.
        if before is None or before.updated_at != record.updated_at:
            self._changed.pop(key, None)
            self._changed[key] = None


def _last_change(record: Kept) -> Any:
    return record.updated_at
