"""Several people, engines and processes at once: exactly one wins, and nothing is done twice."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TypeVar

import pytest

from polyb0t.core.errors import ConflictError, LeaseLostError, PolybotError
from polyb0t.core.ids import ConditionId
from polyb0t.core.units import Pusd
from polyb0t.db import SqlStores, open_stores, peek_scope
from polyb0t.execution.intents import IntentRecord, IntentStatus
from polyb0t.execution.orders import OrderRecord
from polyb0t.execution.scope import Regime, Scope
from polyb0t.execution.store import Denied, Lease, LeaseInfo
from polyb0t.models.kill_switches import KillSwitchType
from tests.support.builders import a_scope, an_order_for, wide_limits
from tests.support.clock import FakeClock
from tests.support.databases import World

T = TypeVar("T")
CONTENDERS = 8


def at_once(steps: Sequence[Callable[[], T]]) -> list[T | PolybotError]:
    """Every step in a thread of its own, all released together; refusals are answers."""
    ready = threading.Barrier(len(steps))

    def run(step: Callable[[], T]) -> T | PolybotError:
        ready.wait()
        try:
            return step()
        except PolybotError as refusal:
            return refusal

    with ThreadPoolExecutor(len(steps)) as pool:
        return list(pool.map(run, steps))


@pytest.fixture
def processes(world: World) -> list[SqlStores]:
    """Each with connections of its own, as separate processes have."""
    return [world.another() for _ in range(CONTENDERS)]


def test_of_eight_approvers_exactly_one_wins(world: World, processes: list[SqlStores]) -> None:
    record = world.proposed()

    def approve(stores: SqlStores, name: str) -> Callable[[], IntentRecord]:
        return lambda: stores.intents.approve(
            record.id, digest=record.digest, actor=f"user:{name}", grace_seconds=10
        )

    answers = at_once([approve(stores, str(n)) for n, stores in enumerate(processes)])
    winners = [answer for answer in answers if isinstance(answer, IntentRecord)]
    losers = [answer for answer in answers if isinstance(answer, ConflictError)]
    assert (len(winners), len(losers)) == (1, CONTENDERS - 1)
    assert {loser.code for loser in losers} == {"already_decided"}
    assert all(str(winners[0].decided_by) in loser.why for loser in losers)
    assert world.kinds(record.id) == ["intent.proposed", "intent.approved"]


def test_of_an_approval_and_a_rejection_one_wins(world: World, processes: list[SqlStores]) -> None:
    record = world.proposed()
    approve, reject = processes[0].intents, processes[1].intents
    answers = at_once(
        [
            lambda: approve.approve(record.id, digest=record.digest, actor="user:anna", grace_seconds=10),
            lambda: reject.reject(record.id, actor="user:bert", reason="no"),
        ]
    )
    final = world.intents.get(record.id)
    # A rejection after the approval is legal too; an approval after the rejection is not.
    assert final.status in (IntentStatus.REJECTED, IntentStatus.APPROVED)
    if final.status is IntentStatus.APPROVED:
        assert isinstance(answers[1], ConflictError)


def test_after_a_trip_nothing_that_was_approved_beside_it_is_left(
    world: World, processes: list[SqlStores]
) -> None:
    records = [world.proposed(asset_id=str(n)) for n in range(CONTENDERS - 1)]

    def approve(stores: SqlStores, record: IntentRecord) -> Callable[[], object]:
        return lambda: stores.intents.approve(
            record.id, digest=record.digest, actor="user:anna", grace_seconds=10
        )

    steps = [approve(*pair) for pair in zip(processes, records, strict=False)]
    trip = processes[-1].switches.trip
    at_once([*steps, lambda: trip(KillSwitchType.MANUAL, actor="user:bert", reason="stop")])
    assert {world.intents.get(record.id).status for record in records} == {IntentStatus.REJECTED}


def test_after_a_trip_nothing_that_was_claimed_beside_it_gets_a_permit(
    world: World, processes: list[SqlStores]
) -> None:
    records = [
        world.approved(asset_id=str(n), condition_id=ConditionId(f"0x{n}")) for n in range(CONTENDERS - 1)
    ]

    def claim(stores: SqlStores, record: IntentRecord) -> Callable[[], object]:
        return lambda: stores.intents.claim(record.id, world.lease, Regime.LIVE, wide_limits())

    steps = [claim(*pair) for pair in zip(processes, records, strict=False)]
    trip = processes[-1].switches.trip
    at_once([*steps, lambda: trip(KillSwitchType.MANUAL, actor="user:bert", reason="stop")])
    claimed = world.intents.list(statuses=[IntentStatus.EXECUTING])
    answers = [world.permit(record.intent) for record in claimed]
    assert all(isinstance(answer, Denied) for answer in answers)
    assert {world.intents.get(record.id).status for record in records} <= {
        IntentStatus.REJECTED,
        IntentStatus.FAILED,
    }
    assert world.orders.orders() == ()


def test_an_intent_is_claimed_and_permitted_by_one_of_many(world: World, processes: list[SqlStores]) -> None:
    record = world.approved()

    def carry_out(stores: SqlStores) -> Callable[[], object]:
        def run() -> object:
            stores.intents.claim(record.id, world.lease, Regime.LIVE, wide_limits())
            return stores.intents.permit(an_order_for(record.intent), world.lease, post_budget_seconds=10)

        return run

    answers = at_once([carry_out(stores) for stores in processes])
    assert sum(isinstance(answer, OrderRecord) for answer in answers) == 1
    assert len(world.orders.orders()) == 1
    assert world.orders.reserved_pusd() == record.intent.max_cost


def test_eight_claims_do_not_take_more_than_there_is(world: World, processes: list[SqlStores]) -> None:
    records = [world.approved(asset_id=str(n), condition_id=ConditionId(f"0x{n}")) for n in range(CONTENDERS)]
    three = wide_limits(spendable_pusd=Pusd(Decimal("30.6")))  # room for three of 10.2

    def claim(stores: SqlStores, record: IntentRecord) -> Callable[[], object]:
        return lambda: stores.intents.claim(record.id, world.lease, Regime.LIVE, three)

    answers = at_once([claim(*pair) for pair in zip(processes, records, strict=True)])
    assert sum(isinstance(answer, IntentRecord) for answer in answers) == 3
    assert world.orders.reserved_pusd() == Decimal("30.6")


def test_eight_proposals_on_one_target_leave_one(world: World, processes: list[SqlStores]) -> None:
    intents = [world.intent() for _ in processes]

    def propose(stores: SqlStores, n: int) -> Callable[[], object]:
        return lambda: stores.intents.propose(intents[n], world.lease)

    answers = at_once([propose(stores, n) for n, stores in enumerate(processes)])
    assert sum(isinstance(answer, IntentRecord) for answer in answers) == 1
    assert {answer.code for answer in answers if isinstance(answer, Denied)} == {"duplicate"}


def test_of_eight_engines_one_gets_the_lease(world: World, processes: list[SqlStores]) -> None:
    world.engine.release(world.lease)

    def acquire(stores: SqlStores, n: int) -> Callable[[], Lease | LeaseInfo]:
        return lambda: stores.engine.acquire(
            "engine", holder=f"host:{n}", boot_id="b", process_started="1", regime=Regime.LIVE
        )

    answers = at_once([acquire(stores, n) for n, stores in enumerate(processes)])
    assert sum(isinstance(answer, Lease) for answer in answers) == 1
    assert sum(isinstance(answer, LeaseInfo) for answer in answers) == CONTENDERS - 1


def test_the_engine_that_was_taken_over_from_writes_nothing_more(world: World) -> None:
    record = world.approved()
    first, second = world.lease, world.start_engine(take_over_from=world.lease.token)
    assert second.token > first.token
    with pytest.raises(LeaseLostError):
        world.intents.claim(record.id, first, Regime.LIVE, wide_limits())
    with pytest.raises(LeaseLostError):
        world.engine.beat(first, cycle=1)
    assert isinstance(world.intents.claim(record.id, second, Regime.LIVE, wide_limits()), IntentRecord)


def test_of_two_scopes_that_use_a_new_database_first_one_owns_it(database_url: str, clock: FakeClock) -> None:
    scopes = [a_scope(world=str(n)) for n in range(CONTENDERS)]

    def first_use(scope: Scope) -> Callable[[], SqlStores]:
        return lambda: open_stores(database_url, scope, clock)

    answers = at_once([first_use(scope) for scope in scopes])
    owners = [answer for answer in answers if isinstance(answer, SqlStores)]
    assert [owner.scope for owner in owners] == [peek_scope(database_url)]
    assert {answer.code for answer in answers if isinstance(answer, PolybotError)} == {"foreign_scope"}
    assert {row.type for row in owners[0].switches.list()} == set(KillSwitchType)
    for owner in owners:
        owner.close()


def test_the_journal_has_no_gap_and_no_fork_after_a_crowd(world: World, processes: list[SqlStores]) -> None:
    def note(stores: SqlStores, n: int) -> Callable[[], None]:
        def run() -> None:
            for turn in range(5):
                stores.engine.note(
                    None, kind="crowd.noted", subject=str(n), payload={"t": turn}, actor="user:x"
                )

        return run

    answers = at_once([note(stores, n) for n, stores in enumerate(processes)])
    assert answers == [None] * CONTENDERS
    report = world.stores.verify_journal()
    assert report.intact
    assert world.kinds().count("crowd.noted") == 5 * CONTENDERS
