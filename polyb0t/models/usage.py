"""How much of what is counted over time or over orders is used: what the controls of a crowd judge by."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from polyb0t.core.ids import AssetId
from polyb0t.core.units import ONE, ZERO, Price, Pusd
from polyb0t.data.order_book import Side


@dataclass(frozen=True, slots=True)
class Usage:
    """Everything in pUSD at its greatest possible cost, and always without the trade that is judged.

    `open_orders` and `open_pusd` are of what is approved, under way or of unknown outcome.
    `bought_today_pusd` is of purchases since 00:00 UTC, filled or under way; `orders_last_hour` are
    openings that were taken up in the last 60 minutes. `held_pusd` is what our own positions cost, and
    `lost_pusd` what closed trades lost on the whole, zero when they gained.
    """

    open_orders: int
    open_pusd: Pusd
    bought_today_pusd: Pusd
    orders_last_hour: int
    lost_pusd: Pusd
    held_pusd: Pusd

    @property
    def used_pusd(self) -> Pusd:
        """What is in use of the wallet: held, under way, and lost. What others did with it is not."""
        return Pusd(self.held_pusd + self.open_pusd + self.lost_pusd)

    def plus(self, cost: Pusd) -> "Usage":
        """As if another opening of at most `cost` were under way."""
        return Usage(
            self.open_orders + 1,
            Pusd(self.open_pusd + cost),
            Pusd(self.bought_today_pusd + cost),
            self.orders_last_hour + 1,
            self.lost_pusd,
            self.held_pusd,
        )


@dataclass(frozen=True, slots=True)
class OwnOrder:
    """An order of ours that may be in the book: whoever takes from the book may take it."""

    asset_id: AssetId
    side: Side
    price: Price

    def meets(self, asset_id: AssetId, other: AssetId, side: Side, worst: Price) -> bool:
        """Whether an order on `asset_id` down or up to `worst` could trade with this one.

        On the same outcome a purchase meets a sale at its price or less. On the `other` outcome two
        purchases meet where their prices make one pUSD or more (the exchange mints a pair for them), and
        two sales where they make one or less (it merges the pair).
        """
        if self.asset_id == asset_id:
            if self.side is side:
                return False
            return self.price <= worst if side is Side.BUY else self.price >= worst
        if self.asset_id != other or self.side is not side:
            return False
        both = self.price + worst
        return both >= ONE if side is Side.BUY else both <= ONE


@dataclass(frozen=True, slots=True)
class SmallOrders:
    """The first orders with real money: each at most `most_pusd` until `needed` of them have settled as
    they were predicted. `needed` is zero where there is no such phase."""

    agreed: int
    needed: int
    most_pusd: Pusd

    @property
    def active(self) -> bool:
        return self.agreed < self.needed

    @property
    def words(self) -> str:
        """`3 of 20 settled orders agree; at most 5 pUSD an order`; empty where there is no phase."""
        if not self.needed:
            return ""
        if not self.active:
            return f"passed: {self.agreed} of {self.needed} settled orders agree"
        return (
            f"{self.agreed} of {self.needed} settled orders agree; at most {self.most_pusd:f} pUSD an order"
        )


NO_PHASE: Final = SmallOrders(0, 0, Pusd(ZERO))


@dataclass(frozen=True, slots=True)
class LimitUse:
    """One limit. `name` is the control that enforces it, `label` names whose use it is where there are
    several (a market, an event), `used` is None for a limit on each order, which nothing uses up."""

    name: str
    label: str
    used: Decimal | None
    limit: Decimal
    unit: str

    @property
    def left(self) -> Decimal:
        """What may still be used, never below zero."""
        return max(ZERO, self.limit - (self.used or ZERO))

    @property
    def fraction(self) -> Decimal | None:
        """The used part, 1 for all of it; None where nothing uses it up."""
        if self.used is None:
            return None
        if self.limit <= 0:
            return Decimal(1)
        return self.used / self.limit


@dataclass(frozen=True, slots=True)
class UsualSpread:
    """A book's own usual spread, in pUSD per share; None while it was not seen for long enough."""

    spread: Decimal | None


def any_meets(
    orders: Iterable[OwnOrder], asset_id: AssetId, other: AssetId, side: Side, worst: Price
) -> OwnOrder | None:
    """The first of our orders that an order down or up to `worst` could trade with."""
    return next((each for each in orders if each.meets(asset_id, other, side, worst)), None)
