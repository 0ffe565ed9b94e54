"""The IntentStore in SQL: each method is one transaction over the gate."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from polyb0t.core.errors import AmbiguousError, DatabaseError, PolybotError
from polyb0t.core.ids import SHORTEST_PREFIX, IntentId
from polyb0t.db import carrying_out, decisions, proposals
from polyb0t.db.failures import is_duplicate
from polyb0t.db.moves import no_such_intent
from polyb0t.db.rows import RECORD_QUERY, intent_record
from polyb0t.db.tables import orders, trade_intents
from polyb0t.db.unit import Unit, Units
from polyb0t.execution.cooldown import Cooldowns
from polyb0t.execution.intents import IntentRecord, IntentStatus, IntentType, TradeIntent
from polyb0t.execution.orders import NewOrder, OrderRecord
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import ClaimLimits, Denied, Lease
from polyb0t.models.limits import ControlResult

CANDIDATES_SHOWN = 5
SEEN_SECONDS = 15  # an open screen shows the same intent every second; one write in a while says enough

_HERE = trade_intents.c.scope == bindparam("of_scope")
_ONE = RECORD_QUERY.where(_HERE, trade_intents.c.id == bindparam("intent_id"))
_NAMED = RECORD_QUERY.where(_HERE, trade_intents.c.id.in_(bindparam("ids", expanding=True)))
_LIST = RECORD_QUERY.where(_HERE).order_by(trade_intents.c.created_at.desc(), trade_intents.c.id.desc())
_LIST_SOME = _LIST.limit(bindparam("most"))
_LIST_IN = _LIST.where(trade_intents.c.status.in_(bindparam("statuses", expanding=True)))
_WITHOUT_ORDER = RECORD_QUERY.where(
    _HERE, trade_intents.c.status == IntentStatus.EXECUTING, orders.c.id.is_(None)
).order_by(trade_intents.c.created_at)
IDS_AT_ONCE = 500  # a database takes only so many values in one statement
_OTHER = trade_intents.alias()
_NEIGHBOURS = select(
    trade_intents.c.id,
    select(func.max(_OTHER.c.id)).where(_OTHER.c.id < trade_intents.c.id).scalar_subquery().label("before"),
    select(func.min(_OTHER.c.id)).where(_OTHER.c.id > trade_intents.c.id).scalar_subquery().label("after"),
).where(trade_intents.c.id.in_(bindparam("ids", expanding=True)))


class SqlIntentStore:
    """Intents from proposal to end."""

    def __init__(self, units: Units, cooldowns: Cooldowns) -> None:
        self._units = units
        self._cooldowns = cooldowns

    def now(self) -> datetime:
        return self._units.now()

    def propose(self, intent: TradeIntent, lease: Lease) -> IntentRecord | Denied:
        return self._inserting(lambda unit: proposals.propose(unit, intent, lease, self._cooldowns))

    def supersede(self, old: IntentId, new: TradeIntent, lease: Lease) -> IntentRecord | Denied:
        return self._inserting(lambda unit: proposals.supersede(unit, old, new, lease))

    def get(self, intent_id: IntentId) -> IntentRecord:
        rows = self._rows(_ONE, intent_id=intent_id)
        if not rows:
            raise no_such_intent(intent_id)
        return rows[0]

    def named(self, ids: Collection[IntentId]) -> Mapping[IntentId, IntentRecord]:
        asked = sorted(set(ids))
        parts = [asked[start : start + IDS_AT_ONCE] for start in range(0, len(asked), IDS_AT_ONCE)]
        return {record.id: record for part in parts for record in self._rows(_NAMED, ids=part)}

    def find(self, prefix: str) -> IntentRecord:
        wanted = prefix.strip().lower()
        if not wanted:
            raise no_such_intent("without an id")
        query = RECORD_QUERY.where(trade_intents.c.id.startswith(wanted, autoescape=True), _HERE)
        rows = self._rows(query.order_by(trade_intents.c.created_at.desc()).limit(CANDIDATES_SHOWN + 1))
        if not rows:
            raise no_such_intent(prefix)
        if len(rows) > 1 and all(row.id != wanted for row in rows):
            raise _ambiguous(prefix, rows)
        return next((row for row in rows if row.id == wanted), rows[0])

    def list(
        self,
        *,
        statuses: Sequence[IntentStatus] = (),
        types: Sequence[IntentType] = (),
        limit: int | None = 100,
        before: IntentId | None = None,
        changed_since: datetime | None = None,
    ) -> tuple[IntentRecord, ...]:
        table = trade_intents.c
        query = _LIST_IN if statuses else _LIST
        if types:
            query = query.where(table.intent_type.in_(types))
        if changed_since is not None:
            query = query.where(table.updated_at > changed_since)
        if before is not None:
            at = self.get(before).intent.created_at
            query = query.where(or_(table.created_at < at, and_(table.created_at == at, table.id < before)))
        which: dict[str, object] = {"statuses": tuple(statuses)} if statuses else {}
        if query is _LIST and limit is not None:  # made beforehand: the first page is asked for all the time
            return self._rows(_LIST_SOME, most=limit)
        return self._rows(query.limit(limit), **which)

    def shortest_prefixes(self, ids: Sequence[IntentId]) -> Mapping[IntentId, str]:
        parts = [list(ids[start : start + IDS_AT_ONCE]) for start in range(0, len(ids), IDS_AT_ONCE)]
        rows = self._units.read(
            lambda connection: [
                row for part in parts for row in connection.execute(_NEIGHBOURS, {"ids": part}).all()
            ]
        )
        return {row.id: _shortest(row.id, row.before or "", row.after or "") for row in rows}

    def approve(
        self, intent_id: IntentId, *, digest: str, actor: str, grace_seconds: float, code: int | None = None
    ) -> IntentRecord:
        return self._units.decide(
            lambda unit: decisions.approve(
                unit, intent_id, digest=digest, actor=actor, grace_seconds=grace_seconds, code=code
            )
        )

    def reject(self, intent_id: IntentId, *, actor: str, reason: str) -> IntentRecord:
        return self._units.decide(lambda unit: decisions.reject(unit, intent_id, actor=actor, reason=reason))

    def expire(self, intent_id: IntentId, *, actor: str, code: str = "expired_by_hand") -> IntentRecord:
        return self._units.decide(lambda unit: decisions.expire(unit, intent_id, actor=actor, code=code))

    def expire_due(self, lease: Lease) -> tuple[IntentRecord, ...]:
        return self._units.write(lambda unit: decisions.expire_due(unit, lease))

    def mark_seen(self, ids: Sequence[IntentId], *, actor: str) -> None:
        del actor  # who has seen it is not kept, only that somebody has
        table = trade_intents.c
        a_while_ago = self._units.now() - timedelta(seconds=SEEN_SECONDS)
        unseen = (
            table.scope == str(self._units.scope),
            table.id.in_(ids),
            or_(table.seen_at.is_(None), table.seen_at < a_while_ago),
        )
        if ids and self._units.read(
            lambda connection: connection.scalar(select(func.count()).where(*unseen))
        ):
            self._units.write(
                lambda unit: (
                    unit.connection.execute(
                        update(trade_intents).where(*unseen).values(seen_at=unit.now)
                    ).rowcount
                )
            )

    def claim(
        self, intent_id: IntentId, lease: Lease, regime: Regime, limits: ClaimLimits
    ) -> IntentRecord | Denied:
        return self._units.write(lambda unit: carrying_out.claim(unit, intent_id, lease, regime, limits))

    def permit(self, order: NewOrder, lease: Lease, *, post_budget_seconds: float) -> OrderRecord | Denied:
        return self._units.write(
            lambda unit: carrying_out.permit(unit, order, lease, post_budget_seconds=post_budget_seconds)
        )

    def fail(
        self,
        intent_id: IntentId,
        lease: Lease,
        *,
        code: str,
        detail: str,
        controls: Sequence[ControlResult] = (),
    ) -> IntentRecord:
        denied = Denied(code, detail, tuple(controls))
        return self._units.decide(lambda unit: carrying_out.fail(unit, intent_id, lease, denied))

    def finish(self, intent_id: IntentId, lease: Lease, *, code: str, detail: str) -> IntentRecord:
        return self._units.decide(
            lambda unit: carrying_out.finish(unit, intent_id, lease, code=code, detail=detail)
        )

    def executing_without_order(self) -> tuple[IntentRecord, ...]:
        return self._rows(_WITHOUT_ORDER)

    def _rows(self, query: Select[Any], **values: object) -> tuple[IntentRecord, ...]:
        """`query` names this scope as `of_scope`."""
        which = {"of_scope": str(self._units.scope), **values}
        rows = self._units.read(lambda connection: connection.execute(query, which).mappings().all())
        return tuple(intent_record(row) for row in rows)

    def _inserting(self, work: Callable[[Unit], IntentRecord | Denied]) -> IntentRecord | Denied:
        """The unique index is the last word on duplicates, whatever the code before it saw."""
        try:
            return self._units.write(work)
        except DatabaseError as error:
            cause = error.__cause__
            if isinstance(cause, IntegrityError) and is_duplicate(cause):
                return Denied("duplicate", "An intent on it exists already.")
            raise


def _shortest(intent_id: IntentId, *neighbours: str) -> str:
    """One character more than what it shares with its neighbours in the order of ids."""
    shared = max(_common(intent_id, other) for other in neighbours)
    return intent_id[: max(SHORTEST_PREFIX, shared + 1)]


def _common(one: str, other: str) -> int:
    pairs = zip(one, other, strict=False)
    return next((index for index, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _ambiguous(prefix: str, rows: Sequence[IntentRecord]) -> PolybotError:
    shown = ", ".join(f"{row.id} ({row.intent.question[:40]})" for row in rows[:CANDIDATES_SHOWN])
    more = ", and more" if len(rows) > CANDIDATES_SHOWN else ""
    return AmbiguousError(
        f"{prefix} is not clear.",
        why=f"It begins the ids of {shown}{more}.",
        do="Type more characters.",
        code="ambiguous_id",
    )
