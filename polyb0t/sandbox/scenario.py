"""Trouble by timetable: what an operator would do at the panel, written down beforehand.

A scenario is a TOML or JSON file with a name and steps. A step is one request to `/sandbox`, made at
an instant of the world's clock counted from the start, or from the moment when so many requests of a
client have been answered. So everything the panel can do, a scenario can do, in the same words.
"""

import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from polyb0t.core.errors import PolybotError
from polyb0t.sandbox.wire import UNREADABLE, Reply, Request

LONGEST_MS: Final = 7 * 86_400_000
MOST_STEPS: Final = 1_000
_METHODS: Final = ("PUT", "POST", "DELETE")


class ScenarioError(PolybotError):
    """A scenario file cannot be read, or asks for what the panel does not have."""

    code = "scenario_file"


class Trigger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Requests of a client: once `count` of them were answered, the step's time begins."""

    path: str
    method: str = ""  # empty: any
    count: int = 1

    def __post_init__(self) -> None:
        """Refuse a trigger that could never be pulled."""
        if not 1 <= self.count <= 1_000_000 or not self.path.startswith("/"):
            raise ValueError("a trigger needs a path and a count above 0")


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One request to the panel. `at_ms` counts from the start, or from the moment of `when`."""

    do: str  # "PUT /sandbox/faults"
    at_ms: int = 0
    when: Trigger | None = None
    body: object = None

    def __post_init__(self) -> None:
        """Refuse a step that is no request to the panel."""
        method, _, path = self.do.partition(" ")
        if method not in _METHODS or not path.startswith("/sandbox/") or path == "/sandbox/scenario":
            raise ValueError(f"{self.do[:60]!r} is not a request like 'PUT /sandbox/faults'")
        if not 0 <= self.at_ms <= LONGEST_MS:
            raise ValueError("at_ms is between 0 and a week")


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name, a sentence about what happens, and what is done when."""

    name: str
    steps: list[Step]
    about: str = ""

    def __post_init__(self) -> None:
        """Refuse a file of another size than a person writes."""
        if len(self.steps) > MOST_STEPS:
            raise ValueError(f"a scenario has at most {MOST_STEPS} steps")


def load(path: Path) -> Scenario:
    """The scenario in a file, TOML unless its name ends in .json.

    Raises:
        ScenarioError: it cannot be read or makes no sense.
    """
    try:
        text = path.read_text(encoding="utf-8")
        raw: Any = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        return msgspec.convert(raw, Scenario)
    except (OSError, ValueError, RecursionError, *UNREADABLE) as error:
        raise ScenarioError(
            f"The scenario {path} was not started.",
            why=f"It cannot be used: {error}.",
            do="Compare it with those in the folder scenarios.",
        ) from error


@dataclass
class _Planned:
    step: Step
    seen: int = 0
    due_ms: int | None = None
    answered: int | None = None
    refusal: str = ""


class Timetable:
    """The scenario that is under way, if any."""

    def __init__(self, perform: Callable[[Request], Reply]) -> None:
        self._perform = perform
        self._scenario: Scenario | None = None
        self._planned: list[_Planned] = []

    def start(self, scenario: Scenario, now_ms: int) -> None:
        """Begin; what another one had planned is forgotten. Steps due at once are taken at once."""
        self._scenario = scenario
        self._planned = [
            _Planned(step, due_ms=None if step.when else now_ms + step.at_ms) for step in scenario.steps
        ]
        self.run_due(now_ms)

    def stop(self) -> None:
        """Do nothing more."""
        self._scenario, self._planned = None, []

    def next_due(self) -> int | None:
        """The instant of the next step whose time is known."""
        return min(
            (one.due_ms for one in self._planned if one.due_ms is not None and one.answered is None),
            default=None,
        )

    def saw(self, method: str, path: str, now_ms: int) -> None:
        """A client's request was answered; it may be the one that a step waits for."""
        for one in self._planned:
            when = one.step.when
            if when is None or one.due_ms is not None or path != when.path:
                continue
            if when.method and when.method.upper() != method:
                continue
            one.seen += 1
            if one.seen == when.count:
                one.due_ms = now_ms + one.step.at_ms
        self.run_due(now_ms)

    def run_due(self, now_ms: int) -> None:
        """Take every step whose time has come, in the order of their times."""
        while True:
            due = self.next_due()
            if due is None or due > now_ms:
                return
            one = next(one for one in self._planned if one.due_ms == due and one.answered is None)
            one.answered = 0  # before it is taken: a step that looks at the timetable finds itself taken
            self._take(one)

    def listing(self) -> dict[str, object]:
        """The scenario with what became of each step."""
        if self._scenario is None:
            return {"name": None, "steps": []}
        return {
            "name": self._scenario.name,
            "about": self._scenario.about,
            "steps": [
                {"do": one.step.do, "due_ms": one.due_ms, "answered": one.answered, "refusal": one.refusal}
                for one in self._planned
            ],
        }

    def _take(self, one: _Planned) -> None:
        method, _, path = one.step.do.partition(" ")
        body = b"" if one.step.body is None else msgspec.json.encode(one.step.body)
        reply = self._perform(Request(method, path, "", {}, body))
        one.answered = reply.status
        one.refusal = "" if reply.status < 400 else reply.body.decode()
