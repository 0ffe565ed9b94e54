"""A replay's own description, as `run.json` has it, in words: what it is worth before what it brought."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from polyb0t.core.clock import from_iso
from polyb0t.research.analytics.analysis import Analysis
from polyb0t.research.analytics.funnel_words import funnel, nothing_proposed, why_nothing
from polyb0t.research.analytics.words import sentences
from polyb0t.research.replay.tape import Fidelity

GRADES: Final[Mapping[Fidelity, str]] = {
    Fidelity.OWN_BOOKS: "books that we recorded ourselves: an order would have met them",
    Fidelity.BOUGHT_BOOKS: "books of somebody else, or only their best prices",
    Fidelity.TRADES: "what others traded; the books around it are assumed",
    Fidelity.PRICES: "prices alone, spread and depth are assumed: good for calibration, no proof of a result",
}
ASSUMED: Final = "Spread and depth were assumed. "  # before any figure of money where they were
_OF_MONEY: Final = frozenset({"Result", "Curve", "Capital", "Cost", "Capacity"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One replay. `told` is all of its `run.json`."""

    id: str
    fidelity: Fidelity
    since: datetime
    until: datetime
    told: Mapping[str, Any]
    doubts: tuple[str, ...] = ()  # what could not be read again of its history

    @classmethod
    def of(cls, told: Mapping[str, Any], doubts: Sequence[str] = ()) -> Self:
        return cls(
            id=told["id"],
            fidelity=Fidelity(told["fidelity"]),
            since=from_iso(told["since"]),
            until=from_iso(told["until"]),
            told=told,
            doubts=tuple(doubts),
        )

    @property
    def assumed(self) -> bool:
        """Whether the books that it traded against were partly invented."""
        return self.fidelity in (Fidelity.TRADES, Fidelity.PRICES)

    @property
    def model(self) -> str:
        return model_words(self.told)


def model_words(told: Mapping[str, Any]) -> str:
    """What is said of the model; its name and version where a replay kept no words of it."""
    model: Mapping[str, Any] = told["model"]
    return str(model.get("words") or f"{model['name']} {model['version']}".strip())


def fidelity_words(run: Run) -> str:
    return grade_words(run.told)


def grade_words(told: Mapping[str, Any]) -> str:
    """The worst grade of what was filled; where the history goes further down, that as well."""
    grade = Fidelity(told["fidelity"])
    worst = Fidelity(told.get("history_fidelity", grade))
    below = "" if worst is grade else f". The history goes down to {worst.value}; nothing was filled there"
    return f"{grade.value}: {GRADES[grade]}{below}"


def head(run: Run) -> Iterator[tuple[str, str]]:
    """What a result is worth: stands before every figure of it."""
    told, data = run.told, run.told["data"]
    yield "Fidelity", fidelity_words(run)
    if nothing_proposed(told):
        yield "Proposals", why_nothing(told)
    yield "History", f"{data['name']}, {data['markets']:,} markets, SHA-256 {data['hash'][:12]}"
    yield (
        "Time",
        f"{_minute(run.since)} to {_minute(run.until)} UTC, a cycle every {told['every_seconds']:g} s",
    )
    yield "Model", run.model
    yield "Person", f"{told['human']}"
    code = told["code"]
    yield (
        "Program",
        f"{code['version']}, commit {(code['commit'] or 'unknown')[:10]}, seed {told['request']['seed']}",
    )


def caveats(run: Run) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Named lists of sentences; empty ones are left out."""
    lists = (
        funnel(run.told),
        ("Assumed", tuple(run.told["assumed"])),
        ("Not known at its time", tuple(run.told["looks_ahead"])),
        ("Problems", (*run.told["problems"], *run.doubts)),
    )
    return tuple((name, lines) for name, lines in lists if lines)


def run_sentences(run: Run, made: Analysis) -> Iterator[tuple[str, str]]:
    """As of any account; no money without saying that its books were assumed."""
    for name, text in sentences(made):
        yield name, f"{ASSUMED}{text}" if run.assumed and name in _OF_MONEY else text


def _minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M}"
