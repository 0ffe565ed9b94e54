"""What the engine hands to the recorder: values that are never changed afterwards."""

from dataclasses import dataclass
from datetime import datetime

from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import Price, Shares
from polyb0t.data.markets import Market, TradingTerms
from polyb0t.data.order_book import OrderBook, Side
from polyb0t.data.outside_views import OutsideView


@dataclass(frozen=True, slots=True)
class FeatureSeen:
    """One feature of one market, as it was computed of what was known at `at`. A statistic and no money."""

    at: datetime
    asset_id: AssetId  # of the first outcome
    condition_id: ConditionId
    name: str  # with its version: spread.1
    value: float


@dataclass(frozen=True, slots=True)
class Observation:
    """What one cycle saw. Markets and terms are empty when they were not read anew."""

    at: datetime
    books: tuple[OrderBook, ...] = ()
    markets: tuple[Market, ...] = ()
    terms: tuple[TradingTerms, ...] = ()
    features: tuple[FeatureSeen, ...] = ()
    outside: tuple[OutsideView, ...] = ()  # the newest of each source on each market


@dataclass(frozen=True, slots=True)
class SeenTrade:
    """A trade of anybody's, as the market socket told it. Shares and side are None when not told."""

    asset_id: AssetId
    price: Price
    shares: Shares | None
    taker_side: Side | None
    venue_time: datetime | None
    observed_at: datetime
