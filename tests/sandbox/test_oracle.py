"""A result is proposed, may be disputed, and stands after a while; only then it is one."""

from pathlib import Path

import pytest

from polyb0t.core.errors import ConflictError, UsageError
from polyb0t.sandbox.data_rows import resolution
from polyb0t.sandbox.types import MILLION
from polyb0t.sandbox.world import World
from tests.sandbox.worlds import ALICE, CONDITION, NOON_MS, quiet_world

YES_WINS, HALVES = (MILLION, 0), (MILLION // 2, MILLION // 2)
HOUR_MS = 3_600_000


def status(world: World) -> object:
    return resolution(world.market(CONDITION), world.now_ms)["status"]


@pytest.fixture
def world() -> World:
    """Half an hour between a proposal and its result."""
    world = quiet_world()
    world.liveness_ms = HOUR_MS // 2
    return world


def test_a_proposal_is_no_result_until_its_time_is_over(world: World) -> None:
    assert status(world) == "initialized"

    world.propose(CONDITION, YES_WINS)

    world.advance_to(NOON_MS + HOUR_MS // 2 - 1)
    assert status(world) == "proposed"
    with pytest.raises(ConflictError):
        world.redeem(ALICE, CONDITION)
    world.advance_to(NOON_MS + HOUR_MS // 2)
    assert status(world) == "resolved"
    assert world.redeem(ALICE, CONDITION) == 1_000 * MILLION


def test_a_dispute_asks_again_and_a_second_one_for_a_vote(world: World) -> None:
    world.propose(CONDITION, HALVES)
    world.advance_to(NOON_MS + 10 * 60_000)
    world.dispute(CONDITION)
    assert status(world) == "reproposed"
    world.advance_to(NOON_MS + 30 * 60_000)  # the first proposal's time is over, which means nothing now
    assert status(world) == "reproposed"

    world.dispute(CONDITION)

    assert status(world) == "disputed"
    world.advance_to(NOON_MS + 4 * HOUR_MS)
    row = resolution(world.market(CONDITION), world.now_ms)
    assert (row["status"], row["was_disputed"], row["payouts"]) == ("resolved", True, list(HALVES))


def test_what_waits_survives_a_restart(world: World, tmp_path: Path) -> None:
    world.propose(CONDITION, YES_WINS)
    path = tmp_path / "world.json"
    world.save(path)

    again = World.load(path)

    assert status(again) == "proposed"
    again.advance_to(NOON_MS + HOUR_MS)
    assert status(again) == "resolved"


def test_what_makes_no_sense_is_refused(world: World) -> None:
    with pytest.raises(ConflictError):
        world.dispute(CONDITION)
    with pytest.raises(UsageError):
        world.propose(CONDITION, (MILLION, MILLION))
    world.propose(CONDITION, YES_WINS)
    with pytest.raises(ConflictError):
        world.propose(CONDITION, YES_WINS)
    world.resolve(CONDITION, YES_WINS)
    with pytest.raises(ConflictError):
        world.dispute(CONDITION)
