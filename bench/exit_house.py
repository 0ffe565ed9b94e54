"""A database with many positions and the exits stage over it, for `bench_risk`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from polyb0t.core.ids import AssetId, ConditionId, TradeId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.fills import FillStatus
from polyb0t.data.markets import Catalogue, Market, TradingTerms
from polyb0t.data.order_book import OrderBook
from polyb0t.data.universe import UniverseRules
from polyb0t.execution.access import NO_THRESHOLDS
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.proposing import Frame
from polyb0t.execution.scope import Regime
from polyb0t.models.exit_manager import ExitManager
from polyb0t.models.exit_rules import ExitRules
from polyb0t.models.risk import RiskLimits
from polyb0t.models.signals import IdentityModel
from polyb0t.runtime.desk import AccountDesk, DeskSettings
from polyb0t.runtime.exits import ExitParts, Exits
from polyb0t.runtime.position_views import PositionViews
from polyb0t.runtime.watching import MarketWatch, WatchSettings
from tests.support.builders import a_fill
from tests.support.clock import FakeClock
from tests.support.databases import World, migrated_file, sqlite_url
from tests.support.decisions import a_market, books_at, d, terms_of


class ManyMarkets:
    """A venue with `count` binary markets at 59 and 60 cents."""

    def __init__(self, clock: FakeClock, count: int) -> None:
        self._clock = clock
        ends = clock.now() + timedelta(days=60)
        self.markets = {
            market.condition_id: market
            for number in range(count)
            for market in [
                a_market(f"m{number}", condition_id=ConditionId(f"0x{number:064x}"), end_date=ends)
            ]
        }
        self._books = {
            book.asset_id: book
            for market in self.markets.values()
            for book in books_at(market, "0.59", "0.60", size=5_000)
        }

    def catalogue(self) -> Catalogue:
        return Catalogue(tuple(self.markets.values()), (), self._clock.now())

    def terms(self, condition_ids: Sequence[ConditionId]) -> Mapping[ConditionId, TradingTerms]:
        return {each: terms_of(self.markets[each]) for each in condition_ids}

    def markets_of(self, condition_ids: Sequence[ConditionId]) -> Sequence[Market]:
        return [self.markets[each] for each in condition_ids]

    def books(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, OrderBook]:
        now = self._clock.now()
        return {asset: replace(self._books[asset], observed_at=now) for asset in asset_ids}

    def read(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, OrderBook]:
        return self.books(asset_ids)

    def watch(self, asset_ids: Any) -> None:
        pass

    def resolved(self, _asset_ids: Sequence[AssetId]) -> Mapping[AssetId, Price]:
        return {}


class ExitHouse:
    """`count` positions of 20 shares each, bought at 60 cents through the stores' own doors."""

    def __init__(self, folder: Path, count: int) -> None:
        (folder / "polyb0t.db").write_bytes(migrated_file())
        clock = FakeClock()
        self.world = World(sqlite_url(folder), clock)
        venue = ManyMarkets(clock, count)
        for market in venue.markets.values():
            self._buy(market, clock)
            clock.advance(seconds=0.001)  # what changed since the last look is found by its time
        clock.advance(minutes=24 * 60)  # they were bought over months, not within the hour
        watch = MarketWatch(venue, venue, venue, clock, WatchSettings(UniverseRules(), 300))
        watch.refresh()
        watch.read_books()
        stores, lease = self.world.stores, self.world.lease
        self.desk = AccountDesk(stores, watch, clock, _desk_settings())
        self.stage = Exits(
            ExitParts(
                stores=stores,
                lease=lease,
                watch=watch,
                desk=self.desk,
                views=PositionViews(stores, lease, watch, IdentityModel(), clock, venue),
                manager=ExitManager(ExitRules()),
                frame=lambda: Frame(self.world.scope, Regime.LIVE, self.world.intents.now(), 600),
                clock=clock,
                resolutions=venue,
                grace_seconds=10,
            )
        )

    def _buy(self, market: Market, clock: FakeClock) -> None:
        world, asset = self.world, market.outcomes[0].asset_id
        quotes = {"best_bid": Price(d("0.59")), "best_ask": Price(d("0.60"))}
        intent = world.approved(asset_id=asset, condition_id=market.condition_id, **quotes).intent
        world.claim(intent.id, max_orders_hour=10**6)
        order = world.permit(intent)
        assert isinstance(order, OrderRecord), order
        world.orders.settle(order.id, world.lease, status=OrderStatus.MATCHED, code="accepted", detail="")
        fill = a_fill(
            order.id,
            trade_id=TradeId(f"t{asset}"),
            shares=Shares(d(20)),
            price=Price(d("0.60")),
            side=order.side,
            asset_id=asset,
            condition_id=market.condition_id,
            status=FillStatus.CONFIRMED,
            matched_at=clock.now(),
        )
        world.orders.record_fills(order.id, [fill], world.lease)
        world.orders.settle(order.id, world.lease, status=OrderStatus.CANCELLED, code="accepted", detail="")


def _desk_settings() -> DeskSettings:
    return DeskSettings(
        thresholds=NO_THRESHOLDS,
        limits=RiskLimits(),
        regime=Regime.LIVE,
        pretend_cash_pusd=Pusd(d(1_000_000)),
        allow_unvalidated=True,
        identity_proven=True,
        prompts_per_hour=6,
        most_waiting=2,
        cooldown_seconds=900,
        reentry_hours=168,
        spender_of=lambda _market: "0x",
    )
