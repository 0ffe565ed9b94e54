"""What a simulation has taken from books that do not know of it: shown shares are taken once, not twice.

A real book would have lost what we took. Here it goes on showing it, so what was taken at a level stays
taken for as long as the level shows at least that much; shares that come on top of it can be taken, and
a level that was gone is new when it comes back.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from polyb0t.core.ids import AssetId
from polyb0t.core.units import ONE, ZERO, Price, Shares
from polyb0t.data.order_book import Level, OrderBook, Side


class Place(NamedTuple):
    """One level as the side that takes from it sees it: a BUY takes asks, a SELL takes bids."""

    asset_id: AssetId
    side: Side
    price: Price


_NOTHING: Final[Mapping[Place, Shares]] = MappingProxyType({})
_NEVER: Final[Mapping[AssetId, datetime]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Taken:
    """Shares of each level that are on show and are no longer there for us. Never changed, only replaced."""

    at: Mapping[Place, Shares] = field(default_factory=lambda: _NOTHING)
    seen_at: Mapping[AssetId, datetime] = field(default_factory=lambda: _NEVER)

    def seen(self, book: OrderBook) -> "Taken":
        """After another look at one asset's book. A look that is older than the last one tells nothing."""
        last = self.seen_at.get(book.asset_id)
        if last is not None and book.observed_at < last:
            return self
        kept = {place: shares for place, shares in self.at.items() if place.asset_id != book.asset_id}
        for side in Side:
            for level in book.offers(side):
                place = Place(book.asset_id, side, level.price)
                still = min(self.at.get(place, ZERO), level.shares)
                if still > 0:
                    kept[place] = Shares(still)
        return Taken(kept, {**self.seen_at, book.asset_id: book.observed_at})

    def taken(self, asset_id: AssetId, side: Side, price: Price) -> Shares:
        """What `side` took at this price and is still on show."""
        return self.at.get(Place(asset_id, side, price), Shares(ZERO))

    def left(self, asset_id: AssetId, side: Side, level: Level) -> Shares:
        """What `side` may still take of a level as shown."""
        return Shares(max(ZERO, level.shares - self.taken(asset_id, side, level.price)))

    def plus(
        self, asset_id: AssetId, side: Side, levels: Iterable[Level], *, opposite: AssetId | None = None
    ) -> "Taken":
        """After `side` took these shares. An ask of one outcome at p is a bid of the other at 1 - p: it is
        the same order shown twice, so it is gone from both where the `opposite` outcome is known."""
        at = dict(self.at)
        other = Side.SELL if side is Side.BUY else Side.BUY
        for price, shares in levels:
            if not shares:
                continue
            places = [Place(asset_id, side, price)]
            if opposite is not None:
                places.append(Place(opposite, other, Price(ONE - price)))
            for place in places:
                at[place] = Shares(at.get(place, ZERO) + shares)
        return Taken(at, self.seen_at)
