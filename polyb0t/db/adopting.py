"""Which database this is, and taking one over that was restored from a backup."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, delete, select, text, update

from polyb0t.core.errors import ConflictError, NotAuthorisedError
from polyb0t.core.ids import IntentId
from polyb0t.db.access_book import revoke_tokens
from polyb0t.db.carrying_out import store_order
from polyb0t.db.engine import Database
from polyb0t.db.kill_switch_store import trip_within
from polyb0t.db.moves import load, move, present, transition
from polyb0t.db.reservations import store as store_reservation
from polyb0t.db.reservations import whole
from polyb0t.db.standing_book import revoke_all
from polyb0t.db.tables import claim_members, engine_lease, gates, journal_head, orders, trade_intents
from polyb0t.db.unit import ROLES, Unit
from polyb0t.execution.intents import IntentStatus, IntentType
from polyb0t.execution.orders import NewOrder, OrderStatus
from polyb0t.execution.scope import Lease, Scope
from polyb0t.execution.store import Adoption, AnchorPoint
from polyb0t.models.kill_switches import KillSwitchType

FOUND = "Its order was found at the exchange when the restored database was taken over."
DOUBTED = "It was under way when the backup was made; its order is looked for."


def anchor_point(connection: Connection, database: Database, scope: Scope) -> AnchorPoint:
    """Identity and journal head, in one read."""
    head = journal_head.c.scope == gates.c.scope
    columns = (gates.c.database_id, gates.c.engine_token, journal_head.c.sequence, journal_head.c.hash)
    row = connection.execute(
        select(*columns).join(journal_head, head).where(gates.c.scope == str(scope))
    ).one()
    server = "" if database.is_sqlite else _server(connection)
    return AnchorPoint(row.database_id, server, int(row.sequence), row.hash, int(row.engine_token))


def adopt(
    unit: Unit,
    database: Database,
    *,
    new_id: str,
    actor: str,
    reason: str,
    above_token: int,
    found: Sequence[NewOrder],
    doubtful: Sequence[NewOrder],
    gone: Collection[Lease] = (),
) -> Adoption:
    """All of it or nothing."""
    _require_person(actor, reason)
    _require_no_engine(unit, gone)
    for order in found:
        _recover(unit, order, actor, FOUND)
    for order in doubtful:
        _recover(unit, order, actor, DOUBTED)
    expired = _expire(unit, actor)
    revoke_all(unit, actor=actor, reason="the database was restored")
    revoke_tokens(unit, actor=actor, reason="the database was restored")
    for switch in KillSwitchType:
        trip_within(unit, switch, actor=actor, reason=f"A restored database was taken over: {reason}")
    tokens = {f"{role}_token": max(unit.token(role), above_token) + 1 for role in ROLES}
    values: dict[str, Any] = {**tokens, "database_id": new_id}
    unit.connection.execute(update(gates).where(gates.c.scope == str(unit.scope)).values(**values))
    unit.connection.execute(delete(engine_lease).where(engine_lease.c.scope == str(unit.scope)))
    recovered = tuple(order.id for order in (*found, *doubtful))
    payload = {"reason": reason, "database_id": new_id, "recovered": recovered, "expired": expired, **tokens}
    unit.note("database.adopted", str(unit.scope), payload, actor=actor)
    return Adoption(expired, recovered, anchor_point(unit.connection, database, unit.scope))


def _recover(unit: Unit, new: NewOrder, actor: str, detail: str) -> None:
    """The intent goes the way that it must have gone after the backup; its order is UNKNOWN until asked."""
    record = load(unit, new.intent_id)
    if record.status is IntentStatus.PENDING:
        note = {"adopted": True}
        record = move(
            unit,
            record,
            IntentStatus.APPROVED,
            actor=actor,
            detail=detail,
            note=note,
            decided_at=unit.now,
            decided_by=actor,
            approved_epoch=unit.epoch,
            execute_by=unit.now,
        )
    if record.status is IntentStatus.APPROVED:
        record = move(
            unit, record, IntentStatus.EXECUTING, actor=actor, detail=detail, note={"adopted": True}
        )
    store_reservation(unit, record.intent, whole(record.intent))
    store_order(unit, record.intent, new)
    unknown = update(orders).where(orders.c.id == new.id)
    unit.connection.execute(unknown.values(status=OrderStatus.UNKNOWN, detail=detail, signed_order=None))
    entry = {"intent": new.intent_id, "from": OrderStatus.SIGNED, "to": OrderStatus.UNKNOWN}
    said = {"code": "adopted", "detail": detail, "venue_status": ""}
    unit.note("order.settled", new.id, {**entry, **said}, actor=actor)


def _expire(unit: Unit, actor: str) -> tuple[Any, ...]:
    waiting = present(unit, trade_intents.c.status.in_((IntentStatus.PENDING, IntentStatus.APPROVED)))
    for one in waiting:
        detail = "The database was restored; what waited in it may have been decided already."
        transition(unit, one, IntentStatus.EXPIRED, actor=actor, code="adopted", detail=detail)
    return (*(one.id for one in waiting), *_end_claims(unit, actor))


def _end_claims(unit: Unit, actor: str) -> tuple[IntentId, ...]:
    """Claims that were taken and had no transaction yet may have been sent since. What is still there is
    proposed anew; a transaction that the backup knows is followed to its end."""
    taken = trade_intents.c.status == IntentStatus.EXECUTING
    sent = select(claim_members.c.intent_id)
    query = select(trade_intents.c.id).where(
        trade_intents.c.scope == str(unit.scope),
        taken,
        trade_intents.c.intent_type == IntentType.CLAIM_SETTLEMENT,
        trade_intents.c.id.not_in(sent),
    )
    ended = tuple(IntentId(each) for each in unit.connection.scalars(query))
    for intent_id in ended:
        detail = "The database was restored; its transaction may have been sent since the backup."
        move(unit, load(unit, intent_id), IntentStatus.FAILED, actor=actor, code="adopted", detail=detail)
    return ended


def _require_person(actor: str, reason: str) -> None:
    kind, _, name = actor.partition(":")
    if kind != "user" or not name or not reason.strip():
        raise NotAuthorisedError(
            "The database was not taken over.",
            why="Only a person does that, and gives a reason.",
            do="Say it with --reason.",
            code="person_required",
        )


def _require_no_engine(unit: Unit, gone: Collection[Lease]) -> None:
    """None that beat within the lease time, but for those whose process is proven to be gone."""
    alive_since = unit.now - timedelta(seconds=unit.lease_seconds)
    rows = unit.connection.execute(
        select(engine_lease.c.holder, engine_lease.c.role, engine_lease.c.token).where(
            engine_lease.c.scope == str(unit.scope),
            engine_lease.c.released.is_(False),
            engine_lease.c.beat_at > alive_since,
        )
    )
    holder = next((row.holder for row in rows if Lease(row.role, row.token) not in gone), None)
    if holder is not None:
        raise ConflictError(
            "The database was not taken over.",
            why=f"An engine runs on it ({holder}).",
            do="Stop it first, then try again.",
            code="engine_running",
        )


def _server(connection: Connection) -> str:
    """System id and timeline: both change when a base backup is restored, or a replica promoted."""
    allowed = text("SELECT has_function_privilege('pg_control_system()', 'execute')")
    if not connection.scalar(allowed):
        return ""
    both = "(pg_control_system()).system_identifier || '/' || (pg_control_checkpoint()).timeline_id"
    return str(connection.scalar(text(f"SELECT {both}")))
