"""Which database a command means: flag, environment, .env, then what ran here last."""

import os
import socket
from pathlib import Path

import pytest

from polyb0t.config.settings import load_settings
from polyb0t.core.clock import SystemClock
from polyb0t.core.errors import NotFoundError
from polyb0t.db.stores import open_stores
from polyb0t.execution.scope import PAPER_WALLET, Regime
from polyb0t.runtime.current import CurrentRun, boot_id, process_started, read_current, write_current
from polyb0t.runtime.opened import open_store
from tests.support.builders import WALLET, a_scope
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_stores, sqlite_url

REAL = a_scope(venue="polymarket", world="")


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("POLYBOT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


def ran(data_dir: Path, scope, *, alive: bool, at: str = "2026-11-22T12:00:00.000000Z") -> str:
    """An engine ran on a database of its own and left its file behind."""
    folder = data_dir / scope.venue
    sqlite_stores(folder, FakeClock(), scope=scope).close()
    pid, started = (os.getpid(), process_started()) if alive else (2**22 + 1, 1.0)
    write_current(
        data_dir, CurrentRun(str(scope), sqlite_url(folder), "http://127.0.0.1:1", pid, started, at)
    )
    return sqlite_url(folder)


def opened(data_dir: Path, **flags):
    return open_store(load_settings(data_dir=data_dir, **flags))


def test_nothing_has_run(data_dir):
    with pytest.raises(NotFoundError, match=r"no engine has run.*Looked in .*make run"):
        opened(data_dir)


def test_the_one_that_ran_is_found_whatever_the_default_venue_is(data_dir):
    url = ran(data_dir, a_scope(), alive=False)
    found = opened(data_dir)
    assert (found.database_url, found.scope) == (url, a_scope())


def test_of_two_the_one_that_runs_is_meant(data_dir):
    url = ran(data_dir, a_scope(), alive=True, at="2026-11-22T11:00:00.000000Z")
    ran(data_dir, REAL, alive=False, at="2026-11-22T12:00:00.000000Z")
    assert opened(data_dir).database_url == url


def test_of_two_that_ended_the_later_one_is_meant(data_dir):
    ran(data_dir, a_scope(), alive=False, at="2026-11-22T11:00:00.000000Z")
    url = ran(data_dir, REAL, alive=False, at="2026-11-22T12:00:00.000000Z")
    assert opened(data_dir).database_url == url


def test_a_named_venue_is_the_one_that_is_meant(data_dir):
    ran(data_dir, a_scope(), alive=True)
    url = ran(data_dir, REAL, alive=False)
    assert opened(data_dir, venue="polymarket").database_url == url


def test_a_named_venue_that_never_ran_says_where_one_runs(data_dir):
    ran(data_dir, a_scope(), alive=True)
    with pytest.raises(NotFoundError, match=r"no engine has run on polymarket.*sandbox \(an engine runs\)"):
        opened(data_dir, venue="polymarket")


def test_a_named_database_is_opened_whatever_ran(data_dir, tmp_path):
    ran(data_dir, a_scope(), alive=True)
    other = a_scope(world="other")
    sqlite_stores(tmp_path / "elsewhere", FakeClock(), scope=other).close()
    assert opened(data_dir, database_url=sqlite_url(tmp_path / "elsewhere")).scope == other


def test_a_damaged_file_of_a_run_is_left_out(data_dir):
    url = ran(data_dir, a_scope(), alive=False)
    (data_dir / "current" / "polymarket.json").write_text("{not json")
    assert set(read_current(data_dir)) == {"sandbox"}
    assert opened(data_dir).database_url == url


def test_a_run_is_alive_only_as_the_very_process_that_wrote_it():
    run = CurrentRun(str(a_scope()), "sqlite://", "", os.getpid(), process_started(), "")
    assert run.alive
    assert not CurrentRun(str(a_scope()), "sqlite://", "", os.getpid(), process_started() - 99, "").alive
    assert WALLET in run.scope


class TestWhetherAnEngineRuns:
    def held_by(self, data_dir: Path, holder: str, started: float) -> bool:
        url = ran(data_dir, a_scope(), alive=True)
        stores = open_stores(url, a_scope(), SystemClock())
        stores.engine.acquire(
            "engine", holder=holder, boot_id=boot_id(), process_started=repr(started), regime=Regime.LIVE
        )
        return bool(opened(data_dir).engine_runs())

    def test_one_on_this_machine_is_its_process(self, data_dir):
        assert self.held_by(data_dir, f"{socket.gethostname()}:{os.getpid()}", process_started())

    def test_one_whose_process_has_ended_runs_no_more_however_young_its_beat(self, data_dir):
        assert not self.held_by(data_dir, f"{socket.gethostname()}:{os.getpid()}", 1.0)

    def test_one_on_another_machine_runs_while_it_is_heard(self, data_dir):
        """No process of this machine is asked: the same id means another one here."""
        assert self.held_by(data_dir, f"elsewhere:{os.getpid()}", 1.0)


PAPER = a_scope(wallet=PAPER_WALLET)


def test_a_paper_run_does_not_hide_the_real_one_beside_it(data_dir):
    real = ran(data_dir, a_scope(), alive=True, at="2026-11-22T11:00:00.000000Z")
    paper = ran(data_dir / "paper", PAPER, alive=True, at="2026-11-22T12:00:00.000000Z")
    (data_dir / "paper" / "current" / "sandbox-paper.json").rename(
        data_dir / "current" / "sandbox-paper.json"
    )

    assert opened(data_dir).database_url == real
    assert opened(data_dir, venue="sandbox").database_url == real
    assert opened(data_dir, mode="paper").database_url == paper
    assert opened(data_dir, mode="paper").regime() is Regime.PAPER


def test_whoever_asks_for_the_paper_account_never_gets_a_real_one_nor_the_other_way_round(data_dir):
    ran(data_dir, a_scope(), alive=True)
    with pytest.raises(NotFoundError, match="no engine has run in the mode paper"):
        opened(data_dir, mode="paper")


def test_a_paper_run_that_ran_last_is_meant_when_nothing_runs(data_dir):
    ran(data_dir, REAL, alive=False, at="2026-11-22T11:00:00.000000Z")
    paper = ran(data_dir, PAPER, alive=False, at="2026-11-22T12:00:00.000000Z")
    assert opened(data_dir).database_url == paper
    with pytest.raises(NotFoundError, match="POLYBOT_MODE=paper"):
        opened(data_dir, venue="sandbox", mode="live")
