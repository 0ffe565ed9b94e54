"""Markets as the catalogue describes them, and the port that delivers them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from polyb0t.core.ids import AssetId, ConditionId, EventId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.order_book import OrderBook


class ProtocolVersion(StrEnum):
    """Which ledger and exchange contract a market lives on; anything else is refused."""

    V1 = "v1"
    V2 = "v2"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One side of a binary market and the id under which it trades."""

    label: str
    asset_id: AssetId


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """Taker fee in pUSD = shares x rate x (p x (1 - p)) ** exponent, at fill price p; makers pay none."""

    rate: Decimal
    exponent: Decimal
    taker_only: bool = True


@dataclass(frozen=True, slots=True)
class TradingTerms:
    """What the exchange itself says about trading a market (`/clob-markets/{condition}`)."""

    condition_id: ConditionId
    tick: Price
    min_shares: Shares
    fee: FeeSchedule | None  # None: the exchange gave no schedule, so a fee may be unknown
    taker_delay_seconds: int
    neg_risk: bool
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class Market:
    """A binary market as the catalogue described it at `observed_at`. Prices here are indicative."""

    market_id: str
    condition_id: ConditionId
    question: str
    slug: str
    page_url: str
    category: str  # lower case; "" when the catalogue gives none
    tags: tuple[str, ...]
    event_id: EventId | None
    event_title: str
    outcomes: tuple[Outcome, Outcome]
    version: ProtocolVersion
    neg_risk: bool
    active: bool
    closed: bool
    archived: bool
    accepting_orders: bool
    order_book_enabled: bool
    end_date: datetime | None  # scheduled end; neither resolution nor a trading cut-off
    game_start: datetime | None
    tick: Price | None
    min_shares: Shares | None
    fees_enabled: bool | None
    fee: FeeSchedule | None
    taker_delay_seconds: int
    liquidity_pusd: Pusd | None
    volume_24h_pusd: Pusd | None
    best_bid: Price | None
    best_ask: Price | None
    resolution_source: str
    resolution_status: str  # "" when nothing has been proposed
    rules_text: str
    rules_hash: str  # SHA-256 of rules_text
    observed_at: datetime
    placeholder: bool = False  # its outcome has no name of its own yet: "Person B", "Other"
    opened_at: datetime | None = None

    @property
    def trade_ready(self) -> bool:
        """Open, unarchived, with a book that takes orders."""
        return (
            self.active
            and not self.closed
            and not self.archived
            and self.accepting_orders
            and self.order_book_enabled
        )

    @property
    def named_sides(self) -> bool:
        """Whether its outcomes are names (two teams) in place of yes and no."""
        return {each.label.strip().lower() for each in self.outcomes} != {"yes", "no"}

    def outcome(self, asset_id: AssetId) -> Outcome:
        """The side that trades under `asset_id`.

        Raises:
            KeyError: the asset is not one of this market's.
        """
        for outcome in self.outcomes:
            if outcome.asset_id == asset_id:
                return outcome
        raise KeyError(asset_id)

    def opposite(self, asset_id: AssetId) -> Outcome:
        """The other side."""
        first, second = self.outcomes
        return second if self.outcome(asset_id) is first else first


@dataclass(frozen=True, slots=True)
class SkippedMarket:
    """A catalogue row that was not understood: skipped, counted and named, never guessed at."""

    name: str  # slug, id or position in the page
    reason: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One full read of the catalogue."""

    markets: tuple[Market, ...]
    skipped: tuple[SkippedMarket, ...]
    observed_at: datetime


class MarketProvider(Protocol):
    """Where markets, their terms and their books come from.

    Raises (every method):
        VenueUnreachableError: no usable answer; an answer is never made up.
    """

    def catalogue(self) -> Catalogue: ...

    def terms(self, condition_ids: Sequence[ConditionId]) -> Mapping[ConditionId, TradingTerms]:
        """Terms by market; a market that the exchange does not know yet is missing."""
        ...

    def books(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, OrderBook]:
        """Books by asset, read now; an asset without a book is missing."""
        ...
