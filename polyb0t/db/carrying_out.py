"""Claim, permit, fail, finish: from an approval to the permission to send, or to proof that nothing was."""

from datetime import timedelta
from typing import Final

from sqlalchemy import RowMapping, bindparam, insert, select

from polyb0t.core.errors import ConflictError, PolybotError
from polyb0t.core.ids import IntentId, OrderId
from polyb0t.data.order_book import Side
from polyb0t.db import access_book, reservations
from polyb0t.db.claim_limits import money_left, shares_left, taken
from polyb0t.db.decisions import expire_if_due
from polyb0t.db.moves import load, load_row, move
from polyb0t.db.permission import belongs_elsewhere, halted, unavailable
from polyb0t.db.rows import intent_record, order_record
from polyb0t.db.standing_book import lapsed
from polyb0t.db.tables import orders
from polyb0t.db.unit import ENGINE, Unit
from polyb0t.execution.access import required_of, why_too_little
from polyb0t.execution.intents import IntentRecord, IntentStatus, IntentType, TradeIntent
from polyb0t.execution.orders import NewOrder, OrderRecord, OrderStatus
from polyb0t.execution.scope import Regime
from polyb0t.execution.standing import ACTOR
from polyb0t.execution.store import ClaimLimits, Denied, Lease

_ORDER: Final = (
    select(orders)
    .where(orders.c.id == bindparam("order_id"), orders.c.scope == bindparam("of_scope"))
    .with_for_update()
)
_STORE: Final = insert(orders)
LEASE_MARGIN = 6  # part of a lease that has to be left when a send's budget is over: 5 s of 30


def claim(
    unit: Unit, intent_id: IntentId, lease: Lease, regime: Regime, limits: ClaimLimits
) -> IntentRecord | Denied:
    """APPROVED -> EXECUTING with the greatest cost reserved, or the end of it."""
    unit.require_lease(lease)
    unit.switches()
    row = load_row(unit, intent_id)
    record = intent_record(row)
    if record.status is not IntentStatus.APPROVED:
        return Denied("not_approved", f"It is {record.status}.")
    if belongs_elsewhere(record.intent, lease):
        return Denied("other_process", f"A {record.intent.intent_type} is not carried out by {lease.role}.")
    if expire_if_due(unit, record) is not None:
        return Denied("expired", f"It had to be sent before {record.execute_by:%H:%M:%S} UTC.")
    now = taken(unit, record.intent, limits) if record.intent.intent_type.places_order else None
    if now is not None and now.moved:
        return Denied("account_moved", "A fill was stored while the limits were read; they are read anew.")
    denied = (
        _regime(record.intent, regime)
        or _stopped(unit, record, row)
        or why_too_little(record.intent, limits.thresholds)
    )
    if denied is None and now is not None:
        room = shares_left if record.intent.side is Side.SELL else money_left
        denied = room(record.intent, limits, now)
    claimed = move(unit, record, IntentStatus.EXECUTING, note={"lease": lease.token}, claim_token=lease.token)
    if denied is not None:
        _fail(unit, claimed, denied)
        return denied
    if claimed.intent.intent_type.places_order and regime is not Regime.DRY_RUN:
        reservations.begin(unit, claimed.intent, reservations.whole(claimed.intent))
    return claimed


def permit(unit: Unit, order: NewOrder, lease: Lease, *, post_budget_seconds: float) -> OrderRecord | Denied:
    """Store the order as SIGNED. The commit of this is the permission to send."""
    lasts_until = unit.lease_lasts_until(lease)
    unit.switches()
    row = load_row(unit, order.intent_id)
    record = intent_record(row)
    if record.order_id is not None:
        # Its fate belongs to that order: failing the intent here would free money that may be spent.
        return Denied("already_permitted", f"Order {record.order_id} exists for it.")
    if record.status is not IntentStatus.EXECUTING:
        return Denied("not_executing", f"It is {record.status}.")
    needed = unit.now + timedelta(seconds=post_budget_seconds + unit.lease_seconds / LEASE_MARGIN)
    denied = _stopped(unit, record, row) or _late(unit, record) or _not_ours(unit, record, row, lease)
    if denied is None and lasts_until < needed:
        denied = Denied("lease_short", f"The lease ends at {lasts_until:%H:%M:%S} UTC, before a send would.")
    if denied is not None:
        _fail(unit, record, denied)
        return denied
    return store_order(unit, record.intent, order)


def fail(unit: Unit, intent_id: IntentId, lease: Lease, denied: Denied) -> IntentRecord | PolybotError:
    """EXECUTING without an order row -> FAILED, reservation released."""
    unit.require_lease(lease)
    record = load(unit, intent_id)
    open_here = record.status is IntentStatus.EXECUTING and not belongs_elsewhere(record.intent, lease)
    if not open_here or record.order_id is not None:
        return _not_open(record, "failed")
    return _fail(unit, record, denied)


def finish(
    unit: Unit, intent_id: IntentId, lease: Lease, *, code: str, detail: str
) -> IntentRecord | PolybotError:
    """EXECUTING -> EXECUTED for what has no order row of its own: a dry run, a cancel."""
    unit.require_lease(lease)
    record = load(unit, intent_id)
    without_order = (
        record.intent.regime is Regime.DRY_RUN or record.intent.intent_type is IntentType.CANCEL_ORDER
    )
    if record.status is not IntentStatus.EXECUTING or not without_order:
        return _not_open(record, "finished")
    return move(unit, record, IntentStatus.EXECUTED, code=code, detail=detail)


def _fail(unit: Unit, record: IntentRecord, denied: Denied) -> IntentRecord:
    reservations.store(unit, record.intent, reservations.NOTHING)
    broken = [{"name": each.name, "value": each.value, "limit": each.limit} for each in denied.controls]
    note = {"controls": broken} if broken else None
    return move(unit, record, IntentStatus.FAILED, code=denied.code, detail=denied.detail, note=note)


def _regime(intent: TradeIntent, regime: Regime) -> Denied | None:
    if intent.regime is regime:
        return None
    return Denied("wrong_regime", f"It was proposed in {intent.regime}; this engine runs in {regime}.")


def _stopped(unit: Unit, record: IntentRecord, row: RowMapping) -> Denied | None:
    return (
        unavailable(record.intent)
        or halted(unit, record.intent, approved_epoch=int(row["approved_epoch"]))
        or lapsed(unit, record)
        or access_book.withdrawn(unit, record.decided_by, record.decided_at)
        or _unfinished(unit, record)
    )


def _unfinished(unit: Unit, record: IntentRecord) -> Denied | None:
    """Whether fewer people stand behind it than its content asks for. A sale under a standing approval has
    the people who gave that."""
    if record.decided_by is not None and record.decided_by.startswith(ACTOR):
        return None
    return access_book.incomplete(unit, record.id, required_of(record.intent))


def _late(unit: Unit, record: IntentRecord) -> Denied | None:
    if record.execute_by is not None and unit.now < record.execute_by:
        return None
    return Denied("expired", "Its time to be sent was over before it was permitted.")


def _not_ours(unit: Unit, record: IntentRecord, row: RowMapping, lease: Lease) -> Denied | None:
    """Claimed by an engine before us, in another regime than ours, or of a kind that has no order."""
    if row["claim_token"] != lease.token:
        return Denied("interrupted", "An earlier engine claimed it and is gone; nothing was sent.")
    if not record.intent.intent_type.places_order or record.intent.regime is Regime.DRY_RUN:
        return Denied("wrong_regime", "A dry run and a cancel place no order.")
    return _regime(record.intent, Regime(unit.require_lease(lease)["regime"]))


def store_order(unit: Unit, intent: TradeIntent, order: NewOrder) -> OrderRecord:
    """Insert the order as SIGNED, with its entry."""
    row = {
        "id": order.id,
        "intent_id": intent.id,
        "scope": intent.scope,
        "regime": intent.regime,
        "condition_id": intent.condition_id,
        "asset_id": intent.asset_id,
        "side": intent.side,
        "order_type": intent.order_type,
        "price": intent.worst_price,
        "shares": intent.shares if intent.amount is None else intent.least_shares,
        "amount": intent.amount,
        "l2_timestamp": order.l2_timestamp,
        "credential_id": order.credential_id,
        "copies": 1,
        "created_at": unit.now,
        "signed_order": order.signed_order,
        "status": OrderStatus.SIGNED,
        "updated_at": unit.now,
    }
    unit.connection.execute(_STORE, row)
    entry = {"intent": intent.id, "from": None, "to": OrderStatus.SIGNED, "l2_timestamp": order.l2_timestamp}
    unit.note("order.permitted", order.id, entry, actor=ENGINE)
    return load_order(unit, order.id)


def load_order(unit: Unit, order_id: OrderId) -> OrderRecord:
    """The order, its row locked; raises NoResultFound for one that the caller has not looked up."""
    which = {"order_id": order_id, "of_scope": str(unit.scope)}
    return order_record(unit.connection.execute(_ORDER, which).mappings().one())


def _not_open(record: IntentRecord, verb: str) -> ConflictError:
    order = f" and has the order {record.order_id}" if record.order_id else ""
    return ConflictError(
        f"Intent {record.id} was not {verb}.",
        why=f"It is {record.status}{order}.",
        do="What was sent is settled through its order.",
        code="not_open",
    )
