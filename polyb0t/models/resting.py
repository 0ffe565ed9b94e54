"""When an order that rests should rest no longer, for a person to decide or as was approved with it.

A cancel is worth a person's minute when the order takes, is old, or the market has left it. An opening that
was approved to rest says itself for what the engine takes it back (`why_take_back`), and how long it rests.

Pure: an order, its book and the time give a reason or nothing. What is not known is no reason: an old
book, or none, proposes no cancel.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from polyb0t.core.units import ZERO, Price, Shares
from polyb0t.data.order_book import OrderBook, Side
from polyb0t.models import market_controls
from polyb0t.models.kill_switches import Stance
from polyb0t.models.risk import ControlContext, ProposedTrade
from polyb0t.models.taken_back import UNSEEN, UNSEEN_SECONDS, TakeBack, TakeBackCode, moved
from polyb0t.models.wording import cents, signed_cents


class Stale(StrEnum):
    """Why an order should be taken back."""

    TAKER = "taker_rests"
    OFF_PRICE = "off_price"
    OLD = "old"


@dataclass(frozen=True, slots=True)
class RestingOrder:
    """One order that is LIVE at the exchange. `takes`: it should have filled or died at once."""

    side: Side
    price: Price
    takes: bool
    left: Shares
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class RestingRules:
    """Distances in pUSD per share, times in seconds."""

    off_price: Decimal = Decimal("0.03")
    most_age_seconds: float = 3_600
    book_age_max_seconds: float = 15
    grace_seconds: float = 30  # an order younger than this is left alone


DEFAULT_RULES: Final = RestingRules()
APPROVED_LIFE: Final = RestingRules(most_age_seconds=float("inf"))  # how long it rests was approved


@dataclass(frozen=True, slots=True)
class CancelReason:
    """`detail` in one sentence."""

    code: Stale
    detail: str


def why_cancel(
    order: RestingOrder, book: OrderBook | None, now: datetime, rules: RestingRules = DEFAULT_RULES
) -> CancelReason | None:
    """The first reason to take an order back, or None."""
    age = (now - order.placed_at).total_seconds()
    if age < rules.grace_seconds:
        return None
    if order.takes:  # whatever is left: what bounds it may be money and not shares
        return CancelReason(Stale.TAKER, "It should have filled or ended at once, and it is still open.")
    if order.left <= ZERO:
        return None
    behind = _behind(order, book, now, rules)
    if behind is not None:
        return behind
    if age > rules.most_age_seconds:
        minutes = int(age // 60)
        return CancelReason(
            Stale.OLD, f"It has rested for {minutes} minutes and {order.left:f} shares are left."
        )
    return None


def _behind(
    order: RestingOrder, book: OrderBook | None, now: datetime, rules: RestingRules
) -> CancelReason | None:
    """Whether the best price of its own side has moved away from it."""
    if book is None or not 0 <= book.age_seconds(now) <= rules.book_age_max_seconds:
        return None
    buys = order.side is Side.BUY
    best = book.best_bid if buys else book.best_ask
    if best is None:
        return None
    gap = best - order.price if buys else order.price - best
    if gap < rules.off_price:
        return None
    word = "bid" if buys else "offer"
    detail = (
        f"The best {word} is {cents(best)}, this order's is {cents(order.price)}: the market has left it."
    )
    return CancelReason(Stale.OFF_PRICE, detail)


_OF_THE_MARKET: Final = (
    (TakeBackCode.NOT_TRADABLE, market_controls.not_tradable),
    (TakeBackCode.BEING_RESOLVED, market_controls.being_resolved),
    (TakeBackCode.RULES_CHANGED, market_controls.rules_changed),
)


def why_take_back(trade: ProposedTrade, context: ControlContext, edge: Decimal | None) -> TakeBack | None:
    """The first approved condition that holds now; None of a trade without conditions.

    `edge` is what the present model sees in it at its price, in pUSD per share; None where it is silent.
    """
    approved, book = trade.taken_back, context.book
    if approved is None:
        return None
    if book is None or not 0 <= book.age_seconds(context.now) <= UNSEEN_SECONDS:
        return UNSEEN
    gone = moved(approved, book.mid, book.spread)
    if gone is not None:
        return gone
    for code, control in _OF_THE_MARKET:
        verdict = control(trade, context)
        if not verdict.passed:
            return TakeBack(code, verdict.detail)
    # What a halt takes back is its owner's setting (cancel_on_halt) and somebody else's work.
    if context.stance is not Stance.HALTED and not market_controls.stance(trade, context).passed:
        return TakeBack(TakeBackCode.PAUSED, "The kill switches let nothing be opened now.")
    if edge is None:
        return TakeBack(TakeBackCode.EDGE_GONE, "The model does not speak for it any more.")
    if edge <= ZERO:
        return TakeBack(TakeBackCode.EDGE_GONE, f"The model sees {signed_cents(edge)} a share in it now.")
    return None
