"""Live books: what the stream has told, kept only as long as nothing was missed.

The stream has no sequence numbers, so a book is trusted from its snapshot until the first doubt: a
gap, a change of the price grid, or best prices that differ from those the exchange states. A book
in doubt is not handed out; only a new snapshot ends the doubt.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from polyb0t.core.clock import Clock
from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price, Shares
from polyb0t.data.order_book import Level, OrderBook, Side
from polyb0t.venue.frames import BookSnapshot, Event, LastTrade, LevelChange, PriceChange, TickChange

NEVER_SEEN: Final = "no snapshot yet"


@dataclass(slots=True)
class _Live:
    """One asset. `sides` exist from the first change on: most books of a cycle never see one."""

    base: OrderBook
    checked_at: datetime  # the last snapshot, or the last one that could not be placed
    sides: dict[Side, dict[Price, Shares]] | None = None
    built: OrderBook | None = None
    doubt: str = ""
    overtook: datetime | None = None  # set for a snapshot by HTTP, which may overtake the stream
    new_tick: Price | None = None  # after a change of the grid: what the next snapshot must be on


@dataclass(frozen=True, slots=True)
class CacheStatistics:
    """Counts since the start. `mismatches` are books that turned out wrong, or may have."""

    books: int
    in_doubt: int
    snapshots: int
    changes: int
    mismatches: int
    outdated: int  # answers that were older than what the stream had told
    newest_confirmation: datetime | None


@dataclass(slots=True)
class _Counts:
    snapshots: int = 0
    changes: int = 0
    mismatches: int = 0
    outdated: int = 0
    newest: datetime | None = None


class BookCache:
    """Books by asset, written by the stream's threads and read by the cycle."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._live: dict[AssetId, _Live] = {}
        self._last_told: dict[AssetId, datetime] = {}
        self._counts = _Counts()

    def get(self, asset_id: AssetId) -> OrderBook | None:
        """The book, or None when there is none or it is in doubt."""
        with self._lock:
            live = self._live.get(asset_id)
            return None if live is None or _doubt_of(live) else _value(live)

    def fresh(self, asset_ids: Iterable[AssetId], max_age_seconds: float) -> dict[AssetId, OrderBook]:
        """Those of the books that are in no doubt and were confirmed within `max_age_seconds`."""
        now = self._clock.now()
        found: dict[AssetId, OrderBook] = {}
        with self._lock:
            for asset_id in asset_ids:
                book = self.get(asset_id)
                if book is not None and 0 <= book.age_seconds(now) <= max_age_seconds:
                    found[asset_id] = book
        return found

    def doubts(self, asset_ids: Iterable[AssetId]) -> Mapping[AssetId, str]:
        """Assets that need a snapshot, with the reason."""
        with self._lock:
            lives = ((asset_id, self._live.get(asset_id)) for asset_id in asset_ids)
            return {
                asset_id: NEVER_SEEN if live is None else _doubt_of(live)
                for asset_id, live in lives
                if live is None or _doubt_of(live)
            }

    def apply(self, event: Event) -> None:
        """One event of the stream, in the order in which it came."""
        with self._lock:
            match event:
                case BookSnapshot(book):
                    self._replace(book)
                case PriceChange():
                    self._change(event)
                case TickChange(asset_id, new_tick, _):
                    self._regrid(asset_id, new_tick)
                case LastTrade(asset_id, price, _):
                    self._traded(asset_id, price)
                case _:
                    pass

    def overdue(self, asset_ids: Iterable[AssetId], seconds: float) -> list[AssetId]:
        """Books in no doubt whose last snapshot is older than `seconds`, the longest unchecked first."""
        now = self._clock.now()
        with self._lock:
            lives = ((asset_id, self._live.get(asset_id)) for asset_id in asset_ids)
            ages = [
                ((now - live.checked_at).total_seconds(), asset_id)
                for asset_id, live in lives
                if live is not None and not live.doubt
            ]
        return [asset_id for age, asset_id in sorted(ages, reverse=True) if age > seconds]

    def put(self, book: OrderBook) -> bool:
        """A snapshot read over HTTP. False when it is not taken.

        It is not where the stream told of later changes, nor, without a time of the exchange, where
        the stream told anything: it can not be placed among the messages. One that contradicts the
        stream at the same time puts the book in doubt: within that millisecond either may be right,
        and the next snapshot decides.
        """
        with self._lock:
            live = self._live.get(book.asset_id)
            told = self._last_told.get(book.asset_id)
            if told is not None and (book.venue_time is None or book.venue_time < told):
                return self._outdated(live)
            if live is not None and live.new_tick is not None and book.tick not in (None, live.new_tick):
                return self._outdated(live)
            if live is not None and not live.doubt and book.venue_time == told and _differs(live, book):
                self._counts.mismatches += 1
                live.doubt = "a cross-check showed another book"
                return False
            self._replace(book)
            self._live[book.asset_id].overtook = book.venue_time
            return True

    def mark_stale(self, asset_ids: Iterable[AssetId], reason: str) -> None:
        """After a gap: nothing known of these books is believed until a snapshot comes."""
        with self._lock:
            for asset_id in asset_ids:
                self._doubt(asset_id, reason)

    def forget(self, asset_ids: Iterable[AssetId]) -> None:
        """Assets that nobody watches any more."""
        with self._lock:
            for asset_id in asset_ids:
                self._live.pop(asset_id, None)
                self._last_told.pop(asset_id, None)

    def statistics(self) -> CacheStatistics:
        with self._lock:
            counts = self._counts
            return CacheStatistics(
                books=len(self._live),
                in_doubt=sum(1 for live in self._live.values() if _doubt_of(live)),
                snapshots=counts.snapshots,
                changes=counts.changes,
                mismatches=counts.mismatches,
                outdated=counts.outdated,
                newest_confirmation=counts.newest,
            )

    def _outdated(self, live: _Live | None) -> bool:
        self._counts.outdated += 1
        if live is not None:
            live.checked_at = self._clock.now()
        return False

    def _replace(self, book: OrderBook) -> None:
        self._told(book.asset_id, book.venue_time)
        self._live[book.asset_id] = _Live(book, book.observed_at)
        self._counts.snapshots += 1
        self._confirm(book.observed_at)

    def _change(self, event: PriceChange) -> None:
        now = self._clock.now()
        last: dict[AssetId, LevelChange] = {}
        for change in event.changes:
            self._told(change.asset_id, event.venue_time)
            live = self._live.get(change.asset_id)
            if live is None or live.doubt or _already_in(live, event.venue_time):
                continue
            _set_level(live, change, event.venue_time, now)
            last[change.asset_id] = change
        for asset_id, change in last.items():
            self._check(self._live[asset_id], change)
        self._counts.changes += len(event.changes)
        self._confirm(now)

    def _check(self, live: _Live, change: LevelChange) -> None:
        """Our best prices against those that the exchange states after its change."""
        sides = _sides(live)
        bid, ask = max(sides[Side.BUY], default=None), min(sides[Side.SELL], default=None)
        if change.states_best and (bid, ask) != (change.best_bid, change.best_ask):
            self._counts.mismatches += 1
            live.doubt = "its best prices differ from those the exchange states"

    def _traded(self, asset_id: AssetId, price: Price) -> None:
        live = self._live.get(asset_id)
        if live is not None:
            live.base = replace(live.base, last_trade_price=price)
            live.built = None

    def _regrid(self, asset_id: AssetId, new_tick: Price) -> None:
        live = self._live.get(asset_id)
        if live is not None:
            live.new_tick = new_tick
            self._doubt(asset_id, f"the tick changed to {new_tick:f}")

    def _doubt(self, asset_id: AssetId, reason: str) -> None:
        live = self._live.get(asset_id)
        if live is not None and not live.doubt:
            live.doubt = reason

    def _told(self, asset_id: AssetId, venue_time: datetime | None) -> None:
        """Times never go back: a later, older message does not make an older answer acceptable."""
        known = self._last_told.get(asset_id)
        if venue_time is not None and (known is None or venue_time > known):
            self._last_told[asset_id] = venue_time

    def _confirm(self, instant: datetime) -> None:
        if self._counts.newest is None or instant > self._counts.newest:
            self._counts.newest = instant


def _set_level(live: _Live, change: LevelChange, venue_time: datetime | None, now: datetime) -> None:
    levels = _sides(live)[change.side]
    if change.size:
        levels[change.price] = change.size
    else:
        levels.pop(change.price, None)
    live.base = replace(
        live.base, observed_at=now, hash=change.hash, venue_time=venue_time or live.base.venue_time
    )
    live.built = None


def _already_in(live: _Live, venue_time: datetime | None) -> bool:
    """Whether a change is older than the snapshot that overtook it."""
    return venue_time is not None and live.overtook is not None and venue_time < live.overtook


def _doubt_of(live: _Live) -> str:
    """Why a book is not handed out, "" if it is. One match can arrive in several messages, so a book
    whose sides cross is held back only until they part again."""
    if live.doubt or live.sides is None:
        return live.doubt
    book = _value(live)
    crossed = book.bids and book.asks and book.bids[0].price >= book.asks[0].price
    return "its best bid is not below its best ask" if crossed else ""


def _sides(live: _Live) -> dict[Side, dict[Price, Shares]]:
    if live.sides is None:
        live.sides = {Side.BUY: dict(live.base.bids), Side.SELL: dict(live.base.asks)}
    return live.sides


def _value(live: _Live) -> OrderBook:
    if live.sides is None:
        return live.base
    if live.built is None:
        live.built = replace(
            live.base,
            bids=_levels(live.sides[Side.BUY], rising=False),
            asks=_levels(live.sides[Side.SELL], rising=True),
        )
    return live.built


def _levels(levels: Mapping[Price, Shares], *, rising: bool) -> tuple[Level, ...]:
    return tuple(Level(price, levels[price]) for price in sorted(levels, reverse=not rising))


def _differs(live: _Live, book: OrderBook) -> bool:
    known = _value(live)
    return known.bids != book.bids or known.asks != book.asks
