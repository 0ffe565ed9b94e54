"""What a person sees while an engine runs: each journal entry once, and the status line."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import PolybotError
from polyb0t.execution.store import EngineStore, JournalEntry
from polyb0t.runtime.cycle import CycleReport
from polyb0t.runtime.screen import Screen, StatusFacts

log = structlog.get_logger()


@dataclass
class Tail:
    """A database that cannot be read ends nothing: the last status stays, with the reason in front."""

    engine: EngineStore
    screen: Screen
    clock: Clock
    status: Callable[[], StatusFacts]
    noticed: Callable[[JournalEntry], None] = lambda _entry: None  # also told of each entry
    _told: int = 0  # sequence of the last entry shown
    _last: StatusFacts | None = None
    _unreadable: bool = False
    _sentences: deque[str] = field(default_factory=deque)

    def begin(self) -> None:
        """What was journalled so far is no news."""
        self._told = self.engine.last_sequence()

    def tell(self, sentence: str) -> None:
        """Show it at the next look; safe from every thread."""
        self._sentences.append(sentence)

    def look(self) -> None:
        """Show what is new and the state."""
        try:
            self.news()
            self._last = self.status()
            self._unreadable = False
        except PolybotError as error:
            self._cannot_read(error)
        if self._last is not None:
            self.screen.status(self._last)

    def news(self) -> None:
        """Show what was journalled, by whom ever, and what was told.

        Raises:
            DatabaseError: the journal cannot be read now; nothing is lost by it.
        """
        while self._sentences:
            self.screen.told(self._sentences.popleft())
        for entry in self.engine.journal(after=self._told):
            self.screen.happened(entry)
            self._told = entry.sequence
            self.noticed(entry)

    def _cannot_read(self, error: PolybotError) -> None:
        if not self._unreadable:
            log.warning("journal.unreadable", reason=str(error))
        self._unreadable = True
        if self._last is not None:
            now = self.clock.now()
            aged = self._last.cycle_age_seconds + (now - self._last.now).total_seconds()
            self._last = replace(self._last, now=now, cycle_age_seconds=aged, problem=error.what)


class SizeNotice:
    """Says once that the account can place no order at all, and once that it can again."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._told = ""

    def seen(self, risk: object) -> None:
        """`risk` as `risk_watch.risk_facts` gives it; anything else says nothing."""
        if not isinstance(risk, Mapping) or risk.get("bankroll_pusd") is None:
            return
        what = str(risk.get("too_small", ""))
        if bool(what) != bool(self._told):
            remedy = risk.get("remedy", "")
            self._tell(f"{what} {remedy}" if what else "The account is large enough for an order again.")
        self._told = what


class StageFailures:
    """Says once that a stage of the cycle fails, with reason and remedy, and once that it works again."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._codes: dict[str, str] = {}
        self.market_read = False  # whether any cycle saw catalogue and books

    def seen(self, report: CycleReport) -> None:
        self.market_read = self.market_read or not {"markets", "books"} & report.failed.keys()
        for stage in [stage for stage in self._codes if stage not in report.failed]:
            del self._codes[stage]
            self._tell(f"{stage.capitalize()}: works again.")
        news: dict[str, list[str]] = {}  # stages by what is to say of them: one cause is told once
        for stage, what in report.failed.items():
            error = report.errors.get(stage)
            code = error.code if error is not None else "crashed"
            if self._codes.get(stage) != code:
                self._codes[stage] = code
                news.setdefault(str(error or what), []).append(stage)
        for text, stages in news.items():
            self._tell(f"{', '.join(stages).capitalize()}: {text}")
