"""Did the edge that was expected come? By decile, as a line, as it accumulated, and with an alarm.

Expected is the model's probability less what a share cost with everything; realised what the share is
worth less the same cost. The cost is on both sides, so a realised edge that does not grow with the
expected one (a slope near 0) means that the model's differences from the price told nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp, sqrt
from typing import Final

import numpy as np

from polyb0t.research.analytics.clusters import FEWEST_EVENTS, Mean, clustered_mean, codes, student95
from polyb0t.research.analytics.fates import Scored
from polyb0t.research.evaluation.observations import Codes, Floats

# E. S. Page, Continuous Inspection Schemes, 1954. With a slack of half a standard deviation and an alarm
# at five, a model that is right is accused about once in 930 events (D. Siegmund, Sequential Analysis,
# 1985, gives the approximation that `events_to_false_alarm` computes).
SLACK: Final = 0.5
ALARM_AT: Final = 5.0
_OVERSHOOT: Final = 1.166


@dataclass(frozen=True, slots=True)
class Decile:
    """Proposals of about equal number with near expected edges; pUSD a share."""

    expected: float
    realised: Mean


@dataclass(frozen=True, slots=True)
class Line:
    """Realised on expected edge by least squares; 1 is as promised, 0 says that the model knew nothing."""

    slope: float
    low: float | None
    high: float | None
    rows: int
    events: int


@dataclass(frozen=True, slots=True)
class Cusum:
    """How much worse than promised it has been lately, in standard deviations, over ended events."""

    level: float
    highest: float
    events: int
    alarmed_at: datetime | None

    @property
    def alarm(self) -> bool:
        return self.alarmed_at is not None


@dataclass(frozen=True, slots=True)
class Edge:
    """Of proposals that have a value. `ratio` is realised over expected; `gaps` the running sum of realised
    minus expected, pUSD, by proposal, oldest first; it is a sum of money at the shares that were scored."""

    rows: int
    events: int
    expected: float | None  # pUSD a share, mean
    realised: Mean | None
    deciles: tuple[Decile, ...]
    line: Line | None
    gaps: tuple[tuple[datetime, float], ...]
    cusum: Cusum | None

    @property
    def ratio(self) -> float | None:
        if self.realised is None or not self.expected:
            return None
        return self.realised.mean / self.expected


def edge(scored: Sequence[Scored]) -> Edge:
    """Of the openings among them whose model spoke and whose outcome has a value."""
    found = [each for each in scored if each.expected_edge is not None and each.realised_edge is not None]
    expected = np.array([float(each.expected_edge or 0) for each in found])
    realised = np.array([float(each.realised_edge or 0) for each in found])
    events = [each.event for each in found]
    return Edge(
        rows=len(found),
        events=len(set(events)),
        expected=float(expected.mean()) if found else None,
        realised=clustered_mean(list(realised), events),
        deciles=_deciles(expected, realised, events),
        line=line(expected, realised, codes(events)) if found else None,
        gaps=_gaps(found, expected, realised),
        cusum=cusum(found),
    )


def _deciles(expected: Floats, realised: Floats, events: Sequence[str]) -> tuple[Decile, ...]:
    """Ten parts of about equal number; fewer while there are fewer proposals."""
    order = np.argsort(expected, kind="stable")
    made = []
    for part in (each for each in np.array_split(order, 10) if len(each)):
        mean = clustered_mean([float(realised[n]) for n in part], [events[n] for n in part])
        if mean is not None:
            made.append(Decile(float(expected[part].mean()), mean))
    return tuple(made)


def line(expected: Floats, realised: Floats, event: Codes) -> Line | None:
    """With an interval from the sandwich over events; None where all expected the same."""
    off = expected - expected.mean()
    spread = float(off @ off)
    if not spread:
        return None
    slope = float(off @ realised) / spread
    rest = realised - realised.mean() - slope * off
    sums = np.bincount(event, weights=off * rest)
    events = len(np.unique(event))
    if events < FEWEST_EVENTS:
        return Line(slope, None, None, len(expected), events)
    error = sqrt(float(sums @ sums) * events / (events - 1)) / spread
    reach = student95(events - 1) * error
    return Line(slope, slope - reach, slope + reach, len(expected), events)


def cusum(scored: Sequence[Scored]) -> Cusum | None:
    """Over events that ended, in the order of their first proposal; bets of one event count as one.

    One event's step is the mean of expected minus realised edge over the standard deviation that the
    model's own probabilities give it, were its bets to win and lose together. None: nothing has ended.
    """
    events: dict[str, list[Scored]] = {}
    for each in scored:
        if each.over and each.expected_edge is not None and each.realised_edge is not None:
            events.setdefault(each.event, []).append(each)
    level = highest = 0.0
    alarmed: datetime | None = None
    for own in sorted(events.values(), key=lambda them: them[0].intent.created_at):
        level = max(0.0, level + _worse(own) - SLACK)
        highest = max(highest, level)
        if level >= ALARM_AT and alarmed is None:
            alarmed = own[-1].intent.created_at
    return Cusum(level, highest, len(events), alarmed) if events else None


def events_to_false_alarm(slack: float = SLACK, alarm_at: float = ALARM_AT) -> float:
    """Events on average until a model that is right is accused, by Siegmund's approximation."""
    reach = alarm_at + _OVERSHOOT
    return (exp(2 * slack * reach) - 2 * slack * reach - 1) / (2 * slack**2)


def _worse(own: Sequence[Scored]) -> float:
    gap = sum(float((each.expected_edge or 0) - (each.realised_edge or 0)) for each in own) / len(own)
    chances = [float(each.intent.model_probability or 0) for each in own]
    spread = sum(sqrt(max(q * (1 - q), 1e-4)) for q in chances) / len(chances)
    return gap / spread


def _gaps(found: Sequence[Scored], expected: Floats, realised: Floats) -> tuple[tuple[datetime, float], ...]:
    running = np.cumsum((realised - expected) * np.array([float(each.shares) for each in found]))
    return tuple((each.intent.created_at, float(total)) for each, total in zip(found, running, strict=True))
