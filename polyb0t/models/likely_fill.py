"""What the book at hand would give for a purchase; each level pays its own fee, in whole millionths."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from polyb0t.core.units import ZERO, Price, Pusd, Shares, ceil_e6, floor_e6
from polyb0t.data.markets import FeeSchedule
from polyb0t.data.order_book import Level, OrderBook
from polyb0t.models.fees import taker_fee


@dataclass(frozen=True, slots=True)
class LikelyFill:
    """What the book would give at this moment for the whole amount."""

    shares: Shares
    notional: Pusd
    fee: Pusd
    edge: Decimal | None = None  # per share at this average, after fee and reserve

    @property
    def cost(self) -> Pusd:
        return Pusd(self.notional + self.fee)


def likely_purchase(book: OrderBook, amount: Pusd, worst_price: Price, fee: FeeSchedule) -> LikelyFill:
    """Walk the offers with `amount`; each level pays its own fee. Whole millionths throughout."""
    money, shares, paid = ZERO, ZERO, ZERO
    for part in purchase_parts(book, amount, worst_price):
        shares, money = shares + part.shares, money + part.shares * part.price
        paid += taker_fee(part.shares, part.price, fee)
    return LikelyFill(Shares(shares), Pusd(ceil_e6(money)), Pusd(paid))


def purchase_parts(book: OrderBook, amount: Pusd, worst_price: Price) -> Iterable[Level]:
    """What `amount` takes of each level, best first."""
    left: Decimal = amount
    for level in book.asks:
        part = floor_e6(min(level.shares, left / level.price))
        if level.price > worst_price or part <= 0:
            return
        left -= part * level.price
        yield Level(level.price, Shares(part))
