"""Probabilities from outside: what somebody else thinks of a market, with the instant at which he thought it.

Lines of JSON or CSV, one view each:

    {"market": "fed-cuts-in-december", "outcome": "Yes", "probability": "0.62", "sd": "0.04",
     "observed_at": "2026-11-22T12:00:00Z", "source": "consensus"}

`market` is a condition id or a slug, `sd` may be left out. A view counts from the later of two instants: when
it was made, and when it was read here. What cannot be used is counted by kind and never guessed at.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Protocol

from polyb0t.core.clock import from_iso
from polyb0t.core.ids import ConditionId
from polyb0t.core.units import E6, ONE, parse_decimal
from polyb0t.data.markets import Market

MOST_LINES: Final = 50_000
OWN: Final = "polyb0t/"  # begins the names under which our own components are recorded
LONGEST_NAME: Final = 200
_NAMES: Final = ("market", "outcome", "probability", "observed_at", "source")

# Kind -> what is said of it. None of these is used.
KINDS: Final[Mapping[str, str]] = {
    "unreadable": "lines that could not be read",
    "no_time": "views without a time, or with one without its zone",
    "outside": "probabilities that are not inside 0 and 1, or deviations that are not inside 0 and a half",
    "future": "views from after the instant at which they were read",
    "twice": "views that are there twice for the same market, source and instant",
    "unknown_market": "views of markets that are not listed",
    "unknown_outcome": "views of an outcome that their market does not have",
    "too_old": "views that are too old",
}


@dataclass(frozen=True, slots=True)
class OutsideView:
    """One view of a market's first outcome, as it may be used from `known_at` on."""

    condition_id: ConditionId
    source: str
    probability: Decimal
    sd: Decimal | None  # None: the source does not say how sure it is
    observed_at: datetime
    read_at: datetime

    @property
    def known_at(self) -> datetime:
        return max(self.observed_at, self.read_at)


@dataclass(frozen=True, slots=True)
class ViewLine:
    """A line that could be read; whose market it is, is found out beside the catalogue."""

    market: str  # condition id or slug, lower case
    outcome: str  # lower case
    probability: Decimal
    sd: Decimal | None
    observed_at: datetime
    source: str
    read_at: datetime

    @property
    def key(self) -> tuple[str, str, str, datetime]:
        return self.market, self.outcome, self.source, self.observed_at


@dataclass
class Unused:
    """What was not used: counts by kind, with the first example of each."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def note(self, kind: str, example: str) -> None:
        """One more of `kind`, which has to be one of `KINDS`."""
        if kind not in KINDS:
            raise KeyError(kind)
        self.counts[kind] += 1
        self.examples.setdefault(kind, example[:LONGEST_NAME])

    def plus(self, other: "Unused") -> "Unused":
        """Both together; the own examples first."""
        return Unused(self.counts + other.counts, {**other.examples, **self.examples})

    def sentences(self) -> list[str]:
        """One a kind, in the order of `KINDS`."""
        return [
            f"{self.counts[kind]:,} {words} (for example {self.examples[kind]})."
            for kind, words in KINDS.items()
            if self.counts[kind]
        ]


@dataclass(frozen=True, slots=True)
class ViewLines:
    """A whole reading: usable lines, and what was wrong with the others."""

    lines: tuple[ViewLine, ...] = ()
    unused: Unused = field(default_factory=Unused)


NOTHING_READ: Final = ViewLines()


def parse_views(text: str, read_at: datetime, known: Mapping[object, datetime] | None = None) -> ViewLines:
    """The lines of a file or an answer that was read at `read_at`.

    A line that was read before keeps its first reading: `known` has it by `ViewLine.key`.
    Where two lines say different things of one instant, nobody knows which, and neither is used.
    """
    unused = Unused()
    found: dict[object, ViewLine | None] = {}
    for number, row in _rows(text, unused):
        line = _line(number, row, read_at, unused)
        if line is None:
            continue
        line = _first_read(line, known or {})
        if line.key not in found:
            found[line.key] = line
            continue
        unused.note("twice", f"{line.market} by {line.source}, line {number}")
        if found[line.key] != line:
            found[line.key] = None
    return ViewLines(tuple(line for line in found.values() if line is not None), unused)


def _first_read(line: ViewLine, known: Mapping[object, datetime]) -> ViewLine:
    at = known.get(_content(line))
    if at is None:
        return line
    return ViewLine(line.market, line.outcome, line.probability, line.sd, line.observed_at, line.source, at)


def first_readings(lines: Iterable[ViewLine]) -> dict[object, datetime]:
    """When each of these lines was read first, for the next reading."""
    return {_content(line): line.read_at for line in lines}


def _content(line: ViewLine) -> object:
    """All that a line says: one that was changed afterwards is a new one."""
    return (*line.key, line.probability, line.sd)


def _rows(text: str, unused: Unused) -> Iterator[tuple[int, Mapping[str, Any]]]:
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        unused.note("unreadable", f"line {MOST_LINES + 1} and all after it: {MOST_LINES:,} are read")
    of = _csv_rows if lines and not lines[0].lstrip().startswith("{") else _json_rows
    yield from of(lines[:MOST_LINES], unused)


def _json_rows(lines: Sequence[str], unused: Unused) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_float=str, parse_constant=_no_number)
        except (ValueError, RecursionError):
            unused.note("unreadable", f"line {number}")
            continue
        if isinstance(row, dict):
            yield number, row
        else:
            unused.note("unreadable", f"line {number}")


def _no_number(name: str) -> str:
    raise ValueError(f"{name} is no number")


def _csv_rows(lines: Sequence[str], unused: Unused) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(io.StringIO("\n".join(lines)), strict=True)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error:
        unused.note("unreadable", f"line {reader.line_num} and all after it")


def _line(number: int, row: Mapping[str, Any], read_at: datetime, unused: Unused) -> ViewLine | None:
    """One row as a line; what it is not is noted."""
    told = {name: row.get(name) for name in _NAMES}
    where = f"line {number}"
    texts = (told["market"], told["outcome"], told["source"])
    if any(not isinstance(each, str) or not 0 < len(each.strip()) <= LONGEST_NAME for each in texts):
        unused.note("unreadable", f"{where}: market, outcome and source are texts")
        return None
    named = f"{where}, {str(told['market']).strip()}"
    if str(told["source"]).strip().lower().startswith(OWN):
        unused.note("unreadable", f"{named}: no source is called {OWN}...")
        return None
    try:
        probability = parse_decimal(told["probability"])
        sd = parse_decimal(row["sd"]) if row.get("sd") not in (None, "") else None
    except ValueError:
        unused.note("unreadable", f"{named}: its probability or its deviation is no number")
        return None
    if not E6 <= probability <= ONE - E6 or (sd is not None and not 0 < sd < ONE / 2):
        unused.note("outside", f"{named}: {told['probability']!s:.20}")
        return None
    try:
        observed_at = from_iso(str(told["observed_at"]))
    except ValueError:
        unused.note("no_time", f"{named}: {told['observed_at']!s:.40}")
        return None
    if observed_at > read_at:
        unused.note("future", f"{named}: {told['observed_at']!s:.40}")
        return None
    market, outcome, source = (str(each).strip() for each in texts)
    return ViewLine(market.lower(), outcome.lower(), probability, sd, observed_at, source, read_at)


class Views(Protocol):
    """What others think of a market, as it is known at an instant."""

    def of(self, market: Market, now: datetime, /) -> tuple[OutsideView, ...]:
        """The newest view of each source that may be used at `now`, by source."""
        ...


class OutsideViews:
    """The lines that are known, by market. Never changed: a new reading makes a new one."""

    def __init__(self, read: ViewLines = NOTHING_READ, most_age: timedelta = timedelta(days=1)) -> None:
        self.read = read
        self._most_age = most_age
        self._by_market: dict[str, list[ViewLine]] = {}
        self._sources: dict[str, set[str]] = {}
        for line in sorted(read.lines, key=lambda each: each.observed_at, reverse=True):
            self._by_market.setdefault(line.market, []).append(line)
            self._sources.setdefault(line.market, set()).add(line.source)

    def of(self, market: Market, now: datetime) -> tuple[OutsideView, ...]:
        """The newest view of each source that may be used at `now`, by source."""
        if not self._by_market:
            return ()
        newest: dict[str, OutsideView] = {}
        for name in _names_of(market):
            for view in self._newest(name, market, now):
                before = newest.get(view.source)
                if before is None or view.observed_at > before.observed_at:
                    newest[view.source] = view
        return tuple(newest[source] for source in sorted(newest))

    def _newest(self, name: str, market: Market, now: datetime) -> Iterator[OutsideView]:
        """Of each source the first usable line, newest first: a long history costs no more than its end."""
        waited = set(self._sources.get(name, ()))
        for line in self._by_market.get(name, ()):
            if not waited or now - line.observed_at > self._most_age:
                return
            if line.source not in waited or max(line.observed_at, line.read_at) > now:
                continue
            view = _view(line, market)
            if view is not None:
                waited.discard(line.source)
                yield view

    def unused_among(self, markets: Iterable[Market], now: datetime) -> Unused:
        """What of the reading cannot be used beside these markets, with what could not be read at all.

        A view that a newer one of its source replaced is no problem.
        """
        unused, listed = Unused(), set[str]()
        for market in markets:
            names = _names_of(market)
            listed.update(names)
            lines = [line for name in names for line in self._by_market.get(name, ())]
            heard = {view.source for view in self.of(market, now)} if lines else set()
            for line in lines:
                if _view(line, market) is None:
                    unused.note("unknown_outcome", f"{line.market}: {line.outcome}")
                elif now - line.observed_at > self._most_age and line.source not in heard:
                    made = f"{line.observed_at:%Y-%m-%d %H:%M}"
                    unused.note("too_old", f"{line.market} by {line.source}, {made}")
        for line in self.read.lines:
            if line.market not in listed:
                unused.note("unknown_market", line.market)
        return unused.plus(self.read.unused)


def _names_of(market: Market) -> tuple[str, ...]:
    return tuple(dict.fromkeys((market.condition_id.lower(), market.slug.lower())))


def _view(line: ViewLine, market: Market) -> OutsideView | None:
    """The line as a view of the market's first outcome; None where the market has no such outcome."""
    labels = [outcome.label.strip().lower() for outcome in market.outcomes]
    if line.outcome not in labels:
        return None
    probability = line.probability if labels[0] == line.outcome else ONE - line.probability
    return OutsideView(market.condition_id, line.source, probability, line.sd, line.observed_at, line.read_at)


NO_VIEWS: Final = OutsideViews()
