"""Proposing: sparing, and refused by the database itself when there is one already."""

from sqlalchemy import ColumnElement, and_, insert, or_, select

from polyb0t.core.ids import IntentId
from polyb0t.db.moves import load, move
from polyb0t.db.permission import halted
from polyb0t.db.rows import INTENT_QUERY, intent_columns, intent_record
from polyb0t.db.tables import trade_intents
from polyb0t.db.unit import ENGINE, Unit
from polyb0t.execution.cooldown import ENDED, Cooldowns
from polyb0t.execution.intents import LIVE_STATUSES, IntentRecord, IntentStatus, IntentType, TradeIntent
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Denied, Lease


def propose(unit: Unit, intent: TradeIntent, lease: Lease, cooldowns: Cooldowns) -> IntentRecord | Denied:
    """Insert as PENDING, or say what stands in the way."""
    unit.require_lease(lease)
    refused = (
        _foreign(unit, intent)
        or halted(unit, intent)
        or _duplicate(unit, intent)
        or _cooling(unit, intent, cooldowns)
    )
    return refused or _insert(unit, intent, {})


def supersede(unit: Unit, old_id: IntentId, new: TradeIntent, lease: Lease) -> IntentRecord | Denied:
    """`old` EXPIRED and `new` inserted, or nothing at all."""
    unit.require_lease(lease)
    refused = _foreign(unit, new) or halted(unit, new)
    if refused:
        return refused
    old = load(unit, old_id)
    if old.status is not IntentStatus.PENDING:
        return Denied(
            "already_decided", f"Intent {old.id} is {old.status}; only a pending one is superseded."
        )
    if _aim(old.intent) != _aim(new):
        return Denied("other_target", f"Intent {old.id} aims at something else.")
    move(unit, old, IntentStatus.EXPIRED, code="superseded", detail=f"superseded by {new.id}")
    return _insert(unit, new, {"supersedes": old.id})


def _insert(unit: Unit, intent: TradeIntent, note: dict[str, object]) -> IntentRecord:
    columns = intent_columns(intent)
    unit.connection.execute(
        insert(trade_intents).values(**columns, status=IntentStatus.PENDING, updated_at=unit.now)
    )
    entry = {"from": None, "to": IntentStatus.PENDING, "digest": columns["digest"], **note}
    unit.note("intent.proposed", intent.id, entry, actor=ENGINE)
    return load(unit, intent.id)


def _aim(intent: TradeIntent) -> tuple[Regime, IntentType, str]:
    return intent.regime, intent.intent_type, intent.target


def _foreign(unit: Unit, intent: TradeIntent) -> Denied | None:
    if intent.scope == str(unit.scope):
        return None
    return Denied("foreign_scope", f"It belongs to {intent.scope}, this database to {unit.scope}.")


def _duplicate(unit: Unit, intent: TradeIntent) -> Denied | None:
    living = and_(*_same_aim(unit, intent), trade_intents.c.status.in_(LIVE_STATUSES))
    known = select(trade_intents.c.id, trade_intents.c.status).where(
        or_(living, trade_intents.c.id == intent.id)
    )
    row = unit.connection.execute(known.limit(1)).one_or_none()
    return None if row is None else Denied("duplicate", f"Intent {row.id} on it is {row.status}.")


def _cooling(unit: Unit, intent: TradeIntent, cooldowns: Cooldowns) -> Denied | None:
    lately = trade_intents.c.updated_at > unit.now - cooldowns.longest
    query = INTENT_QUERY.where(*_same_aim(unit, intent), trade_intents.c.status.in_(ENDED), lately)
    ended = [intent_record(row) for row in unit.connection.execute(query).mappings()]
    rests = [(until, record.id) for record in ended if (until := cooldowns.rests_until(record)) is not None]
    until, of = max(rests, default=(unit.now, intent.id))
    if until <= unit.now:
        return None
    return Denied("cooling_down", f"Intent {of} on it ended a moment ago; not before {until:%H:%M:%S} UTC.")


def _same_aim(unit: Unit, intent: TradeIntent) -> tuple[ColumnElement[bool], ...]:
    table = trade_intents.c
    return (
        table.scope == str(unit.scope),
        table.regime == intent.regime,
        table.intent_type == intent.intent_type,
        table.target == intent.target,
    )
