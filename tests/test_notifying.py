"""The owner's hook is told of every event, as JSON, without a secret, and nothing ever waits for it."""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from polyb0t.core.clock import SystemClock
from polyb0t.db.stores import SqlStores
from polyb0t.execution.scope import Lease, Regime
from polyb0t.execution.store import JournalEntry
from polyb0t.runtime.notifying import MOST_WAITING, Notifier, environment, event_view
from tests.support.builders import an_intent
from tests.support.databases import sqlite_stores


class Hook:
    """A program that writes what it is told, and its environment, into files."""

    def __init__(self, folder: Path, body: str = "") -> None:
        self._told = folder / "told"
        self._script = folder / "hook.py"
        self._script.write_text(
            "import json, os, sys, time\n"
            f"open({str(self._told)!r}, 'a').write(sys.stdin.read())\n"
            f"json.dump(dict(os.environ), open({str(folder / 'environment')!r}, 'w'))\n{body}\n",
            encoding="utf-8",
        )
        self.command = f"{sys.executable} {self._script}"

    def told(self) -> list[dict[str, Any]]:
        text = self._told.read_text(encoding="utf-8") if self._told.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def until(self, number: int) -> list[dict[str, Any]]:
        end = time.monotonic() + 30
        while len(self.told()) < number:
            assert time.monotonic() < end, f"told only {len(self.told())}"
            os.sched_yield()
        return self.told()


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[SqlStores]:
    opened = sqlite_stores(tmp_path, SystemClock())
    assert isinstance(opened, SqlStores)
    yield opened
    opened.close()


def proposed(stores: SqlStores) -> list[JournalEntry]:
    """The journal after one proposal."""
    lease = stores.engine.acquire(
        "engine", holder="h:1", boot_id="b", process_started="1", regime=Regime.LIVE
    )
    assert isinstance(lease, Lease)
    stores.intents.propose(an_intent(created_at=SystemClock().now()), lease)
    return list(stores.engine.journal())


class TestTelling:
    def test_each_event_is_told_in_order_with_the_trade_that_it_is_about(
        self, tmp_path: Path, stores: SqlStores
    ) -> None:
        entries, hook = proposed(stores), Hook(tmp_path)
        notifier = Notifier(hook.command, 10, stores)
        assert notifier.missing() == ""
        notifier.start()
        for entry in entries:
            notifier.happened(entry)
        told = hook.until(len(entries))
        notifier.close()
        assert [each["sequence"] for each in told] == [entry.sequence for entry in entries]
        last = told[-1]
        assert (last["kind"], last["intent"]["status"]) == ("intent.proposed", "PENDING")
        assert last["intent"]["short_id"] == last["intent"]["id"][:4]
        assert last["at"].endswith("Z")
        assert last["dropped_before"] == 0

    def test_a_command_that_is_no_program_is_said_before_anything_runs(self, stores: SqlStores) -> None:
        missing = Notifier("/no/such/hook --loud", 10, stores).missing()
        assert missing.startswith("Nobody is notified: POLYBOT_NOTIFY_COMMAND names /no/such/hook")

    def test_it_is_run_without_a_shell(self, tmp_path: Path, stores: SqlStores) -> None:
        hook, entries = Hook(tmp_path), proposed(stores)
        notifier = Notifier(f"{hook.command} ; touch {tmp_path / 'owned'} $(id)", 10, stores)
        notifier.start()
        notifier.happened(entries[-1])
        hook.until(1)
        notifier.close()
        assert not (tmp_path / "owned").exists()


class TestBounds:
    def test_a_hook_that_hangs_is_ended_and_the_next_event_is_told(
        self, tmp_path: Path, stores: SqlStores
    ) -> None:
        entries = proposed(stores)
        hook = Hook(tmp_path, "time.sleep(600)")
        with capture_logs() as logs:
            notifier = Notifier(hook.command, 1, stores)
            notifier.start()
            for entry in entries[-2:]:
                notifier.happened(entry)
            assert len(hook.until(2)) == 2
            notifier.close()
        assert any("still running after 1 s" in str(each.get("reason")) for each in logs)

    def test_closing_waits_two_seconds_at_most_for_one_that_hangs(
        self, tmp_path: Path, stores: SqlStores
    ) -> None:
        entries, hook = proposed(stores), Hook(tmp_path, "time.sleep(600)")
        notifier = Notifier(hook.command, 60, stores)
        notifier.start()
        notifier.happened(entries[-1])
        hook.until(1)
        begun = time.monotonic()
        notifier.close()
        assert time.monotonic() - begun < 4

    def test_telling_it_never_waits_and_drops_the_oldest(self, stores: SqlStores) -> None:
        entries = proposed(stores)
        notifier = Notifier("true", 10, stores)  # never started: nothing is taken out
        for _ in range(MOST_WAITING + 7):
            notifier.happened(entries[-1])
        assert (len(notifier._waiting), notifier._dropped) == (MOST_WAITING, 7)

    def test_a_failure_is_logged_and_ends_nothing(self, tmp_path: Path, stores: SqlStores) -> None:
        entries, hook = proposed(stores), Hook(tmp_path, "sys.exit(3)")
        with capture_logs() as logs:
            notifier = Notifier(hook.command, 10, stores)
            notifier.start()
            for entry in entries[-2:]:
                notifier.happened(entry)
            hook.until(2)
            notifier.close()
        assert sum(each["event"] == "notify.failed" for each in logs) == 2
        assert any("exit code 3" in str(each.get("reason")) for each in logs)


class TestSecrets:
    def test_the_program_finds_no_secret_around_it(
        self, tmp_path: Path, stores: SqlStores, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in (
            "POLYBOT_PRIVATE_KEY",
            "POLYBOT_TOKEN",
            "POLYBOT_RELAYER_API_KEY",
            "POLYBOT_DATABASE_URL",
        ):
            monkeypatch.setenv(name, "canary-7c1e")
        monkeypatch.setenv("POLYBOT_DATA_DIR", "/somewhere")
        hook, entries = Hook(tmp_path), proposed(stores)
        notifier = Notifier(hook.command, 10, stores)
        notifier.start()
        notifier.happened(entries[-1])
        told = hook.until(1)
        notifier.close()
        around = (tmp_path / "environment").read_text(encoding="utf-8")
        assert "canary-7c1e" not in around + json.dumps(told)
        assert "/somewhere" in around, "what is no secret is there: the hook may call polyb0t itself"

    @pytest.mark.parametrize("name", ["polybot_private_key", "POLYBOT_ANY_PASSWORD", "POLYBOT_API_SECRET"])
    def test_a_name_like_that_of_a_secret_is_left_out(self, name: str) -> None:
        assert environment({name: "x", "PATH": "/bin"}) == {"PATH": "/bin"}


def test_what_a_hook_is_told_of_a_switch(stores: SqlStores) -> None:
    proposed(stores)
    entry = stores.engine.journal()[0]
    view = event_view(stores, entry)
    assert view["intent"] is None
    assert isinstance(view["payload"], dict)
