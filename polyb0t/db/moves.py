"""The one way in which an intent changes its status: compare-and-set, and the journal with it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, RowMapping, Select, bindparam, select, update

from polyb0t.core.errors import ConflictError, DatabaseError, NotFoundError
from polyb0t.core.ids import IntentId
from polyb0t.db.rows import INTENT_QUERY, intent_record
from polyb0t.db.tables import trade_intents
from polyb0t.db.unit import ENGINE, Unit, changed, foreign_scope
from polyb0t.execution.intents import TRANSITIONS, IntentRecord, IntentStatus

# The gate is held, so no order can be joined that was not there when this statement began.
_LOCKED: Final[Select[Any]] = INTENT_QUERY.where(
    trade_intents.c.id == bindparam("intent_id")
).with_for_update(of=trade_intents)
_MOVE: Final = update(trade_intents).where(
    trade_intents.c.id == bindparam("of_id"),
    trade_intents.c.scope == bindparam("of_scope"),
    trade_intents.c.status == bindparam("was"),
    trade_intents.c.digest == bindparam("of_digest"),
)
_STATE: Final = frozenset({"decided_at", "decided_by", "execute_by"})  # columns that a record shows
_KINDS = {
    IntentStatus.APPROVED: "intent.approved",
    IntentStatus.EXECUTING: "intent.claimed",
    IntentStatus.EXECUTED: "intent.executed",
    IntentStatus.REJECTED: "intent.rejected",
    IntentStatus.EXPIRED: "intent.expired",
    IntentStatus.FAILED: "intent.failed",
}


def load(unit: Unit, intent_id: IntentId) -> IntentRecord:
    """The intent, its row locked.

    Raises:
        NotFoundError: there is none.
        ConflictError: `foreign_scope`.
    """
    return intent_record(load_row(unit, intent_id))


def load_row(unit: Unit, intent_id: IntentId) -> RowMapping:
    """As `load`, with every column: for who judges by the approval's epoch or by the claim's token too."""
    row = unit.connection.execute(_LOCKED, {"intent_id": intent_id}).mappings().one_or_none()
    if row is None:
        raise no_such_intent(intent_id)
    if row["scope"] != str(unit.scope):
        raise foreign_scope(row["scope"], unit.scope)
    return row


class Present(NamedTuple):
    """Where an intent stands, without its content: what stops trading must not fail on a damaged text."""

    id: IntentId
    status: IntentStatus
    digest: str


def move(
    unit: Unit,
    record: IntentRecord,
    status: IntentStatus,
    *,
    actor: str = ENGINE,
    code: str | None = None,
    detail: str = "",
    note: Mapping[str, object] | None = None,
    **columns: object,
) -> IntentRecord:
    """Move `record` from the status that it was read with, and journal it.

    Raises:
        DatabaseError: the arrow is not in the table, or the row is no longer where it was.
    """
    present = Present(record.id, record.status, record.digest)
    transition(unit, present, status, actor=actor, code=code, detail=detail, note=note, **columns)
    written: dict[str, Any] = {name: value for name, value in columns.items() if name in _STATE}
    return replace(record, status=status, result=code, result_detail=detail, updated_at=unit.now, **written)


def transition(
    unit: Unit,
    present: Present,
    status: IntentStatus,
    *,
    actor: str,
    code: str | None,
    detail: str,
    note: Mapping[str, object] | None = None,
    **columns: object,
) -> None:
    """As `move`, without reading the intent's content."""
    if status not in TRANSITIONS[present.status]:
        raise _illegal(present, status)
    read = {
        "of_id": present.id,
        "of_scope": str(unit.scope),
        "was": present.status,
        "of_digest": present.digest,
    }
    new = {"status": status, "updated_at": unit.now, "result": code, "result_detail": detail, **columns}
    if not changed(unit.connection, _MOVE, {**read, **new}):
        raise _illegal(present, status)
    entry = {"from": present.status, "to": status, "digest": present.digest, "code": code, "detail": detail}
    unit.note(_KINDS[status], present.id, {**entry, **(note or {})}, actor=actor)


def present(unit: Unit, *where: ColumnElement[bool]) -> tuple[Present, ...]:
    """Where this scope's intents stand that fit, locked in the order of their ids."""
    table = trade_intents.c
    query = select(table.id, table.status, table.digest).where(table.scope == str(unit.scope), *where)
    rows = unit.connection.execute(query.order_by(table.id).with_for_update()).all()
    return tuple(Present(row.id, IntentStatus(row.status), row.digest) for row in rows)


def no_such_intent(prefix: str) -> NotFoundError:
    return NotFoundError(
        f"There is no intent {prefix}.",
        why="No id begins so.",
        do="See them with `polyb0t intents list --all`.",
        code="intent_not_found",
    )


def decided(record: IntentRecord, verb: str) -> ConflictError:
    """Somebody or something was there first; who and when."""
    when = record.decided_at.strftime("%H:%M:%S UTC") if record.decided_at else ""
    who = f" by {record.decided_by}" if record.decided_by else ""
    at = f" at {when}" if when else ""
    why = f"It is {record.status}{who}{at}."
    if record.status is IntentStatus.EXPIRED:
        why = f"It expired at {record.updated_at:%H:%M:%S} UTC."
    code = "expired" if record.status is IntentStatus.EXPIRED else "already_decided"
    do = f"See it with `polyb0t intents show {record.id}`."
    return ConflictError(f"Intent {record.id} was not {verb}.", why=why, do=do, code=code)


def _illegal(record: Present, status: IntentStatus) -> DatabaseError:
    return DatabaseError(
        f"Intent {record.id} was not moved.",
        why=f"It cannot go from {record.status} to {status}.",
        do="This is a fault in polyb0t; report it with the log.",
        code="illegal_transition",
    )
