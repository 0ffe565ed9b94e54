"""The OrderStore in SQL: an order, its fills, its intent and its reservation move together."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, bindparam, or_, select, update

from polyb0t.core.errors import AmbiguousError, ConflictError, NotFoundError, PolybotError
from polyb0t.core.ids import AssetId, OrderId
from polyb0t.core.units import ZERO, Pusd, Shares
from polyb0t.data.fills import FINAL_FILL, Fill
from polyb0t.db import reservations
from polyb0t.db.carrying_out import load_order
from polyb0t.db.fill_book import Sums, record
from polyb0t.db.fill_reader import FillReader
from polyb0t.db.moves import load, move
from polyb0t.db.rows import fill_of, order_record
from polyb0t.db.tables import fills, orders
from polyb0t.db.unit import ENGINE, Unit, Units, changed
from polyb0t.execution.intents import IntentStatus
from polyb0t.execution.orders import (
    MARKET_RESOLVED,
    ORDER_TRANSITIONS,
    TERMINAL_ORDER,
    UNRESOLVED_ORDER,
    OrderRecord,
    OrderStatus,
)
from polyb0t.execution.store import Lease

_O = OrderStatus
ACCEPTED = frozenset({_O.LIVE, _O.DELAYED, _O.MATCHED, _O.FILLED})
ENDED_WITHOUT_PROOF_OF_FILL = frozenset({_O.REFUSED, _O.ABSENT, _O.CANCELLED, _O.EXPIRED})
# A fill proves that the exchange took the order, whatever was believed before.
MOVED_BY_A_FILL = frozenset({_O.SIGNED, _O.UNKNOWN, _O.VANISHED, _O.REFUSED, _O.ABSENT})


IDS_AT_ONCE = 500  # a database takes only so many values in one statement

_HERE = orders.c.scope == bindparam("of_scope")
_ONE = orders.c.id == bindparam("order_id")
_ORDER = select(orders).where(_ONE, _HERE)
_INTENT_OF = select(orders.c.intent_id).where(_ONE, _HERE)
_NEWEST = select(orders).where(_HERE).order_by(orders.c.created_at.desc(), orders.c.id.desc())
_NEWEST_IN = _NEWEST.where(orders.c.status.in_(bindparam("statuses", expanding=True)))
_NAMED = select(orders).where(_HERE, orders.c.id.in_(bindparam("ids", expanding=True)))
_UNSETTLED = select(fills.c.order_id).where(
    fills.c.order_id == orders.c.id, fills.c.status.not_in(FINAL_FILL)
)
_WATCHED = (
    select(orders)
    .where(_HERE, or_(orders.c.status.in_(UNRESOLVED_ORDER), _UNSETTLED.exists()))
    .order_by(orders.c.created_at, orders.c.id)
)
_ABSENT = (
    select(orders)
    .where(orders.c.status == _O.ABSENT, orders.c.venue_status != MARKET_RESOLVED, _HERE)
    .order_by(orders.c.created_at, orders.c.id)
)
_FILLS_OF_ONE = (
    select(fills)
    .where(fills.c.scope == bindparam("of_scope"), fills.c.order_id == bindparam("order_id"))
    .order_by(fills.c.matched_at, fills.c.trade_id, fills.c.bucket_index)
)
_ASKED = (
    update(orders)
    .where(_ONE, _HERE)
    .values(lookups=orders.c.lookups + 1, looked_up_at=bindparam("asked_at"), detail=bindparam("told"))
)
_MOVE = update(orders).where(_ONE, orders.c.status == bindparam("was"))
_SUMS = update(orders).where(_ONE)


class Evidence(NamedTuple):
    """What is now known of an order, and from which words."""

    status: OrderStatus
    code: str
    detail: str
    venue_status: str


class SqlOrderStore:
    """Orders and their fills."""

    def __init__(self, units: Units) -> None:
        self._units = units
        self._fills = FillReader(units.scope)

    def order(self, order_id: OrderId) -> OrderRecord:
        found = self._rows(_ORDER, order_id=order_id)
        if not found:
            raise _no_such_order(order_id)
        return found[0]

    def find_order(self, prefix: str) -> OrderRecord:
        wanted = prefix.strip().lower()
        if not wanted:
            raise _no_such_order("without an id")
        begins = or_(
            orders.c.id.startswith(wanted, autoescape=True),
            orders.c.intent_id.startswith(wanted, autoescape=True),
        )
        query = select(orders).where(begins, _HERE).order_by(orders.c.created_at.desc())
        found = self._rows(query.limit(6))
        if not found:
            raise _no_such_order(prefix)
        exact = [order for order in found if wanted in (order.id, order.intent_id)]
        if len(found) > 1 and len(exact) != 1:
            raise _ambiguous(prefix, found)
        return exact[0] if exact else found[0]

    def ours(self, ids: Collection[OrderId]) -> frozenset[OrderId]:
        asked = sorted(set(ids))
        parts = [asked[start : start + IDS_AT_ONCE] for start in range(0, len(asked), IDS_AT_ONCE)]
        # A transaction a part: to spell out so many ids may take a busy machine longer than PostgreSQL lets a
        # transaction lie idle.
        return frozenset(order_id for part in parts for order_id in self._ours_of(part))

    def _ours_of(self, part: Sequence[OrderId]) -> Sequence[OrderId]:
        query = select(orders.c.id).where(orders.c.scope == str(self._units.scope), orders.c.id.in_(part))
        return self._units.read(lambda connection: connection.scalars(query).all())

    def named(self, ids: Collection[OrderId]) -> Mapping[OrderId, OrderRecord]:
        asked = sorted(set(ids))
        parts = [asked[start : start + IDS_AT_ONCE] for start in range(0, len(asked), IDS_AT_ONCE)]
        return {order.id: order for part in parts for order in self._rows(_NAMED, ids=part)}

    def orders(
        self,
        *,
        statuses: Sequence[OrderStatus] = (),
        limit: int | None = 100,
        before: OrderId | None = None,
    ) -> tuple[OrderRecord, ...]:
        query = _NEWEST_IN if statuses else _NEWEST
        if before is not None:
            at, table = self.order(before).created_at, orders.c
            query = query.where(or_(table.created_at < at, and_(table.created_at == at, table.id < before)))
        which = {"statuses": tuple(statuses)} if statuses else {}
        return self._rows(query.limit(limit), **which)

    def watched(self) -> tuple[OrderRecord, ...]:
        return self._rows(_WATCHED)

    def absent(self) -> tuple[OrderRecord, ...]:
        return self._rows(_ABSENT)

    def settle(
        self,
        order_id: OrderId,
        lease: Lease,
        *,
        status: OrderStatus,
        code: str,
        detail: str,
        venue_status: str = "",
    ) -> OrderRecord:
        evidence = Evidence(status, code, detail, venue_status)
        return self._units.decide(lambda unit: _settle(unit, order_id, lease, evidence))

    def record_lookup(self, order_id: OrderId, lease: Lease, *, detail: str) -> None:
        def asked(unit: Unit) -> int:
            unit.require_lease(lease)
            which = {"order_id": order_id, "of_scope": str(unit.scope)}
            return unit.connection.execute(_ASKED, {**which, "asked_at": unit.now, "told": detail}).rowcount

        if self._units.write(asked) != 1:
            raise _no_such_order(order_id)

    def record_fills(self, order_id: OrderId, fills: Sequence[Fill], lease: Lease) -> OrderRecord:
        return self._units.write(lambda unit: _record_fills(unit, order_id, fills, lease))

    def fills(self, *, order_id: OrderId | None = None) -> tuple[Fill, ...]:
        if order_id is None:
            return self._units.read(self._fills.read)
        which = {"of_scope": str(self._units.scope), "order_id": order_id}
        rows = self._units.read(lambda connection: connection.execute(_FILLS_OF_ONE, which).mappings().all())
        return tuple(fill_of(row) for row in rows)

    def reserved_pusd(self) -> Pusd:
        return self._units.read(lambda connection: reservations.reserved_pusd(connection, self._units.scope))

    def reserved_shares(self, asset_id: AssetId) -> Shares:
        return self._units.read(
            lambda connection: reservations.reserved_shares(connection, self._units.scope, asset_id)
        )

    def _rows(self, query: Select[Any], **values: object) -> tuple[OrderRecord, ...]:
        """`query` names this scope as `of_scope`."""
        which = {"of_scope": str(self._units.scope), **values}
        rows = self._units.read(lambda connection: connection.execute(query, which).mappings().all())
        return tuple(order_record(row) for row in rows)


def _settle(unit: Unit, order_id: OrderId, lease: Lease, evidence: Evidence) -> OrderRecord | PolybotError:
    unit.require_lease(lease)
    before, intent = _locked(unit, order_id)
    status = evidence.status
    if status is not before.status and status not in ORDER_TRANSITIONS[before.status]:
        return _illegal(before, status)
    after = _move_order(unit, before, evidence)
    reservations.store(unit, intent.intent, reservations.remaining(intent.intent, after))
    end = _end_of_intent(after)
    if end is not None and _may_move(intent.status, end):
        move(unit, intent, end, code=evidence.code, detail=evidence.detail, note={"order": order_id})
    return after


def _record_fills(unit: Unit, order_id: OrderId, new: Sequence[Fill], lease: Lease) -> OrderRecord:
    unit.require_lease(lease)
    order, intent = _locked(unit, order_id)
    sums = record(unit, order, new)
    if sums is None:
        return order
    order = _store_sums(unit, order, sums)
    if sums.shares > ZERO and order.status in MOVED_BY_A_FILL:
        order = _move_order(unit, order, Evidence(OrderStatus.MATCHED, "filled", "", ""))
    reservations.store(unit, intent.intent, reservations.remaining(intent.intent, order))
    if sums.shares > ZERO and _may_move(intent.status, IntentStatus.EXECUTED):
        move(unit, intent, IntentStatus.EXECUTED, code="filled", note={"order": order_id})
    return order


def _locked(unit: Unit, order_id: OrderId) -> tuple[OrderRecord, Any]:
    """The order with its intent, locked in the order of the design."""
    intent_id = unit.connection.scalar(_INTENT_OF, {"order_id": order_id, "of_scope": str(unit.scope)})
    if intent_id is None:
        raise _no_such_order(order_id)
    intent = load(unit, intent_id)
    return load_order(unit, order_id), intent


def _move_order(unit: Unit, order: OrderRecord, evidence: Evidence) -> OrderRecord:
    values: dict[str, Any] = {
        "status": evidence.status,
        "updated_at": unit.now,
        "detail": evidence.detail,
        "venue_status": evidence.venue_status or order.venue_status,
    }
    if evidence.status in TERMINAL_ORDER:
        values["signed_order"] = None
    if not changed(unit.connection, _MOVE, {"order_id": order.id, "was": order.status, **values}):
        raise _illegal(order, evidence.status)
    if evidence.status is not order.status:
        entry = {"intent": order.intent_id, "from": order.status, "to": evidence.status}
        said = {"code": evidence.code, "detail": evidence.detail, "venue_status": evidence.venue_status}
        unit.note("order.settled", order.id, {**entry, **said}, actor=ENGINE)
    return replace(order, **values)


def _store_sums(unit: Unit, order: OrderRecord, sums: Sums) -> OrderRecord:
    new = {
        "filled_shares": sums.shares,
        "filled_notional": sums.notional,
        "fees": sums.fees,
        "provisional_shares": sums.provisional,
        "updated_at": unit.now,
    }
    unit.connection.execute(_SUMS, {"order_id": order.id, **new})
    return load_order(unit, order.id)


def _end_of_intent(order: OrderRecord) -> IntentStatus | None:
    """What the order's status says of its intent; None while it proves nothing."""
    if order.status in ACCEPTED or order.filled_shares > ZERO:
        return IntentStatus.EXECUTED
    if order.status in ENDED_WITHOUT_PROOF_OF_FILL:
        return IntentStatus.FAILED
    return None


def _may_move(present: IntentStatus, end: IntentStatus) -> bool:
    """An accepted order that is cancelled later leaves its intent EXECUTED; later evidence of life
    takes a FAILED one back."""
    if end is IntentStatus.EXECUTED:
        return present in (IntentStatus.EXECUTING, IntentStatus.FAILED)
    return present is IntentStatus.EXECUTING


def _illegal(order: OrderRecord, status: OrderStatus) -> ConflictError:
    return ConflictError(
        f"Order {order.id} was not moved.",
        why=f"It cannot go from {order.status} to {status}.",
        do="Look at it on the exchange's website; reconciliation will ask again.",
        code="illegal_transition",
    )


def _no_such_order(prefix: str) -> NotFoundError:
    return NotFoundError(
        f"There is no order {prefix}.",
        why="No id of an order or of its intent begins so.",
        do="See them with `polyb0t orders list`.",
        code="order_not_found",
    )


def _ambiguous(prefix: str, found: Sequence[OrderRecord]) -> AmbiguousError:
    return AmbiguousError(
        f"{prefix} is not clear.",
        why=f"It begins {', '.join(order.id for order in found[:5])}.",
        do="Type more characters.",
        code="ambiguous_id",
    )
