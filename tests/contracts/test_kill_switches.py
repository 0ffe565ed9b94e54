"""What the switches' store promises: a trip stops what is not yet on its way, and only a person clears."""

from datetime import timedelta

import pytest

from polyb0t.core.errors import NotAuthorisedError
from polyb0t.core.ids import ConditionId, OrderId
from polyb0t.execution.intents import IntentStatus
from polyb0t.models.kill_switches import KillSwitchType, Stance, stance_of
from tests.support.builders import a_cancel
from tests.support.databases import World

MANUAL = KillSwitchType.MANUAL
DAILY_LOSS = KillSwitchType.DAILY_LOSS
TWO_HOURS = timedelta(hours=2)


def halt(world: World) -> bool:
    return world.switches.trip(MANUAL, actor="user:anna", reason="lunch", value="1", limit="0")


def test_a_new_database_has_all_seven_rows_clear(world: World) -> None:
    rows = world.switches.list()
    assert {row.type for row in rows} == set(KillSwitchType)
    assert stance_of(rows) is Stance.ACTIVE


def test_a_trip_is_kept_with_who_when_and_why_over_a_restart(world: World) -> None:
    assert halt(world)
    row = next(row for row in world.another().switches.list() if row.type is MANUAL)
    assert (row.tripped, row.by, row.reason, row.value, row.limit) == (True, "user:anna", "lunch", "1", "0")
    assert row.at is not None


def test_the_first_reason_stays(world: World) -> None:
    halt(world)
    assert not world.switches.trip(MANUAL, actor="user:bert", reason="another")
    assert next(row for row in world.switches.list() if row.type is MANUAL).reason == "lunch"


def test_a_trip_rejects_pending_and_approved_openings_in_the_trippers_name(world: World) -> None:
    pending, approved = world.proposed(), world.approved(asset_id="2", condition_id=ConditionId("0x02"))
    halt(world)
    for record in (pending, approved):
        rejected = world.intents.get(record.id)
        assert (rejected.status, rejected.result) == (IntentStatus.REJECTED, "halted")
        assert rejected.decided_by == "user:anna"
        assert "MANUAL" in rejected.result_detail
        assert "lunch" in rejected.result_detail


def test_a_trip_leaves_closes_cancels_and_what_is_executing(world: World) -> None:
    left = [
        world.approved(world.close_intent()),
        world.approved(a_cancel(OrderId("0x1"), created_at=world.intents.now())),
        world.claimed(asset_id="3", condition_id=ConditionId("0x03")),
    ]
    before = [record.status for record in left]
    halt(world)
    assert [world.intents.get(record.id).status for record in left] == before


def test_clearing_does_not_bring_back_what_the_trip_rejected(world: World) -> None:
    record = world.approved()
    halt(world)
    assert world.switches.clear(MANUAL, actor="user:anna", reason="back")
    assert stance_of(world.switches.list()) is Stance.ACTIVE
    assert world.intents.get(record.id).status is IntentStatus.REJECTED


@pytest.mark.parametrize(
    ("actor", "reason"), [("engine", "fine"), ("engine:paper", "fine"), ("user:anna", " ")]
)
def test_only_a_person_with_a_reason_clears(world: World, actor: str, reason: str) -> None:
    halt(world)
    with pytest.raises(NotAuthorisedError):
        world.switches.clear(MANUAL, actor=actor, reason=reason)
    assert stance_of(world.switches.list()) is Stance.HALTED


def test_clearing_what_is_clear_says_so(world: World) -> None:
    assert not world.switches.clear(MANUAL, actor="user:anna", reason="nothing")


def test_a_missing_row_halts_until_a_person_puts_it_back(world: World) -> None:
    world.sql("DELETE FROM kill_switches WHERE name = 'MANUAL'")
    assert stance_of(world.switches.list()) is Stance.HALTED
    world.another()  # opening the stores again does not repair it
    assert stance_of(world.switches.list()) is Stance.HALTED
    assert world.switches.clear(MANUAL, actor="user:anna", reason="restored by hand")
    assert stance_of(world.switches.list()) is Stance.ACTIVE


def test_a_trip_needs_no_engine_and_no_lease(world: World) -> None:
    world.engine.release(world.lease)
    assert halt(world)


def test_trip_and_clear_are_journalled_and_kept_as_events(world: World) -> None:
    halt(world)
    world.switches.clear(MANUAL, actor="user:bert", reason="back")
    entries = world.engine.journal(subject="MANUAL")
    assert [(entry.kind, entry.actor) for entry in entries] == [
        ("switch.tripped", "user:anna"),
        ("switch.cleared", "user:bert"),
    ]
    events = world.sql("SELECT sequence, actor, epoch FROM kill_switch_events ORDER BY sequence")
    assert [tuple(event) for event in events] == [
        (entries[0].sequence, "user:anna", 1),
        (entries[1].sequence, "user:bert", 1),
    ]


def lose(world: World, reason: str = "10.4% was lost") -> bool:
    known = {"equity_pusd": "895.1"}
    return world.switches.trip(
        DAILY_LOSS, actor="engine", reason=reason, value="-10.4%", limit="-10%", known=known
    )


def override(world: World) -> None:
    until = world.switches.override(DAILY_LOSS, actor="user:anna", reason="a hedge", lasting=TWO_HOURS)
    assert until is not None
    assert timedelta(0) <= world.intents.now() + TWO_HOURS - until < timedelta(minutes=1)


def test_a_trip_keeps_what_was_known_and_how_many_openings_it_ended(world: World) -> None:
    world.proposed()
    world.approved(asset_id="2", condition_id=ConditionId("0x02"))
    assert world.switches.last_trip(DAILY_LOSS) is None
    lose(world)
    trip = world.switches.last_trip(DAILY_LOSS)
    assert trip is not None
    assert (trip.value, trip.limit, trip.actor) == ("-10.4%", "-10%", "engine")
    assert trip.known == {"equity_pusd": "895.1", "rejected": 1, "stopped": 1}


class TestOverride:
    def test_it_lets_trading_go_on_until_its_end_and_no_longer(self, world: World) -> None:
        lose(world)
        override(world)
        assert stance_of(world.switches.list()) is Stance.ACTIVE
        world.proposed()
        world.advance(7_260)
        assert stance_of(world.switches.list()) is Stance.REDUCING
        with pytest.raises(AssertionError, match="halted"):
            world.proposed(asset_id="2", condition_id=ConditionId("0x02"))

    def test_it_is_kept_over_a_restart_with_who_and_why(self, world: World) -> None:
        lose(world)
        override(world)
        row = next(row for row in world.another().switches.list() if row.type is DAILY_LOSS)
        assert row.overridden
        assert row.override is not None
        assert (row.override.by, row.override.reason) == ("user:anna", "a hedge")
        assert row.reason == "10.4% was lost", "why it tripped is not lost by it"

    def test_it_brings_nothing_back_that_the_trip_rejected(self, world: World) -> None:
        record = world.approved()
        lose(world)
        override(world)
        assert world.intents.get(record.id).status is IntentStatus.REJECTED

    def test_it_says_nothing_about_another_switch(self, world: World) -> None:
        lose(world)
        override(world)
        halt(world)
        assert stance_of(world.switches.list()) is Stance.HALTED

    def test_while_it_lasts_the_cause_trips_nothing_and_after_it_everything(self, world: World) -> None:
        lose(world)
        override(world)
        record = world.approved()
        assert not lose(world, "12% was lost")
        assert world.intents.get(record.id).status is IntentStatus.APPROVED
        world.advance(7_260)
        fresh = world.switches.list()
        assert next(row for row in fresh if row.type is DAILY_LOSS).lapsed
        assert lose(world, "12% was lost"), "it trips anew: openings are rejected and the epoch rises"
        row = next(row for row in world.switches.list() if row.type is DAILY_LOSS)
        assert (row.override, row.reason) == (None, "12% was lost")

    def test_clearing_ends_it(self, world: World) -> None:
        lose(world)
        override(world)
        assert world.switches.clear(DAILY_LOSS, actor="user:anna", reason="it is fine")
        assert next(row for row in world.switches.list() if row.type is DAILY_LOSS).override is None

    def test_what_is_not_tripped_is_not_overridden(self, world: World) -> None:
        assert world.switches.override(DAILY_LOSS, actor="user:a", reason="r", lasting=TWO_HOURS) is None
        world.sql("DELETE FROM kill_switches WHERE name = 'DAILY_LOSS'")
        assert world.switches.override(DAILY_LOSS, actor="user:a", reason="r", lasting=TWO_HOURS) is None
        assert stance_of(world.switches.list()) is Stance.HALTED

    @pytest.mark.parametrize(("actor", "reason"), [("engine", "fine"), ("user:anna", " ")])
    def test_only_a_person_with_a_reason_does_it(self, world: World, actor: str, reason: str) -> None:
        lose(world)
        with pytest.raises(NotAuthorisedError):
            world.switches.override(DAILY_LOSS, actor=actor, reason=reason, lasting=TWO_HOURS)
        assert stance_of(world.switches.list()) is Stance.REDUCING

    def test_it_is_journalled_with_its_end_and_the_journal_agrees_with_the_rows(self, world: World) -> None:
        lose(world)
        override(world)
        entry = world.engine.journal(subject="DAILY_LOSS")[-1]
        assert (entry.kind, entry.actor) == ("switch.overridden", "user:anna")
        assert "a hedge" in entry.payload
        assert '"until"' in entry.payload
        assert world.engine.audit().findings == ()
        events = world.sql("SELECT tripped, until, actor FROM kill_switch_events ORDER BY sequence")
        assert [(bool(event[0]), event[1] is not None, event[2]) for event in events] == [
            (True, False, "engine"),
            (True, True, "user:anna"),
        ]

    def test_a_persons_trip_ends_it_and_the_engines_does_not(self, world: World) -> None:
        lose(world)
        override(world)
        assert not lose(world)
        assert world.switches.trip(DAILY_LOSS, actor="user:bert", reason="no more of this")
        row = next(row for row in world.switches.list() if row.type is DAILY_LOSS)
        assert (row.holds, row.override, row.by) == (True, None, "user:bert")
