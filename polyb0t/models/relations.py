"""Which prices of several markets cannot move freely: what is known of how their answers belong together.

A relation is about first outcomes ("yes"). It comes from the exchange (a neg-risk event pays one of its
markets at most), from the wording (`models.questions`) or from a person's own declaration.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Final

from polyb0t.core.ids import ConditionId
from polyb0t.data.declared_links import DeclaredLinks
from polyb0t.data.markets import Market
from polyb0t.models.calibration import means_yes
from polyb0t.models.questions import Deadline, deadline_of, threshold_of
from polyb0t.models.risk import event_key


class RelationKind(StrEnum):
    """What is true of the probabilities of a relation's markets."""

    ORDERED = "ordered"  # each is at most as likely as the one after it
    AT_MOST_ONE = "at_most_one"  # they exclude each other
    AT_LEAST_ONE = "at_least_one"  # together they leave nothing out


@dataclass(frozen=True, slots=True)
class Relation:
    """How the answers of these markets belong together, and from what that is concluded, in words."""

    kind: RelationKind
    markets: tuple[ConditionId, ...]
    because: str
    declared: bool = False  # by a person; else concluded


_A_DAY: Final = timedelta(days=1)
_By = dict[tuple[object, ...], list[Market]]


def relations_among(markets: Iterable[Market]) -> list[Relation]:
    """All that is concluded from the exchange's own grouping and from the wording. Deterministic."""
    exclusive: _By = defaultdict(list)
    dated: _By = defaultdict(list)
    lined: _By = defaultdict(list)
    for market in markets:
        if not means_yes(market):
            continue
        if market.neg_risk:
            # One of them pays at most, so a wording that looks nested does not nest.
            exclusive[event_key(market),].append(market)
            continue
        deadline, threshold = deadline_of(market.question), threshold_of(market.question)
        if deadline is not None:
            dated[(deadline.stem,)].append(market)
        if threshold is not None:
            lined[event_key(market), threshold.stem, threshold.above, market.end_date].append(market)
    return [
        *_groups(exclusive, _exclusive),
        *_groups(dated, _nested),
        *_groups(lined, _monotone),
    ]


def declared_among(links: DeclaredLinks, markets: Iterable[Market]) -> list[Relation]:
    """What a person has declared of these markets, as relations. A set of which one market is missing here
    is not taken for whole."""
    if not links.links:
        return []
    linked = links.among(markets)
    found = [
        Relation(RelationKind.ORDERED, (each.first, each.second), _declared(each.link.name), declared=True)
        for each in linked.implications
    ]
    for each in linked.exclusive:
        because = _declared(each.link.name)
        found.append(Relation(RelationKind.AT_MOST_ONE, each.members, because, declared=True))
        if each.exhaustive:
            found.append(Relation(RelationKind.AT_LEAST_ONE, each.members, because, declared=True))
    return found


def _declared(name: str) -> str:
    return f"It is declared in the link {name}."


def _groups(groups: _By, of: Callable[[list[Market]], Relation | None]) -> Iterable[Relation]:
    for group in groups.values():
        relation = of(group) if len(group) > 1 else None
        if relation is not None:
            yield relation


def _exclusive(group: list[Market]) -> Relation:
    ordered = sorted(group, key=_name)
    because = f"At most one market of {ordered[0].event_title!r} can pay."
    return Relation(RelationKind.AT_MOST_ONE, _named(ordered), because)


def _nested(group: list[Market]) -> Relation | None:
    """By June is at most as likely as by December. Words and scheduled ends have to agree on the order."""
    dated = sorted((_date(market), market.condition_id, market) for market in group if market.end_date)
    ordered = [market for _, _, market in dated]
    if len(ordered) < len(group) or not _rising([date for date, _, _ in dated]):
        return None
    ends = [market.end_date for market in ordered]
    if any(a is None or b is None or b - a < _A_DAY for a, b in pairwise(ends)):
        return None
    because = f"What has happened by an earlier date has happened by a later one: {ordered[0].question!r}."
    return Relation(RelationKind.ORDERED, _named(ordered), because)


def _monotone(group: list[Market]) -> Relation | None:
    """Above 100k is at most as likely as above 90k; below, the other way round."""
    lined = sorted((_line(market), market.condition_id, market) for market in group)
    if not _rising([line for line, _, _ in lined]):
        return None
    ordered = [market for _, _, market in lined]
    first = threshold_of(ordered[0].question)
    if first is not None and first.above:
        ordered.reverse()
    because = f"Whoever passes the farther line has passed the nearer one: {ordered[0].question!r}."
    return Relation(RelationKind.ORDERED, _named(ordered), because)


def _date(market: Market) -> tuple[int, int, int]:
    deadline = deadline_of(market.question)
    assert deadline is not None  # it is in the group because it has one
    assert market.end_date is not None
    return _year(deadline, market), deadline.month, deadline.day


def _year(deadline: Deadline, market: Market) -> int:
    assert market.end_date is not None
    return deadline.year if deadline.year is not None else market.end_date.year


def _line(market: Market) -> Decimal:
    threshold = threshold_of(market.question)
    assert threshold is not None  # it is in the group because it has one
    return threshold.line


def _rising(values: Sequence[Decimal] | Sequence[tuple[int, int, int]]) -> bool:
    """Each above the one before it: two of the same say that something was misread."""
    return len(set(values)) == len(values)


def _name(market: Market) -> str:
    return market.condition_id


def _named(markets: Sequence[Market]) -> tuple[ConditionId, ...]:
    return tuple(market.condition_id for market in markets)
