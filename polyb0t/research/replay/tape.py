"""The port of a history: its events, how good they are, and what was assumed to make them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from polyb0t.core.ids import AssetId
from polyb0t.data.order_book import OrderBook
from polyb0t.research.history.problems import Problems
from polyb0t.research.replay.events import Event


class Fidelity(StrEnum):
    """How near a history is to what an order would have met; a result is as good as its worst fill."""

    OWN_BOOKS = "A"  # books that we recorded ourselves
    BOUGHT_BOOKS = "B"  # books of somebody else, or only their best prices
    TRADES = "C"  # what others traded; the books around it are assumed
    PRICES = "D"  # prices alone; spread and depth are assumed. Good for calibration, not for results


@dataclass(frozen=True, slots=True)
class About:
    """A history in words and figures.

    `assumed` are sentences about what it does not say itself; `looks_ahead` about what in it was not known
    at its time: with one of those a result supports no claim.
    """

    name: str
    kind: str  # recorder, price_series, top_of_book, trades, past_markets
    fidelity: Fidelity
    data_hash: str  # SHA-256 over its files
    starts: datetime
    ends: datetime  # just after the last event
    markets: int
    assumed: tuple[str, ...]
    problems: Problems
    looks_ahead: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()  # who outside told a probability in it


class Sight(NamedTuple):
    """One question to the past: the book of an asset as it was known at an instant."""

    asset_id: AssetId
    at: datetime


class PastBooks(Protocol):
    """Books as they were known at instants behind us: for judging decisions, never for making them."""

    def books(self, sights: Sequence[Sight]) -> Mapping[Sight, OrderBook]:
        """The last book at or before each instant; missing where none was known within the day before it."""
        ...


class Tape(Protocol):
    """A history that can be replayed any number of times."""

    @property
    def about(self) -> About: ...

    def events(self, since: datetime, until: datetime) -> Iterator[Event]:
        """Every event in that time, by `at_us`, read as it goes: memory does not grow with the length.

        What was known before `since` (the market, its terms, its last book) comes first, at its own instant.
        """
        ...

    def past_books(self) -> PastBooks: ...
