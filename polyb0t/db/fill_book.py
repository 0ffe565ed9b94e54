"""Fills move forward only. Their sums are made anew each time, so seeing one twice is harmless."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from sqlalchemy import bindparam, insert, select, update

from polyb0t.core.errors import ConflictError
from polyb0t.core.units import ZERO, Pusd, Shares, ceil_e6, floor_e6
from polyb0t.data.fills import FILL_TRANSITIONS, FINAL_FILL, Fill, FillStatus
from polyb0t.data.order_book import Side
from polyb0t.db.rows import fill_columns, fill_of
from polyb0t.db.tables import fills
from polyb0t.db.unit import ENGINE, Unit
from polyb0t.execution.orders import OrderRecord

FILL_RECORDED: Final = "fill.recorded"  # the claim looks for these entries of the journal
Key = tuple[str, int, str]

_OF_ORDER: Final = (
    select(fills)
    .where(fills.c.scope == bindparam("of_scope"), fills.c.order_id == bindparam("of_order"))
    .with_for_update()
)
_INSERT: Final = insert(fills)
_MOVE: Final = update(fills).where(
    fills.c.scope == bindparam("of_scope"),
    fills.c.trade_id == bindparam("of_trade"),
    fills.c.bucket_index == bindparam("of_bucket"),
    fills.c.order_id == bindparam("of_order"),
)


class Sums(NamedTuple):
    """Of an order's fills that have not failed; `provisional` are not yet CONFIRMED."""

    shares: Shares
    notional: Pusd
    fees: Pusd
    provisional: Shares


def record(unit: Unit, order: OrderRecord, new: Sequence[Fill]) -> Sums | None:
    """Insert or move forward; the sums afterwards, or None when nothing changed.

    Raises:
        ConflictError: `contradiction` for one that failed and is now confirmed, or whose content is
            another than before; `foreign_fill` for one of another order.
    """
    known = {_key(fill): fill for fill in _stored(unit, order)}
    changes = [fill for fill in new if _apply(unit, order, known, fill)]
    return sums_of(known.values()) if changes else None


def sums_of(of: Iterable[Fill]) -> Sums:
    """Money in whole millionths, as the exchange settles it: what we pay is rounded up, what we get down."""
    counted = [fill for fill in of if fill.status is not FillStatus.FAILED]
    provisional = [fill for fill in counted if fill.status not in FINAL_FILL]
    return Sums(
        Shares(_sum(fill.shares for fill in counted)),
        Pusd(_sum(map(_notional, counted))),
        Pusd(_sum(fill.fee for fill in counted)),
        Shares(_sum(fill.shares for fill in provisional)),
    )


def _apply(unit: Unit, order: OrderRecord, known: dict[Key, Fill], fill: Fill) -> bool:
    if fill.order_id != order.id or fill.asset_id != order.asset_id or fill.side is not order.side:
        raise _conflict(fill, f"It is not of order {order.id}.", "foreign_fill")
    before = known.get(_key(fill))
    if before is not None and not _moves_forward(before, fill):
        return False
    row = {**fill_columns(fill), "updated_at": unit.now}
    if before is None:
        extra = {"scope": order.scope, "regime": order.regime}
        unit.connection.execute(_INSERT, {**row, **extra})
    else:
        unit.connection.execute(_MOVE, {**_which(unit, fill), **row})
    known[_key(fill)] = fill
    entry = {
        "order": order.id,
        "from": before.status if before else None,
        "to": fill.status,
        "shares": fill.shares,
        "price": fill.price,
        "fee": fill.fee,
        "bucket": fill.bucket_index,
    }
    unit.note(FILL_RECORDED, fill.trade_id, entry, actor=ENGINE)
    return True


def _moves_forward(before: Fill, fill: Fill) -> bool:
    if (before.price, before.shares, before.role) != (fill.price, fill.shares, fill.role):
        raise _conflict(fill, "Its price, shares or role are other than before.", "contradiction")
    if before.status is FillStatus.FAILED and fill.status is FillStatus.CONFIRMED:
        raise _conflict(fill, "It had failed for good and is now confirmed.", "contradiction")
    return fill.status in FILL_TRANSITIONS[before.status]


def _stored(unit: Unit, order: OrderRecord) -> list[Fill]:
    which = {"of_scope": str(unit.scope), "of_order": order.id}
    return [fill_of(row) for row in unit.connection.execute(_OF_ORDER, which).mappings()]


def _which(unit: Unit, fill: Fill) -> dict[str, object]:
    return {
        "of_scope": str(unit.scope),
        "of_trade": fill.trade_id,
        "of_bucket": fill.bucket_index,
        "of_order": fill.order_id,
    }


def _key(fill: Fill) -> Key:
    return fill.trade_id, fill.bucket_index, fill.order_id


def _notional(fill: Fill) -> Decimal:
    return ceil_e6(fill.notional) if fill.side is Side.BUY else floor_e6(fill.notional)


def _sum(parts: Iterable[Decimal]) -> Decimal:
    return sum(parts, ZERO)


def _conflict(fill: Fill, why: str, code: str) -> ConflictError:
    return ConflictError(
        f"Fill {fill.trade_id} of order {fill.order_id} was not recorded.",
        why=why,
        do="Trading has to stop until a person has looked at it.",
        code=code,
    )
