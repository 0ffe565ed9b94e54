"""Approve, reject, expire: of several racing deciders exactly one wins, and the others learn who."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import BindParameter, bindparam, or_, select

from polyb0t.core.errors import ConflictError, NotAuthorisedError, PolybotError
from polyb0t.core.ids import IntentId
from polyb0t.db import access_book
from polyb0t.db.moves import decided, load, move
from polyb0t.db.permission import halted, refusal, unavailable
from polyb0t.db.tables import trade_intents
from polyb0t.db.unit import ENGINE, Unit
from polyb0t.execution.access import required_of
from polyb0t.execution.intents import IntentRecord, IntentStatus
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Lease

PAPER_ENGINE = "engine:paper"
OPEN_TO_REJECTION = (IntentStatus.PENDING, IntentStatus.APPROVED)

_NOW: BindParameter[datetime] = bindparam("now")
_DUE = (
    select(trade_intents.c.id)
    .where(
        trade_intents.c.scope == bindparam("of_scope"),
        or_(
            (trade_intents.c.status == IntentStatus.PENDING) & (trade_intents.c.deadline <= _NOW),
            (trade_intents.c.status == IntentStatus.APPROVED) & (trade_intents.c.execute_by <= _NOW),
        ),
    )
    .order_by(trade_intents.c.id)
)


def approve(
    unit: Unit,
    intent_id: IntentId,
    *,
    digest: str,
    actor: str,
    grace_seconds: float,
    code: int | None = None,
) -> IntentRecord | PolybotError:
    """PENDING -> APPROVED, once enough people said so. What is found to be too late is written EXPIRED, and
    that stays."""
    unit.switches()
    record = load(unit, intent_id)
    _authorise(unit, record, actor)
    if record.status is not IntentStatus.PENDING:
        return decided(record, "approved")
    if record.digest != digest:
        return other_digest(record, digest)
    late = expire_if_due(unit, record)
    if late is not None:
        return decided(late, "approved")
    denied = unavailable(record.intent) or halted(unit, record.intent)
    if denied is not None:
        return refusal(record.intent, "approved", denied)
    if required_of(record.intent).more_than_one_word:
        return _one_more(unit, record, actor=actor, grace_seconds=grace_seconds, code=code)
    return approved(unit, record, actor=actor, grace_seconds=grace_seconds)


def _one_more(
    unit: Unit, record: IntentRecord, *, actor: str, grace_seconds: float, code: int | None
) -> IntentRecord | PolybotError:
    """One person's word of several, or with a code: a row of its own, and APPROVED with the last of them."""
    needed = required_of(record.intent)
    what = f"Intent {record.id} was not approved. Nothing was sent."
    refused = access_book.add_approval(
        unit, record.id, record.digest, needed, what=what, actor=actor, code=code
    )
    if refused is not None:
        return refused
    people = [each.actor for each in access_book.given(unit.connection, str(unit.scope), record.id)]
    if access_book.incomplete(unit, record.id, needed) is None:
        together = {"approvals": people}
        return approved(unit, record, actor=actor, grace_seconds=grace_seconds, note=together)
    note = {"digest": record.digest, "given": people, "needed": needed.approvals}
    unit.note("approval.given", record.id, note, actor=actor)
    return record


def approved(
    unit: Unit,
    record: IntentRecord,
    *,
    actor: str,
    grace_seconds: float,
    note: Mapping[str, object] | None = None,
) -> IntentRecord:
    """The move itself; whoever calls this has checked that `actor` may make it."""
    execute_by = max(record.intent.deadline, unit.now + timedelta(seconds=grace_seconds))
    return move(
        unit,
        record,
        IntentStatus.APPROVED,
        actor=actor,
        note={"execute_by": execute_by, "epoch": unit.epoch, **(note or {})},
        decided_at=unit.now,
        decided_by=actor,
        approved_epoch=unit.epoch,
        execute_by=execute_by,
    )


def reject(unit: Unit, intent_id: IntentId, *, actor: str, reason: str) -> IntentRecord | PolybotError:
    """PENDING or APPROVED -> REJECTED."""
    record = load(unit, intent_id)
    _authorise(unit, record, actor)
    if record.status not in OPEN_TO_REJECTION:
        return decided(record, "rejected")
    late = expire_if_due(unit, record)
    if late is not None:
        return decided(late, "rejected")
    return move(
        unit,
        record,
        IntentStatus.REJECTED,
        actor=actor,
        code="rejected",
        detail=reason,
        decided_at=unit.now,
        decided_by=actor,
    )


def expire(unit: Unit, intent_id: IntentId, *, actor: str, code: str) -> IntentRecord | PolybotError:
    """PENDING or APPROVED -> EXPIRED now."""
    record = load(unit, intent_id)
    if record.status not in OPEN_TO_REJECTION:
        return decided(record, "expired")
    return move(unit, record, IntentStatus.EXPIRED, actor=actor, code=code, detail=f"expired by {actor}")


def expire_due(unit: Unit, lease: Lease) -> tuple[IntentRecord, ...]:
    """Everything past its deadline or its execute_by."""
    unit.require_lease(lease)
    due = unit.connection.execute(_DUE, {"of_scope": str(unit.scope), "now": unit.now}).all()
    found = (load(unit, row.id) for row in due)
    expired = (expire_if_due(unit, record) for record in found)
    return tuple(record for record in expired if record is not None)


def expire_if_due(unit: Unit, record: IntentRecord) -> IntentRecord | None:
    """The record as EXPIRED if its time is over by the database's clock, else None."""
    end = record.execute_by if record.status is IntentStatus.APPROVED else record.intent.deadline
    if end is None or unit.now < end:
        return None
    return move(
        unit, record, IntentStatus.EXPIRED, actor=ENGINE, code="expired", detail=_why_expired(record, end)
    )


def _why_expired(record: IntentRecord, end: datetime) -> str:
    if record.status is IntentStatus.APPROVED:
        return f"approved, but not sent before {end:%H:%M:%S} UTC"
    seen = "" if record.seen_at else ", unseen"
    return f"nobody decided before {end:%H:%M:%S} UTC{seen}"


def _authorise(unit: Unit, record: IntentRecord, actor: str) -> None:
    """A person, or in paper the engine itself. A standing approval decides only through
    `standing_book.approve_exit`, which checks that the sale lies inside it; here its name is nobody's. A
    token has to be in force, whoever looked before."""
    if actor == PAPER_ENGINE and record.intent.regime is Regime.PAPER:
        return
    what = f"Intent {record.id} was not decided."
    require_person(what, actor, record.intent.regime)
    access_book.require_active(unit, what, actor)


def require_person(what: str, actor: str, regime: Regime) -> None:
    """Raises NotAuthorisedError: `actor` is no person."""
    kind, _, name = actor.partition(":")
    if kind not in ("user", "token") or not name:
        raise NotAuthorisedError(
            what,
            why=f"{actor or 'Nobody'} may not decide in the regime {regime}.",
            do="A person decides.",
            code="person_required",
        )


def other_digest(record: IntentRecord, digest: str) -> ConflictError:
    return ConflictError(
        f"Intent {record.id} was not approved.",
        why=f"You approved the content {digest[:12] or '(none)'}, and its content is {record.digest[:12]}.",
        do=f"Read it again with `polyb0t intents show {record.id}`.",
        code="digest_mismatch",
    )
