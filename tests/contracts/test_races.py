"""Several people, engines and processes at once: exactly one wins, and nothing is done twice."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar, cast

import pytest

from polyb0t.core.errors import ConflictError, DatabaseError, LeaseLostError, PolybotError
from polyb0t.core.ids import ConditionId, Wallet
from polyb0t.core.units import Price, Pusd
from polyb0t.data.account_state import AccountState
from polyb0t.data.fills import FillStatus
from polyb0t.data.universe import UniverseRules
from polyb0t.db import SqlStores, open_stores, peek_scope
from polyb0t.execution.access import NO_THRESHOLDS
from polyb0t.execution.intents import IntentRecord, IntentStatus
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.scope import Regime, Scope
from polyb0t.execution.store import Denied, Lease, LeaseInfo, OrderStore
from polyb0t.models.kill_switches import KillSwitchType
from polyb0t.models.risk import RiskLimits
from polyb0t.runtime.desk import AccountDesk, DeskSettings
from polyb0t.runtime.watching import MarketWatch, WatchSettings
from tests.support.builders import WALLET, a_fill, a_scope, an_order_for, wide_limits
from tests.support.clock import FakeClock
from tests.support.databases import World
from tests.support.trading import a_book

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


class InTheMiddle:
    """The order store, and something that happens right after the `nth` read of `method`."""

    def __init__(self, orders: OrderStore, method: str, happens: Callable[[], object], nth: int = 1) -> None:
        self._orders, self._method, self._happens, self._left = orders, method, happens, nth

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._orders, name)
        if name != self._method:
            return found

        def read(*args: Any, **kwargs: Any) -> Any:
            answer = found(*args, **kwargs)
            self._left -= 1
            if self._left == 0:
                self._happens()
            return answer

        return read


def a_desk_of(world: World, orders: object) -> AccountDesk:
    """200 pUSD of cash, of which a tenth may be at risk."""
    nothing: Any = None
    settings = DeskSettings(
        thresholds=NO_THRESHOLDS,
        limits=replace(RiskLimits(), total_fraction=Decimal("0.1"), order_fraction=Decimal("0.1")),
        regime=Regime.LIVE,
        pretend_cash_pusd=Pusd(Decimal(0)),
        allow_unvalidated=True,
        identity_proven=True,
        prompts_per_hour=6,
        most_waiting=6,
        cooldown_seconds=900,
        reentry_hours=168,
        spender_of=lambda _market: "",
    )
    watch = MarketWatch(nothing, nothing, nothing, world.clock, WatchSettings(UniverseRules(), 300))
    desk = AccountDesk(replace(world.stores, orders=cast("OrderStore", orders)), watch, world.clock, settings)
    cash = Pusd(Decimal(200))
    desk.observe(AccountState(Wallet(WALLET), world.clock.now(), (), cash, None, (), {}), frozenset())
    return desk


def fill_of(world: World, order: OrderRecord) -> Callable[[], object]:
    """Another process stores the fill that spends the order's 10 pUSD, and its reservation is gone."""
    fill = a_fill(
        order.id,
        asset_id=order.asset_id,
        condition_id=order.condition_id,
        matched_at=world.clock.now() + timedelta(seconds=1),
        price=Price(Decimal("0.5")),
        status=FillStatus.CONFIRMED,
    )
    orders = world.another().orders

    def store() -> None:
        orders.record_fills(order.id, [fill], world.lease)
        orders.settle(order.id, world.lease, status=OrderStatus.FILLED, code="accepted", detail="")

    return store


def test_a_fill_amid_the_look_of_a_claim_is_looked_at_again(world: World) -> None:
    """Its reservation is gone and its cost was not seen: both orders together would be too much at risk."""
    filled = fill_of(world, world.permitted(asset_id="1", condition_id=ConditionId("0x1")))
    wanted = world.approved(asset_id="2", condition_id=ConditionId("0x2"))
    desk = a_desk_of(world, InTheMiddle(world.orders, "fills", filled))

    looked = desk.claim_limits(wanted.intent)
    assert world.orders.reserved_pusd() == 0
    answer = world.intents.claim(wanted.id, world.lease, Regime.LIVE, looked)
    assert isinstance(answer, Denied)
    assert answer.code == "account_moved"
    assert world.intents.get(wanted.id).status is IntentStatus.APPROVED

    again = desk.claim_limits(wanted.intent)
    answer = world.intents.claim(wanted.id, world.lease, Regime.LIVE, again)
    assert isinstance(answer, Denied)
    assert answer.code == "exposure_too_high"


def test_of_a_claim_and_a_fill_at_once_never_more_is_at_risk_than_allowed(world: World) -> None:
    filled = fill_of(world, world.permitted(asset_id="1", condition_id=ConditionId("0x1")))
    wanted = world.approved(asset_id="2", condition_id=ConditionId("0x2"))
    desk = a_desk_of(world, world.orders)
    other = world.another()

    def claim() -> object:
        limits = desk.claim_limits(wanted.intent)
        return other.intents.claim(wanted.id, world.lease, Regime.LIVE, limits)

    at_once([filled, claim])
    at_risk = desk.portfolio().held_cost + world.orders.reserved_pusd()
    assert at_risk <= Decimal(20)


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("read", ["fills", "reserved_pusd", "orders"])
def test_a_fill_amid_the_last_look_of_the_controls_counts_at_least_once(
    world: World, read: str, nth: int
) -> None:
    filled = fill_of(world, world.permitted(asset_id="1", condition_id=ConditionId("0x1")))
    wanted = world.claimed(asset_id="2", condition_id=ConditionId("0x2"))
    desk = a_desk_of(world, InTheMiddle(world.orders, read, filled, nth))

    context = desk.control_context(wanted.intent, a_book())

    assert context.spendable_pusd is not None
    assert context.spendable_pusd <= Decimal(190)
    assert context.exposure is not None
    assert context.exposure.total >= Decimal(10)


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


def until_the_lock_is_free(write: Callable[[], None]) -> None:
    """As every caller does: who waited half a second for the lock has written nothing and asks again."""
    while True:
        try:
            return write()
        except DatabaseError as error:
            if error.code != "database_locked":
                raise


def test_the_journal_has_no_gap_and_no_fork_after_a_crowd(world: World, processes: list[SqlStores]) -> None:
    def note(stores: SqlStores, n: int) -> Callable[[], None]:
        def write(turn: int) -> None:
            stores.engine.note(None, kind="crowd.noted", subject=str(n), payload={"t": turn}, actor="user:x")

        def run() -> None:
            for turn in range(5):
                until_the_lock_is_free(partial(write, turn))

        return run

    answers = at_once([note(stores, n) for n, stores in enumerate(processes)])
    assert answers == [None] * CONTENDERS
    report = world.stores.verify_journal()
    assert report.intact
    assert world.kinds().count("crowd.noted") == 5 * CONTENDERS
