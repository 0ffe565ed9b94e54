"""The one way in which an intent changes its status: compare-and-set, and the journal with it."""

from collections.abc import Mapping

from sqlalchemy import select, update

from polyb0t.core.errors import ConflictError, DatabaseError, NotFoundError
from polyb0t.core.ids import IntentId
from polyb0t.db.rows import INTENT_QUERY, intent_record
from polyb0t.db.tables import trade_intents
from polyb0t.db.unit import ENGINE, Unit, changed, foreign_scope
from polyb0t.execution.intents import TRANSITIONS, IntentRecord, IntentStatus

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
    lock = select(trade_intents.c.id).where(trade_intents.c.id == intent_id).with_for_update()
    if unit.connection.execute(lock).one_or_none() is None:
        raise no_such_intent(intent_id)
    row = unit.connection.execute(INTENT_QUERY.where(trade_intents.c.id == intent_id)).mappings().one()
    if row["scope"] != str(unit.scope):
        raise foreign_scope(row["scope"], unit.scope)
    return intent_record(row)


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
    if status not in TRANSITIONS[record.status]:
        raise _illegal(record, status)
    statement = (
        update(trade_intents)
        .where(
            trade_intents.c.id == record.id,
            trade_intents.c.scope == str(unit.scope),
            trade_intents.c.status == record.status,
            trade_intents.c.digest == record.digest,
        )
        .values(status=status, updated_at=unit.now, result=code, result_detail=detail, **columns)
    )
    if not changed(unit.connection, statement):
        raise _illegal(record, status)
    entry = {"from": record.status, "to": status, "digest": record.digest, "code": code, "detail": detail}
    unit.note(_KINDS[status], record.id, {**entry, **(note or {})}, actor=actor)
    row = unit.connection.execute(INTENT_QUERY.where(trade_intents.c.id == record.id)).mappings().one()
    return intent_record(row)


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


def _illegal(record: IntentRecord, status: IntentStatus) -> DatabaseError:
    return DatabaseError(
        f"Intent {record.id} was not moved.",
        why=f"It cannot go from {record.status} to {status}.",
        do="This is a fault in polyb0t; report it with the log.",
        code="illegal_transition",
    )
