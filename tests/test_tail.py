"""What a person sees while an engine runs, also while its database cannot be read."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from polyb0t.core.errors import DatabaseError, PolybotError, VenueUnreachableError
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import JournalEntry, Lease
from polyb0t.runtime.cycle import CycleReport
from polyb0t.runtime.screen import StatusFacts
from polyb0t.runtime.tail import SizeNotice, StageFailures, Tail
from tests.support.builders import a_scope
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_stores

LOCKED = DatabaseError("The database is locked.")


class Recorded:
    """A screen that keeps what it is shown."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.facts: list[StatusFacts] = []

    def told(self, sentence: str) -> None:
        self.lines.append(sentence)

    def happened(self, entry: JournalEntry) -> None:
        self.lines.append(entry.kind)

    def status(self, facts: StatusFacts) -> None:
        self.facts.append(facts)


class Watched:
    """A tail over a real journal; `broken` is what reading the status fails with."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.engine = sqlite_stores(folder, self.clock, scope=a_scope()).engine
        lease = self.engine.acquire(
            "engine", holder="here:1", boot_id="b", process_started="1", regime=Regime.LIVE
        )
        assert isinstance(lease, Lease)
        self.lease = lease
        self.screen = Recorded()
        screen: Any = self.screen
        self.broken: PolybotError | None = None
        self.noticed: list[str] = []
        self.tail = Tail(
            self.engine, screen, self.clock, self._status, lambda entry: self.noticed.append(entry.kind)
        )
        self.tail.begin()

    def note(self, kind: str) -> None:
        self.engine.note(self.lease, kind=kind, subject="s", payload={}, actor="engine")

    def _status(self) -> StatusFacts:
        if self.broken is not None:
            raise self.broken
        return StatusFacts(self.clock.now(), 3, 0.5, 1.0, 2, None, 0, None, (), None)


@pytest.fixture
def watched(tmp_path: Path):
    return Watched(tmp_path)


class TestTail:
    def test_what_was_journalled_is_shown_once(self, watched):
        watched.note("fill.recorded")
        watched.tail.look()
        watched.tail.look()
        assert watched.screen.lines == ["fill.recorded"]
        assert watched.noticed == ["fill.recorded"]

    def test_a_database_that_cannot_be_read_leaves_the_last_status_and_says_so(self, watched):
        watched.tail.look()
        watched.broken = LOCKED
        watched.clock.advance(seconds=4)

        watched.tail.look()

        before, now = watched.screen.facts
        assert now == replace(before, now=now.now, cycle_age_seconds=5.0, problem="The database is locked.")

    def test_it_is_logged_once_and_over_when_it_answers(self, watched, caplog):
        watched.broken = LOCKED
        watched.tail.look()
        watched.tail.look()
        assert watched.screen.facts == []
        watched.broken = None
        watched.tail.look()
        assert watched.screen.facts[0].problem is None

    def test_what_was_told_from_another_thread_is_shown_at_the_next_look(self, watched):
        watched.tail.tell("The exchange is slow.")
        assert watched.screen.lines == []
        watched.tail.look()
        assert watched.screen.lines == ["The exchange is slow."]


def report(**failed: PolybotError) -> CycleReport:
    whats = {stage: error.what for stage, error in failed.items()}
    return CycleReport(1, 0.1, {}, whats, 0, (), failed)


class TestFailedStages:
    UNREACHABLE = VenueUnreachableError("gamma gave no usable answer.", why="No route.", do="make run")

    def test_one_is_told_with_reason_and_remedy_and_only_once(self):
        told: list[str] = []
        failures = StageFailures(told.append)
        failures.seen(report(markets=self.UNREACHABLE))
        failures.seen(report(markets=self.UNREACHABLE))
        assert told == ["Markets: gamma gave no usable answer. No route. make run"]
        assert not failures.market_read

    def test_one_cause_of_several_is_told_in_one_line(self):
        told: list[str] = []
        StageFailures(told.append).seen(report(expire=LOCKED, propose=LOCKED, markets=self.UNREACHABLE))
        assert told == [
            "Expire, propose: The database is locked.",
            "Markets: gamma gave no usable answer. No route. make run",
        ]

    def test_that_it_works_again_is_told_too(self):
        told: list[str] = []
        failures = StageFailures(told.append)
        failures.seen(report(markets=self.UNREACHABLE))
        failures.seen(report())
        assert told[-1] == "Markets: works again."
        assert failures.market_read


class TestTheSizeOfTheAccount:
    def test_an_account_that_is_too_small_is_told_once_and_once_that_it_is_not(self) -> None:
        told: list[str] = []
        notice = SizeNotice(told.append)
        small = {"bankroll_pusd": "60", "too_small": "This account is too small.", "remedy": "Do: more."}
        fine = {**small, "bankroll_pusd": "600", "too_small": "", "remedy": ""}
        for seen in (fine, small, small, {**small, "too_small": "Still too small."}, fine, fine):
            notice.seen(seen)
        assert told == [
            "This account is too small. Do: more.",
            "The account is large enough for an order again.",
        ]

    @pytest.mark.parametrize("unknown", [None, "", {"bankroll_pusd": None, "too_small": ""}])
    def test_what_is_not_known_says_nothing(self, unknown: object) -> None:
        told: list[str] = []
        notice = SizeNotice(told.append)
        notice.seen({"bankroll_pusd": "60", "too_small": "Too small.", "remedy": "Do: more."})
        notice.seen(unknown)
        assert len(told) == 1
