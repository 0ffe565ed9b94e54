"""Stores that ask their database again only when something was written: for who is alone with it.

A cycle asks the same question many times, and an engine has to, since others write. A replay is alone:
between two writes every answer is the same. What depends on the time is worked out from what is remembered,
by the same rule as the database's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, cast

from polyb0t.db.engine import Database
from polyb0t.db.stores import SqlStores
from polyb0t.execution.intents import LIVE_STATUSES, IntentRecord, IntentStatus, IntentType
from polyb0t.execution.store import IntentStore, Lease

# By store: the questions whose answers change only when something is written.
ASKED: Final = {
    "intents": ("get", "named", "executing_without_order"),
    "orders": (
        *("order", "ours", "named", "orders", "watched", "absent"),
        *("fills", "reserved_pusd", "reserved_shares"),
    ),
    "books": ("movements", "opening", "marks"),
    "engine": ("last_sequence", "latest_entry"),
    "switches": ("list",),
    "standing": ("active",),
    "by_hand": ("mutes",),
    "exits": ("unresolved",),
}
# Writes where there is something to write: what found nothing finds nothing until something was written.
SETTLED: Final = {"exits": ("record_ended",)}
# Writes on which only these questions of their own store depend.
APART: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "engine": {"save_account_state": (), "note": ("last_sequence", "latest_entry")},
    "books": {"mark": ("marks",)},
    "prices": {"note": ()},
}
_BOOKS: Final = ("movements", "opening", "marks")
_ORDERS: Final = ("order", "ours", "named", "orders", "watched", "absent", "fills")
# Writes that touch no row of what these questions of the named stores are answered from: an intent moves
# before its order is stored and without it, and neither is a movement of the wallet. `now` is the time of the
# journal's head, which our own writes put where the clock stands, and that is looked at in any case.
_OF_ORDERS: Final[Mapping[str, tuple[str, ...]]] = {"books": _BOOKS, "intents": ("now",)}
_OF_INTENTS: Final[Mapping[str, tuple[str, ...]]] = {**_OF_ORDERS, "orders": _ORDERS}
LEFT: Final[Mapping[str, Mapping[str, Mapping[str, tuple[str, ...]]]]] = {
    "intents": {
        **dict.fromkeys(("propose", "supersede", "approve", "reject", "claim"), _OF_INTENTS),
        "permit": _OF_ORDERS,
    },
    "orders": dict.fromkeys(("record_fills", "settle"), _OF_ORDERS),
}
_MOST: Final = 10_000  # answers that are kept; then all are forgotten
_LIVE: Final = tuple(sorted(LIVE_STATUSES))
_OPEN: Final = (IntentStatus.PENDING, IntentStatus.APPROVED)
_NOTHING: Final = object()


class Memory:
    """Answers since the last write."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._as_of = -1
        self._answers: dict[Any, Any] = {}

    def answer(self, key: Any, ask: Callable[[], Any]) -> Any:
        """What was answered since the last write, else `ask`'s answer now."""
        self._forget_if_written()
        found = self._answers.get(key, _NOTHING)
        if found is _NOTHING:
            found = ask()
            self._forget_if_written()
            if len(self._answers) >= _MOST:
                self._answers.clear()
            self._answers[key] = found
        return found

    def nothing_to_do(self, key: Any) -> bool:
        """Whether something was remembered under `key` since the last write."""
        self._forget_if_written()
        return key in self._answers

    def write_apart(self, store: str, questions: Sequence[str], write: Callable[[], Any]) -> Any:
        """A write after which only the answers to these questions are forgotten."""
        self._forget_if_written()
        done = write()
        self._as_of = self._database.written
        for key in [key for key in self._answers if key[0] == store and key[1] in questions]:
            del self._answers[key]
        return done

    def write_leaving(self, left: Mapping[str, tuple[str, ...]], write: Callable[[], Any]) -> Any:
        """A write after which all is forgotten but the answers to the questions that it leaves alone. One
        that fails has forgotten everything."""
        self._forget_if_written()
        done = write()
        self._as_of = self._database.written
        self._answers = {key: found for key, found in self._answers.items() if key[1] in left.get(key[0], ())}
        return done

    def _forget_if_written(self) -> None:
        if self._as_of != self._database.written:
            self._answers.clear()
            self._as_of = self._database.written


class Remembered:
    """One store; what is not among its questions is passed on."""

    def __init__(self, store: Any, name: str, memory: Memory) -> None:
        self._store, self._memory = store, memory
        for question in ASKED.get(name, ()):
            setattr(self, question, self._remembering(name, question))
        for work in SETTLED.get(name, ()):
            setattr(self, work, self._done_once(name, work))
        for work, questions in APART.get(name, {}).items():
            setattr(self, work, self._apart(name, work, questions))
        for work, left in LEFT.get(name, {}).items():
            setattr(self, work, self._leaving(work, left))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def _remembering(self, store: str, question: str) -> Callable[..., Any]:
        ask, memory = getattr(self._store, question), self._memory

        def asked(*args: Any, **kwargs: Any) -> Any:
            key = (store, question, _hashable(args), _hashable(sorted(kwargs.items())))
            return memory.answer(key, lambda: ask(*args, **kwargs))

        return asked

    def _apart(self, store: str, work: str, questions: Sequence[str]) -> Callable[..., Any]:
        write, memory = getattr(self._store, work), self._memory

        def written(*args: Any, **kwargs: Any) -> Any:
            return memory.write_apart(store, questions, lambda: write(*args, **kwargs))

        return written

    def _leaving(self, work: str, left: Mapping[str, tuple[str, ...]]) -> Callable[..., Any]:
        write, memory = getattr(self._store, work), self._memory

        def written(*args: Any, **kwargs: Any) -> Any:
            return memory.write_leaving(left, lambda: write(*args, **kwargs))

        return written

    def _done_once(self, store: str, work: str) -> Callable[..., Any]:
        do, memory = getattr(self._store, work), self._memory

        def done(*args: Any) -> Any:
            if memory.nothing_to_do((store, work)):
                return ()
            found = do(*args)
            if not found:
                memory.answer((store, work), tuple)
            return found

        return done


class RememberedIntents(Remembered):
    """Intents. The head of the journal is remembered, so the time needs no question."""

    def __init__(self, store: IntentStore, database: Database, memory: Memory) -> None:
        super().__init__(store, "intents", memory)
        self._database = database

    def now(self) -> datetime:
        """As `Units.now`: never before the journal's newest entry."""
        clock = self._database.clock.now()
        known: datetime = self._memory.answer(("intents", "now"), self._store.now)
        return max(clock, known)

    def list(self, *, changed_since: datetime | None = None, **given: Any) -> tuple[IntentRecord, ...]:
        if changed_since is None and _of_live_ones(given):
            return self._live(**given)
        key = ("intents", "list", _hashable(sorted(given.items())), changed_since is None)
        if changed_since is None or given.get("limit", 100) is not None:
            whole: tuple[IntentRecord, ...] = self._memory.answer(
                (*key, changed_since), lambda: self._store.list(changed_since=changed_since, **given)
            )
            return whole
        since, known = self._memory.answer(
            key, lambda: (changed_since, self._store.list(changed_since=changed_since, **given))
        )
        if changed_since < since:
            return cast("tuple[IntentRecord, ...]", self._store.list(changed_since=changed_since, **given))
        return tuple(record for record in known if record.updated_at > changed_since)

    def _live(
        self, *, statuses: Sequence[IntentStatus], limit: None, types: Sequence[IntentType] = ()
    ) -> tuple[IntentRecord, ...]:
        """Those that are not over are few and asked for in many ways: read once, and told apart here."""
        del limit
        live: tuple[IntentRecord, ...] = self._memory.answer(
            ("intents", "live"), lambda: self._store.list(statuses=_LIVE, limit=None)
        )
        return tuple(
            record
            for record in live
            if record.status in statuses and (not types or record.intent.intent_type in types)
        )

    def expire_due(self, lease: Lease) -> tuple[IntentRecord, ...]:
        """Writes only where something is due."""
        now = self.now()
        if not any(_due(record, now) for record in self.list(statuses=_OPEN, limit=None)):
            return ()
        return cast("tuple[IntentRecord, ...]", self._store.expire_due(lease))


def _of_live_ones(given: Mapping[str, Any]) -> bool:
    """Whether a list is asked for that holds all of some kind, none of which is over."""
    asked = given.get("statuses") or ()
    unbounded = given.get("limit", 100) is None and given.keys() <= {"statuses", "types", "limit"}
    return unbounded and bool(asked) and LIVE_STATUSES.issuperset(asked)


def _due(record: IntentRecord, now: datetime) -> bool:
    end = record.execute_by if record.status is IntentStatus.APPROVED else record.intent.deadline
    return end is not None and end <= now


def _hashable(value: Any) -> Any:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(_hashable(item) for item in value)
    if isinstance(value, (set, frozenset)):
        return frozenset(value)
    return value


def remembering(stores: SqlStores) -> SqlStores:
    """The same stores for the one process that writes to their database."""
    memory = Memory(stores.database)
    parts: dict[str, Any] = {
        name: Remembered(getattr(stores, name), name, memory)
        for name in ASKED.keys() | APART.keys()
        if name != "intents"
    }
    parts["intents"] = RememberedIntents(stores.intents, stores.database, memory)
    return replace(stores, **parts)
