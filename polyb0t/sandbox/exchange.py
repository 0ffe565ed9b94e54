"""Price-time-priority matching of the two outcomes of a market in one book.

An order for the second outcome at `q` is the same wish as the opposite order for the first at `1 - q`,
so a market has one book in prices of its first outcome: BUY YES and SELL NO are bids, SELL YES and BUY
NO are asks. Whatever a bid and an ask are, together they settle: as a transfer, by minting a complete
set (BUY with BUY) or by merging one (SELL with SELL). The resting order's price counts, so the
improvement is the taker's.

Every fill is a multiple of the smallest number of shares whose value at that price is a whole count of
millionths (0.0001 shares on a one-cent grid). So nothing is ever rounded here, and what is left of a
taker below that unit is dropped.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from math import gcd

from polyb0t.sandbox.types import MILLION, YES, OrderStatus, OrderType, Side


@dataclass(slots=True)
class Order:
    """An order inside the engine. `price` is of its own token, `yes` of the first outcome."""

    order_id: str
    owner: str
    maker: str
    signer: str
    condition_id: str
    outcome: int
    side: Side
    price: int
    size: int  # shares asked for
    left: int  # shares still wanted (what rests in the book)
    budget: int  # pUSD still to spend; only FAK and FOK BUYs are bounded by it, else 0
    order_type: OrderType
    post_only: bool
    expiration_s: int
    created_ms: int
    sequence: int
    signature_type: int = 0
    crowd: bool = False
    filled: int = 0
    held: int = 0  # pUSD or shares reserved for this order
    status: OrderStatus = OrderStatus.LIVE
    trade_ids: list[str] = field(default_factory=list)
    bid: bool = field(init=False)
    yes: int = field(init=False)

    def __post_init__(self) -> None:
        self.bid = (self.side is Side.BUY) == (self.outcome == YES)
        self.yes = self.price if self.outcome == YES else MILLION - self.price

    @property
    def market_buy(self) -> bool:
        """Whether the collateral, not the share count, is the target."""
        return self.side is Side.BUY and self.order_type in (OrderType.FAK, OrderType.FOK)


@dataclass(slots=True, frozen=True)
class Fill:
    """A planned match with one resting order."""

    maker: Order
    shares: int
    yes: int  # price of the first outcome


@lru_cache(maxsize=8_192)
def exact_unit(price_e6: int) -> int:
    """The fewest millionths of a share whose value at this price is a whole count of millionths."""
    return MILLION // gcd(price_e6, MILLION)


class Ladder:
    """One side of a book: price levels, each a queue in order of arrival."""

    __slots__ = ("bid", "levels", "prices", "totals")

    def __init__(self, *, bid: bool) -> None:
        self.bid = bid
        self.prices: list[int] = []  # ascending
        self.levels: dict[int, dict[str, Order]] = {}
        self.totals: dict[int, int] = {}

    @property
    def best(self) -> int | None:
        """The best price of the first outcome, or `None`."""
        if not self.prices:
            return None
        return self.prices[-1] if self.bid else self.prices[0]

    def add(self, order: Order) -> None:
        """Queue a resting order behind all others at its price."""
        level = self.levels.get(order.yes)
        if level is None:
            level = self.levels[order.yes] = {}
            self.totals[order.yes] = 0
            insort(self.prices, order.yes)
        level[order.order_id] = order
        self.totals[order.yes] += order.left

    def reduce(self, order: Order, shares: int) -> None:
        """Take `shares` off a resting order; an order without any left leaves the book."""
        order.left -= shares
        self.totals[order.yes] -= shares
        if order.left == 0:
            self._drop(order)

    def remove(self, order: Order) -> None:
        """Take the whole order out; what it still wanted stays in `order.left`."""
        self.totals[order.yes] -= order.left
        self._drop(order)

    def _drop(self, order: Order) -> None:
        level = self.levels[order.yes]
        del level[order.order_id]
        if not level:
            del self.levels[order.yes], self.totals[order.yes]
            del self.prices[bisect_left(self.prices, order.yes)]

    def from_best(self) -> Iterator[int]:
        """Prices, best first."""
        return reversed(self.prices) if self.bid else iter(self.prices)

    def orders(self) -> Iterator[Order]:
        """Every resting order, level by level."""
        for price in self.prices:
            yield from self.levels[price].values()


class Book:
    """Both sides of a market."""

    __slots__ = ("asks", "bids")

    def __init__(self) -> None:
        self.bids = Ladder(bid=True)
        self.asks = Ladder(bid=False)

    def side(self, *, bid: bool) -> Ladder:
        """The side on which such an order rests."""
        return self.bids if bid else self.asks

    def crosses(self, order: Order) -> bool:
        """Whether the order could trade at once."""
        best = self.side(bid=not order.bid).best
        return best is not None and (best <= order.yes if order.bid else best >= order.yes)

    def plan(self, order: Order) -> tuple[list[Fill], bool]:
        """The fills of an arriving order, and whether they satisfy it. Nothing is changed.

        A market BUY is satisfied when its collateral buys no further unit at its own limit or at a
        price that it met; any other order when fewer shares are left than can be traded there.
        """
        want, budget, fills = order.left, order.budget, list[Fill]()
        least = exact_unit(order.price)
        coarsest, dearest = least, least * order.price
        ladder = self.side(bid=not order.bid)
        for yes in ladder.from_best():
            if (yes > order.yes) if order.bid else (yes < order.yes):
                break
            own = yes if order.outcome == YES else MILLION - yes
            unit = exact_unit(own)
            coarsest, dearest = max(coarsest, unit), max(dearest, unit * own)
            for maker in ladder.levels[yes].values():
                cap = budget * MILLION // own if order.market_buy else want
                shares = min(maker.left, cap - cap % unit)
                if shares == 0:
                    break
                fills.append(Fill(maker, shares, yes))
                want -= shares
                budget -= shares * own // MILLION
        return fills, budget * MILLION < dearest if order.market_buy else want < coarsest


def by_price(fills: list[Fill]) -> list[list[Fill]]:
    """Fills in their order, one group for each price."""
    groups: dict[int, list[Fill]] = {}
    for fill in fills:
        groups.setdefault(fill.yes, []).append(fill)
    return list(groups.values())
