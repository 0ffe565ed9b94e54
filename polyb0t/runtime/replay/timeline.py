"""The state of a history at an instant: books in whole millionths, markets, terms, ends.

Events are read as they fall due and never ahead of time, except that the instant of the next one is known.
A book that was shown stands until the next one of its asset, or until the history says that nobody looked
at it any more; how long that is, is the history's to say, and it says it in its assumptions. Only a book
that is asked for becomes an `OrderBook`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from polyb0t.core.clock import from_microseconds
from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import Price, Shares, from_e6
from polyb0t.data.markets import Market, TradingTerms
from polyb0t.data.order_book import Level, OrderBook
from polyb0t.data.outside_views import OutsideView
from polyb0t.research.replay.events import (
    BookLost,
    BookShown,
    Event,
    Graded,
    LevelChanged,
    LevelE6,
    MarketTold,
    Resolved,
    TermsTold,
    Traded,
    ViewTold,
)

Heard = Callable[[Traded], None]
_PRICES: Final[dict[int, Price]] = {}  # of every price there is, made once


class _Shown:
    """One asset's book: as it was shown, or, once a level has changed since, shares by price."""

    __slots__ = ("asks", "bids", "event", "levels", "made", "made_of", "shown_us", "traded_e6")

    def __init__(self, event: BookShown) -> None:
        self.traded_e6: int | None = None
        self.show(event)

    def show(self, event: BookShown) -> None:
        self.event = event
        self.bids: dict[int, int] | None = None
        self.asks: dict[int, int] | None = None
        self.shown_us = event.at_us
        self.levels: dict[LevelE6, Level] = {}  # those of the last `OrderBook`: most of them stay
        self.made: OrderBook | None = None
        self.made_of: TradingTerms | None = None

    def change(self, event: LevelChanged) -> None:
        bids, asks = self.bids, self.asks
        if bids is None or asks is None:
            bids = self.bids = dict(self.event.bids)
            asks = self.asks = dict(self.event.asks)
        side = bids if event.is_bid else asks
        if event.shares_e6 > 0:
            side[event.price_e6] = event.shares_e6
        else:
            side.pop(event.price_e6, None)
        self.shown_us = event.at_us
        self.made = None

    def sides(self) -> tuple[Sequence[LevelE6], Sequence[LevelE6]]:
        """Bids and asks, best first."""
        if self.bids is None or self.asks is None:
            return self.event.bids, self.event.asks
        return sorted(self.bids.items(), reverse=True), sorted(self.asks.items())

    @property
    def hash(self) -> str:
        return self.event.hash if self.bids is None and self.event.hash else f"{self.shown_us}"


class Timeline:
    """Moves forwards only. `heard` is told of every trade at its instant."""

    def __init__(self, events: Iterable[Event], heard: Heard = lambda _trade: None) -> None:
        self._events: Iterator[Event] = iter(events)
        self._next: Event | None = next(self._events, None)
        self.heard = heard
        self._books: dict[str, _Shown] = {}
        self._terms: dict[str, TradingTerms] = {}
        self._grades: dict[str, str] = {}  # by asset, where histories are mixed
        self._views: dict[str, dict[str, OutsideView]] = {}  # by condition and source, the newest
        self.markets: dict[ConditionId, Market] = {}
        self.open: dict[ConditionId, Market] = {}  # those that are not over
        self._market_of: dict[str, ConditionId] = {}  # by asset
        self.ended: dict[ConditionId, Resolved] = {}
        self.counts: Counter[str] = Counter()
        self.now_us = 0
        self.last_us = 0  # of the newest event that has come
        self.stood_us: int | None = None  # when any book stood last

    @property
    def next_us(self) -> int | None:
        """When the history speaks next; None when it is over."""
        return None if self._next is None else self._next.at_us

    @property
    def silent(self) -> bool:
        """Whether no book stands now: nobody looked."""
        return not self._books

    def advance(self, to_us: int) -> None:
        """Let everything happen that was known by then."""
        event, events, books, last = self._next, self._events, self._books, self.last_us
        levels = 0
        while event is not None and event.at_us <= to_us:
            if event.at_us < last:
                self.counts["events out of order"] += 1
            else:
                last = event.at_us
            if type(event) is LevelChanged:
                shown = books.get(event.asset)
                levels += 1
                if shown is None:
                    self.counts["changes of a book that was never shown"] += 1
                else:
                    shown.change(event)
            else:
                self._other(event)
            event = next(events, None)
        self.counts["level changes"] += levels
        self._next, self.last_us, self.now_us = event, last, max(self.now_us, to_us)
        if books:
            self.stood_us = self.now_us

    def _other(self, event: Event) -> None:
        if isinstance(event, BookShown):
            self._show(event)
        elif isinstance(event, Traded):
            shown = self._books.get(event.asset)
            if shown is not None:
                shown.traded_e6, shown.made = event.price_e6, None
            self.heard(event)
        elif isinstance(event, MarketTold):
            self._describe(event.market)
        elif isinstance(event, TermsTold):
            self._terms[event.terms.condition_id] = event.terms
        elif isinstance(event, Graded):
            self._grades[event.asset] = event.grade
        elif isinstance(event, ViewTold):
            self._hear(event.view)
        elif isinstance(event, BookLost):
            self._books.pop(event.asset, None)
        elif isinstance(event, Resolved):
            self._end(event)
        self.counts[type(event).__name__] += 1

    def _hear(self, view: OutsideView) -> None:
        by_source = self._views.setdefault(view.condition_id, {})
        before = by_source.get(view.source)
        if before is None or view.observed_at >= before.observed_at:
            by_source[view.source] = view

    def _show(self, event: BookShown) -> None:
        if event.condition in self.ended:
            return  # a market that is over has no book
        shown = self._books.get(event.asset)
        if shown is None:
            self._books[event.asset] = _Shown(event)
        else:
            shown.show(event)

    def _describe(self, market: Market) -> None:
        condition = market.condition_id
        self.markets[condition] = market
        self._market_of.update((outcome.asset_id, condition) for outcome in market.outcomes)
        if condition not in self.ended:
            self.open[condition] = market

    def _end(self, event: Resolved) -> None:
        condition = ConditionId(event.condition)
        self.ended[condition] = event
        market = self.open.pop(condition, None)
        for outcome in market.outcomes if market is not None else ():
            self._books.pop(outcome.asset_id, None)

    # -- what is known now -----------------------------------------------------------------------

    def terms(self, condition: ConditionId) -> TradingTerms | None:
        return self._terms.get(condition)

    def grade(self, asset: AssetId) -> str | None:
        """Of the history that shows this book; None where there is one history only."""
        return self._grades.get(asset)

    def views(self, condition: ConditionId) -> tuple[OutsideView, ...]:
        """The newest view of each source, however old, by source."""
        found = self._views.get(condition)
        return () if found is None else tuple(found[source] for source in sorted(found))

    def end_of(self, asset: AssetId) -> tuple[Market, Resolved] | None:
        """The market of an outcome and its end; None while it has not ended."""
        condition = self._market_of.get(asset)
        end = None if condition is None else self.ended.get(condition)
        return None if end is None or condition is None else (self.markets[condition], end)

    def touch(self, asset: AssetId) -> tuple[Price | None, Price | None] | None:
        """Best bid and best ask; None where there is no book now."""
        shown = self._books.get(asset)
        if shown is None:
            return None
        bids, asks = shown.sides()
        return (_price(bids[0][0]) if bids else None, _price(asks[0][0]) if asks else None)

    def book(self, asset: AssetId) -> OrderBook | None:
        """The book as it stands now; None where there is none, or where its sides cross."""
        shown = self._books.get(asset)
        if shown is None:
            return None
        terms, made = self._terms.get(shown.event.condition), shown.made
        seen = from_microseconds(self.now_us)
        if made is not None and shown.made_of is terms:
            if made.observed_at != seen:
                shown.made = made = _seen_again(made, seen)
            return made
        bids, asks = shown.sides()
        if bids and asks and bids[0][0] >= asks[0][0]:
            self.counts["books whose sides crossed, not used"] += 1
            return None
        shown.made, shown.made_of = _book(asset, shown, terms, seen), terms
        return shown.made


def _book(asset: AssetId, shown: _Shown, terms: TradingTerms | None, seen: datetime) -> OrderBook:
    traded, told = shown.traded_e6, shown.event
    bids, asks = shown.sides()
    known, shown.levels = shown.levels, {}
    return OrderBook(
        asset_id=asset,
        condition_id=ConditionId(told.condition),
        bids=_levels(bids, known, shown.levels),
        asks=_levels(asks, known, shown.levels),
        tick=terms.tick if terms is not None else None,
        min_shares=terms.min_shares if terms is not None else None,
        neg_risk=terms.neg_risk if terms is not None else None,
        last_trade_price=None if traded is None else _price(traded),
        hash=shown.hash,
        venue_time=None if told.venue_us is None else from_microseconds(told.venue_us),
        observed_at=seen,
    )


def _seen_again(book: OrderBook, seen: datetime) -> OrderBook:
    """The same book, confirmed later."""
    return OrderBook(
        book.asset_id,
        book.condition_id,
        book.bids,
        book.asks,
        book.tick,
        book.min_shares,
        book.neg_risk,
        book.last_trade_price,
        book.hash,
        book.venue_time,
        seen,
    )


def _levels(
    side: Sequence[LevelE6], known: Mapping[LevelE6, Level], used: dict[LevelE6, Level]
) -> tuple[Level, ...]:
    """The levels of one side, those that are `known` not made again; all of them are noted in `used`."""
    for level in side:
        used[level] = known.get(level) or Level(_price(level[0]), Shares(from_e6(level[1])))
    return tuple(map(used.__getitem__, side))


def _price(price_e6: int) -> Price:
    price = _PRICES.get(price_e6)
    if price is None:
        price = _PRICES[price_e6] = Price(Decimal(price_e6).scaleb(-6).normalize())
    return price
