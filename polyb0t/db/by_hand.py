"""What a person writes inside a write unit: own ideas, smaller forms, muted markets."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, insert, select

from polyb0t.core.errors import ConflictError, PolybotError
from polyb0t.core.ids import ConditionId, IntentId
from polyb0t.db import access_book, decisions, standing_book
from polyb0t.db.moves import decided, load
from polyb0t.db.permission import halted, refusal
from polyb0t.db.proposals import duplicate, foreign, give_way, insert_pending, living
from polyb0t.db.tables import mutes
from polyb0t.db.unit import Unit
from polyb0t.execution.by_hand import Mute
from polyb0t.execution.intents import Denied, IntentRecord, IntentStatus, TradeIntent
from polyb0t.execution.smaller import why_not_smaller
from polyb0t.execution.standing import StandingApproval

MUTES = select(mutes).order_by(mutes.c.until, mutes.c.condition_id)


class _How(NamedTuple):
    """Who approves, how long the engine has, and with which code."""

    actor: str
    grace_seconds: float
    code: int | None


class UndoneError(Exception):
    """Carries a refusal out of a transaction that has to be undone as a whole."""

    def __init__(self, refusal: PolybotError) -> None:
        super().__init__()
        self.refusal = refusal


def propose(unit: Unit, intent: TradeIntent, *, actor: str, replaces_waiting: bool) -> IntentRecord | Denied:
    """Insert as PENDING in a person's name; what waits on the same aim gives way if it may."""
    decisions.require_person("Nothing was proposed.", actor, intent.regime)
    access_book.require_active(unit, "Nothing was proposed.", actor)
    unit.switches()
    refused = foreign(unit, intent) or halted(unit, intent)
    if refused is not None:
        return refused
    waiting = living(unit, intent) if replaces_waiting else None
    if waiting is not None and waiting.status is IntentStatus.PENDING:
        return give_way(unit, waiting, intent, actor=actor)
    return duplicate(unit, intent) or insert_pending(unit, intent, {"by_hand": True}, actor=actor)


def propose_and_approve(
    unit: Unit,
    intent: TradeIntent,
    *,
    digest: str,
    actor: str,
    grace_seconds: float,
    exits: StandingApproval | None,
    replaces_waiting: bool,
    code: int | None = None,
) -> IntentRecord:
    """Raises UndoneError: nothing of it is kept."""
    stored = propose(unit, intent, actor=actor, replaces_waiting=replaces_waiting)
    if isinstance(stored, Denied):
        raise UndoneError(refusal(intent, "proposed", stored))
    how = _How(actor, grace_seconds, code)
    return _approve(unit, intent.id, digest=digest, how=how, exits=exits)


def approve_less(
    unit: Unit,
    old_id: IntentId,
    new: TradeIntent,
    *,
    digest: str,
    actor: str,
    grace_seconds: float,
    exits: StandingApproval | None,
    code: int | None = None,
) -> IntentRecord | PolybotError:
    """`old` gives way to its smaller form, which is approved with the same commit."""
    unit.switches()
    old = load(unit, old_id)
    decisions.require_person(f"Intent {old_id} was not decided.", actor, old.intent.regime)
    access_book.require_active(unit, f"Intent {old_id} was not decided.", actor)
    if old.status is not IntentStatus.PENDING:
        return decided(old, "approved")
    if old.digest != digest:
        return decisions.other_digest(old, digest)
    late = decisions.expire_if_due(unit, old)
    if late is not None:
        return decided(late, "approved")
    why = why_not_smaller(old.intent, new)
    if why is not None:
        return ConflictError(f"Intent {old_id} was not approved.", why=why, code="not_smaller")
    give_way(unit, old, new, actor=actor)
    how = _How(actor, grace_seconds, code)
    return _approve(unit, new.id, digest=new.digest, how=how, exits=exits)


def mute(
    unit: Unit, condition_id: ConditionId, *, question: str, until: datetime, actor: str, reason: str
) -> Mute:
    """A later word replaces an earlier one."""
    made = Mute(condition_id, question, until, actor, reason, unit.now)
    _forget(unit, condition_id)
    unit.connection.execute(
        insert(mutes).values(
            scope=str(unit.scope),
            condition_id=condition_id,
            question=question,
            until=until,
            actor=actor,
            reason=reason,
            created_at=unit.now,
        )
    )
    unit.note("market.muted", condition_id, {"until": until, "reason": reason}, actor=actor)
    return made


def unmute(unit: Unit, condition_id: ConditionId, *, actor: str) -> bool:
    """Whether it was muted."""
    if not _forget(unit, condition_id):
        return False
    unit.note("market.unmuted", condition_id, {}, actor=actor)
    return True


def mute_of(row: Mapping[Any, Any]) -> Mute:
    return Mute(**{name: row[name] for name in Mute.__dataclass_fields__})


def _approve(
    unit: Unit,
    intent_id: IntentId,
    *,
    digest: str,
    how: _How,
    exits: StandingApproval | None,
) -> IntentRecord:
    approved = decisions.approve(
        unit, intent_id, digest=digest, actor=how.actor, grace_seconds=how.grace_seconds, code=how.code
    )
    if isinstance(approved, PolybotError):
        raise UndoneError(approved)
    if exits is not None:
        spent = approved.intent.code_required
        stored = standing_book.protect(
            unit, exits, digest=exits.digest, actor=how.actor, code=how.code, code_spent=spent
        )
        if isinstance(stored, PolybotError):
            raise UndoneError(stored)
    return approved


def _forget(unit: Unit, condition_id: ConditionId) -> bool:
    where = (mutes.c.scope == str(unit.scope), mutes.c.condition_id == condition_id)
    return unit.connection.execute(delete(mutes).where(*where)).rowcount > 0
