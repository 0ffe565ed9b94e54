"""Histories of claims, counted by story. A story whose process always ends takes another point each time."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.faults.claims.history import History, Story, played
from tests.faults.claims.judge import COLUMNS
from tests.faults.claims.stories import STORIES

MEMORY: Final = Path("/dev/shm")
POINTS: Final = 120  # about so many a process passes on the way of a few claims


@dataclass
class Tally:
    """One story's histories."""

    runs: int = 0
    struck: int = 0
    columns: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COLUMNS, 0))

    def add(self, history: History) -> None:
        self.runs += 1
        self.struck += history.struck
        for column, found in history.verdict.found.items():
            self.columns[column] += bool(found)

    def as_json(self) -> dict[str, int]:
        return {"runs": self.runs, "struck": self.struck, **self.columns}


@dataclass
class Result:
    """All stories of a run, with what was wrong in words."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def as_json(self) -> dict[str, object]:
        return {
            "tallies": {name: tally.as_json() for name, tally in self.tallies.items()},
            "failures": self.failures[:20],
            "seconds": round(self.seconds, 1),
        }


def crash_of(story: Story, number: int) -> int:
    """At which point the first process ends; 0: it does not."""
    if story.crashes == "none" or (story.crashes == "half" and number % 4 < 2):
        return 0
    return 1 + (number // len(story.routes)) * (7 if story.crashes == "half" else 1) % POINTS


def one(story: Story, seed: int, number: int) -> History:
    folder = MEMORY if MEMORY.is_dir() else None
    return played(story, seed, number, crash_at=crash_of(story, number), folder=folder)


def run(
    seed: int,
    numbers: Iterable[int],
    *,
    stories: Iterable[Story] = STORIES,
    told: Callable[[Mapping[str, object]], None] = lambda _result: None,
    until: float = float("inf"),
) -> Result:
    """Every story with each of the numbers; `told` hears the result so far after each number."""
    result, begun = Result({story.name: Tally() for story in stories}), time.monotonic()
    for number in numbers:
        for story in stories:
            history = one(story, seed, number)
            result.tallies[story.name].add(history)
            if not history.verdict.clean:
                result.failures.append(f"{story.name}, {number}: {'; '.join(history.verdict.sentences())}")
        result.seconds = time.monotonic() - begun
        told(result.as_json())
        if time.monotonic() >= until:
            break
    return result
