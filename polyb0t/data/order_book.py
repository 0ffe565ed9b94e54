"""An order book as observed: best level first on both sides."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import ZERO, Price, Pusd, Shares


class Side(StrEnum):
    """What we do."""

    BUY = "BUY"
    SELL = "SELL"


class Level(NamedTuple):
    """Shares on offer at one price."""

    price: Price
    shares: Shares


class Walk(NamedTuple):
    """What taking from a book would give: shares, pUSD without fees, the last price touched."""

    shares: Shares
    notional: Pusd
    last_price: Price | None

    @property
    def average(self) -> Price | None:
        return Price(self.notional / self.shares) if self.shares else None


@dataclass(frozen=True, slots=True)
class OrderBook:
    """Bids fall, asks rise: the best level is the first of each. `observed_at` is our clock."""

    asset_id: AssetId
    condition_id: ConditionId
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    tick: Price | None
    min_shares: Shares | None
    neg_risk: bool | None
    last_trade_price: Price | None
    hash: str
    venue_time: datetime | None
    observed_at: datetime

    @property
    def best_bid(self) -> Price | None:
        return self.bids[0].price if self.bids else None

    @property
    def best_ask(self) -> Price | None:
        return self.asks[0].price if self.asks else None

    @property
    def spread(self) -> Decimal | None:
        """In pUSD per share; None for a one-sided book."""
        if self.bids and self.asks:
            return self.asks[0].price - self.bids[0].price
        return None

    @property
    def mid(self) -> Decimal | None:
        """Half way between the best prices; None for a one-sided book."""
        if self.bids and self.asks:
            return (self.asks[0].price + self.bids[0].price) / 2
        return None

    def age_seconds(self, now: datetime) -> float:
        return (now - self.observed_at).total_seconds()

    def offers(self, side: Side) -> tuple[Level, ...]:
        """The levels that somebody who does `side` takes from, best first."""
        return self.asks if side is Side.BUY else self.bids

    def depth(self, side: Side, worst: Price) -> Shares:
        """Shares that `side` could take at `worst` or better."""
        return Shares(sum((level.shares for level in self._within(side, worst)), ZERO))

    def take_shares(self, side: Side, shares: Shares, worst: Price) -> Walk:
        """Walk the book for up to `shares` at `worst` or better."""
        got, money, last = ZERO, ZERO, None
        for level in self._within(side, worst):
            part = min(level.shares, shares - got)
            if part <= 0:
                break
            got, money, last = got + part, money + part * level.price, level.price
        return Walk(Shares(got), Pusd(money), last)

    def spend(self, amount: Pusd, worst: Price) -> Walk:
        """Walk the asks with `amount` of pUSD (fees not counted) at `worst` or better."""
        got, money, last = ZERO, ZERO, None
        for level in self._within(Side.BUY, worst):
            part = min(level.shares, (amount - money) / level.price)
            if part <= 0:
                break
            got, money, last = got + part, money + part * level.price, level.price
        return Walk(Shares(got), Pusd(money), last)

    def _within(self, side: Side, worst: Price) -> tuple[Level, ...]:
        if side is Side.BUY:
            return tuple(level for level in self.asks if level.price <= worst)
        return tuple(level for level in self.bids if level.price >= worst)
