"""What the engine tells whoever shows it: facts, never finished lines. The command line draws them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from polyb0t.core.ids import OrderId
from polyb0t.core.units import Pusd
from polyb0t.execution.scope import Regime, Scope
from polyb0t.execution.store import JournalEntry, Stores
from polyb0t.models.kill_switches import SwitchState


@dataclass(frozen=True, slots=True)
class StartFacts:
    """At the start. `pretend_cash_pusd` is what a dry run sizes against, or what a paper account was opened
    with; None where the balance is real. `decides_itself`: a paper run that asks nobody."""

    scope: Scope
    regime: Regime
    stores: Stores
    log_file: str
    pretend_cash_pusd: Pusd | None
    continued: bool  # the database had journal entries before
    decides_itself: bool = False
    budget_pusd: Pusd | None = None


@dataclass(frozen=True, slots=True)
class StatusFacts:
    """For the line that is rewritten in place."""

    now: datetime
    cycle: int
    cycle_seconds: float
    cycle_age_seconds: float
    waiting: int
    next_deadline: datetime | None
    watchers: int  # people who looked in the last minute
    cash_pusd: Pusd | None
    switches: tuple[SwitchState, ...]
    problem: str | None  # what stops proposing or sending, in one sentence


class Ended(StrEnum):
    """Why an engine ended."""

    ASKED = "asked"  # by a person, a signal or its number of cycles
    TAKEN_OVER = "taken_over"  # another engine holds the lease
    NOT_WRITTEN = "not_written"  # the lease could not be renewed for half its time


@dataclass(frozen=True, slots=True)
class StopFacts:
    """At the end. `open_orders` are known to stay at the exchange, `unknown_orders` may."""

    open_orders: int
    unknown_orders: int
    cycles: int
    log_file: str
    ended: Ended


class Screen(Protocol):
    """Drawn by the command line; a test records it."""

    def started(self, facts: StartFacts) -> None: ...
    def told(self, sentence: str) -> None:
        """Something that a person should know now, in one sentence."""
        ...

    def climbing(self, lines: list[str]) -> None:
        """Which gate comes next, what is left to do for it and what was checked."""
        ...

    def checked(self, checks: "tuple[CheckFacts, ...]") -> None:
        """The preflight of the live regime."""
        ...

    def happened(self, entry: JournalEntry) -> None:
        """Something was journalled, by whatever process."""
        ...

    def status(self, facts: StatusFacts) -> None: ...
    def stopping(self, open_orders: tuple[OrderId, ...]) -> None:
        """The first Ctrl-C: the cycle is being finished. What is known to be open stays at the exchange."""
        ...

    def stopped(self, facts: StopFacts) -> None: ...
    def confirm(self, facts: StartFacts) -> bool:
        """Ask a person to start with real money; only called without `--yes`."""
        ...


@dataclass(frozen=True, slots=True)
class CheckFacts:
    """One check of the preflight. `state` is ok, failed, warning or not_run."""

    name: str
    state: str
    detail: str
    do: str
