"""What an intent may still cost or sell: a pure function of the intent and where its order stands."""

from decimal import ROUND_CEILING, Decimal
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from polyb0t.core.ids import AssetId
from polyb0t.core.units import E6, ZERO, Pusd, Shares
from polyb0t.data.order_book import Side
from polyb0t.db import types
from polyb0t.db.tables import reservations
from polyb0t.db.unit import Unit
from polyb0t.execution.intents import TradeIntent
from polyb0t.execution.orders import TERMINAL_ORDER, OrderRecord
from polyb0t.execution.scope import Scope


class Reservation(NamedTuple):
    """pUSD that may still be paid, shares that may still be sold."""

    pusd: Pusd
    shares: Shares


_SCOPED: Final = reservations.c.scope == bindparam("scope")
_PUSD: Final = select(func.sum(reservations.c.pusd, type_=types.E6)).where(_SCOPED)
_SHARES: Final = select(func.sum(reservations.c.shares, type_=types.E6)).where(
    _SCOPED, reservations.c.asset_id == bindparam("asset_id")
)
_FORGET: Final = delete(reservations).where(reservations.c.intent_id == bindparam("of_intent"))
_KEEP: Final = insert(reservations)
NOTHING = Reservation(Pusd(ZERO), Shares(ZERO))


def whole(intent: TradeIntent) -> Reservation:
    """Before the order exists: the greatest cost of a BUY, the shares of a SELL."""
    if intent.side is Side.SELL:
        return Reservation(Pusd(ZERO), Shares(intent.shares or ZERO))
    return Reservation(Pusd(intent.max_cost or ZERO), Shares(ZERO))


def remaining(intent: TradeIntent, order: OrderRecord) -> Reservation:
    """What the order can still do, fees included.

    Money that a fill spent counts as a position's cost from the fill on, so it is given up here at once.
    Shares that a fill sold leave the confirmed lots only when the fill is final, so they stay until then.
    """
    if intent.side is Side.SELL:
        unsold = ZERO if order.status in TERMINAL_ORDER else max(order.shares - order.filled_shares, ZERO)
        return Reservation(Pusd(ZERO), Shares(unsold + order.provisional_shares))
    if order.status in TERMINAL_ORDER:
        return NOTHING
    cost = Decimal(intent.max_cost or ZERO)
    bound, used = (
        (order.shares, order.filled_shares) if order.amount is None else (order.amount, order.filled_notional)
    )
    left = cost * max(bound - used, ZERO) / bound
    return Reservation(Pusd(left.quantize(E6, ROUND_CEILING)), Shares(ZERO))


def store(unit: Unit, intent: TradeIntent, reservation: Reservation) -> None:
    """Replace the intent's reservation; nothing left removes it."""
    unit.connection.execute(_FORGET, {"of_intent": intent.id})
    if reservation != NOTHING:
        begin(unit, intent, reservation)


def begin(unit: Unit, intent: TradeIntent, reservation: Reservation) -> None:
    """The first reservation of an intent that is just claimed; a second one is refused by its key."""
    row = {
        "intent_id": intent.id,
        "scope": intent.scope,
        "regime": intent.regime,
        "asset_id": intent.asset_id,
        "pusd": reservation.pusd,
        "shares": reservation.shares,
        "updated_at": unit.now,
    }
    unit.connection.execute(_KEEP, row)


def reserved_pusd(connection: Connection, scope: Scope) -> Pusd:
    """The greatest cost of everything claimed and not yet ended."""
    return Pusd(connection.scalar(_PUSD, {"scope": str(scope)}) or ZERO)


def reserved_shares(connection: Connection, scope: Scope, asset_id: AssetId) -> Shares:
    """Shares of one asset that sales under way may still take."""
    return Shares(connection.scalar(_SHARES, {"scope": str(scope), "asset_id": asset_id}) or ZERO)
