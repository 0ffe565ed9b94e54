"""Where the prices of watched markets have come from: kept while an engine runs, and filled from the
exchange's own history of them, which is what a model was fitted on.

A memory is whole or it is not used. It begins with the first look at a market, so at a start there is a week
of which nothing is known; what the exchange tells of that week is put in between. A break in looking is a
break in the memory. Who asks gets every price inside the window, or nothing at all.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from polyb0t.core.clock import from_microseconds, microseconds
from polyb0t.core.ids import ConditionId
from polyb0t.data.markets import Market
from polyb0t.models.signals import MarketState
from polyb0t.research.features.series import HOUR_US, Series

FRESH: Final = timedelta(minutes=1)  # an older book is not now's price
EVERY_US: Final = HOUR_US
# A history of the exchange has a price every six hours; a longer break would be one in what was fitted on.
MOST_BREAK_US: Final = 7 * HOUR_US
_READ_AGAIN_US: Final = 6 * HOUR_US
_MILLION: Final = 1_000_000


@dataclass(slots=True)
class Remembered:
    """The prices of one market for as long as `window_us`, looked at without a break from `since_us` on."""

    window_us: int
    since_us: int
    at: "array[int]" = field(default_factory=lambda: array("q"))
    prices: "array[float]" = field(default_factory=lambda: array("d"))
    series: Series = field(default_factory=Series)
    seen_us: int = 0

    def add(self, at_us: int, price: float | None) -> None:
        """The price of now; what is older than any window goes. A clock that was set back adds nothing."""
        self.seen_us = at_us
        if price is not None and (not self.at or at_us > self.at[-1]):
            self.at.append(at_us)
            self.prices.append(price)
        self._keep(at_us)

    def put_between(self, points: Iterable[tuple[int, float]]) -> None:
        """Prices of before, each with the instant from which it was known, among those that were seen."""
        known = dict(zip(self.at, self.prices, strict=True))
        known.update(points)
        self.at = array("q", sorted(known))
        self.prices = array("d", (known[at] for at in self.at))
        self._keep(self.seen_us)

    def _keep(self, now_us: int) -> None:
        old = bisect_left(self.at, now_us - self.window_us)
        self.at, self.prices = self.at[old:], self.prices[old:]
        self.series = Series(self.at, self.prices)


class PriceMemory:
    """Prices of `window_us` by market. `observe` and `of` are called by the cycle's thread, `unread` and
    `told` by that of who reads the exchange's history."""

    def __init__(self, window_us: int) -> None:
        self._window_us = window_us
        self._markets: dict[ConditionId, Market] = {}
        self._past: dict[ConditionId, Remembered] = {}
        self._read_us: dict[ConditionId, int] = {}
        self._slot = -1
        self._lock = Lock()

    def observe(self, states: Sequence[MarketState]) -> None:
        """One more price of each market, once an hour. All states are of one instant."""
        if not states:
            return
        now_us = microseconds(states[0].now)
        with self._lock:
            new = [each for each in states if each.market.condition_id not in self._past]
            due = states if now_us // EVERY_US != self._slot else new
            self._slot = now_us // EVERY_US
            for state in due:
                self._see(state, now_us)
            self._forget(now_us)

    def _see(self, state: MarketState, now_us: int) -> None:
        condition = state.market.condition_id
        past = self._past.setdefault(condition, Remembered(self._window_us, now_us, seen_us=now_us))
        if now_us - past.seen_us > MOST_BREAK_US:
            past.since_us = now_us
            self._read_us.pop(condition, None)
        past.add(now_us, mid_of(state))
        self._markets[condition] = state.market

    def _forget(self, now_us: int) -> None:
        """What nobody watches any more goes after a day."""
        gone = [name for name, past in self._past.items() if now_us - past.seen_us > 24 * HOUR_US]
        for name in gone:
            del self._past[name], self._markets[name]
            self._read_us.pop(name, None)

    def unread(self, now: datetime) -> tuple[Market, ...]:
        """Watched markets of which the exchange's history was not read in the last six hours."""
        now_us = microseconds(now)
        with self._lock:
            return tuple(
                market
                for condition, market in self._markets.items()
                if now_us - self._past[condition].seen_us <= MOST_BREAK_US
                and now_us - self._read_us.get(condition, -_READ_AGAIN_US) >= _READ_AGAIN_US
            )

    def wanted_since(self, now: datetime) -> datetime:
        """From when on a history has to be read: the window and what lies in it at its next reading."""
        return from_microseconds(microseconds(now) - self._window_us - 2 * _READ_AGAIN_US)

    def told(
        self, market: Market, points: Iterable[tuple[int, int]], since: datetime, read_at: datetime
    ) -> None:
        """The exchange's prices of `market` from `since` on, as they were read at `read_at`: microseconds
        from which each was known, and millionths.

        A price of a stretch of time that had not ended when it was read is left out: it is not the one that
        will stand there.
        """
        since_us, read_us = microseconds(since), microseconds(read_at)
        usable = [(at, e6 / _MILLION) for at, e6 in points if since_us <= at <= read_us and 0 < e6 < _MILLION]
        with self._lock:
            past = self._past.get(market.condition_id)
            if past is None or past.since_us > read_us:
                return  # forgotten, or begun anew while it was read
            past.put_between(usable)
            past.since_us = min(past.since_us, since_us)
            self._read_us[market.condition_id] = read_us

    def of(self, market: Market, now: datetime) -> Series | None:
        """The prices of `market` inside the window before `now`, or since it opened; None where a part of
        that was not looked at, or where nobody told when it opened."""
        now_us = microseconds(now)
        if market.opened_at is None:
            return None
        begins_us = max(now_us - self._window_us, microseconds(market.opened_at))
        with self._lock:
            past = self._past.get(market.condition_id)
            if past is None or now_us - past.seen_us > MOST_BREAK_US:
                return None
            whole = past.since_us <= begins_us + MOST_BREAK_US
            return past.series.cut(now_us - self._window_us, now_us) if whole else None


def mid_of(state: MarketState) -> float | None:
    """The middle of the first outcome's book; None where that is not known now."""
    book = state.books[0]
    if book is None or book.mid is None or state.now - book.observed_at > FRESH:
        return None
    return float(book.mid)
