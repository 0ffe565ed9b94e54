"""How proposals were decided: by whom, how fast, and what became of those that were approved."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import ceil
from typing import Final

from polyb0t.execution.intents import IntentRecord, IntentStatus

ITSELF: Final = "engine:paper"
ENOUGH_TO_ADVISE: Final = 5  # decisions of people, or proposals that they let pass
_S: Final = IntentStatus
_PEOPLE: Final = ("user", "token")


@dataclass(frozen=True, slots=True)
class Counted:
    """A code and how often it was the end."""

    code: str
    count: int


@dataclass(frozen=True, slots=True)
class Decider:
    """One person's decisions; seconds are from proposal to decision."""

    actor: str
    approved: int
    rejected: int
    median_seconds: float | None


@dataclass(frozen=True, slots=True)
class Decisions:
    """Of the intents that were proposed in the period. Seconds are from proposal to a person's decision."""

    proposed: int
    approved: int
    by_itself: int  # of those approved: a paper run's own
    rejected: int
    expired: int
    unseen: int  # of those expired: on no screen
    superseded: int
    waiting: int
    rehearsed: int  # noted by a dry run
    median_seconds: float | None
    nine_in_ten_seconds: float | None
    too_late: int = 0  # approved, but not sent before its time was over
    failed: tuple[Counted, ...] = ()  # approved, and proof that nothing came of it
    deciders: tuple[Decider, ...] = ()
    advised_seconds: int | None = None  # a time to decide that these people would need


def decisions_of(intents: Iterable[IntentRecord], since: datetime, until: datetime) -> Decisions:
    """How what was proposed in the period was decided."""
    found = [record for record in intents if since <= record.intent.created_at < until]
    status = [record.status for record in found]
    approved = [record for record in found if record.decided_by and record.status is not _S.REJECTED]
    expired = [record for record in found if record.status is _S.EXPIRED and not record.decided_by]
    alone = [record for record in expired if record.result != "superseded"]
    seconds = sorted(_seconds(record) for record in found if _person(record))
    most = quantile(seconds, Decimal("0.9"))
    return Decisions(
        proposed=len(found),
        approved=len(approved),
        by_itself=sum(record.decided_by == ITSELF for record in approved),
        rejected=status.count(_S.REJECTED),
        expired=len(alone),
        unseen=sum(record.seen_at is None for record in alone),
        superseded=len(expired) - len(alone),
        waiting=status.count(_S.PENDING),
        rehearsed=sum(record.result == "dry_run" for record in found),
        median_seconds=quantile(seconds, Decimal("0.5")),
        nine_in_ten_seconds=most,
        too_late=sum(record.status is _S.EXPIRED for record in approved),
        failed=_codes(record for record in approved if record.status is _S.FAILED),
        deciders=_deciders(found),
        advised_seconds=_advised(most, len(seconds), len(alone)),
    )


def quantile(ordered: Sequence[float], part: Decimal) -> float | None:
    """The smallest that at least `part` of them do not exceed."""
    if not ordered:
        return None
    return ordered[max(0, ceil(len(ordered) * part) - 1)]


def _person(record: IntentRecord) -> bool:
    kind = (record.decided_by or "").partition(":")[0]
    return kind in _PEOPLE and record.decided_at is not None


def _seconds(record: IntentRecord) -> float:
    assert record.decided_at is not None
    return max(0.0, (record.decided_at - record.intent.created_at).total_seconds())


def _codes(records: Iterable[IntentRecord]) -> tuple[Counted, ...]:
    """The most frequent first."""
    counts = Counter(record.result or "unknown" for record in records)
    return tuple(Counted(code, n) for code, n in sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def _deciders(found: Sequence[IntentRecord]) -> tuple[Decider, ...]:
    names = sorted({record.decided_by or "" for record in found if _person(record)})
    return tuple(
        _decider(name, [record for record in found if record.decided_by == name and _person(record)])
        for name in names
    )


def _decider(name: str, records: Sequence[IntentRecord]) -> Decider:
    rejected = sum(record.status is _S.REJECTED for record in records)
    median = quantile(sorted(_seconds(record) for record in records), Decimal("0.5"))
    return Decider(name, len(records) - rejected, rejected, median)


def _advised(most: float | None, decided: int, expired: int) -> int | None:
    """Twice what nine in ten decisions took, in whole minutes: only where many ran out of time."""
    if most is None or decided + expired < ENOUGH_TO_ADVISE or expired * 3 < decided + expired:
        return None
    return max(120, ceil(2 * most / 60) * 60)
