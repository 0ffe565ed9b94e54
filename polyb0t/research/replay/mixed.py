"""Several histories as one, by time; as good as the worst of them."""

import hashlib
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from polyb0t.research.history.problems import Problems
from polyb0t.research.replay.events import (
    BookLost,
    BookShown,
    Event,
    Graded,
    LevelChanged,
    MarketTold,
    Resolved,
    TermsTold,
    Traded,
    ViewTold,
    place,
)
from polyb0t.research.replay.past_books import ScannedBooks
from polyb0t.research.replay.tape import About, Fidelity, PastBooks, Tape


class _From(NamedTuple):
    """An event, the number of the tape that tells it and that tape's grade."""

    event: Event
    tape: int
    grade: Fidelity


@dataclass(frozen=True)
class MixedTape:
    """Of a market that several tapes tell, those of the best grade are heard from their first word on, and
    the others no more; the first result that any of them tells counts."""

    about: About
    _tapes: tuple[Tape, ...] = field(repr=False)

    def events(self, since: datetime, until: datetime) -> Iterator[Event]:
        streams = [_told_by(number, tape, since, until) for number, tape in enumerate(self._tapes)]
        heard = _Heard()
        for told in heapq.merge(*streams, key=lambda each: place(each.event)):
            if not heard.counts(told):
                continue
            if isinstance(told.event, BookShown) and heard.regraded(told.event.asset, told.grade):
                yield Graded(told.event.at_us, told.event.asset, told.grade.value)
            yield told.event

    def past_books(self) -> PastBooks:
        return ScannedBooks(self.events)


def _told_by(number: int, tape: Tape, since: datetime, until: datetime) -> Iterator[_From]:
    grade = tape.about.fidelity
    for event in tape.events(since, until):
        yield _From(event, number, grade)


class _Heard:
    """Whose word counts on which market."""

    def __init__(self) -> None:
        self._best: dict[str, Fidelity] = {}  # by condition
        self._condition: dict[str, str] = {}  # by asset
        self._shown_by: dict[str, int] = {}  # by asset
        self._over: set[str] = set()
        self._graded: dict[str, Fidelity] = {}  # by asset

    def counts(self, told: _From) -> bool:
        event = told.event
        match event:
            case Resolved():
                first = event.condition not in self._over
                self._over.add(event.condition)
                return first
            case ViewTold() | Graded():
                return True
            case MarketTold():
                return self._market(event, told.grade)
            case TermsTold():
                return self._is_best(event.terms.condition_id, told.grade)
            case BookLost():
                # Where one file goes on where another ends, the end of the first loses nothing.
                return self._shown_by.get(event.asset) == told.tape
            case BookShown():
                heard = self._is_best(event.condition, told.grade)
                if heard:
                    self._shown_by[event.asset] = told.tape
                return heard
            case LevelChanged() | Traded():
                return self._is_best(self._condition.get(event.asset, ""), told.grade)

    def regraded(self, asset: str, grade: Fidelity) -> bool:
        """Whether the books of an asset come from a history of another grade than until now."""
        before = self._graded.get(asset)
        self._graded[asset] = grade
        return before is not grade

    def _market(self, event: MarketTold, grade: Fidelity) -> bool:
        condition = event.market.condition_id
        for outcome in event.market.outcomes:
            self._condition[outcome.asset_id] = condition
        self._best[condition] = min(grade, self._best.get(condition, grade))
        return self._best[condition] == grade

    def _is_best(self, condition: str, grade: Fidelity) -> bool:
        return self._best.get(condition, grade) == grade


def mixed(tapes: Sequence[Tape]) -> Tape:
    """One tape of several."""
    if len(tapes) == 1:
        return tapes[0]
    # Better ones first; of equals the one that begins first goes first, whatever order they were given in.
    ordered = tuple(
        sorted(tapes, key=lambda tape: (tape.about.fidelity, tape.about.starts, tape.about.data_hash))
    )
    return MixedTape(_about([tape.about for tape in ordered]), ordered)


def _about(each: Sequence[About]) -> About:
    hashes = ":".join(about.data_hash for about in each)
    return About(
        name=" + ".join(about.name for about in each),
        kind="+".join(dict.fromkeys(about.kind for about in each)),
        fidelity=max(about.fidelity for about in each),
        data_hash=hashlib.sha256(hashes.encode()).hexdigest(),
        starts=min(about.starts for about in each),
        ends=max(about.ends for about in each),
        markets=sum(about.markets for about in each),
        assumed=_once([about.assumed for about in each]),
        problems=_all([about.problems for about in each]),
        looks_ahead=_once([about.looks_ahead for about in each]),
        sources=tuple(sorted({source for about in each for source in about.sources})),
    )


def _once(each: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sentence for sentences in each for sentence in sentences))


def _all(each: Sequence[Problems]) -> Problems:
    together = Problems()
    for problems in each:
        for kind, count in problems.counts.items():
            together.note(kind, problems.examples[kind], count)
    return together
