"""The right to be the one engine, taken over only from a process that has ended."""

import os
import socket
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest

from polyb0t.core.clock import Clock
from polyb0t.core.errors import ConflictError, DatabaseError, LeaseLostError
from polyb0t.execution.scope import LEASE_SECONDS, Regime
from polyb0t.execution.store import Lease, LeaseInfo
from polyb0t.runtime.current import boot_id, holder_is_gone, process_started
from polyb0t.runtime.lease import LeaseKeeper, acquire_lease
from polyb0t.runtime.screen import Ended
from tests.support.builders import a_scope
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_stores

HERE = socket.gethostname()
NOBODY = 2**22 + 12345  # more than any process id


@pytest.fixture
def engine(tmp_path: Path):
    return sqlite_stores(tmp_path, FakeClock(), scope=a_scope()).engine


def held_by(engine, *, host: str = HERE, pid: int = NOBODY, started: float = 1.0, boot: str | None = None):
    answer = engine.acquire(
        "engine",
        holder=f"{host}:{pid}",
        boot_id=boot or boot_id(),
        process_started=repr(started),
        regime=Regime.LIVE,
    )
    assert isinstance(answer, Lease)
    return answer


def info(engine) -> LeaseInfo:
    found: LeaseInfo | None = engine.lease_info("engine")
    assert found is not None
    return found


class TestTakingIt:
    def test_nobody_has_it(self, engine):
        assert acquire_lease(engine, Regime.DRY_RUN).token == 1

    def test_its_holder_was_killed(self, engine):
        first = held_by(engine)
        assert acquire_lease(engine, Regime.LIVE).token == first.token + 1

    def test_its_holders_id_belongs_to_another_process_now(self, engine):
        held_by(engine, pid=os.getpid(), started=process_started() - 3600)
        assert acquire_lease(engine, Regime.LIVE).token == 2

    def test_its_holder_runs(self, engine):
        held_by(engine, pid=os.getpid(), started=process_started())
        with pytest.raises(ConflictError, match="another engine") as refused:
            acquire_lease(engine, Regime.LIVE)
        assert refused.value.code == "lease_held"
        assert info(engine).token == 1

    def test_what_runs_on_another_machine_proves_nothing_here(self, engine):
        held_by(engine, host="elsewhere")
        with pytest.raises(ConflictError):
            acquire_lease(engine, Regime.LIVE)

    def test_this_machine_was_started_anew(self, engine):
        held_by(engine, pid=os.getpid(), started=process_started(), boot="an earlier boot")
        assert holder_is_gone(info(engine))

    def test_it_was_given_back(self, engine):
        engine.release(held_by(engine, pid=os.getpid(), started=process_started()))
        assert acquire_lease(engine, Regime.LIVE).token == 2


class Beats:
    """An engine store that only beats, as it is told to."""

    def __init__(self, *answers: BaseException | None) -> None:
        self._answers = list(answers)
        self.released = False

    def beat(self, lease, *, cycle, facts=None):
        answer = self._answers.pop(0) if self._answers else None
        if answer is not None:
            raise answer

    def release(self, lease):
        self.released = True


class JumpingClock(FakeClock):
    """Every look is `step` seconds later than the last one."""

    def __init__(self, step: float) -> None:
        super().__init__()
        self._step = step

    def boot_seconds(self) -> float:
        self.advance(seconds=self._step)
        return super().boot_seconds()


def keeper_of(engine: Any, clock: Clock | None = None) -> LeaseKeeper:
    return LeaseKeeper(engine, Lease("engine", 1), clock or FakeClock())


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr("polyb0t.runtime.lease.BEATS", 30_000)


class TestKeepingIt:
    def test_another_holder_ends_it(self, at_once):
        keeper = keeper_of(Beats(LeaseLostError("gone")))
        keeper.start()
        assert keeper.lost.wait(5)
        assert keeper.ended is Ended.TAKEN_OVER

    def test_half_the_lease_time_without_a_renewal_ends_it(self, at_once):
        """Whoever takes over waits the whole time: by then this engine has stopped."""
        broken = Beats(*[DatabaseError("locked")] * 1000)
        keeper = keeper_of(broken, JumpingClock(LEASE_SECONDS / 4))
        keeper.start()
        assert keeper.lost.wait(5)
        assert keeper.ended is Ended.NOT_WRITTEN  # nobody else has it: no screen may say so

    def test_a_lost_lease_is_not_given_back(self, at_once):
        engine = Beats(LeaseLostError("gone"))
        keeper = keeper_of(engine)
        keeper.start()
        assert keeper.lost.wait(5)
        keeper.stop()
        assert not engine.released

    def test_at_the_end_it_is_given_back(self, at_once):
        engine = Beats()
        keeper = keeper_of(engine)
        keeper.start()
        keeper.stop()
        assert engine.released

    def test_facts_that_cannot_wait_are_published_now(self, monkeypatch):
        renewed = threading.Event()
        keeper = keeper_of(Beats())
        monkeypatch.setattr(keeper.engine, "beat", lambda *_args, **_facts: renewed.set())
        keeper.start()
        keeper.hurry()
        assert renewed.wait(1)
        keeper.stop()


def test_a_process_is_told_by_its_id_and_its_start():
    assert process_started() == psutil.Process().create_time()
