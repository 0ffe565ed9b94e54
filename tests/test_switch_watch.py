"""What the cycle's stage measures and trips, and everything that it must not trip for.

Real rows, real counters, the real cache of books; the exchange is a provider whose answers a test sets.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from polyb0t.core.errors import PolybotError, VenueUnreachableError
from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import Pusd
from polyb0t.data.markets import Catalogue, Market, TradingTerms
from polyb0t.data.order_book import OrderBook
from polyb0t.models.equity import AccountHealth, EquityMarks, health, marked, rebased
from polyb0t.models.kill_switches import KillSwitchType, Stance, stance_of
from polyb0t.models.signals import MarketState
from polyb0t.models.switch_rules import Thresholds
from polyb0t.runtime.switch_facts import SWITCHES, read_switch_facts
from polyb0t.runtime.switch_watch import Gauges, SwitchWatch, by_present_marks
from polyb0t.venue.books import BookCache
from polyb0t.venue.call_counts import CallCounts
from polyb0t.venue.frames import BookSnapshot
from polyb0t.venue.http import Call
from polyb0t.venue.live_books import LiveBooks
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_stores
from tests.support.decisions import a_market, books_at

NAMES = ("tram", "bridge", "ferry", "museum")
CYCLE = 10.0


@dataclass
class Provider:
    """`/books` as a test wants it: prices by market, or no answer."""

    clock: FakeClock
    markets: tuple[Market, ...]
    quotes: dict[str, tuple[str, str]] = field(default_factory=dict)
    down: bool = False

    def books(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, OrderBook]:
        if self.down:
            raise VenueUnreachableError("The exchange does not answer.")
        found = (book for market in self.markets for book in self.book(market))
        return {book.asset_id: book for book in found if book.asset_id in asset_ids}

    def book(self, market: Market) -> tuple[OrderBook, ...]:
        bid, ask = self.quotes.get(market.slug, ("0.49", "0.50"))
        return tuple(replace(each, observed_at=self.clock.now()) for each in books_at(market, bid, ask))

    def catalogue(self) -> Catalogue:
        raise NotImplementedError

    def terms(self, _ids: Sequence[ConditionId]) -> Mapping[ConditionId, TradingTerms]:
        raise NotImplementedError


class Room:
    """One engine's switches, and a clock that is moved by hand."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.asleep = 0.0  # seconds of the boot clock that the machine slept
        self.stores = sqlite_stores(folder, self.clock)
        self.markets = tuple(a_market(name) for name in NAMES)
        self.venue = Provider(self.clock, self.markets)
        self.cache = BookCache(self.clock)
        self.live = LiveBooks(self.cache, self.venue, self.clock, max_age_seconds=12)
        self.calls = CallCounts(self.clock, 300)
        self.health: AccountHealth | None = None
        self.marks: EquityMarks | None = None
        self.books: Mapping[AssetId, OrderBook] = {}
        self.start()

    def start(self) -> None:
        """As a new process does: the rows stay, what was measured is forgotten."""
        self.switches = SwitchWatch(
            self.stores.switches,
            self.clock,
            Thresholds(),
            Gauges(
                newest_price=lambda: self.cache.statistics().newest_confirmation,
                watched=self.states,
                health=lambda: by_present_marks(self.health, self.marks),
                hosts=self.calls.hosts,
            ),
            awake=lambda: self.clock.boot_seconds() - self.asleep,
        )

    def states(self) -> list[MarketState]:
        now = self.clock.now()
        return [
            MarketState(market, None, (self.books.get(market.outcomes[0].asset_id), None), now)
            for market in self.markets
        ]

    def cycle(self, times: int = 1, seconds: float = CYCLE) -> None:
        """Time passes, the books are read as far as they can be, the switches are looked at."""
        for _ in range(times):
            self.clock.advance(seconds=seconds)
            self.look()

    def look(self) -> None:
        assets = [market.outcomes[0].asset_id for market in self.markets]
        with suppress(PolybotError):
            self.books = self.live.read(assets)
        self.switches.look()

    def sleep(self, hours: float) -> None:
        """The lid is closed: time passes, and nobody is awake to use it."""
        self.clock.advance(minutes=60 * hours)
        self.asleep += 3_600 * hours

    def worth(self, equity: str, flows: str = "0") -> None:
        now, amount = self.clock.now(), Pusd(Decimal(equity))
        self.marks = marked(self.marks, amount, Pusd(Decimal(flows)), now)
        self.health = health(self.marks, amount, now)

    def call(self, host: str, *, ok: bool, status: int | None = 200) -> None:
        self.calls.counted(Call(host, ok, 0.1, status if ok else None, "" if ok else "venue_unreachable"))

    @property
    def tripped(self) -> list[str]:
        return [state.type.value for state in self.stores.switches.list() if state.tripped]

    def now(self, switch: KillSwitchType) -> str:
        return read_switch_facts(self.switches.facts()[SWITCHES])[switch].now


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


class TestNoFalseTrip:
    def test_at_the_start(self, room: Room) -> None:
        room.look()
        room.cycle(3)
        assert room.tripped == []
        assert room.now(KillSwitchType.SPREAD_ANOMALY) == "learning what is usual"

    def test_after_a_quiet_night_in_which_no_message_came(self, room: Room) -> None:
        room.cycle(times=6 * 60)  # an hour: only `/books` confirms
        assert room.tripped == []
        assert room.now(KillSwitchType.STALE_DATA) == "newest price 10 s old", "read anew after 12 s"

    def test_after_the_machine_slept_and_before_its_first_read(self, room: Room) -> None:
        room.cycle(3)
        room.venue.down = True  # the network takes a moment to come back
        room.sleep(hours=8)
        room.cycle(3)
        assert room.tripped == []
        room.venue.down = False
        room.cycle(3)
        assert room.tripped == []

    def test_when_it_slept_in_the_midst_of_a_read(self, room: Room) -> None:
        room.cycle(3)
        room.sleep(hours=8)
        room.venue.down = True
        room.look()
        room.look()
        assert room.tripped == []

    def test_when_the_process_was_stopped_and_goes_on_in_the_midst_of_a_cycle(self, room: Room) -> None:
        room.cycle(20, seconds=1)
        room.clock.advance(minutes=10)  # after its books were read
        room.switches.look()
        room.cycle(20, seconds=1)
        assert room.tripped == []

    def test_on_one_host_that_is_slow_and_answers(self, room: Room) -> None:
        for _ in range(100):
            room.call("gamma", ok=True)
            room.cycle()
        assert room.tripped == []

    def test_on_one_host_that_times_out_and_is_seldom_asked(self, room: Room) -> None:
        for _ in range(30):
            room.call("gamma", ok=False)
            for _ in range(5):
                room.call("clob", ok=True)
            room.cycle(seconds=20)
        assert room.tripped == []

    def test_on_a_deposit_and_on_a_withdrawal(self, room: Room) -> None:
        room.worth("1000")
        room.cycle()
        room.worth("6000", flows="5000")
        room.cycle()
        room.worth("500", flows="-500")
        room.cycle()
        assert room.tripped == []

    def test_on_one_markets_wide_spread(self, room: Room) -> None:
        room.cycle(times=6 * 15)
        room.venue.quotes["tram"] = ("0.10", "0.90")
        room.cycle(times=30)
        assert room.tripped == []
        assert room.switches.usual_spread(room.markets[0].condition_id) == Decimal("0.01")

    def test_after_the_exchange_was_restarted(self, room: Room) -> None:
        """Ten seconds after our own start: nothing answers for 40 s, then books that are still wide."""
        room.cycle()
        room.venue.down = True
        for _ in range(4):
            for _ in range(8):
                room.call("127.0.0.1", ok=False)
            room.cycle()
        room.venue.down = False
        for name in NAMES:
            room.venue.quotes[name] = ("0.30", "0.70")
        room.cycle(2)
        room.venue.quotes.clear()
        room.cycle(30)
        assert room.tripped == []

    def test_on_wide_books_for_a_moment_after_a_long_run(self, room: Room) -> None:
        room.cycle(times=6 * 15)
        for name in NAMES:
            room.venue.quotes[name] = ("0.30", "0.70")
        room.cycle(2)
        room.venue.quotes.clear()
        room.cycle(10)
        assert room.tripped == []

    def test_where_no_market_is_worth_watching(self, room: Room) -> None:
        room.markets = ()
        room.cycle(times=30)
        assert room.tripped == []
        assert room.now(KillSwitchType.STALE_DATA) == "no market is watched"

    def test_on_answers_that_are_no_errors(self, room: Room) -> None:
        for _ in range(60):
            for status in (400, 404, 422):  # no fill, no such book, not cancelled
                room.calls.counted(Call("clob", False, 0.1, status, "venue_status"))
            room.cycle(seconds=5)
        assert room.tripped == []


class TestATrip:
    def test_prices_that_nobody_confirms(self, room: Room) -> None:
        room.cycle()
        room.venue.down = True
        room.cycle(7)
        assert room.tripped == [], "70 s old, and the next read may come"
        room.cycle()
        assert room.tripped == ["STALE_DATA"]
        [state] = [state for state in room.stores.switches.list() if state.tripped]
        assert (state.by, state.reason) == ("engine", "the newest price is 80 s old, limit 60 s")
        assert stance_of(room.stores.switches.list()) is Stance.REDUCING

    def test_a_message_confirms_as_an_answer_does(self, room: Room) -> None:
        room.cycle(2)
        room.venue.down = True
        for _ in range(12):
            room.cycle()
            room.cache.apply(BookSnapshot(room.venue.book(room.markets[0])[0]))
        assert room.tripped == []

    def test_awake_and_without_an_answer_a_sleep_is_no_excuse_for_long(self, room: Room) -> None:
        room.cycle(3)
        room.venue.down = True
        room.sleep(hours=8)
        room.cycle(8)
        assert room.tripped == ["STALE_DATA"]

    def test_no_price_from_the_start_on(self, room: Room) -> None:
        room.venue.down = True
        room.cycle(8)
        assert room.tripped == ["STALE_DATA"]

    def test_spreads_that_stay_wide(self, room: Room) -> None:
        room.cycle(times=6 * 15)
        for name in NAMES:
            room.venue.quotes[name] = ("0.40", "0.50")
        room.cycle(8)
        assert room.tripped == ["SPREAD_ANOMALY"]

    def test_a_host_that_fails_for_minutes(self, room: Room) -> None:
        for _ in range(8):
            for _ in range(4):
                room.call("clob", ok=False)
            room.cycle()
        assert room.tripped == ["API_ERROR_RATE"]
        assert stance_of(room.stores.switches.list()) is Stance.HALTED

    def test_a_loss(self, room: Room) -> None:
        room.worth("1000")
        room.cycle()
        room.worth("840")
        room.cycle()
        assert room.tripped == ["DAILY_LOSS", "DRAWDOWN"]
        trip = room.stores.switches.last_trip(KillSwitchType.DRAWDOWN)
        assert trip is not None
        assert (trip.value, trip.limit) == ("16.0%", "15%")
        assert (trip.known["equity_pusd"], trip.known["peak_pusd"]) == ("840", "1000")


class TestWhileTheCauseHolds:
    def lost(self, room: Room) -> None:
        room.worth("1000")
        room.cycle()
        room.worth("840")
        room.cycle()

    def test_a_switch_that_a_person_cleared_trips_again_at_once(self, room: Room) -> None:
        self.lost(room)
        room.stores.switches.clear(KillSwitchType.DRAWDOWN, actor="user:anna", reason="let me")
        room.cycle()
        assert "DRAWDOWN" in room.tripped

    def test_a_loss_that_was_accepted_after_the_account_was_looked_at_trips_nothing(self, room: Room) -> None:
        """The engine measured by the old peak a moment ago; the rows have the new one."""
        self.lost(room)
        assert room.marks is not None
        room.marks = rebased(room.marks, Pusd(Decimal(840)))
        for switch in (KillSwitchType.DRAWDOWN, KillSwitchType.DAILY_LOSS):
            room.stores.switches.clear(switch, actor="user:anna", reason="accepted")
        room.cycle()
        assert room.tripped == ["DAILY_LOSS"]

    def test_it_stays_tripped_when_the_cause_is_gone_and_the_list_says_so(self, room: Room) -> None:
        self.lost(room)
        room.worth("1000")
        room.cycle()
        assert "DRAWDOWN" in room.tripped
        facts = read_switch_facts(room.switches.facts()[SWITCHES])
        assert facts[KillSwitchType.DRAWDOWN].cause == ""
        assert facts[KillSwitchType.DRAWDOWN].now == "0.0% under peak 1,000.00"

    def test_it_is_kept_over_a_restart(self, room: Room) -> None:
        self.lost(room)
        room.start()
        room.health = None
        room.cycle()
        assert room.tripped == ["DAILY_LOSS", "DRAWDOWN"]

    def test_an_override_that_ends_trips_it_anew_and_ends_openings(self, room: Room) -> None:
        self.lost(room)
        for switch in (KillSwitchType.DRAWDOWN, KillSwitchType.DAILY_LOSS):
            room.stores.switches.override(
                switch, actor="user:anna", reason="a hedge", lasting=timedelta(hours=1)
            )
        room.cycle()
        assert stance_of(room.stores.switches.list()) is Stance.ACTIVE
        room.cycle(seconds=3_601)
        assert stance_of(room.stores.switches.list()) is Stance.REDUCING
        assert [state for state in room.stores.switches.list() if state.override] == []
        kinds = [entry.kind for entry in room.stores.engine.journal(subject="DRAWDOWN")]
        assert kinds == ["switch.tripped", "switch.overridden", "switch.tripped"]

    def test_an_override_that_ends_after_the_cause_still_holds_until_somebody_clears(
        self, room: Room
    ) -> None:
        self.lost(room)
        for _ in range(2):
            room.stores.switches.override(
                KillSwitchType.DRAWDOWN, actor="user:anna", reason="r", lasting=timedelta(hours=1)
            )
            room.worth("1000")
            room.cycle(seconds=3_601)
        row = next(row for row in room.stores.switches.list() if row.type is KillSwitchType.DRAWDOWN)
        assert row.holds
        assert row.reason == (
            "its override ended; equity is 16.0% under its peak of 1,000.00 pUSD, limit 15%"
        )
