"""Two replays beside each other: what differs in them, and whether what came out differs at all.

Paired by event: the same event went the same way in both, so its luck goes out of the difference. What
lies within the interval of that is called noise, however large it looks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from polyb0t.core.units import ZERO
from polyb0t.research.analytics.analysis import Analysis
from polyb0t.research.analytics.clusters import Mean, clustered_mean
from polyb0t.research.analytics.markouts import Horizon
from polyb0t.research.analytics.money_words import PARTS
from polyb0t.research.analytics.runs import ASSUMED, Run
from polyb0t.research.analytics.words import cents, counted, interval, pusd_words, share, signed_share
from polyb0t.research.report_words import Heading, Sheet, plus

_PLAIN: Final = ("since", "until", "human", "every_seconds", "fidelity")
_ASKED: Final = ("seed", "walk_forward")


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that the two runs do not share."""

    name: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Paired:
    """The second's result less the first's, pUSD an event; `unpriced` events have no result in one."""

    gap: Mean | None
    total: float
    unpriced: int


def differences(first: Run, second: Run) -> tuple[Difference, ...]:
    """Everything that could have made the results differ."""
    one, other = first.told, second.told
    found = [_difference(name, one[name], other[name]) for name in _PLAIN]
    found += [_difference(name, one["request"][name], other["request"][name]) for name in _ASKED]
    found.append(_difference("history", one["data"]["hash"][:12], other["data"]["hash"][:12]))
    found.append(_difference("commit", one["code"]["commit"], other["code"]["commit"]))
    found.append(_difference("program", one["code"]["hash"][:12], other["code"]["hash"][:12]))
    found.append(_difference("model", first.model, second.model))
    names = sorted({*one["settings"], *other["settings"]})
    found += [_difference(name, one["settings"].get(name), other["settings"].get(name)) for name in names]
    return tuple(each for each in found if each is not None)


def _difference(name: str, first: Any, second: Any) -> Difference | None:
    return None if first == second else Difference(name, _words(first), _words(second))


def _words(value: Any) -> str:
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def paired(first: Analysis, second: Analysis) -> Paired:
    """By event, over those in which either traded; what an event did not trade in made nothing there."""
    one, other = _by_event(first), _by_event(second)
    events = sorted({*one, *other})
    gaps, names, unpriced = [], [], 0
    for event in events:
        before, after = one.get(event, 0.0), other.get(event, 0.0)
        if before is None or after is None:
            unpriced += 1
            continue
        gaps.append(after - before)
        names.append(event)
    return Paired(clustered_mean(gaps, names), sum(gaps), unpriced)


def _by_event(made: Analysis) -> Mapping[str, float | None]:
    """pUSD of everything that was filled; None where a part of it has no price."""
    found: dict[str, float | None] = {}
    for each in made.scored:
        if not each.filled:
            continue
        had = found.get(each.event, 0.0)
        found[each.event] = (
            None if had is None or each.outcome_pusd is None else had + float(each.outcome_pusd)
        )
    return found


def verdict(first: Run, second: Run, found: Paired) -> str:
    """One sentence; a difference within noise is refused that name."""
    prefix = ASSUMED if first.assumed or second.assumed else ""
    if first.told["data"]["hash"] != second.told["data"]["hash"]:
        prefix += "The histories are not the same, so more than the settings differs. "
    if found.gap is None:
        return f"{prefix}Neither traded, so there is nothing to compare."
    if not any((found.total, found.gap.error)):
        return f"{prefix}In every event both made the same."
    events = counted(found.gap.events, "event")
    if found.gap.low is None:
        return f"{prefix}{found.total:+.2f} pUSD over {events}: too few to call it a difference."
    told = f"{interval(found.gap, pusd_words)} pUSD an event over {events}, {found.total:+.2f} in all"
    if not found.gap.differs:
        return f"{prefix}No difference that luck would not make: {told}."
    better = "more" if found.gap.mean > 0 else "less"
    return f"{prefix}The second made {better}, beyond what luck explains: {told}."


# -- side by side --------------------------------------------------------------------------------


def _markout(made: Analysis) -> str:
    row = next(each for each in made.markouts if each.horizon is Horizon.DAY)
    return interval(row.net, cents)


def _part(name: str) -> Callable[[Analysis], str]:
    return lambda made: plus(getattr(made.attribution.parts, name))


# Every part of the net result stands there, so that what is shown sums to it.
_FIGURES: Final[tuple[tuple[str, Callable[[Analysis], str]], ...]] = (
    ("intents", lambda made: f"{made.all.proposals:,}"),
    ("events", lambda made: f"{made.all.events:,}"),
    ("filled", lambda made: f"{made.sent.filled:,}"),
    ("found a trade", lambda made: share(made.sent.rate)),
    ("net result, pUSD", lambda made: plus(made.attribution.net_pusd)),
    *((f"of it {words}", _part(name)) for name, words in PARTS),
    ("expected edge", lambda made: cents(made.edge.expected)),
    ("realised edge", lambda made: interval(made.edge.realised, cents)),
    ("hits above break-even", lambda made: interval(made.hits.above, signed_share)),
    ("markout 24 h, net", _markout),
    ("deepest fall", lambda made: share(made.curve.deepest.fraction if made.curve.deepest else ZERO)),
    ("at work, mean pUSD", lambda made: f"{made.exposure.mean_pusd:,.2f}"),
)


def side_by_side(first: Run, one: Analysis, second: Run, other: Analysis) -> Sheet:
    """The figures of both."""
    assumed = " (spread and depth assumed)" if first.assumed or second.assumed else ""
    heads = (Heading(f"FIGURE{assumed}", text=True), Heading(first.id), Heading(second.id))
    return Sheet(heads, tuple((name, of(one), of(other)) for name, of in _FIGURES), None)


def differences_sheet(first: Run, second: Run, found: Sequence[Difference]) -> Sheet:
    heads = (Heading("DIFFERS", text=True), Heading(first.id, text=True), Heading(second.id, text=True))
    return Sheet(heads, tuple((each.name, each.first, each.second) for each in found), None)
