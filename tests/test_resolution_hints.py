"""A rumour that a market has ended: its result is read at once, and only what is read counts."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any, cast

import pytest

from polyb0t.core.clock import SystemClock
from polyb0t.core.ids import AssetId, ConditionId, EventId, Wallet
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.markets import Market, Outcome
from polyb0t.data.resolution import Resolution, ResolutionState
from polyb0t.execution.intents import IntentType
from polyb0t.execution.proposing import Frame
from polyb0t.execution.scope import Regime
from polyb0t.execution.settlement.ports import ClaimChain, ClaimRoute
from polyb0t.runtime.claim_routes import Way
from polyb0t.runtime.hints import Hints
from polyb0t.runtime.jobs import Jobs
from polyb0t.runtime.settling import Settling, SettlingParts
from polyb0t.runtime.watching import MarketWatch
from tests.support.builders import WALLET
from tests.support.claim_room import ClaimRoom
from tests.support.trading import a_market

CONDITION = ConditionId("0x" + "01" * 32)
ASSETS = (AssetId("1001"), AssetId("2001"))
R = ResolutionState


@dataclass
class Room:
    """An engine's settling over one holding, with an index that says what it is told to."""

    claims: ClaimRoom
    state: ResolutionState = R.OPEN
    reads: int = 0
    watched: list[tuple[AssetId, ...]] = field(default_factory=list)
    woken: int = 0

    def __post_init__(self) -> None:
        self.claims._bought(CONDITION, ASSETS[0], Shares(Decimal(20)))
        self.claims.chain.market(CONDITION, ASSETS, "20", "0")
        market = replace(
            a_market(),
            condition_id=CONDITION,
            event_id=EventId("42"),
            outcomes=(Outcome("Yes", ASSETS[0]), Outcome("No", ASSETS[1])),
        )
        world = self.claims.world
        self.hints = Hints(self.claims.clock)
        self.hints.wake = self._woken
        self.settling = Settling(
            SettlingParts(
                stores=world.stores,
                lease=world.lease,
                wallet=Wallet(WALLET),
                watch=cast("MarketWatch", Known(market)),
                lookup=cast("Any", None),
                doors=self,
                way=lambda _node: Way(ClaimRoute.TRANSACTION),
                frame=lambda: Frame(world.scope, Regime.LIVE, world.intents.now(), 86_400),
                clock=self.claims.clock,
                least_pusd=Pusd(Decimal("0.1")),
                read_seconds=30,
                hints=self.hints,
                ends=self,
            )
        )

    def open(self, _stack: ExitStack) -> tuple["Room", ClaimChain]:
        return self, cast("ClaimChain", self.claims.chain)

    def read(self, condition_ids: Sequence[ConditionId]) -> Mapping[ConditionId, Resolution]:
        self.reads += 1
        payouts = (Price(Decimal(1)), Price(Decimal(0))) if self.state is R.RESOLVED else None
        now = self.claims.clock.now()
        return {name: Resolution(name, self.state, now, payouts=payouts) for name in condition_ids}

    def watch(self, asset_ids: Iterable[AssetId]) -> None:
        self.watched.append(tuple(asset_ids))

    def close(self) -> None:
        self.watched.append(())

    def ends(self, state: ResolutionState) -> None:
        self.state = state
        if state is R.RESOLVED:
            self.claims.chain.resolve(CONDITION, "1", "0")

    def cycle(self, seconds: float = 10) -> int:
        proposed = self.settling.propose()
        self.claims.clock.advance(seconds=seconds)
        return proposed

    def _woken(self) -> None:
        self.woken += 1


class Known:
    """A watch that knows one market."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def market(self, name: ConditionId) -> Market | None:
        return self._market if name == self._market.condition_id else None


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(ClaimRoom(tmp_path))


def test_it_is_read_at_once_instead_of_in_half_a_minute(room: Room) -> None:
    room.cycle()
    room.ends(R.RESOLVED)
    room.cycle()
    assert room.reads == 1
    room.hints.heard(CONDITION)
    assert room.woken == 1
    assert room.cycle() == 1
    assert room.reads == 2


@pytest.mark.parametrize("state", [R.OPEN, R.PROPOSED, R.DISPUTED, R.UNKNOWN])
def test_it_is_no_result_by_itself(room: Room, state: ResolutionState) -> None:
    room.ends(state)
    room.hints.heard(CONDITION)
    assert [room.cycle() for _ in range(4)] == [0, 0, 0, 0]
    assert room.claims.world.intents.list(types=(IntentType.CLAIM_SETTLEMENT,)) == ()
    assert room.claims.world.stores.books.movements() == ()


def test_where_the_index_is_minutes_behind_it_is_asked_in_every_cycle_until_it_knows(room: Room) -> None:
    room.hints.heard(CONDITION)
    for _ in range(5):
        room.cycle()
    assert room.reads == 5
    room.ends(R.RESOLVED)
    assert room.cycle() == 1
    assert room.reads == 6
    room.cycle(0)
    assert room.reads == 6


def test_a_rumour_that_nothing_confirms_is_forgotten(room: Room) -> None:
    room.hints.heard(CONDITION)
    room.cycle(601)
    room.cycle(10)
    reads = room.reads
    room.cycle(10)
    assert room.reads == reads


def test_one_of_a_market_that_is_not_held_is_forgotten_at_once(room: Room) -> None:
    room.hints.heard(ConditionId("0x" + "99" * 32))
    room.cycle()
    room.cycle()
    assert room.reads == 1


def test_a_rumour_that_is_repeated_wakes_nobody_again(room: Room) -> None:
    for _ in range(5):
        room.hints.heard(CONDITION)
    assert room.woken == 1


def test_the_socket_is_asked_about_what_is_held(room: Room) -> None:
    room.cycle()
    room.settling.close()
    assert room.watched == [(ASSETS[0],), ()]


def test_a_cycle_that_is_woken_begins_without_its_interval() -> None:
    ran = Event()
    first = Event()

    def cycle() -> None:
        if first.is_set():
            ran.set()
        first.set()

    jobs = Jobs(cycle=cycle, compare=lambda: None, cycle_seconds=3_600, clock=SystemClock())
    jobs.start()
    try:
        assert first.wait(10)
        for _ in range(100):  # one that has not quite ended yet is not doubled
            jobs.wake()
            if ran.wait(0.1):
                break
        assert ran.is_set()
    finally:
        jobs.close()
    jobs.wake()  # nothing is left to wake
