"""Standing approvals inside a write unit: stored, taken back, spent, and checked again before a send.

Called with the gate locked; the row of the standing approval is locked before intents are.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import RowMapping, Select, bindparam, insert, select, update

from polyb0t.core.canonical import sha256_hex
from polyb0t.core.errors import ConflictError, DatabaseError, NotFoundError, PolybotError
from polyb0t.core.ids import IntentId
from polyb0t.core.units import ZERO, Shares
from polyb0t.data.fills import FillStatus
from polyb0t.data.order_book import Side
from polyb0t.db import access_book, decisions
from polyb0t.db.codec import decode
from polyb0t.db.moves import load
from polyb0t.db.permission import halted
from polyb0t.db.tables import fills, orders, standing_approvals, standing_uses, trade_intents
from polyb0t.db.unit import Unit
from polyb0t.execution.access import Approval
from polyb0t.execution.intents import Denied, IntentRecord, IntentStatus, IntentType, TradeIntent
from polyb0t.execution.orders import TERMINAL_ORDER, OrderStatus
from polyb0t.execution.scope import Lease
from polyb0t.execution.standing import (
    ACTOR,
    STANDING_VERSION,
    StandingApproval,
    StandingRecord,
    why_lapsed,
    why_outside,
)

WHAT: Final = "The standing approval was not stored."
_S = IntentStatus
_OVER: Final = (_S.REJECTED, _S.EXPIRED)
_CAN_HAVE_BOUGHT: Final = (_S.PENDING, _S.APPROVED, _S.EXECUTING, _S.EXECUTED)

ROWS: Final = select(standing_approvals).order_by(standing_approvals.c.created_at, standing_approvals.c.id)
_BOUGHT: Final[Select[Any]] = (
    select(fills.c.shares)
    .join(orders, orders.c.id == fills.c.order_id)
    .where(
        orders.c.intent_id == bindparam("opening_id"),
        fills.c.side == Side.BUY,
        fills.c.status == FillStatus.CONFIRMED,
    )
)
_SALES: Final[Select[Any]] = (
    select(
        trade_intents.c.status,
        trade_intents.c.parent_id,
        trade_intents.c.shares,
        orders.c.status.label("order_status"),
        orders.c.filled_shares,
    )
    .outerjoin(orders, orders.c.intent_id == trade_intents.c.id)
    .where(
        trade_intents.c.scope == bindparam("of_scope"),
        trade_intents.c.regime == bindparam("of_regime"),
        trade_intents.c.intent_type == IntentType.CLOSE_POSITION,
        trade_intents.c.asset_id == bindparam("asset_id"),
        trade_intents.c.created_at >= bindparam("since"),
        trade_intents.c.status.not_in((_S.PENDING, *_OVER)),
    )
)
_OPENED_AT: Final = select(trade_intents.c.created_at).where(trade_intents.c.id == bindparam("opening_id"))


def protect(
    unit: Unit,
    standing: StandingApproval,
    *,
    digest: str,
    actor: str,
    code: int | None = None,
    code_spent: bool = False,
) -> StandingRecord | PolybotError:
    """Store it as approved by `actor`; what the same opening had before is revoked. `code_spent`: the code
    was used up in this very unit, by the trade that it belongs to."""
    opening = load(unit, standing.opening_id).intent
    decisions.require_person(WHAT, actor, standing.regime)
    access_book.require_active(unit, WHAT, actor)
    refused = _unfit(unit, standing, opening, digest)
    if refused is not None:
        return refused
    present = _in_force(unit, standing.opening_id)
    if all(row["id"] != standing.id for row in present):
        for row in present:
            _revoke(unit, row, actor=actor, reason=f"replaced by {standing.id}")
        _insert(unit, standing, actor)
    if standing.required.more_than_one_word:
        refused = access_book.add_approval(
            unit,
            standing.id,
            standing.digest,
            standing.required,
            what=WHAT,
            actor=actor,
            code=code,
            code_spent=code_spent,
        )
        if refused is not None:
            return refused
    return find(unit, standing.id)


def _insert(unit: Unit, standing: StandingApproval, actor: str) -> None:
    unit.connection.execute(
        insert(standing_approvals).values(
            id=standing.id,
            scope=standing.scope,
            regime=standing.regime,
            opening_id=standing.opening_id,
            asset_id=standing.asset_id,
            digest=standing.digest,
            canonical=standing.canonical,
            until=standing.until,
            created_at=standing.created_at,
            version=1,
            approved_by=actor,
            approved_at=unit.now,
        )
    )
    note = {"digest": standing.digest, "opening": standing.opening_id, "until": standing.until}
    unit.note("standing.approved", standing.id, note, actor=actor)


def revoke(unit: Unit, standing_id: IntentId, *, actor: str, reason: str) -> StandingRecord | PolybotError:
    """Take it back; what was approved under it and is not permitted yet is stopped by its own checks."""
    row = _row(unit, standing_id)
    if row["revoked_at"] is not None:
        when = f"{row['revoked_at']:%H:%M:%S} UTC"
        return ConflictError(
            f"The standing approval {standing_id} was not taken back.",
            why=f"{row['revoked_by']} did that already, at {when}.",
            code="already_revoked",
        )
    _revoke(unit, row, actor=actor, reason=reason)
    return find(unit, standing_id)


def revoke_all(unit: Unit, *, actor: str, reason: str) -> None:
    """A restored database may hold what was taken back or spent since."""
    for row in _in_force(unit, None):
        _revoke(unit, row, actor=actor, reason=reason)


def approve_exit(
    unit: Unit, intent_id: IntentId, standing_id: IntentId, lease: Lease, *, grace_seconds: float
) -> IntentRecord | Denied:
    """PENDING -> APPROVED, signed `standing:<id>`, and the budget is spent with the same commit."""
    unit.require_lease(lease)
    unit.switches()
    standing = find(unit, standing_id)
    record = load(unit, intent_id)
    if record.status is not IntentStatus.PENDING:
        return Denied("not_pending", f"It is {record.status}.")
    if decisions.expire_if_due(unit, record) is not None:
        return Denied("expired", "Its time to be decided is over.")
    denied = (
        why_lapsed(standing, unit.now) or why_outside(standing, record.intent) or halted(unit, record.intent)
    )
    if denied is not None:
        return denied
    unit.connection.execute(
        insert(standing_uses).values(
            intent_id=record.id,
            scope=str(unit.scope),
            standing_id=standing_id,
            version=standing.version,
            shares=record.intent.shares,
            at=unit.now,
        )
    )
    return decisions.approved(
        unit,
        record,
        actor=standing.actor,
        grace_seconds=grace_seconds,
        note={"standing": standing.digest},
    )


def lapsed(unit: Unit, record: IntentRecord) -> Denied | None:
    """At claim and at permit: whether the standing approval behind this decision still stands."""
    if record.decided_by is None or not record.decided_by.startswith(ACTOR):
        return None
    use = (
        unit.connection.execute(select(standing_uses).where(standing_uses.c.intent_id == record.id))
        .mappings()
        .one_or_none()
    )
    if use is None or record.decided_by != f"{ACTOR}{use['standing_id']}":
        return Denied("standing_missing", "No standing approval is known that covers this decision.")
    return why_lapsed(find(unit, use["standing_id"]), unit.now, version=int(use["version"]))


def find(unit: Unit, standing_id: IntentId) -> StandingRecord:
    """The record with what it still covers.

    Raises:
        NotFoundError: there is none.
        DatabaseError: its text was altered.
    """
    return record_of(unit.connection, _row(unit, standing_id))


def record_of(connection: Any, row: Mapping[Any, Any]) -> StandingRecord:
    """A row as the program uses it; its text is hashed again."""
    standing = _parsed(row["canonical"], row["digest"])
    return StandingRecord(
        standing=standing,
        digest=row["digest"],
        version=int(row["version"]),
        approved_by=row["approved_by"],
        approved_at=row["approved_at"],
        revoked_by=row["revoked_by"],
        revoked_at=row["revoked_at"],
        revoke_reason=row["revoke_reason"],
        bought=_bought(connection, standing.opening_id),
        spoken_for=_spoken_for(connection, standing),
        given=tuple(_given(connection, standing)),
    )


def no_such_standing(standing_id: str) -> NotFoundError:
    return NotFoundError(
        f"There is no standing approval {standing_id}.",
        do="See them with `polyb0t positions`.",
        code="standing_not_found",
    )


def _bought(connection: Any, opening_id: str) -> Shares:
    """What the opening's own order bought, final on the chain."""
    rows = connection.execute(_BOUGHT, {"opening_id": opening_id}).all()
    return Shares(sum((row.shares for row in rows), ZERO))


def _spoken_for(connection: Any, standing: StandingApproval) -> Shares:
    """What sales of this outcome since the opening took, or may still take: whoever approved them. Only a
    proven end gives shares back.

    A sale counts against the purchase that it names. What it sold beyond that purchase, and what names none,
    counts against every other one as well: whatever of it came from here cannot be sold again.
    """
    since = connection.scalar(_OPENED_AT, {"opening_id": standing.opening_id})
    which = {
        "of_scope": standing.scope,
        "of_regime": standing.regime,
        "asset_id": standing.asset_id,
        "since": since if since is not None else standing.created_at,
    }
    taken: dict[str | None, Decimal] = defaultdict(Decimal)
    for row in connection.execute(_SALES, which).all():
        taken[row.parent_id] += _taken(row)
    own = taken.pop(standing.opening_id, ZERO) + taken.pop(None, ZERO)
    beyond = (max(ZERO, sold - _bought(connection, parent)) for parent, sold in taken.items() if parent)
    return Shares(own + sum(beyond, ZERO))


def _taken(sale: Any) -> Decimal:
    if sale.order_status is None:
        return ZERO if sale.status == IntentStatus.FAILED else Decimal(sale.shares)
    if OrderStatus(sale.order_status) in TERMINAL_ORDER:
        return Decimal(sale.filled_shares)
    return max(Decimal(sale.shares), Decimal(sale.filled_shares))


def _given(connection: Any, standing: StandingApproval) -> Sequence[Approval]:
    if not standing.required.more_than_one_word:
        return ()
    return access_book.given(connection, standing.scope, standing.id)


def _unfit(unit: Unit, standing: StandingApproval, opening: TradeIntent, digest: str) -> PolybotError | None:
    what = WHAT
    if standing.digest != digest:
        why = (
            f"You approved the content {digest[:12] or '(none)'}, and its content is {standing.digest[:12]}."
        )
        return ConflictError(what, why=why, code="digest_mismatch")
    if standing.scope != str(unit.scope) or standing.scope != opening.scope:
        return ConflictError(what, why=f"It belongs to {standing.scope}.", code="foreign_scope")
    theirs = (opening.regime, opening.condition_id, opening.asset_id)
    bought = opening.intent_type is IntentType.OPEN_POSITION and opening.side is Side.BUY
    if not bought or theirs != (standing.regime, standing.condition_id, standing.asset_id):
        why = f"{opening.id} is no purchase of this outcome."
        return ConflictError(what, why=why, code="not_an_opening")
    if standing.until <= unit.now:
        return ConflictError(what, why="Its end has passed.", code="standing_expired")
    if not standing.triggers or standing.most_shares <= 0 or not 0 < standing.worst_price < 1:
        return ConflictError(what, why="It covers nothing.", code="standing_empty")
    return None


def _in_force(unit: Unit, opening_id: IntentId | None) -> Sequence[RowMapping]:
    query = ROWS.where(
        standing_approvals.c.scope == str(unit.scope), standing_approvals.c.revoked_at.is_(None)
    )
    if opening_id is not None:
        query = query.where(standing_approvals.c.opening_id == opening_id)
    return unit.connection.execute(query.with_for_update()).mappings().all()


def _revoke(unit: Unit, row: RowMapping, *, actor: str, reason: str) -> None:
    unit.connection.execute(
        update(standing_approvals)
        .where(standing_approvals.c.id == row["id"])
        .values(version=row["version"] + 1, revoked_at=unit.now, revoked_by=actor, revoke_reason=reason)
    )
    unit.note("standing.revoked", row["id"], {"digest": row["digest"], "reason": reason}, actor=actor)


def _row(unit: Unit, standing_id: IntentId) -> RowMapping:
    query = select(standing_approvals).where(
        standing_approvals.c.id == standing_id, standing_approvals.c.scope == str(unit.scope)
    )
    row = unit.connection.execute(query.with_for_update()).mappings().one_or_none()
    if row is None:
        raise no_such_standing(standing_id)
    return row


def _parsed(canonical: str, digest: str) -> StandingApproval:
    content = json.loads(canonical)
    if sha256_hex(canonical) != digest or content.get("version") != STANDING_VERSION:
        raise DatabaseError(
            "A stored standing approval was not used.",
            why="Its text does not have the digest that was approved, or is of another version.",
            do="Do not trade on this database.",
            code="standing_damaged",
        )
    return decode(StandingApproval, content["standing"])
