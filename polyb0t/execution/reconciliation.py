"""What the exchange says of our orders, held against what we stored.

The decisions are pure: an order, what was read about it, and the time give a correction or nothing.
Only positive evidence ends an order here. An identity that the exchange does not know stays UNKNOWN
with its money reserved, and a read that failed is evidence of nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from polyb0t.core.units import E6, ZERO, Shares
from polyb0t.data.fills import FINAL_FILL, Fill, FillStatus
from polyb0t.data.order_book import Side
from polyb0t.execution.gateway import Found, Lookup, NotFound, Unreadable, VenueOrder
from polyb0t.execution.orders import ORDER_TRANSITIONS, OrderRecord, OrderStatus

SETTLING_SECONDS: Final = 5.0  # an accepted order may take a moment to show in reads by id


class Problem(StrEnum):
    """What is wrong with an order, by what it asks of us."""

    UNREADABLE = "unreadable"  # do not trade: what is true is not known
    CONTRADICTION = "contradiction"  # do not trade, and a person has to look
    DIFFERENCE = "difference"  # show it; the sums may still meet


@dataclass(frozen=True, slots=True)
class Correction:
    """What to write about one order. `status` None: only that we asked."""

    status: OrderStatus | None = None
    code: str = ""
    detail: str = ""
    venue_status: str = ""
    problem: Problem | None = None


_EXPIRED: Final = frozenset({"EXPIRED", "CANCELED_EXPIRED_ORDER", "CANCELED_ORDER_TIMED_OUT"})
# The exchange's words for an end without a further match. INVALID: it can no longer be honoured.
_CANCELLED: Final = {
    "CANCELED": "cancelled",
    "CANCELLED": "cancelled",
    "CANCELED_MARKET_RESOLVED": "market_resolved",
    "CANCELED_MARKET_NOT_FOUND": "market_gone",
    "CANCELED_NOT_ENOUGH_BALANCE": "not_enough_balance",
    "INVALID": "invalid",
    "UNMATCHED": "no_fill",
}


def correct(order: OrderRecord, lookup: Lookup, fills: Sequence[Fill], now: datetime) -> Correction:
    """What `lookup` and the stored `fills` prove of `order`.

    `fills` are all of this order, after those that the lookup named were recorded.
    """
    match lookup:
        case Unreadable(reason=reason):
            return Correction(detail=f"It could not be asked about: {reason}", problem=Problem.UNREADABLE)
        case NotFound():
            return _not_found(order, fills, now)
        case Found(order=seen):
            return _contradiction(order, seen) or _legal(order, _found(order, seen, fills))


def absurd_fill(order: OrderRecord, fill: Fill) -> str | None:
    """Why this cannot be a fill of our order; None when it can."""
    ours = (order.id.lower(), order.condition_id, order.asset_id, order.side)
    if (fill.order_id.lower(), fill.condition_id, fill.asset_id, fill.side) != ours:
        return f"Trade {fill.trade_id} is told as its fill and is of another order, market, asset or side."
    if not ZERO < fill.price < 1:
        return f"Trade {fill.trade_id} has the price {fill.price}, which is not between 0 and 1."
    if fill.shares <= ZERO:
        return f"Trade {fill.trade_id} has {fill.shares} shares."
    return None


def beyond_belief(order: OrderRecord, new: Sequence[Fill], known: Sequence[Fill]) -> str | None:
    """Why the fills `new` cannot be this order's, beside the stored ones (`known`); None when they can.

    One that would take the order beyond what was signed is a reading gone wrong: applied, it would stay,
    for a fill's size never changes; refused, the next reading is believed.
    """
    absurd = next(filter(None, (absurd_fill(order, fill) for fill in new)), None)
    if absurd is not None:
        return absurd
    merged = {(fill.trade_id, fill.bucket_index): fill for fill in (*known, *new)}
    stands = [fill for fill in merged.values() if fill.status is not FillStatus.FAILED]
    traded = sum((fill.shares for fill in stands), ZERO)
    spent = sum((fill.notional for fill in stands), ZERO)
    return beyond_signed(order, traded, spent)


def _contradiction(order: OrderRecord, seen: VenueOrder) -> Correction | None:
    if seen.matched_shares < ZERO or not ZERO < seen.price < 1:
        absurd = f"The exchange shows {seen.matched_shares} shares matched at a limit of {seen.price}."
        return Correction(detail=absurd, problem=Problem.CONTRADICTION)
    ours = (order.id.lower(), order.asset_id, order.side)
    theirs = (seen.order_id.lower(), seen.asset_id, seen.side)
    if ours == theirs:
        return None
    return Correction(
        detail=f"The exchange shows {theirs}, signed was {ours}.", problem=Problem.CONTRADICTION
    )


def _legal(order: OrderRecord, correction: Correction) -> Correction:
    """A move that the table does not have is shown, not made: one of the two readings is stale."""
    if not moves(order, correction) or correction.status in ORDER_TRANSITIONS[order.status]:
        return correction
    detail = f"It is {order.status} here and {correction.venue_status} at the exchange. {correction.detail}"
    return Correction(detail=detail.strip(), problem=Problem.DIFFERENCE)


def _not_found(order: OrderRecord, fills: Sequence[Fill], now: datetime) -> Correction:
    asked = "The exchange does not know it."
    match order.status:
        case OrderStatus.SIGNED:  # whoever sent it is gone
            return Correction(OrderStatus.UNKNOWN, "unknown", asked)
        case OrderStatus.LIVE | OrderStatus.DELAYED:
            if (now - order.updated_at).total_seconds() < SETTLING_SECONDS:
                return Correction(detail=asked)
            return Correction(
                OrderStatus.VANISHED,
                "vanished",
                f"It was {order.status}. {asked}",
                problem=Problem.DIFFERENCE,
            )
        case OrderStatus.MATCHED:
            if _used_up(order, fills):  # nothing of it is left that could still trade, whoever remembers it
                return Correction(OrderStatus.FILLED, "accepted", "", order.venue_status)
            return Correction(detail=asked, problem=Problem.DIFFERENCE)
        case _:
            return Correction(detail=asked)


def _found(order: OrderRecord, seen: VenueOrder, fills: Sequence[Fill]) -> Correction:
    difference = _difference(order, seen, fills)
    problem = Problem.DIFFERENCE if difference else None
    if seen.status == "MATCHED" or (
        seen.status in _CANCELLED and order.order_type.takes and seen.matched_shares
    ):
        # A FAK that matched in part ends the same way as one that matched in full: its rest is dead.
        return _matched(seen, fills, difference, problem)
    if seen.status in _CANCELLED:
        code = _CANCELLED[seen.status]
        if order.order_type.takes and code == "cancelled":
            code = "no_fill"
        return Correction(OrderStatus.CANCELLED, code, difference, seen.status, problem)
    if seen.status in _EXPIRED:
        return Correction(OrderStatus.EXPIRED, "expired", difference, seen.status, problem)
    if seen.status in ("LIVE", "DELAYED"):
        return Correction(OrderStatus(seen.status), "accepted", difference, seen.status, problem)
    return Correction(
        detail=f"The exchange gives it a status that is not known: {seen.status!r:.60}",
        problem=Problem.UNREADABLE,
    )


def _matched(seen: VenueOrder, fills: Sequence[Fill], difference: str, problem: Problem | None) -> Correction:
    """FILLED once every trade is final and none is missing; a void trade alone leaves nothing."""
    known = {fill.trade_id for fill in fills}
    complete = bool(fills) and known.issuperset(seen.trade_ids) and not difference
    if not complete or any(fill.status not in FINAL_FILL for fill in fills):
        return Correction(OrderStatus.MATCHED, "accepted", difference, seen.status, problem)
    if all(fill.status is FillStatus.FAILED for fill in fills):
        detail = "Every trade failed on chain; nothing was bought or sold."
        return Correction(OrderStatus.CANCELLED, "trade_failed", detail, seen.status, Problem.DIFFERENCE)
    return Correction(OrderStatus.FILLED, "accepted", "", seen.status)


def _used_up(order: OrderRecord, fills: Sequence[Fill]) -> bool:
    """Whether final trades alone come to all that was signed."""
    if not fills or any(fill.status not in FINAL_FILL for fill in fills):
        return False
    stands = [fill for fill in fills if fill.status is not FillStatus.FAILED]
    if order.amount is not None:
        return order.amount - sum((fill.notional for fill in stands), ZERO) <= E6
    return order.shares - sum((fill.shares for fill in stands), ZERO) <= E6


def _difference(order: OrderRecord, seen: VenueOrder, fills: Sequence[Fill]) -> str:
    """In what the fills do not sum up to what the exchange says was matched; empty when they do.

    A failed trade may or may not be taken out of the exchange's sum, and for a taker BUY some
    observers report pUSD in place of shares: each reading that meets is accepted.
    """
    dust = E6 * max(1, len(fills))
    stands = [fill for fill in fills if fill.status is not FillStatus.FAILED]
    sums = {sum((fill.shares for fill in some), ZERO) for some in (fills, stands)}
    if order.amount is not None:
        sums |= {sum((fill.notional for fill in some), ZERO) for some in (fills, stands)}
    if any(abs(total - seen.matched_shares) <= dust for total in sums):
        return ""
    have = sum((fill.shares for fill in stands), ZERO)
    return f"The exchange says {seen.matched_shares} were matched, the fills read sum up to {have}."


def overspent(order: OrderRecord) -> str | None:
    """An alarm if more left the account than was signed: pUSD of a taker BUY, shares of all else."""
    return beyond_signed(order, order.filled_shares, order.filled_notional)


def beyond_signed(order: OrderRecord, traded: Decimal, spent: Decimal) -> str | None:
    """Why so many shares for so much pUSD are more than `order` permits; None when they are not."""
    if order.amount is not None and order.side is Side.BUY:
        if spent > order.amount + E6:
            return f"{spent} pUSD were spent, {order.amount} were signed."
    elif traded > order.shares + E6:
        return f"{traded} shares were traded, {order.shares} were signed."
    return None


def moves(order: OrderRecord, correction: Correction) -> bool:
    """Whether the correction changes the stored status."""
    return correction.status is not None and correction.status is not order.status


def lots(fills: Sequence[Fill]) -> Shares:
    """Shares of one asset that our confirmed fills leave us with."""
    confirmed = [fill for fill in fills if fill.status is FillStatus.CONFIRMED]
    return Shares(sum((fill.shares if fill.side is Side.BUY else -fill.shares for fill in confirmed), ZERO))
