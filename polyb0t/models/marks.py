"""What shares could be sold for: the bid now, else the last good one with its age."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from polyb0t.core.ids import AssetId
from polyb0t.core.units import ZERO, Price, Pusd
from polyb0t.models.portfolio import Position

FRESH_SECONDS: Final = 60.0  # older is stale, and whatever is concluded from it says so


@dataclass(frozen=True, slots=True)
class Mark:
    """pUSD per share, and when it was a price. `final`: a resolved market pays it, so it never ages."""

    price: Price
    at: datetime
    final: bool = False

    def age_seconds(self, now: datetime) -> float:
        return 0.0 if self.final else max(0.0, (now - self.at).total_seconds())


@dataclass(frozen=True, slots=True)
class Marks:
    """The last good mark of each asset."""

    by_asset: Mapping[AssetId, Mark] = field(default_factory=dict)

    def after(self, seen: Mapping[AssetId, Mark], held: Iterable[AssetId]) -> "Marks":
        """With what was just seen; assets that are not held any more are forgotten.

        A side of a book that is empty is no price: whoever quoted may be back in a second, and a
        holding that is worth nothing for a second is no loss.
        """
        kept = {}
        for asset in held:
            old, new = self.by_asset.get(asset), seen.get(asset)
            newest = new if old is None or (new is not None and new.at >= old.at) else old
            if newest is not None:
                kept[asset] = newest
        return Marks(kept)

    def stale(self, held: Iterable[AssetId], now: datetime) -> dict[AssetId, float | None]:
        """The age of each mark that is not fresh; None where there never was one."""
        found: dict[AssetId, float | None] = {}
        for asset in held:
            mark = self.by_asset.get(asset)
            age = None if mark is None else mark.age_seconds(now)
            if age is None or age > FRESH_SECONDS:
                found[asset] = age
        return found

    def value(self, positions: Iterable[Position]) -> Pusd:
        """What they would bring; without any mark, what they cost."""
        worth: Decimal = ZERO
        for position in positions:
            mark = self.by_asset.get(position.asset_id)
            worth += position.cost if mark is None else position.shares * mark.price
        return Pusd(worth)
