"""Reading the journal on from a number, some kinds of it or all."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from polyb0t.execution.store import EngineStore, JournalEntry

AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries. A kind stands for itself, or as `intent` for every kind that begins so; none is all."""

    kinds: frozenset[str] = frozenset()
    subject: str | None = None

    def has(self, kind: str, subject: str) -> bool:
        if self.subject is not None and subject != self.subject:
            return False
        return not self.kinds or kind in self.kinds or kind.partition(".")[0] in self.kinds


EVERYTHING: Final = Wanted()


def entries_behind(engine: EngineStore, after: int) -> Iterator[JournalEntry]:
    """Every entry behind `after`, oldest first, until there is no more. Raises DatabaseError."""
    while page := engine.journal(after=after, limit=AT_ONCE):
        yield from page
        after = page[-1].sequence


def newest_entries(engine: EngineStore, wanted: Wanted, count: int) -> list[JournalEntry]:
    """The last `count` that are wanted, oldest first, looked for from the end backwards."""
    found: deque[JournalEntry] = deque()
    end = engine.last_sequence()
    while end > 0 and len(found) < count:
        begin = max(0, end - AT_ONCE)
        page = [each for each in engine.journal(after=begin, limit=AT_ONCE) if each.sequence <= end]
        for entry in reversed(page):
            if wanted.has(entry.kind, entry.subject):
                found.appendleft(entry)
            if len(found) == count:
                break
        end = begin
    return list(found)
