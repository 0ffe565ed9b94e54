"""A person in a replay: he is asked, takes his time, and decides what is still to be decided then."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final

from polyb0t.core.clock import microseconds
from polyb0t.core.errors import ConflictError
from polyb0t.core.ids import IntentId
from polyb0t.db.decisions import PAPER_ENGINE
from polyb0t.execution.intents import IntentRecord, IntentStatus
from polyb0t.execution.store import Stores
from polyb0t.research.replay.human import HumanModel

_MILLION: Final = 1_000_000
UNANSWERED: Final = "let it end"
APPROVED: Final = "approved"
REJECTED: Final = "rejected"
REASON: Final = "The simulated person said no."

Told = Callable[[IntentRecord, str, float], None]


@dataclass
class Hand:
    """`told` hears each decision: the intent, what came of it, and after how many seconds."""

    stores: Stores
    human: HumanModel
    seed: int
    grace_seconds: float
    told: Told
    counts: Counter[str] = field(default_factory=Counter)
    _shown: int = 0
    _asked: set[IntentId] = field(default_factory=set)
    _due: list[tuple[int, int, IntentRecord, float, bool]] = field(default_factory=list)

    @property
    def next_us(self) -> int | None:
        """When he decides next; None while nothing waits that he will decide."""
        return self._due[0][0] if self._due else None

    def ask(self, waiting: Iterable[IntentRecord]) -> list[IntentRecord]:
        """Show him what waits; what he had not seen before, the oldest first."""
        pending = [record for record in waiting if record.status is IntentStatus.PENDING]
        new = [record for record in reversed(pending) if record.id not in self._asked]
        self._asked = {record.id for record in pending}
        for record in new:
            self._show(record)
        return new

    def decide(self, now_us: int) -> int:
        """Give every decision that is due by now; how many were approved."""
        approved = 0
        while self._due and self._due[0][0] <= now_us:
            _, _, record, after, approves = heappop(self._due)
            came = self._give(record, approves=approves)
            self.counts[came] += 1
            self.told(record, came, after)
            approved += came == APPROVED
        return approved

    def _show(self, record: IntentRecord) -> None:
        intent = record.intent
        asked_us = microseconds(intent.created_at)
        seconds = (intent.deadline - intent.created_at).total_seconds()
        word = self.human.word(self.seed, intent.target, asked_us, seconds)
        if word is None:
            self.counts[UNANSWERED] += 1
            return
        due_us = asked_us + round(word.after_seconds * _MILLION)
        self._shown += 1
        heappush(self._due, (due_us, self._shown, record, word.after_seconds, word.approves))

    def _give(self, record: IntentRecord, *, approves: bool) -> str:
        """What came of it: `approved`, `rejected`, or the code for which it was refused."""
        intents = self.stores.intents
        try:
            if approves:
                intents.approve(
                    record.id, digest=record.digest, actor=PAPER_ENGINE, grace_seconds=self.grace_seconds
                )
                return APPROVED
            intents.reject(record.id, actor=PAPER_ENGINE, reason=REASON)
        except ConflictError as error:  # superseded or expired meanwhile, or trading is halted
            return error.code
        return REJECTED
