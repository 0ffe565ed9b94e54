"""What an exchange would have done with an order, by the book that it meets: paper and replay fill by it.

Pure: a book, an order and what was taken before go in, fills come out. No clock, no storage, no chance.
Where a real outcome could have been better or worse, the worse one is taken:

*   an order meets the book that is in effect when it arrives, a stated delay after the decision;
*   it takes only what is shown, level by level, each with the exchange's own fee, and what was taken
    before is not there again (`liquidity`);
*   a resting order is last in every queue: it fills only when something traded, or is offered, at a
    price through its own, never at its own price.

Amounts are cut so that price x shares is a whole number of millionths of a pUSD: no cent is made or lost.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from polyb0t.core.ids import AssetId
from polyb0t.core.units import ONE, ZERO, Price, Pusd, Shares, floor_to
from polyb0t.data.fills import Role
from polyb0t.data.markets import FeeSchedule
from polyb0t.data.order_book import Level, OrderBook, Side
from polyb0t.execution.liquidity import Taken
from polyb0t.execution.orders import OrderType
from polyb0t.models.fees import taker_fee

LEAST_MARKETABLE_PUSD: Final = Decimal(1)  # the exchange's own minimum for a BUY that trades at once
_MONEY_DECIMALS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedOrder:
    """An order as the exchange would see it. `amount` bounds a taker BUY, `shares` everything else."""

    asset_id: AssetId
    side: Side
    order_type: OrderType
    limit: Price
    amount: Pusd | None
    shares: Shares | None
    post_only: bool = False
    expires_at: datetime | None = None  # GTD: gone from this instant on


@dataclass(frozen=True, slots=True)
class MarketRules:
    """What a market asks of orders. `opposite` is the other outcome, whose book shows the same orders."""

    tick: Price
    min_shares: Shares
    fee: FeeSchedule
    opposite: AssetId | None = None

    @property
    def step(self) -> Decimal:
        """The least shares that cost a whole number of millionths at every price on the tick."""
        exponent = self.tick.normalize().as_tuple().exponent
        assert isinstance(exponent, int)
        return Decimal(1).scaleb(-exponent - _MONEY_DECIMALS)


class Print(NamedTuple):
    """A trade of others that was seen."""

    price: Price
    shares: Shares


class Piece(NamedTuple):
    """A part of an order that filled."""

    price: Price
    shares: Shares
    role: Role
    fee: Pusd

    @property
    def notional(self) -> Pusd:
        """pUSD without the fee; a whole number of millionths."""
        return Pusd(self.price * self.shares)


class Standing(StrEnum):
    """Where an order is after it met a book."""

    FILLED = "filled"
    RESTING = "resting"
    CANCELLED = "cancelled"  # a FOK or FAK that is over, with or without a fill
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Met:
    """What came of it. `code` names a refusal or a no-fill; later orders reckon with `taken`."""

    standing: Standing
    pieces: tuple[Piece, ...]
    taken: Taken
    code: str = ""
    detail: str = ""

    @property
    def shares(self) -> Shares:
        return Shares(sum((piece.shares for piece in self.pieces), ZERO))

    @property
    def notional(self) -> Pusd:
        return Pusd(sum((piece.notional for piece in self.pieces), ZERO))

    @property
    def fee(self) -> Pusd:
        return Pusd(sum((piece.fee for piece in self.pieces), ZERO))


def arrives_at(decided_at: datetime, delay_seconds: float, taker_delay_seconds: float = 0) -> datetime:
    """When an order reaches the book: our own way there, then the market's hold on takers, if it has one."""
    return decided_at + timedelta(seconds=delay_seconds + taker_delay_seconds)


def in_effect(books: Sequence[OrderBook], at: datetime) -> OrderBook | None:
    """Of books in the order they were seen, the last one seen by `at`; None before the first."""
    after = bisect_right(books, at, key=lambda book: book.observed_at)
    return books[after - 1] if after else None


def arrive(order: SimulatedOrder, book: OrderBook, rules: MarketRules, taken: Taken) -> Met:
    """The order meets the book: it is refused, takes what it may, and rests or ends with the remainder."""
    taken = taken.seen(book)
    refusal = _refused(order, book, rules)
    if refusal is not None:
        return Met(Standing.REFUSED, (), taken, *refusal)
    found = () if order.post_only else _walk(order, book, rules, taken)
    whole = _is_whole(order, found, rules)
    if order.order_type is OrderType.FOK and not whole:
        text = "The book does not show enough at this price; all or nothing was asked for."
        return Met(Standing.CANCELLED, (), taken, "no_fill", text)
    pieces = tuple(
        Piece(level.price, level.shares, Role.TAKER, taker_fee(level.shares, level.price, rules.fee))
        for level in found
    )
    taken = taken.plus(order.asset_id, order.side, found, opposite=rules.opposite)
    if whole:
        return Met(Standing.FILLED, pieces, taken)
    if not order.order_type.takes:
        return Met(Standing.RESTING, pieces, taken)
    if pieces:
        return Met(
            Standing.CANCELLED, pieces, taken, "partly_filled", "The rest found nothing at this price."
        )
    return Met(Standing.CANCELLED, (), taken, "no_fill", "The book shows nothing at this price.")


def wait(
    order: SimulatedOrder,
    left: Shares,
    rules: MarketRules,
    taken: Taken,
    *,
    book: OrderBook | None = None,
    prints: Sequence[Print] = (),
    now: datetime | None = None,
) -> Met:
    """What the market did to a resting order with `left` shares since it was last asked.

    It fills at its own price, as a maker without a fee, by what is offered through it in `book` and by
    what traded through it in `prints`. Of a print only what exceeds our own taking at its price counts:
    that was the same offer. With `now` at or past its expiry it is over.
    """
    if order.expires_at is not None and now is not None and now >= order.expires_at:
        return Met(Standing.EXPIRED, (), taken, "expired", "Its time in the book was over.")
    want, offered = Decimal(left), list[Level]()
    if book is not None:
        taken = taken.seen(book)
        for level in book.offers(order.side):
            if not _through(order, level.price):
                break
            part = floor_to(min(taken.left(order.asset_id, order.side, level), want), rules.step)
            offered.append(Level(level.price, Shares(part)))
            want -= part
    taken = taken.plus(order.asset_id, order.side, offered, opposite=rules.opposite)
    want -= floor_to(min(_traded_through(order, prints, taken), want), rules.step)
    filled = Shares(left - want)
    pieces = (Piece(order.limit, filled, Role.MAKER, Pusd(ZERO)),) if filled > 0 else ()
    over = want < rules.step
    return Met(Standing.FILLED if over else Standing.RESTING, pieces, taken)


def remaining(order: SimulatedOrder, filled: Shares) -> Shares:
    """Shares of an order bounded by shares that are still to come."""
    return Shares(max(ZERO, (order.shares or ZERO) - filled))


def _refused(order: SimulatedOrder, book: OrderBook, rules: MarketRules) -> tuple[str, str] | None:
    """Why the exchange would not take it, in the order in which it looks."""
    resting = not order.order_type.takes
    if (order.amount is not None) != (order.side is Side.BUY and not resting):
        return "unit_mismatch", "A taker BUY is bounded by money and everything else by shares."
    if order.post_only and not resting:
        return "post_only_type", "Only an order that may rest can be post-only."
    if not ZERO < order.limit < ONE or order.limit % rules.tick:
        return "off_tick", f"The price {order.limit} is not on the tick {rules.tick}."
    too_small = _too_small(order, rules)
    if too_small:
        return "below_minimum", too_small
    if order.post_only and _crosses(order, book):
        return "post_only_crosses", "It would have traded at once, and post-only was asked for."
    return None


def _too_small(order: SimulatedOrder, rules: MarketRules) -> str:
    if order.amount is not None:
        short = order.amount < LEAST_MARKETABLE_PUSD
        return f"It spends {order.amount} pUSD; the least is {LEAST_MARKETABLE_PUSD}." if short else ""
    shares = order.shares or ZERO
    return f"It has {shares} shares; the least is {rules.min_shares}." if shares < rules.min_shares else ""


def _crosses(order: SimulatedOrder, book: OrderBook) -> bool:
    best = book.offers(order.side)[:1]
    return any(_acceptable(order, level.price) for level in best)


def _walk(order: SimulatedOrder, book: OrderBook, rules: MarketRules, taken: Taken) -> tuple[Level, ...]:
    """What it takes of each level, best first."""
    found: list[Level] = []
    for level in book.offers(order.side):
        if not _acceptable(order, level.price):
            break
        wanted = _still_wanted(order, found, level.price)
        part = floor_to(min(taken.left(order.asset_id, order.side, level), wanted), rules.step)
        if part > 0:
            found.append(Level(level.price, Shares(part)))
    return tuple(found)


def _still_wanted(order: SimulatedOrder, found: Sequence[Level], price: Price) -> Decimal:
    if order.amount is None:
        return (order.shares or ZERO) - sum((level.shares for level in found), ZERO)
    return (order.amount - sum((level.price * level.shares for level in found), ZERO)) / price


def _is_whole(order: SimulatedOrder, found: Sequence[Level], rules: MarketRules) -> bool:
    """Nothing is left that could still be filled at the last price."""
    return bool(found) and _still_wanted(order, found, found[-1].price) < rules.step


def _acceptable(order: SimulatedOrder, price: Price) -> bool:
    return price <= order.limit if order.side is Side.BUY else price >= order.limit


def _through(order: SimulatedOrder, price: Price) -> bool:
    return price < order.limit if order.side is Side.BUY else price > order.limit


def _traded_through(order: SimulatedOrder, prints: Sequence[Print], taken: Taken) -> Decimal:
    volume: dict[Price, Decimal] = {}
    for each in prints:
        if _through(order, each.price):
            volume[each.price] = volume.get(each.price, ZERO) + each.shares
    return sum(
        (
            max(ZERO, shares - taken.taken(order.asset_id, order.side, price))
            for price, shares in volume.items()
        ),
        ZERO,
    )
