"""A market while the world runs: its book, its tape, and the views that readers get of them."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from polyb0t.sandbox.exchange import Book, Ladder
from polyb0t.sandbox.settlement import Trade
from polyb0t.sandbox.types import MILLION, NO, YES, BookView, MarketSpec, MarketView

TAPE_LENGTH: Final = 25
HISTORY_LENGTH: Final = 288  # a day of five-minute samples
HISTORY_STEP_MS: Final = 300_000
OLDER_LENGTH: Final = 168  # and before that a week of hours
_HOUR_MS: Final = 3_600_000


@dataclass(slots=True)
class Market:
    """What changes about a market, and its book. Prices are of the first outcome."""

    spec: MarketSpec
    tick: int
    changed_ms: int
    book: Book = field(default_factory=Book)
    accepting: bool = True
    opened_ms: int = 0  # when this world first knew it
    payouts: tuple[int, int] | None = None
    closed_ms: int | None = None
    proposed: tuple[int, int] | None = None  # payouts that wait to become the result
    disputes: int = 0
    stands_ms: int | None = None  # when what is proposed becomes the result
    last_price: int | None = None
    volume: int = 0
    hours: dict[int, int] = field(default_factory=dict)  # hour since 1970 -> pUSD traded
    sequence: int = 0
    tape: deque[Trade] = field(default_factory=lambda: deque(maxlen=TAPE_LENGTH))
    history: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=HISTORY_LENGTH))
    older: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=OLDER_LENGTH))
    _views: list[BookView | None] = field(default_factory=lambda: [None, None])
    _seen: tuple[tuple[object, ...], MarketView] | None = None

    def touch(self, now_ms: int) -> None:
        """The book or the terms changed."""
        self.sequence += 1
        self.changed_ms = now_ms
        self._views[YES] = self._views[NO] = None

    def traded(self, pusd_e6: int, price: int, now_ms: int) -> None:
        """Count a trade of `pusd_e6` at `price` of the first outcome."""
        hour = now_ms // _HOUR_MS
        self.last_price = price
        self.volume += pusd_e6
        self.hours[hour] = self.hours.get(hour, 0) + pusd_e6
        for old in [key for key in self.hours if key <= hour - 24]:
            del self.hours[old]

    def midpoint(self) -> int | None:
        """Half-way between the best prices, or `None` without both."""
        bid, ask = self.book.bids.best, self.book.asks.best
        return None if bid is None or ask is None else (bid + ask) // 2

    def mark(self, outcome: int) -> int:
        """What one share is worth: payout, midpoint, last trade, or one half."""
        if self.payouts is not None:
            return self.payouts[outcome]
        middle = self.midpoint()
        value = middle if middle is not None else self.last_price
        if value is None:
            value = MILLION // 2
        return value if outcome == YES else MILLION - value

    def sample(self, now_ms: int) -> None:
        """Keep the midpoint for the history, at most once in five minutes."""
        middle = self.midpoint()
        if middle is None or (self.history and now_ms - self.history[-1][0] < HISTORY_STEP_MS):
            return
        if len(self.history) == HISTORY_LENGTH:
            leaving = self.history[0]
            if not self.older or leaving[0] - self.older[-1][0] >= _HOUR_MS:
                self.older.append(leaving)
        self.history.append((now_ms, middle))

    def view(self, now_ms: int) -> MarketView:
        """The market for a reader; the same object until something changes, or an hour of volume ends."""
        hour = now_ms // _HOUR_MS
        mark = (hour, self.sequence, self.volume, self.accepting, self.payouts, self.last_price, self.tick)
        if self._seen is None or self._seen[0] != mark:
            self._seen = (mark, self._view(hour - 24))
        return self._seen[1]

    def _view(self, since: int) -> MarketView:
        return MarketView(
            spec=self.spec,
            tick_e6=self.tick,
            accepting=self.accepting,
            closed=self.payouts is not None,
            payouts_e6=self.payouts,
            closed_ms=self.closed_ms,
            proposed_e6=self.proposed,
            disputes=self.disputes,
            stands_ms=self.stands_ms,
            best_bid_e6=self.book.bids.best,
            best_ask_e6=self.book.asks.best,
            last_price_e6=self.last_price,
            volume_e6=self.volume,
            volume_24h_e6=sum(pusd for hour, pusd in self.hours.items() if hour > since),
            liquidity_e6=_value(self.book.bids) + _value(self.book.asks),
            updated_ms=self.changed_ms,
        )

    def book_view(self, outcome: int) -> BookView:
        """One outcome's book; the same object until something changes."""
        view = self._views[outcome]
        if view is None:
            view = self._views[outcome] = self._book_view(outcome)
        return view

    def _book_view(self, outcome: int) -> BookView:
        bids, asks = self.book.bids, self.book.asks
        if outcome == YES:
            bid_levels = tuple((price, bids.totals[price]) for price in bids.prices)
            ask_levels = tuple((price, asks.totals[price]) for price in reversed(asks.prices))
        else:
            bid_levels = tuple((MILLION - price, asks.totals[price]) for price in reversed(asks.prices))
            ask_levels = tuple((MILLION - price, bids.totals[price]) for price in bids.prices)
        last = self.last_price
        return BookView(
            condition_id=self.spec.condition_id,
            token_id=self.spec.token_ids[outcome],
            timestamp_ms=self.changed_ms,
            sequence=self.sequence,
            bids=bid_levels,
            asks=ask_levels,
            tick_e6=self.tick,
            min_size_e6=self.spec.min_size_e6,
            neg_risk=self.spec.neg_risk,
            last_price_e6=last if last is None or outcome == YES else MILLION - last,
            version=self.spec.version,
        )


def _value(ladder: Ladder) -> int:
    """pUSD that the orders of a side would put up."""
    if ladder.bid:
        return sum(price * total for price, total in ladder.totals.items()) // MILLION
    return sum((MILLION - price) * total for price, total in ladder.totals.items()) // MILLION
