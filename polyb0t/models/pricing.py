"""Edge after every cost, and the worst price that still leaves enough of it.

    cost(a) = a + rate x (a (1 - a)) ** exponent          per share at price a
    edge(a) = q - cost(a) - reserve                       BUY of the outcome with probability q

The reserve is what disputes and locked capital are expected to cost until the money is back.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from polyb0t.core.units import ONE, ZERO, Price, ceil_to, floor_e6, floor_to
from polyb0t.data.markets import FeeSchedule, Market
from polyb0t.models.fees import cost_per_share, per_share

DISPUTE_LOSS: Final = Decimal("0.3")  # of a share, when a result is disputed
DISPUTE_CHANCE_SOURCED: Final = Decimal("0.006")  # the rules name a source that decides
DISPUTE_CHANCE: Final = Decimal("0.01")
HURDLE_PER_YEAR: Final = Decimal("0.10")  # what locked capital has to earn elsewhere
DAYS_PER_YEAR: Final = Decimal(365)
_DAY: Final = Decimal(86_400)


@dataclass(frozen=True, slots=True)
class Reserve:
    """Expected cost beside price and fee: `dispute` per share, `carry` per pUSD of cost."""

    dispute: Decimal
    carry: Decimal

    def at(self, cost: Decimal) -> Decimal:
        """pUSD per share for a share that costs `cost`."""
        return self.dispute + self.carry * cost


NO_RESERVE: Final = Reserve(ZERO, ZERO)


def reserve_for(market: Market, now: datetime) -> Reserve:
    """The reserve of holding until the scheduled end; without one, for a year."""
    chance = DISPUTE_CHANCE_SOURCED if market.resolution_source else DISPUTE_CHANCE
    days = DAYS_PER_YEAR
    if market.end_date is not None:
        days = max(ZERO, Decimal((market.end_date - now) // timedelta(seconds=1)) / _DAY)
    return Reserve(dispute=chance * DISPUTE_LOSS, carry=HURDLE_PER_YEAR * days / DAYS_PER_YEAR)


@dataclass(frozen=True, slots=True)
class Purchase:
    """Buying an outcome that is worth `q` a share, as a taker."""

    q: Decimal
    fee: FeeSchedule
    reserve: Reserve = NO_RESERVE

    def edge(self, price: Decimal) -> Decimal:
        """pUSD per share that buying at `price` is expected to earn, rounded down to a millionth."""
        cost = cost_per_share(price, self.fee)
        return floor_e6(self.q - cost - self.reserve.at(cost))

    def highest_price(self, edge_min: Decimal) -> Decimal:
        """The price that earns exactly `edge_min`, on no grid; for fees of exponent 1.

        The cost is then a quadratic in the price, and this is its smaller root. Zero or less when no
        price is low enough.
        """
        cost = (self.q - edge_min - self.reserve.dispute) / (ONE + self.reserve.carry)
        rate = self.fee.rate
        if not rate:
            return cost
        b = ONE + rate
        return (b - (b * b - 4 * rate * cost).sqrt()) / (2 * rate)

    def worst_price(self, edge_min: Decimal, *, ceiling: Decimal, tick: Price) -> Price | None:
        """The highest price on the grid, at most `ceiling`, that still earns `edge_min`."""
        top = min(ceiling, ONE - tick)
        if self.fee.exponent == ONE:
            # One tick of slack: the root is rounded, and the search has the last word.
            top = min(top, self.highest_price(edge_min) + tick)
        return self._search_down(edge_min, int(floor_to(top, tick) / tick), tick)

    def _search_down(self, edge_min: Decimal, start: int, tick: Price) -> Price | None:
        """The best of the first `start` ticks, by halving: edge falls as the price rises while
        rate x exponent stays below 1."""
        good, bad = 0, start + 1  # tick 0 is below the grid, `bad` is too dear
        while bad - good > 1:
            middle = bad - 1 if bad == start + 1 else (good + bad) // 2  # mostly the first one fits
            if self.edge(middle * tick) >= edge_min:
                good = middle
            else:
                bad = middle
        return Price(good * tick) if good else None

    def limit(
        self, ask: Price, *, edge_min: Decimal, given_up: Decimal, ceiling: Decimal, tick: Price
    ) -> Price | None:
        """The worst price of an order: `given_up` is the share of the edge that the wait may cost.

        Never below the ask; None when the ask is too dear, above `ceiling`, or off the grid.
        """
        reach = min(ceiling, ask + given_up * self.edge(ask))
        price = self.worst_price(edge_min, ceiling=reach, tick=tick)
        return price if price is not None and price >= ask else None


@dataclass(frozen=True, slots=True)
class Sale:
    """Selling an outcome that is worth `held` a share when kept (its probability less the reserve)."""

    held: Decimal
    fee: FeeSchedule

    def edge(self, price: Decimal) -> Decimal:
        """pUSD per share that selling at `price` gains over keeping, rounded down to a millionth."""
        return floor_e6(price - per_share(price, self.fee) - self.held)

    def lowest_price(self, edge_min: Decimal) -> Decimal:
        """The price that gains exactly `edge_min`, on no grid; for fees of exponent 1."""
        value, rate = self.held + edge_min, self.fee.rate
        if not rate:
            return value
        b = ONE - rate
        return ((b * b + 4 * rate * value).sqrt() - b) / (2 * rate)

    def limit(self, bid: Price, *, edge_min: Decimal, given_up: Decimal, tick: Price) -> Price | None:
        """The worst price of an order, mirrored: raised to the grid, never above the bid."""
        floor = bid - given_up * max(self.edge(bid), ZERO)
        if self.fee.exponent == ONE:
            floor = max(floor, self.lowest_price(edge_min) - tick)
        price = max(ceil_to(floor, tick), tick)
        while price <= bid and self.edge(price) < edge_min:
            price += tick
        return Price(price) if price <= bid else None
