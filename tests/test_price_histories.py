"""The past of prices: read from the exchange beside the cycles, for a model that is silent without it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from polyb0t.core.clock import from_microseconds, microseconds, milliseconds
from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import AssetId
from polyb0t.data.deny_list import DenyList
from polyb0t.data.universe import UniverseRules
from polyb0t.models.calibration import MarketCalibrationModel, packaged_coefficients
from polyb0t.models.pooling import PooledModel
from polyb0t.models.signals import Abstain, IdentityModel, MarketState
from polyb0t.research.challengers.speaking import BoostedModel
from polyb0t.research.history.past_markets import PastMarket
from polyb0t.runtime.choices import remembering
from polyb0t.runtime.price_histories import PriceHistories, shown_to
from polyb0t.runtime.watching import MarketWatch, WatchSettings
from polyb0t.sandbox.world import World
from polyb0t.venue.http import HttpReader
from polyb0t.venue.past_markets import PolymarketPast, PolymarketPrices
from tests.support.clock import FakeClock
from tests.support.decisions import a_market
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.trees import points_of, state_at, trees, walks
from tests.test_cycle import FakeVenue

CHOSEN = [each for number, each in enumerate(walks()) if number % 5 and each.category == "politics"]
OPEN = [each for each in CHOSEN if len(each.at_us) > 160][:4]


def shift_of(past: PastMarket, now: datetime) -> timedelta:
    """From the time of the walk to that of the engine, which sees it 30 days after it opened."""
    return now - from_microseconds(int(past.at_us[120]))


@dataclass
class Exchange:
    """Answers with the whole walk, whatever it is asked for; or not at all."""

    now: datetime
    asked: list[tuple[AssetId, datetime, datetime]] = field(default_factory=list)
    away: Callable[[AssetId], bool] = lambda _asset: False

    def between(self, asset: AssetId, since: datetime, until: datetime) -> list[tuple[int, int]]:
        self.asked.append((asset, since, until))
        if self.away(asset):
            raise VenueUnreachableError("The exchange did not answer.", code="venue_timeout")
        past = next(each for each in OPEN if asset.startswith(f"{each.market}-"))
        shift_us = shift_of(past, self.now) // timedelta(microseconds=1)
        return [(at + shift_us, price) for at, price in points_of(past)]


@dataclass
class Room:
    """One engine that has just begun to watch four markets."""

    clock: FakeClock = field(default_factory=FakeClock)
    news: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.exchange = Exchange(self.clock.now())
        self.model = BoostedModel(trees(expires_at=(self.clock.now() + timedelta(days=9)).isoformat()))
        self.histories = PriceHistories(self.model, self.exchange, self.clock, lambda: self.news.append(1))

    def see(self) -> None:
        """Every market as it is now."""
        self.states = [self._now(past) for past in OPEN]
        self.model.observe(self.states)

    def _now(self, past: PastMarket) -> MarketState:
        shift = shift_of(past, self.exchange.now)
        opened, ends = (from_microseconds(each) + shift for each in (past.opens_us, past.ends_us))
        price = float(past.price[120])
        return state_at(past, self.clock.now(), price, opened_at=opened, end_date=ends)

    def codes(self) -> set[str]:
        answers = self.model.estimate_all(self.states)
        return {each.code if isinstance(each, Abstain) else "speaks" for each in answers}


class TestReading:
    def test_each_market_is_asked_for_once_and_only_for_what_is_needed(self):
        room = Room()
        room.see()
        assert room.codes() == {"past_unknown"}
        assert room.histories.look() == len(OPEN)
        assert [asset for asset, _, _ in room.exchange.asked] == [f"{each.market}-yes" for each in OPEN]
        _, since, until = room.exchange.asked[0]
        assert until == room.clock.now()
        assert until - since == timedelta(days=8, hours=12)
        assert room.codes() == {"speaks"}
        assert (room.histories.look(), room.news) == (0, [1])
        room.clock.advance(seconds=6 * 3_600)
        room.see()
        assert room.histories.look() == len(OPEN)

    def test_one_that_cannot_be_read_does_not_keep_the_others_from_it(self):
        room = Room()
        room.exchange.away = lambda asset: asset.startswith(OPEN[1].market)
        room.see()
        assert room.histories.look() == len(OPEN) - 1
        assert room.codes() == {"speaks", "past_unknown"}
        assert room.histories.look() == 0
        assert len(room.exchange.asked) == len(OPEN)  # not asked again at once
        room.clock.advance(seconds=300)
        room.exchange.away = lambda _asset: False
        assert room.histories.look() == 1
        assert room.codes() == {"speaks"}

    def test_an_exchange_that_is_away_is_left_alone_and_its_silence_is_told_once(self):
        room = Room()
        room.exchange.away = lambda _asset: True
        room.see()
        with capture_logs() as logged:
            for _ in range(3):
                room.histories.look()
                room.clock.advance(seconds=301)
        assert len(room.exchange.asked) == 9  # three in a row, and no more of one look
        assert [each["event"] for each in logged] == ["price_history.not_read"]
        assert room.codes() == {"past_unknown"}


class Shown(BoostedModel):
    """Keeps the names of what it was shown."""

    def __init__(self) -> None:
        super().__init__(trees())
        self.names: list[str] = []

    def observe(self, states: Sequence[MarketState]) -> None:
        self.names = [each.market.slug for each in states]


class TestShowing:
    def test_what_is_held_is_shown_also_where_its_market_is_not_watched_any_more(self):
        """Whether its edge is gone is still to be judged."""
        clock = FakeClock()
        venue, model = FakeVenue(clock), Shown()
        rules = UniverseRules(deny=DenyList(("tram", "ferry")))
        watch = MarketWatch(venue, venue, venue, clock, WatchSettings(rules, 300))
        show = shown_to(model, watch, clock)
        watch.refresh()
        watch.read_books()
        show()
        assert model.names == ["bridge"]
        watch.hold([AssetId("tram-no"), AssetId("bridge-yes")])
        watch.read_books()
        show()
        assert model.names == ["bridge", "tram"]

    def test_a_model_that_needs_no_past_is_shown_nothing(self):
        assert remembering(MarketCalibrationModel(packaged_coefficients())) is None
        assert remembering(PooledModel(IdentityModel())) is None
        assert remembering(PooledModel(Shown())) is not None


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    world = World(seed=7, markets=6, start_ms=milliseconds(FakeClock().now()), archive=20)
    with running_sandbox(world=world) as running:
        yield running


class TestTheExchange:
    def test_it_tells_of_an_open_market_what_it_tells_of_one_that_is_over(self, sandbox: RunningSandbox):
        """The stretches that were fitted on, to the point."""
        clock = FakeClock()
        with HttpReader(clock, sandbox=True) as reader:
            urls = sandbox.urls()
            whole = PolymarketPast(urls["gamma"], urls["data"], reader, clock)
            window = PolymarketPrices(urls["data"], reader)
            token = next(iter(sandbox.world.engine.tokens))
            until = clock.now()
            since = until - timedelta(days=8, hours=12)
            known = whole.prices(AssetId(token))
            told = window.between(AssetId(token), since, until)
        inside = [point for point in known if microseconds(since) < point[0]]
        assert told == inside
        assert len(told) > 30

    def test_a_token_that_it_does_not_know_is_no_empty_history(self, sandbox: RunningSandbox):
        clock = FakeClock()
        with HttpReader(clock, sandbox=True) as reader, pytest.raises(VenueUnreachableError):
            prices = PolymarketPrices(sandbox.urls()["data"], reader)
            prices.between(a_market("unknown").outcomes[0].asset_id, clock.now(), clock.now())
