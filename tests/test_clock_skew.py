"""The exchange's clock against ours: more than two seconds apart, or not known, and nothing is sent."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from polyb0t.core.clock import from_microseconds, microseconds
from polyb0t.core.errors import DatabaseError, VenueUnreachableError
from polyb0t.execution.scope import Regime
from polyb0t.execution.skew import Clocks, VenueSkew
from polyb0t.execution.store import Lease, Stores
from polyb0t.runtime.clock_alarm import ClockAlarm
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_stores


class Exchange:
    """Tells whole seconds of a clock that may be wrong, over a line that may be slow or dead."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.offset = 0.0
        self.there = self.back = 0.05
        self.dead = False
        self.asked = 0
        self.cached: list[datetime] = []

    def tell(self) -> datetime:
        self.asked += 1
        if self.dead:
            raise VenueUnreachableError("The exchange does not answer.")
        self.clock.advance(seconds=self.there)
        told = self.clock.now() + timedelta(seconds=self.offset)
        self.clock.advance(seconds=self.back)
        if self.cached:
            return self.cached.pop()
        return from_microseconds(microseconds(told) // 1_000_000 * 1_000_000)


@pytest.fixture
def exchange() -> Exchange:
    return Exchange(FakeClock())


@pytest.fixture
def skew(exchange: Exchange) -> VenueSkew:
    return VenueSkew(exchange.clock, exchange.tell)


def after(seconds: float, exchange: Exchange, skew: VenueSkew) -> float | None:
    exchange.clock.advance(seconds=seconds)
    return skew.measure()


class TestWhatAnswersProve:
    def test_nothing_is_known_before_the_first_answer(self, skew: VenueSkew) -> None:
        assert skew.known() is None

    def test_clocks_that_agree_prove_no_difference(self, skew: VenueSkew) -> None:
        assert skew.measure() == 0

    @pytest.mark.parametrize(("offset", "way"), [(-300.0, 1), (300.0, -1), (4.5, -1), (-4.5, 1)])
    def test_a_wrong_clock_is_proven_on_either_side(
        self, exchange: Exchange, skew: VenueSkew, offset: float, way: int
    ) -> None:
        exchange.offset = offset
        seen = skew.measure()
        assert seen is not None
        assert abs(offset) - 1.2 <= seen * way <= abs(offset)

    def test_several_answers_prove_more_than_one(self, exchange: Exchange, skew: VenueSkew) -> None:
        exchange.offset = -2.4  # one answer alone may prove 1.4 s of it
        for _ in range(6):
            after(21.3, exchange, skew)
        seen = skew.known()
        assert seen is not None
        assert 2.0 < seen <= 2.4

    def test_a_slow_line_alone_is_no_difference(self, exchange: Exchange, skew: VenueSkew) -> None:
        exchange.there, exchange.back = 0.0, 1.9
        assert skew.measure() == 0
        exchange.there, exchange.back = 1.9, 0.0
        assert after(30, exchange, skew) == 0

    def test_an_answer_that_was_very_long_under_way_proves_nothing(
        self, exchange: Exchange, skew: VenueSkew
    ) -> None:
        exchange.back = 3.5
        assert skew.measure() is None

    def test_one_cached_answer_stops_nothing(self, exchange: Exchange, skew: VenueSkew) -> None:
        skew.measure()
        exchange.cached = [exchange.clock.now() - timedelta(seconds=30)]
        assert after(25, exchange, skew) == 0

    def test_a_wall_clock_that_is_set_shows_without_another_answer(
        self, exchange: Exchange, skew: VenueSkew
    ) -> None:
        skew.measure()
        exchange.clock.jump_wall(seconds=10)
        seen = skew.known()
        assert seen is not None
        assert seen > 8

    def test_a_clock_that_was_put_right_is_seen_at_the_next_look(
        self, exchange: Exchange, skew: VenueSkew
    ) -> None:
        exchange.offset = 60
        skew.measure()
        exchange.offset = 0
        assert skew.measure() == 0


class TestWhenItAsks:
    def test_a_young_answer_is_enough(self, exchange: Exchange, skew: VenueSkew) -> None:
        skew.measure()
        after(4, exchange, skew)
        assert exchange.asked == 1

    def test_an_old_answer_is_asked_for_anew(self, exchange: Exchange, skew: VenueSkew) -> None:
        skew.measure()
        after(6, exchange, skew)
        assert exchange.asked == 2

    def test_a_minute_without_an_answer_is_not_known(self, exchange: Exchange, skew: VenueSkew) -> None:
        skew.measure()
        exchange.dead = True
        assert after(50, exchange, skew) == 0
        assert after(11, exchange, skew) is None

    def test_a_dead_exchange_is_not_asked_by_every_thread_in_turn(
        self, exchange: Exchange, skew: VenueSkew
    ) -> None:
        exchange.dead = True
        for _ in range(5):
            assert skew.measure() is None
        assert exchange.asked == 1


class TestWhatIsSaid:
    def test_all_is_well(self, exchange: Exchange, skew: VenueSkew) -> None:
        clocks = Clocks(exchange.clock, skew)
        assert clocks.measure() == pytest.approx(0, abs=1e-6)
        assert clocks.problem() is None

    def test_no_answer_is_a_problem_and_no_number(self, exchange: Exchange, skew: VenueSkew) -> None:
        exchange.dead = True
        clocks = Clocks(exchange.clock, skew)
        assert clocks.measure() is None
        assert "does not tell its time" in str(clocks.problem())

    @pytest.mark.parametrize(("offset", "way"), [(-30, "ahead of"), (30, "behind")])
    def test_the_difference_and_its_direction(
        self, exchange: Exchange, skew: VenueSkew, offset: int, way: str
    ) -> None:
        exchange.offset = offset
        clocks = Clocks(exchange.clock, skew)
        clocks.measure()
        assert f"s {way} the exchange's" in str(clocks.problem())

    def test_the_greater_of_the_two_differences_counts(self, exchange: Exchange, skew: VenueSkew) -> None:
        clocks = Clocks(exchange.clock, skew)
        exchange.clock.jump_wall(seconds=5)
        exchange.offset = -5  # the exchange was where our clock is now
        seen = clocks.measure()
        assert seen is not None
        assert seen >= 5

    def test_without_an_exchange_only_our_own_clocks_are_compared(self, exchange: Exchange) -> None:
        clocks = Clocks(exchange.clock)
        assert clocks.measure() == pytest.approx(0, abs=1e-6)
        assert clocks.problem() is None


class TestTheAlarm:
    @pytest.fixture
    def stores(self, tmp_path: Path, exchange: Exchange) -> Stores:
        return sqlite_stores(tmp_path, exchange.clock)

    @pytest.fixture
    def alarm(self, stores: Stores) -> ClockAlarm:
        lease = stores.engine.acquire(
            "engine", holder="here:1", boot_id="b", process_started="1", regime=Regime.LIVE
        )
        assert isinstance(lease, Lease)
        return ClockAlarm(stores, lease)

    def kinds(self, stores: Stores) -> list[str]:
        return [entry.kind for entry in stores.engine.journal() if entry.kind.startswith("clock.")]

    def test_it_is_journalled_once_and_its_end_too(self, stores: Stores, alarm: ClockAlarm) -> None:
        for problem in (None, "off", "off", "still off", None, None):
            alarm.heard(problem)
        assert self.kinds(stores) == ["clock.differs", "clock.agrees"]

    def test_a_journal_that_cannot_be_written_is_tried_again(
        self, stores: Stores, alarm: ClockAlarm, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object, **__: object) -> int:
            raise DatabaseError("The disk is full.")

        with monkeypatch.context() as during:
            during.setattr(stores.engine, "note", full)
            alarm.heard("off")
        alarm.heard("off")
        assert self.kinds(stores) == ["clock.differs"]

    def test_a_measure_tells_it(self, exchange: Exchange, skew: VenueSkew) -> None:
        told: list[str | None] = []
        heard: Callable[[str | None], None] = told.append
        exchange.offset = 10
        Clocks(exchange.clock, skew, heard).measure()
        assert len(told) == 1
        assert "behind" in str(told[0])
