"""A history in the place of the exchange: what the engine asks for, answered as of the simulated now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from polyb0t.core.clock import from_microseconds
from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import ZERO, Price, from_e6
from polyb0t.data.markets import Catalogue, Market, TradingTerms
from polyb0t.data.order_book import OrderBook
from polyb0t.data.outside_views import OutsideView
from polyb0t.research.replay.events import Resolved
from polyb0t.runtime.replay.clock import SimulatedClock
from polyb0t.runtime.replay.timeline import Timeline


@dataclass
class PastMarkets:
    """Implements `MarketProvider`, `MarketLookup`, `ResolutionSource`, `Views`, the ports of `MarketWatch`.

    `most_markets` are listed at a time, the most liquid first, as an engine asks the exchange for them.
    """

    timeline: Timeline
    clock: SimulatedClock
    most_markets: int
    most_age: timedelta = timedelta(days=1)  # of a view from outside

    def catalogue(self) -> Catalogue:
        """Every market that is known and not over, with the best prices of its first outcome's book."""
        self._now()
        open_ = sorted(
            self.timeline.open.values(),
            key=lambda market: (-(market.liquidity_pusd or ZERO), market.condition_id),
        )
        return Catalogue(tuple(map(self._quoted, open_[: self.most_markets])), (), self.clock.now())

    def terms(self, condition_ids: Sequence[ConditionId]) -> Mapping[ConditionId, TradingTerms]:
        self._now()
        found = {condition: self.timeline.terms(condition) for condition in condition_ids}
        return {condition: terms for condition, terms in found.items() if terms is not None}

    def books(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, OrderBook]:
        self._now()
        found = ((asset, self.timeline.book(asset)) for asset in asset_ids)
        return {asset: book for asset, book in found if book is not None}

    def read(self, asset_ids: Sequence[AssetId], /) -> Mapping[AssetId, OrderBook]:
        return self.books(asset_ids)

    def watch(self, asset_ids: Iterable[AssetId], /) -> None:
        """There is no stream: a history tells what it tells."""

    def markets_of(self, condition_ids: Sequence[ConditionId]) -> Sequence[Market]:
        """Also those that are over."""
        self._now()
        found = (self.timeline.markets.get(condition) for condition in condition_ids)
        return [self._as_it_stands(market) for market in found if market is not None]

    def resolved(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, Price]:
        """What is paid out by now. Between a market's end and its payment nothing is known to pay."""
        self._now()
        ends = ((asset, self.timeline.end_of(asset)) for asset in asset_ids)
        return {
            asset: _pays(asset, *found)
            for asset, found in ends
            if found is not None and found[1].paid_us <= self.clock.now_us
        }

    def of(self, market: Market, now: datetime, /) -> tuple[OutsideView, ...]:
        """What others think of it; nothing of the history was ever said that was not known by now."""
        self._now()
        told, oldest = self.timeline.views(market.condition_id), now - self.most_age
        return tuple(view for view in told if view.known_at <= now and view.observed_at >= oldest)

    def newest_price(self) -> datetime | None:
        """When any book was known to stand last."""
        stood = self.timeline.stood_us
        return None if stood is None else from_microseconds(stood)

    def _now(self) -> None:
        self.timeline.advance(self.clock.now_us)

    def _quoted(self, market: Market) -> Market:
        touch = self.timeline.touch(market.outcomes[0].asset_id)
        if touch is None:
            return market
        return replace(market, best_bid=touch[0], best_ask=touch[1])

    def _as_it_stands(self, market: Market) -> Market:
        if market.condition_id not in self.timeline.ended:
            return self._quoted(market)
        return replace(market, closed=True, accepting_orders=False)


def _pays(asset: AssetId, market: Market, end: Resolved) -> Price:
    """What a share of this outcome pays."""
    first = market.outcomes[0].asset_id == asset
    return Price(from_e6(end.pays_e6[0 if first else 1]))
