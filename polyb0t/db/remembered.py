"""Stores that ask their database again only where something was written: for who is alone with it.

A cycle asks the same question many times, and an engine has to, since others write. A replay is alone: as
long as no table is written from which an answer was read, the answer is the same. What depends on the time
is worked out from what is remembered, by the same rule as the database's.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, Final, NamedTuple, cast

from polyb0t.core.clock import Clock
from polyb0t.core.ids import IntentId, OrderId
from polyb0t.core.units import Pusd
from polyb0t.db.kept_rows import KeptRows
from polyb0t.db.stores import SqlStores
from polyb0t.db.touched import Memory, Touched
from polyb0t.execution.intents import IntentRecord, IntentStatus, IntentType
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Lease
from polyb0t.models.equity import EquityMarks, marked
from polyb0t.models.kill_switches import SwitchState

# By store: the questions whose answers change only when something is written.
ASKED: Final = {
    "intents": ("executing_without_order",),
    "orders": ("ours", "watched", "absent", "fills", "reserved_pusd", "reserved_shares"),
    "books": ("movements", "opening", "marks"),
    "engine": ("last_sequence", "latest_entry"),
    "switches": ("list",),
    "standing": ("active",),
    "by_hand": ("mutes",),
    "exits": ("unresolved", "record_ended"),
}
_OPEN: Final = (IntentStatus.PENDING, IntentStatus.APPROVED)

Intents = KeptRows[IntentId, IntentRecord]
Orders = KeptRows[OrderId, OrderRecord]


class Written(NamedTuple):
    """The records that a write may have changed."""

    intents: Iterable[IntentId] = ()
    orders: Iterable[OrderId] = ()


Telling = Callable[[Any, Any], Written]  # from the first argument and the result
# By store: the writes of which it is known what they change. After any other everything is read again.
WRITES: Final[Mapping[str, Mapping[str, Telling]]] = {
    "intents": {
        "propose": lambda _intent, done: Written([done.id] if isinstance(done, IntentRecord) else []),
        **dict.fromkeys(("approve", "reject", "claim"), lambda intent_id, _done: Written([intent_id])),
        "permit": lambda order, done: Written(
            [order.intent_id], [done.id] if isinstance(done, OrderRecord) else []
        ),
    },
    "orders": dict.fromkeys(
        ("settle", "record_fills"), lambda order_id, done: Written([done.intent_id], [order_id])
    ),
}


def _nothing(answer: Any) -> bool:
    return not answer


def no_override(states: Iterable[SwitchState]) -> bool:
    return all(state.override is None for state in states)


# By store and question: the only answers that are kept. Any other depends on the time as well; and what
# found nothing to write finds nothing until something was written.
KEPT: Final[Mapping[tuple[str, str], Callable[[Any], bool]]] = {
    ("switches", "list"): no_override,
    ("standing", "active"): _nothing,
    ("by_hand", "mutes"): _nothing,
    ("exits", "record_ended"): _nothing,
}


class Remembered:
    """One store; what is not among its questions is passed on."""

    def __init__(self, store: Any, name: str, memory: Memory) -> None:
        self._store, self._memory = store, memory
        for question in ASKED.get(name, ()):
            setattr(self, question, self._remembering(name, question))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def _remembering(self, store: str, question: str) -> Callable[..., Any]:
        ask, memory, keep = getattr(self._store, question), self._memory, KEPT.get((store, question))

        def asked(*args: Any, **kwargs: Any) -> Any:
            key = (store, question, _hashable(args), _hashable(sorted(kwargs.items())))
            return memory.answer(key, lambda: ask(*args, **kwargs), keep=keep)

        return asked


class RememberedBooks(Remembered):
    """The books: most looks change nothing, and nothing is asked for them."""

    def __init__(self, store: Any, memory: Memory, now: Callable[[], datetime]) -> None:
        super().__init__(store, "books", memory)
        self._now = now

    def mark(
        self, regime: Regime, equity: Pusd, flows: Pusd, lease: Lease, *, sure: bool = True
    ) -> EquityMarks:
        """As `SqlBookStore.mark`."""
        before: EquityMarks | None = self.marks(regime)
        if before is not None and marked(before, equity, flows, self._now(), sure=sure) == before:
            return before
        return cast("EquityMarks", self._store.mark(regime, equity, flows, lease, sure=sure))


class Rows:
    """Every intent and every order, and the time of the database."""

    def __init__(self, stores: SqlStores, touched: Touched) -> None:
        self._clock: Clock = stores.database.clock
        self._begun = stores.intents.now()
        self.intents: Intents = KeptRows(
            touched,
            ("trade_intents", "orders"),
            all_=lambda: stores.intents.list(limit=None),
            one=stores.intents.get,
            born=lambda record: record.intent.created_at,
        )
        self.orders: Orders = KeptRows(
            touched,
            ("orders",),
            all_=lambda: stores.orders.orders(limit=None),
            one=stores.orders.order,
            born=lambda order: order.created_at,
        )

    def now(self) -> datetime:
        """As `Units.now`: never before the journal's newest entry. Whoever writes is here, and writes no
        later than this clock stands, which never goes back."""
        return max(self._clock.now(), self._begun)

    def writing(self, write: Callable[..., Any], written: Telling) -> Callable[..., Any]:
        """`write`, after which only what it changed is read again."""

        def work(first: Any, *args: Any, **kwargs: Any) -> Any:
            return self.intents.write(
                lambda: self.orders.write(
                    lambda: write(first, *args, **kwargs), lambda done: written(first, done).orders
                ),
                lambda done: written(first, done).intents,
            )

        return work


class RememberedIntents(Remembered):
    """Intents: none is read twice that nobody wrote to."""

    def __init__(self, store: Any, memory: Memory, rows: Rows) -> None:
        super().__init__(store, "intents", memory)
        self._rows = rows
        self.now = rows.now
        for name, written in WRITES["intents"].items():
            setattr(self, name, rows.writing(getattr(store, name), written))

    def get(self, intent_id: IntentId) -> IntentRecord:
        """As `SqlIntentStore.get`."""
        found = self._rows.intents.get(intent_id)
        return cast("IntentRecord", self._store.get(intent_id)) if found is None else found

    def named(self, ids: Collection[IntentId]) -> Mapping[IntentId, IntentRecord]:
        """As `SqlIntentStore.named`."""
        found = ((each, self._rows.intents.get(each)) for each in sorted(set(ids)))
        return {each: record for each, record in found if record is not None}

    def list(
        self,
        *,
        statuses: Sequence[IntentStatus] = (),
        types: Sequence[IntentType] = (),
        limit: int | None = 100,
        before: IntentId | None = None,
        changed_since: datetime | None = None,
    ) -> tuple[IntentRecord, ...]:
        """As `SqlIntentStore.list`."""
        if before is not None:
            asked = {"statuses": statuses, "types": types, "limit": limit, "changed_since": changed_since}
            return cast("tuple[IntentRecord, ...]", self._store.list(before=before, **asked))
        found = self._rows.intents.newest_first(statuses=statuses, changed_since=changed_since)
        fitting = (record for record in found if not types or record.intent.intent_type in types)
        return tuple(islice(fitting, limit))

    def expire_due(self, lease: Lease) -> tuple[IntentRecord, ...]:
        """Writes only where something is due."""
        now = self._rows.now()
        if not any(_due(record, now) for record in self._rows.intents.newest_first(statuses=_OPEN)):
            return ()
        return cast("tuple[IntentRecord, ...]", self._store.expire_due(lease))


class RememberedOrders(Remembered):
    """Orders: none is read twice that nobody wrote to."""

    def __init__(self, store: Any, memory: Memory, rows: Rows) -> None:
        super().__init__(store, "orders", memory)
        self._rows = rows
        for name, written in WRITES["orders"].items():
            setattr(self, name, rows.writing(getattr(store, name), written))

    def order(self, order_id: OrderId) -> OrderRecord:
        """As `SqlOrderStore.order`."""
        found = self._rows.orders.get(order_id)
        return cast("OrderRecord", self._store.order(order_id)) if found is None else found

    def named(self, ids: Collection[OrderId]) -> Mapping[OrderId, OrderRecord]:
        """As `SqlOrderStore.named`."""
        found = ((each, self._rows.orders.get(each)) for each in sorted(set(ids)))
        return {each: record for each, record in found if record is not None}

    def orders(
        self,
        *,
        statuses: Sequence[OrderStatus] = (),
        limit: int | None = 100,
        before: OrderId | None = None,
    ) -> tuple[OrderRecord, ...]:
        """As `SqlOrderStore.orders`."""
        if before is not None:
            found = self._store.orders(statuses=statuses, limit=limit, before=before)
            return cast("tuple[OrderRecord, ...]", found)
        return tuple(islice(self._rows.orders.newest_first(statuses=statuses), limit))


def _due(record: IntentRecord, now: datetime) -> bool:
    end = record.execute_by if record.status is IntentStatus.APPROVED else record.intent.deadline
    return end is not None and end <= now


def _hashable(value: Any) -> Any:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(_hashable(item) for item in value)
    if isinstance(value, (set, frozenset)):
        return frozenset(value)
    return value


def remembering(stores: SqlStores, touched: Touched, memory: Memory) -> SqlStores:
    """The same stores for the one process that writes to their database, and whose statements `touched`
    hears all of."""
    rows = Rows(stores, touched)
    parts: dict[str, Any] = {name: Remembered(getattr(stores, name), name, memory) for name in ASKED}
    parts["books"] = RememberedBooks(stores.books, memory, rows.now)
    parts["intents"] = RememberedIntents(stores.intents, memory, rows)
    parts["orders"] = RememberedOrders(stores.orders, memory, rows)
    return replace(stores, **parts)
