"""One engine: a standby takes over from the dead at once and from the silent after the lease time."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from polyb0t.core.errors import ConflictError, DatabaseError, LeaseLostError
from polyb0t.db import SqlStores
from polyb0t.execution.intents import IntentRecord
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Lease, LeaseInfo
from polyb0t.runtime.current import boot_id, process_started, same_process
from polyb0t.runtime.lease import acquire_lease, stand_by
from polyb0t.runtime.wallet_lock import WalletLock
from tests.support.builders import a_scope, an_intent, an_order_for, wide_limits
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_stores


class Hours(FakeClock):
    """Something may happen whenever the standby sleeps."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], object] = lambda: None
        self.slept = 0.0

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.slept += seconds
        assert self.slept < 600, "the standby never takes over"
        self.meanwhile()


@pytest.fixture
def clock() -> Hours:
    return Hours()


@pytest.fixture
def stores(tmp_path: Path, clock: Hours) -> Iterator[SqlStores]:
    opened = sqlite_stores(tmp_path, clock)
    yield opened
    opened.close()


def elsewhere(stores: SqlStores) -> Lease:
    """An engine on another machine: only its silence can be observed."""
    lease = stores.engine.acquire(
        "engine", holder="far:7", boot_id="b", process_started="1", regime=Regime.LIVE
    )
    assert isinstance(lease, Lease)
    return lease


def here(stores: SqlStores, pid: int, started: float, boot: str | None = None) -> Lease:
    lease = stores.engine.acquire(
        "engine",
        holder=f"{socket.gethostname()}:{pid}",
        boot_id=boot or boot_id(),
        process_started=repr(started),
        regime=Regime.LIVE,
    )
    assert isinstance(lease, Lease)
    return lease


def take_over(stores: SqlStores, clock: Hours, **more: Any) -> Lease:
    return stand_by(stores.engine, Regime.LIVE, clock, **more)


def test_it_takes_over_after_the_whole_lease_time_of_silence(stores: SqlStores, clock: Hours) -> None:
    old = elsewhere(stores)

    new = take_over(stores, clock)

    assert new.token > old.token
    assert 30 <= clock.slept <= 32


def test_a_holder_that_renews_is_never_taken_over(stores: SqlStores, clock: Hours) -> None:
    old = elsewhere(stores)

    def beat() -> None:
        if clock.slept < 120:
            stores.engine.beat(old, cycle=1)

    clock.meanwhile = beat
    take_over(stores, clock)

    assert clock.slept >= 149


def test_a_renewal_in_the_last_moment_keeps_the_lease(stores: SqlStores, clock: Hours) -> None:
    """The holder wakes up between the standby's decision and its write."""
    old = elsewhere(stores)
    acquire = stores.engine.acquire
    raced: list[object] = []

    def race(*args: Any, **more: Any) -> Lease | LeaseInfo:
        if more.get("take_over_from") and not raced:
            clock.advance(seconds=0.001)
            stores.engine.beat(old, cycle=1)
            answer = acquire(*args, **more)
            raced.append(answer)
            return answer
        return acquire(*args, **more)

    stores.engine.acquire = race  # type: ignore[method-assign]
    take_over(stores, clock)

    assert isinstance(raced[0], LeaseInfo)
    assert clock.slept >= 59


def test_no_wall_clock_is_believed(stores: SqlStores, clock: Hours) -> None:
    elsewhere(stores)

    def jump() -> None:
        if clock.slept == 5:
            clock.jump_wall(seconds=3_600)

    clock.meanwhile = jump
    take_over(stores, clock)

    assert clock.slept >= 30


def test_a_database_that_cannot_be_read_says_nothing_about_the_holder(
    stores: SqlStores, clock: Hours
) -> None:
    elsewhere(stores)
    acquire = stores.engine.acquire

    def sometimes(*args: Any, **more: Any) -> Lease | LeaseInfo:
        if 10 <= clock.slept < 60:
            raise DatabaseError("The database is locked.")
        return acquire(*args, **more)

    stores.engine.acquire = sometimes  # type: ignore[method-assign]
    take_over(stores, clock)

    assert clock.slept >= 89


def test_a_lease_that_is_given_back_is_taken_at_once(stores: SqlStores, clock: Hours) -> None:
    old = elsewhere(stores)

    def end() -> None:
        if clock.slept == 3:
            stores.engine.release(old)

    clock.meanwhile = end
    take_over(stores, clock)

    assert clock.slept == 3


@pytest.mark.parametrize("how", ["killed", "killed and not yet reaped", "another boot", "pid of another"])
def test_a_holder_whose_process_is_gone_is_taken_over_at_once(
    stores: SqlStores, clock: Hours, how: str
) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    started, boot = process_started(process.pid), None
    if how == "another boot":
        boot = "an earlier one"
    elif how == "pid of another":
        started -= 100
    else:
        process.kill()
        if how == "killed":
            process.wait()
        else:
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    here(stores, process.pid, started, boot)
    try:
        take_over(stores, clock)
    finally:
        process.kill()
        process.wait()

    assert clock.slept == 0


def test_a_process_that_runs_is_there_and_a_second_engine_is_refused(stores: SqlStores) -> None:
    here(stores, os.getpid(), process_started())

    assert same_process(os.getpid(), process_started())
    with pytest.raises(ConflictError) as refused:
        acquire_lease(stores.engine, Regime.LIVE)
    assert refused.value.code == "lease_held"
    assert "--standby" in refused.value.do


def test_it_is_said_once_behind_whom_it_waits(stores: SqlStores, clock: Hours) -> None:
    elsewhere(stores)
    told: list[LeaseInfo] = []

    take_over(stores, clock, waiting=told.append)

    assert [info.holder for info in told] == ["far:7"]


def test_a_paused_engine_that_wakes_up_can_write_nothing(stores: SqlStores, clock: Hours) -> None:
    """Everything that it may have been about to do when it was stopped."""
    old = elsewhere(stores)
    first = an_intent(created_at=clock.now())
    stores.intents.propose(first, old)
    stores.intents.approve(first.id, digest=first.digest, actor="user:anna", grace_seconds=600)
    claimed = stores.intents.claim(first.id, old, Regime.LIVE, wide_limits())
    assert isinstance(claimed, IntentRecord)

    new = take_over(stores, clock)
    before = stores.engine.last_sequence()
    attempts: list[Callable[[], object]] = [
        lambda: stores.engine.beat(old, cycle=2),
        lambda: stores.engine.release(old),
        lambda: stores.intents.propose(an_intent(created_at=clock.now()), old),
        lambda: stores.intents.claim(first.id, old, Regime.LIVE, wide_limits()),
        lambda: stores.intents.permit(an_order_for(first), old, post_budget_seconds=10),
        lambda: stores.intents.fail(first.id, old, code="x", detail=""),
        lambda: stores.intents.expire_due(old),
        lambda: stores.engine.note(old, kind="x", subject="x", payload={}, actor="engine"),
    ]
    for attempt in attempts:
        with pytest.raises(LeaseLostError):
            attempt()

    assert stores.engine.last_sequence() == before
    stores.engine.beat(new, cycle=1)


# -- a second database -------------------------------------------------------------------------


def held_by_another(folder: Path, database: str) -> subprocess.Popen[str]:
    code = (
        "import sys; from pathlib import Path;"
        "from polyb0t.runtime.wallet_lock import WalletLock;"
        "from polyb0t.execution.scope import Scope;"
        f"lock = WalletLock(Scope.parse({str(a_scope())!r}), {database!r}, Path({str(folder)!r}));"
        "lock.take(print); print('held', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.parametrize(("other", "warned"), [("sqlite:////b.db", True), ("sqlite:////a.db", False)])
def test_a_second_database_on_the_wallet_is_warned_of(tmp_path: Path, other: str, warned: bool) -> None:
    told: list[str] = []
    with held_by_another(tmp_path, other) as process:
        lock = WalletLock(a_scope(), "sqlite:////a.db", tmp_path)
        lock.take(told.append)
        process.communicate("")

    assert bool(told) is warned
    assert all("sqlite:////b.db" in sentence for sentence in told)
    lock.take(told.append)  # the other has ended: the lock is free
    assert len(told) == int(warned)
    lock.release()
