"""Features of the watched markets while an engine runs: computed, recorded, shown, and used by nobody.

What is needed of the past is kept in a bounded memory: a price every five minutes for as long as the
longest window, and the last trades. It begins empty, so a feature is unknown until its window has passed.
Each cycle computes a share of the markets, all of them within those five minutes.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from polyb0t.core.clock import microseconds
from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.data.markets import Market
from polyb0t.data.order_book import Level, OrderBook, Side
from polyb0t.models.signals import MarketState
from polyb0t.models.themes import themes
from polyb0t.research.features.comovement import MOST_OTHERS
from polyb0t.research.features.feature import PointFeature, key
from polyb0t.research.features.momentum import DAY_US
from polyb0t.research.features.order_flow import LEVELS, MINUTE_US
from polyb0t.research.features.point_in_time import Book, PointInTime, Trade
from polyb0t.research.features.price_memory import FRESH, Remembered, mid_of
from polyb0t.research.features.registry import FEATURES, WINDOW_US
from polyb0t.research.features.series import HOUR_US, Series
from polyb0t.research.observing import FeatureSeen, SeenTrade

EVERY_US: Final = 5 * MINUTE_US
MOST_TRADES: Final = 2_000  # of one outcome; where an hour had more, its signed volume is not known
LEAST_EACH: Final = 10  # markets a cycle; with more than 200 it is a twentieth of them


class LiveFeatures:
    """`observe` is called by the cycle's thread, `traded` by the socket's."""

    def __init__(self) -> None:
        self._memory: dict[ConditionId, Remembered] = {}
        self._trades: dict[AssetId, deque[SeenTrade]] = {}
        self._slot = -1
        self._due: deque[ConditionId] = deque()
        self._event: Mapping[ConditionId, tuple[ConditionId, ...]] = {}
        self._theme: Mapping[ConditionId, tuple[ConditionId, ...]] = {}

    def traded(self, trade: SeenTrade) -> None:
        """A trade of anybody's."""
        self._trades.setdefault(trade.asset_id, deque(maxlen=MOST_TRADES)).append(trade)

    def observe(self, states: Sequence[MarketState]) -> tuple[FeatureSeen, ...]:
        """This cycle's share of all features. All states are of one instant."""
        if not states:
            return ()
        now_us = microseconds(states[0].now)
        if now_us // EVERY_US != self._slot:
            self._slot = now_us // EVERY_US
            self._remember(states, now_us)
        by_condition = {state.market.condition_id: state for state in states}
        found: list[FeatureSeen] = []
        for _ in range(min(len(self._due), max(LEAST_EACH, len(states) // 20))):
            state = by_condition.get(self._due.popleft())
            if state is not None:
                found.extend(self._of(state))
        return tuple(found)

    def _remember(self, states: Sequence[MarketState], now_us: int) -> None:
        """One more price of each market; what nobody watches any more is forgotten after a day."""
        for state in states:
            condition = state.market.condition_id
            memory = self._memory.setdefault(condition, Remembered(WINDOW_US, now_us))
            memory.add(now_us, mid_of(state))
        gone = [name for name, memory in self._memory.items() if now_us - memory.seen_us > DAY_US]
        for name in gone:
            del self._memory[name]
        kept = {outcome.asset_id for state in states for outcome in state.market.outcomes}
        for asset in [each for each in list(self._trades) if each not in kept]:
            self._trades.pop(asset, None)
        self._event, self._theme = _relatives([state.market for state in states])
        self._due = deque(state.market.condition_id for state in states)

    def _of(self, state: MarketState) -> Iterable[FeatureSeen]:
        view = self.view(state)
        first = state.market.outcomes[0].asset_id
        for feature in FEATURES:
            assert isinstance(feature, PointFeature)
            value = feature.of(view)
            if value is not None:
                yield FeatureSeen(state.now, first, state.market.condition_id, key(feature), value)

    def view(self, state: MarketState) -> PointInTime:
        """What is known of a market now."""
        market, now_us = state.market, microseconds(state.now)
        memory = self._memory.get(market.condition_id) or Remembered(WINDOW_US, now_us)
        book, ends = state.books[0], market.end_date
        return PointInTime(
            at_us=now_us,
            ends_us=None if ends is None else microseconds(ends),
            opens_us=None if market.opened_at is None else microseconds(market.opened_at),
            prices=memory.series,
            book=None if book is None or state.now - book.observed_at > FRESH else _book(book),
            trades=self._signed(market, now_us) if now_us - memory.since_us >= HOUR_US else None,
            event=self._series(self._event.get(market.condition_id, ())),
            theme=self._series(self._theme.get(market.condition_id, ())),
        )

    def _series(self, conditions: Iterable[ConditionId]) -> tuple[Series, ...]:
        return tuple(self._memory[each].series for each in conditions if each in self._memory)

    def _signed(self, market: Market, now_us: int) -> list[Trade] | None:
        """The last hour's trades; None where there were more than are kept."""
        found = []
        for outcome, sign in zip(market.outcomes, (1, -1), strict=True):
            kept = tuple(self._trades.get(outcome.asset_id, ()))
            recent = [each for each in kept if now_us - microseconds(each.observed_at) < HOUR_US]
            if len(recent) == MOST_TRADES:
                return None
            found += [_trade(each, sign) for each in recent]
        return sorted(found)


def _relatives(
    markets: Sequence[Market],
) -> tuple[Mapping[ConditionId, tuple[ConditionId, ...]], Mapping[ConditionId, tuple[ConditionId, ...]]]:
    """By market: the others of its event, and the others of its themes that are of another event."""
    by_event: dict[str, list[Market]] = {}
    by_theme: dict[str, list[Market]] = {}
    for market in markets:
        if market.event_id:
            by_event.setdefault(market.event_id, []).append(market)
        for theme in themes(market):
            by_theme.setdefault(theme, []).append(market)
    event, theme_of = {}, {}
    for market in markets:
        mine, own = market.condition_id, market.event_id
        of_event = by_event.get(own, []) if own else []
        of_theme = (each for name in themes(market) for each in by_theme[name] if own != each.event_id)
        event[mine] = _first(of_event, mine)
        theme_of[mine] = _first(of_theme, mine)
    return event, theme_of


def _first(markets: Iterable[Market], but: ConditionId) -> tuple[ConditionId, ...]:
    names = dict.fromkeys(each.condition_id for each in markets if each.condition_id != but)
    return tuple(names)[:MOST_OTHERS]


def _book(book: OrderBook) -> Book:
    return Book(microseconds(book.observed_at), _levels(book.bids), _levels(book.asks))


def _levels(levels: Sequence[Level]) -> list[tuple[float, float]]:
    return [(float(level.price), float(level.shares)) for level in levels[:LEVELS]]


def _trade(trade: SeenTrade, sign: int) -> Trade:
    at_us = microseconds(trade.observed_at)
    if trade.shares is None or trade.taker_side is None:
        return Trade(at_us, 0.0, known=False)
    taken = 1 if trade.taker_side is Side.BUY else -1
    return Trade(at_us, sign * taken * float(trade.shares))
