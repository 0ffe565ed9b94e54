"""What the person adds: how often and how fast they decide, and whether what they let pass was worse.

Measured by the counterfactual result, the same yardstick for what was taken and what was not. People
tend to distrust a machine that they have seen err (Dietvorst, Simmons and Massey, Algorithm Aversion,
2015); measuring the veto is the honest answer to whether it helps.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from polyb0t.core.units import ZERO, Pusd
from polyb0t.research.analytics.clusters import Mean, clustered_difference, clustered_mean
from polyb0t.research.analytics.fates import Fate, Scored
from polyb0t.research.decisions import quantile
from polyb0t.research.what_if import Fate as Decision
from polyb0t.research.what_if import fate_of


@dataclass(frozen=True, slots=True)
class Chosen:
    """Openings of one decision. `result` is the counterfactual in pUSD a proposal; `sum_pusd` all of it;
    `priced` of `proposals` have a value to judge them by."""

    decision: Decision
    proposals: int
    events: int
    priced: int
    sum_pusd: Pusd | None
    result: Mean | None


@dataclass(frozen=True, slots=True)
class People:
    """`added` is how much better a proposal did that was approved than one that was rejected or let pass,
    per proposal; `selection_pusd` what passing on the others saved (negative: cost) in all."""

    approval_rate: float | None  # of proposals that a person decided
    seconds: tuple[float | None, float | None, float | None]  # the median, nine in ten, the longest
    chosen: tuple[Chosen, ...]
    added: Mean | None
    selection_pusd: Pusd | None


def people(scored: Sequence[Scored], kinds: Collection[str]) -> People:
    """Of the openings among them; `kinds` of actors count as a person."""
    openings = [each for each in scored if each.opening and each.fate is not None]
    by_person = [each for each in openings if _kind(each) in kinds]
    approved = [each for each in by_person if fate_of(each.record) is Decision.APPROVED]
    groups = {decision: [each for each in openings if _decision(each) is decision] for decision in Decision}
    taken = _priced(groups[Decision.APPROVED])
    left = _priced([*groups[Decision.REJECTED], *groups[Decision.EXPIRED]])
    return People(
        approval_rate=len(approved) / len(by_person) if by_person else None,
        seconds=_seconds(by_person),
        chosen=tuple(_chosen(decision, own) for decision, own in groups.items()),
        added=clustered_difference(
            [float(made) for _, made in taken],
            [each.event for each, _ in taken],
            [float(made) for _, made in left],
            [each.event for each, _ in left],
        ),
        selection_pusd=Pusd(-sum((made for _, made in left), ZERO)) if left else None,
    )


def _decision(each: Scored) -> Decision | None:
    """What a person, or nobody, decided; a switch that rejected what waited is no person's decision."""
    if each.fate is Fate.REFUSED and fate_of(each.record) is Decision.REJECTED:
        return None
    return fate_of(each.record)


def _chosen(decision: Decision, own: Sequence[Scored]) -> Chosen:
    priced = _priced(own)
    return Chosen(
        decision=decision,
        proposals=len(own),
        events=len({each.event for each in own}),
        priced=len(priced),
        sum_pusd=Pusd(sum((made for _, made in priced), ZERO)) if priced else None,
        result=clustered_mean([float(made) for _, made in priced], [each.event for each, _ in priced]),
    )


def _priced(own: Sequence[Scored]) -> list[tuple[Scored, Decimal]]:
    return [(each, each.counterfactual_pusd) for each in own if each.counterfactual_pusd is not None]


def _kind(each: Scored) -> str:
    return (each.record.decided_by or "").partition(":")[0] if each.fate is not Fate.REFUSED else ""


def _seconds(decided: Sequence[Scored]) -> tuple[float | None, float | None, float | None]:
    taken = sorted(
        max(0.0, (each.record.decided_at - each.intent.created_at).total_seconds())
        for each in decided
        if each.record.decided_at is not None
    )
    half, most, all_of_it = Decimal("0.5"), Decimal("0.9"), Decimal(1)
    return quantile(taken, half), quantile(taken, most), quantile(taken, all_of_it)
