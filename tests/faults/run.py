"""Runs histories and counts. Every history follows from (seed, number) alone."""

import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from random import Random

from polyb0t.execution.intents import TradeIntent
from tests.faults.history import History
from tests.faults.judge import COLUMNS, Judge, Verdict
from tests.faults.machine import Machine
from tests.faults.points import Point
from tests.faults.scenario import Scenario
from tests.faults.scenarios import SCENARIOS
from tests.faults.shapes import SHAPES


@dataclass(frozen=True, slots=True)
class Failure:
    """A broken promise, with all that is needed to see it again."""

    scenario: str
    shape: str
    seed: int
    number: int
    found: dict[str, list[str]]
    faults: list[str]


@dataclass
class Tally:
    """One scenario's results."""

    runs: int = 0
    orders: int = 0
    struck: int = 0  # histories in which the fault came about
    open: int = 0
    columns: Counter[str] = field(default_factory=Counter)
    certainty: list[float] = field(default_factory=list)
    points: Counter[str] = field(default_factory=Counter)  # by kind of trade and number, how often it struck

    def add(self, verdict: Verdict, *, struck: bool, at: str) -> None:
        self.runs += 1
        self.points.update([at] if at and struck else [])
        self.orders += verdict.orders
        self.struck += struck
        self.open += verdict.open
        self.certainty += verdict.certainty
        for column, sentences in verdict.found.items():
            self.columns[column] += bool(sentences)


@dataclass
class Result:
    """A shard's results, as written to its file."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    points: dict[str, list[str]] = field(default_factory=dict)  # by shape: the labels, in their order
    seconds: float = 0.0

    @property
    def runs(self) -> int:
        return sum(tally.runs for tally in self.tallies.values())

    def as_json(self) -> dict[str, object]:
        return {
            "tallies": {name: _plain(tally) for name, tally in self.tallies.items()},
            "failures": [asdict(failure) for failure in self.failures[:50]],
            "points": self.points,
            "seconds": round(self.seconds, 1),
        }


def _plain(tally: Tally) -> dict[str, object]:
    columns = {column: tally.columns[column] for column in COLUMNS}
    seconds = Counter(round(second) for second in tally.certainty)
    return {
        "runs": tally.runs,
        "orders": tally.orders,
        "struck": tally.struck,
        "open": tally.open,
        **columns,
        "certainty": {str(second): count for second, count in sorted(seconds.items())},
        "struck_at": dict(sorted(tally.points.items())),
    }


class Runner:
    """Histories one after the other on one machine."""

    def __init__(self, machine: Machine, scenarios: tuple[Scenario, ...] = SCENARIOS) -> None:
        self.machine = machine
        self.scenarios = tuple(one for one in scenarios if machine.database == "sqlite" or not one.sqlite)
        self.result = Result()
        self._points = machine.points

    def run(self, numbers: range, seed: int, *, until: float | None = None) -> Result:
        """Histories of these numbers, round robin over scenarios; stops at `until` (monotonic seconds)."""
        began = time.monotonic()
        for number in numbers:
            if until is not None and time.monotonic() >= until:
                break
            self.one(self.scenarios[number % len(self.scenarios)], seed, number)
        self.result.seconds += time.monotonic() - began
        self.result.points = {name: [p.label for p in points] for name, points in self._points.items()}
        return self.result

    def one(self, scenario: Scenario, seed: int, number: int) -> tuple[History, Verdict]:
        random = Random(f"{seed}/{number}")
        shape, at = self._aim(scenario, number, random)
        history = History(self.machine, random, scenario.small_pages)
        history.points.at = at
        scenario.run(history, SHAPES[shape](history))
        history.points.counting = False
        history.come_to_rest()
        verdict = Judge(history).judge()
        struck = bool(history.faults)
        where = "" if at is None else f"{scenario.way} {shape} {at}".strip()
        self.result.tallies.setdefault(scenario.name, Tally()).add(verdict, struck=struck, at=where)
        if not verdict.clean:
            found = {column: sentences for column, sentences in verdict.found.items() if sentences}
            self.result.failures.append(Failure(scenario.name, shape, seed, number, found, history.faults))
        return history, verdict

    def _aim(self, scenario: Scenario, number: int, random: Random) -> tuple[str, int | None]:
        """The kind of trade, and the point at which it strikes. Numbers walk through all that there are in
        long steps, so that none is left out by chance and a short run sees some of each."""
        shapes = scenario.shapes or tuple(SHAPES)
        if not scenario.counts:
            return random.choice(shapes), None
        every = [(shape, at) for shape in shapes for at in range(len(self.enumerated(shape, scenario)))]
        step = next(prime for prime in (19, 17, 13) if len(every) % prime)
        return every[(number // len(self.scenarios)) * step % len(every)]

    def enumerated(self, shape: str, scenario: Scenario | None = None) -> list[Point]:
        """Every point between claim and settlement, or of the scenario's own way, found by going through
        them once without a fault."""
        probe = scenario.probe if scenario is not None else None
        way = f"{scenario.way} {shape}" if scenario is not None and probe is not None else shape
        if way not in self._points:
            history = History(self.machine, Random(0))
            (probe or _carried_out)(history, SHAPES[shape](history))
            self._points[way] = list(history.points.passed)
        return self._points[way]


def _carried_out(history: History, intent: TradeIntent) -> None:
    history.execute(history.approve(intent))
