"""How long an idea rests after an intent on it has ended: the one rule of cycle, store and screens."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from polyb0t.execution.intents import IntentRecord, IntentStatus, IntentType
from polyb0t.execution.scope import Regime, Scope

UNSEEN_ON_SANDBOX_SECONDS: Final = 5.0  # who practises finds something waiting whenever he looks
# Ends that say nothing about the idea: the newer proposal stands, or the engine changed its regime.
SAYS_NOTHING: Final = frozenset({"superseded", "other_regime"})
ENDED: Final = (IntentStatus.REJECTED, IntentStatus.EXPIRED, IntentStatus.FAILED, IntentStatus.EXECUTED)


@dataclass(frozen=True, slots=True)
class Cooldowns:
    """Seconds of rest. `unseen_seconds` is that of an opening that expired on no screen; None: no other."""

    opening_seconds: float = 900
    closing_seconds: float = 60
    unseen_seconds: float | None = None

    @property
    def longest(self) -> timedelta:
        """Nothing rests longer than this after its last move."""
        return timedelta(seconds=max(self.opening_seconds, self.closing_seconds, self.unseen_seconds or 0))

    def rests_until(self, record: IntentRecord) -> datetime | None:
        """When its target may be proposed again; None when its end asks for no rest."""
        if record.status not in ENDED or record.result in SAYS_NOTHING:
            return None
        opening = record.intent.intent_type is IntentType.OPEN_POSITION
        done = record.status is IntentStatus.EXECUTED
        if done and not opening and record.intent.regime is not Regime.DRY_RUN:
            return None
        seconds = self.opening_seconds if opening else self.closing_seconds
        if opening and self.unseen_seconds is not None and _unseen(record):
            seconds = min(seconds, self.unseen_seconds)
        return _ended_at(record) + timedelta(seconds=seconds)


def cooldowns_of(scope: Scope, *, opening_seconds: float, closing_seconds: float = 60) -> Cooldowns:
    """Those of one account: on the sandbox, what nobody saw rests for a moment only."""
    unseen = UNSEEN_ON_SANDBOX_SECONDS if scope.is_sandbox else None
    return Cooldowns(opening_seconds, closing_seconds, unseen)


def _expired_by_time(record: IntentRecord) -> bool:
    return record.status is IntentStatus.EXPIRED and record.result == "expired"


def _unseen(record: IntentRecord) -> bool:
    return _expired_by_time(record) and record.seen_at is None and record.decided_at is None


def _ended_at(record: IntentRecord) -> datetime:
    """Time ends at the deadline, however much later an engine came to write it down."""
    if not _expired_by_time(record):
        return record.updated_at
    return min(record.updated_at, record.execute_by or record.intent.deadline)
