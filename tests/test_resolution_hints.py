"""A rumour that a market has ended: its result is read at once, and only what is read counts."""

from pathlib import Path
from threading import Event

import pytest

from polyb0t.core.clock import SystemClock
from polyb0t.core.ids import ConditionId
from polyb0t.data.resolution import ResolutionState
from polyb0t.execution.intents import IntentType
from polyb0t.runtime.jobs import Jobs
from tests.support.claim_room import ClaimRoom
from tests.support.settling_room import ASSETS, CONDITION, R, SettlingRoom


@pytest.fixture
def room(tmp_path: Path) -> SettlingRoom:
    return SettlingRoom(ClaimRoom(tmp_path))


def test_it_is_read_at_once_instead_of_in_half_a_minute(room: SettlingRoom) -> None:
    room.cycle()
    room.ends(R.RESOLVED)
    room.cycle()
    assert room.reads == 1
    room.hints.heard(CONDITION)
    assert room.woken == 1
    assert room.cycle() == 1
    assert room.reads == 2


@pytest.mark.parametrize("state", [R.OPEN, R.PROPOSED, R.DISPUTED, R.UNKNOWN])
def test_it_is_no_result_by_itself(room: SettlingRoom, state: ResolutionState) -> None:
    room.ends(state)
    room.hints.heard(CONDITION)
    assert [room.cycle() for _ in range(4)] == [0, 0, 0, 0]
    assert room.claims.world.intents.list(types=(IntentType.CLAIM_SETTLEMENT,)) == ()
    assert room.claims.world.stores.books.movements() == ()


def test_where_the_index_is_minutes_behind_it_is_asked_in_every_cycle_until_it_knows(
    room: SettlingRoom,
) -> None:
    room.hints.heard(CONDITION)
    for _ in range(5):
        room.cycle()
    assert room.reads == 5
    room.ends(R.RESOLVED)
    assert room.cycle() == 1
    assert room.reads == 6
    room.cycle(0)
    assert room.reads == 6


def test_a_rumour_that_nothing_confirms_is_forgotten(room: SettlingRoom) -> None:
    room.hints.heard(CONDITION)
    room.cycle(601)
    room.cycle(10)
    reads = room.reads
    room.cycle(10)
    assert room.reads == reads


def test_those_of_markets_that_are_not_held_wake_nobody(room: SettlingRoom) -> None:
    room.cycle()
    for number in range(100):
        room.hints.heard(ConditionId(f"0x{number:064x}"))
    room.cycle()
    assert (room.reads, room.woken) == (1, 0)


def test_one_of_a_market_that_was_sold_meanwhile_is_forgotten(room: SettlingRoom) -> None:
    room.hints.heard(CONDITION)
    room.hints.hold([])
    assert not room.hints.open()


def test_a_rumour_that_is_repeated_wakes_nobody_again(room: SettlingRoom) -> None:
    for _ in range(5):
        room.hints.heard(CONDITION)
    assert room.woken == 1


def test_the_socket_is_asked_about_what_is_held(room: SettlingRoom) -> None:
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
