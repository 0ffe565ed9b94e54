"""Proposing: sparing, and refused by the database itself when there is one already."""

from sqlalchemy import and_, bindparam, insert, or_, select

from polyb0t.core.ids import IntentId
from polyb0t.db.moves import load, move
from polyb0t.db.permission import halted
from polyb0t.db.rows import INTENT_QUERY, intent_columns, intent_record
from polyb0t.db.tables import mutes, trade_intents
from polyb0t.db.unit import ENGINE, Unit
from polyb0t.execution.cooldown import ENDED, Cooldowns
from polyb0t.execution.intents import LIVE_STATUSES, IntentRecord, IntentStatus, IntentType, TradeIntent
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Denied, Lease

_SAME_AIM = and_(
    trade_intents.c.scope == bindparam("of_scope"),
    trade_intents.c.regime == bindparam("of_regime"),
    trade_intents.c.intent_type == bindparam("of_type"),
    trade_intents.c.target == bindparam("aim"),
)
_KNOWN = (
    select(trade_intents.c.id, trade_intents.c.status)
    .where(
        or_(
            and_(_SAME_AIM, trade_intents.c.status.in_(LIVE_STATUSES)),
            trade_intents.c.id == bindparam("intent_id"),
        )
    )
    .limit(1)
)
_ENDED = INTENT_QUERY.where(
    _SAME_AIM, trade_intents.c.status.in_(ENDED), trade_intents.c.updated_at > bindparam("since")
)
_INSERT = insert(trade_intents)
_LIVING = select(trade_intents.c.id).where(_SAME_AIM, trade_intents.c.status.in_(LIVE_STATUSES))
_MUTED = select(mutes.c.until).where(
    mutes.c.scope == bindparam("of_scope"),
    mutes.c.condition_id == bindparam("condition_id"),
    mutes.c.until > bindparam("at"),
)


def propose(unit: Unit, intent: TradeIntent, lease: Lease, cooldowns: Cooldowns) -> IntentRecord | Denied:
    """Insert as PENDING, or say what stands in the way."""
    unit.require_lease(lease)
    refused = (
        foreign(unit, intent)
        or halted(unit, intent)
        or _muted(unit, intent)
        or duplicate(unit, intent)
        or _cooling(unit, intent, cooldowns)
    )
    return refused or insert_pending(unit, intent, {})


def supersede(unit: Unit, old_id: IntentId, new: TradeIntent, lease: Lease) -> IntentRecord | Denied:
    """`old` EXPIRED and `new` inserted, or nothing at all."""
    unit.require_lease(lease)
    refused = foreign(unit, new) or halted(unit, new)
    if refused:
        return refused
    old = load(unit, old_id)
    if old.status is not IntentStatus.PENDING:
        return Denied(
            "already_decided", f"Intent {old.id} is {old.status}; only a pending one is superseded."
        )
    if _aim(old.intent) != _aim(new):
        return Denied("other_target", f"Intent {old.id} aims at something else.")
    return give_way(unit, old, new)


def give_way(unit: Unit, old: IntentRecord, new: TradeIntent, *, actor: str = ENGINE) -> IntentRecord:
    """The waiting `old` EXPIRED, `new` in its place."""
    detail = f"superseded by {new.id}"
    move(unit, old, IntentStatus.EXPIRED, actor=actor, code="superseded", detail=detail)
    return insert_pending(unit, new, {"supersedes": old.id}, actor=actor)


def insert_pending(
    unit: Unit, intent: TradeIntent, note: dict[str, object], *, actor: str = ENGINE
) -> IntentRecord:
    """The one way in; the unique index is behind it."""
    columns = intent_columns(intent)
    unit.connection.execute(_INSERT, {**columns, "status": IntentStatus.PENDING, "updated_at": unit.now})
    entry = {"from": None, "to": IntentStatus.PENDING, "digest": columns["digest"], **note}
    unit.note("intent.proposed", intent.id, entry, actor=actor)
    return load(unit, intent.id)


def living(unit: Unit, intent: TradeIntent) -> IntentRecord | None:
    """The live intent of the same aim, its row locked; None when there is none."""
    row = unit.connection.execute(_LIVING, _aims(unit, intent)).one_or_none()
    return None if row is None else load(unit, row.id)


def _aim(intent: TradeIntent) -> tuple[Regime, IntentType, str]:
    return intent.regime, intent.intent_type, intent.target


def foreign(unit: Unit, intent: TradeIntent) -> Denied | None:
    """Another account's, or simulated in a real account, or real in a simulated one."""
    if intent.scope != str(unit.scope):
        return Denied("foreign_scope", f"It belongs to {intent.scope}, this database to {unit.scope}.")
    if (intent.regime is Regime.PAPER) is not unit.scope.is_paper:
        return Denied("wrong_regime", f"Nothing of the regime {intent.regime} belongs to {unit.scope}.")
    return None


def duplicate(unit: Unit, intent: TradeIntent) -> Denied | None:
    which = {**_aims(unit, intent), "intent_id": intent.id}
    row = unit.connection.execute(_KNOWN, which).one_or_none()
    return None if row is None else Denied("duplicate", f"Intent {row.id} on it is {row.status}.")


def _muted(unit: Unit, intent: TradeIntent) -> Denied | None:
    """A person does not want to be asked about this market; what is held of it can still be sold."""
    if intent.intent_type is not IntentType.OPEN_POSITION:
        return None
    which = {"of_scope": str(unit.scope), "condition_id": intent.condition_id, "at": unit.now}
    until = unit.connection.scalar(_MUTED, which)
    return None if until is None else Denied("muted", f"Its market is muted until {until:%d %b %H:%M} UTC.")


def _cooling(unit: Unit, intent: TradeIntent, cooldowns: Cooldowns) -> Denied | None:
    lately = {**_aims(unit, intent), "since": unit.now - cooldowns.longest}
    ended = [intent_record(row) for row in unit.connection.execute(_ENDED, lately).mappings()]
    rests = [(until, record.id) for record in ended if (until := cooldowns.rests_until(record)) is not None]
    until, of = max(rests, default=(unit.now, intent.id))
    if until <= unit.now:
        return None
    return Denied("cooling_down", f"Intent {of} on it ended a moment ago; not before {until:%H:%M:%S} UTC.")


def _aims(unit: Unit, intent: TradeIntent) -> dict[str, object]:
    return {
        "of_scope": str(unit.scope),
        "of_regime": intent.regime,
        "of_type": intent.intent_type,
        "aim": intent.target,
    }
