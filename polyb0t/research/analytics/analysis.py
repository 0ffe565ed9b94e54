"""Everything that can be said of an account's records, in one pass, with how sure it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from polyb0t.core.units import ZERO, Pusd
from polyb0t.execution.scope import Regime
from polyb0t.research.analytics.attribution import Attribution, attribution
from polyb0t.research.analytics.bets import Gains, Hits, Sent, gains, hits, needed, sent
from polyb0t.research.analytics.clusters import FEWEST_EVENTS, Mean, clustered_mean
from polyb0t.research.analytics.costs import Costs, costs
from polyb0t.research.analytics.edge import Edge, edge
from polyb0t.research.analytics.equity import Curve, curve, daily_returns
from polyb0t.research.analytics.exposure import Exposure, exposure, turnover
from polyb0t.research.analytics.fates import Fate, Scored, score
from polyb0t.research.analytics.forecast import Forecast, forecast
from polyb0t.research.analytics.markouts import HorizonRow, horizon_rows, markouts
from polyb0t.research.analytics.people import People, people
from polyb0t.research.analytics.ratios import Ratios, ratios
from polyb0t.research.analytics.records import Records


@dataclass(frozen=True, slots=True)
class FateRow:
    """Openings of one end (or of another kind: a category, a model). Edges are pUSD a share, results pUSD.

    `outcome_pusd` is what fills brought, `if_taken_pusd` what all of them would have; each None where
    nothing has a price. `per_share` is the realised edge with its interval.
    """

    name: str
    proposals: int
    events: int
    priced: int
    expected_now: Mean | None
    expected_worst: Mean | None
    outcome_pusd: Pusd | None
    if_taken_pusd: Pusd | None
    per_share: Mean | None
    needed: int | None


@dataclass(frozen=True, slots=True)
class Analysis:
    """One account over one period, whatever its regime."""

    regime: Regime
    since: datetime
    until: datetime
    scored: tuple[Scored, ...]
    closings: int
    undecided: int  # openings that wait, rest, or were replaced: nothing became of them yet
    all: FateRow
    fates: tuple[FateRow, ...]
    beside: tuple[FateRow, ...]  # what the net result has besides openings: closes, and what is neither
    categories: tuple[FateRow, ...]
    models: tuple[FateRow, ...]
    markouts: tuple[HorizonRow, ...]
    markouts_by_fate: tuple[tuple[Fate, tuple[HorizonRow, ...]], ...]
    hits: Hits
    gains: Gains
    sent: Sent
    edge: Edge
    forecast: Forecast
    costs: Costs
    people: People
    attribution: Attribution
    exposure: Exposure
    curve: Curve
    ratios: Ratios
    turnover: Decimal | None
    per_capital_day: Decimal | None

    @property
    def enough(self) -> bool:
        """Whether there are events enough for any interval."""
        return self.all.events >= FEWEST_EVENTS


def analyse(records: Records) -> Analysis:
    """All of it."""
    drifts = markouts(records)
    scored = tuple(score(each, records, drifts[each.id]) for each in records.judged)
    openings = [each for each in scored if each.opening]
    ended = [each for each in openings if each.fate is not None]
    by_fate = {fate: [each for each in ended if each.fate is fate] for fate in Fate}
    closes = [each for each in scored if not each.opening]
    worth, held, net = curve(records.equity, records.flows), exposure(records), attribution(records)
    return Analysis(
        regime=records.regime,
        since=records.since,
        until=records.until,
        scored=scored,
        closings=len(scored) - len(openings),
        undecided=len(openings) - len(ended),
        all=fate_row("all", ended),
        fates=tuple(fate_row(fate.value, own) for fate, own in by_fate.items() if own),
        beside=_beside(ended, closes, net),
        categories=_grouped(ended, lambda each: each.category),
        models=_grouped(ended, lambda each: each.model),
        markouts=horizon_rows([each.record for each in ended], drifts),
        markouts_by_fate=tuple(
            (fate, horizon_rows([each.record for each in own], drifts))
            for fate, own in by_fate.items()
            if own
        ),
        hits=hits(scored),
        gains=gains(scored),
        sent=sent(ended),
        edge=edge(ended),
        forecast=forecast(openings),
        costs=costs(scored, records),
        people=people(scored, records.people),
        attribution=net,
        exposure=held,
        curve=worth,
        ratios=ratios([float(each) for _, each in daily_returns(worth)]),
        turnover=turnover(held, _mean_equity(worth)),
        per_capital_day=net.net_pusd / held.capital_days if held.capital_days else None,
    )


def fate_row(name: str, own: Sequence[Scored]) -> FateRow:
    """Openings under one name."""
    made = [each.outcome_pusd for each in own if each.filled and each.outcome_pusd is not None]
    would = [each.counterfactual_pusd for each in own if each.counterfactual_pusd is not None]
    return FateRow(
        name=name,
        proposals=len(own),
        events=len({each.event for each in own}),
        priced=len(would),
        expected_now=_mean(own, lambda each: each.expected_now),
        expected_worst=_mean(own, lambda each: each.expected_worst),
        outcome_pusd=Pusd(sum(made, ZERO)) if made else None,
        if_taken_pusd=Pusd(sum(would, ZERO)) if would else None,
        per_share=_mean(own, lambda each: each.realised_edge),
        needed=needed(own),
    )


def _beside(ended: Sequence[Scored], closes: Sequence[Scored], net: Attribution) -> tuple[FateRow, ...]:
    """With the fates of openings these sum to the net result. Sales count against keeping the shares; `other`
    left without an order of ours, was never proposed, or was bought before the period."""
    rows = [fate_row("closes", closes)] if closes else []
    told = sum((row.outcome_pusd or ZERO for row in (fate_row("all", ended), *rows)), ZERO)
    if net.outcomes and net.net_pusd != told:
        rows.append(replace(fate_row("other", ()), outcome_pusd=Pusd(net.net_pusd - told)))
    return tuple(rows)


def _grouped(own: Sequence[Scored], name_of: Callable[[Scored], str]) -> tuple[FateRow, ...]:
    """The most proposals first."""
    found: dict[str, list[Scored]] = {}
    for each in own:
        found.setdefault(name_of(each), []).append(each)
    rows = [fate_row(name, them) for name, them in found.items()]
    return tuple(sorted(rows, key=lambda row: (-row.proposals, row.name)))


def _mean(own: Sequence[Scored], value_of: Callable[[Scored], Decimal | None]) -> Mean | None:
    pairs = [(value, each.event) for each in own if (value := value_of(each)) is not None]
    return clustered_mean([float(value) for value, _ in pairs], [event for _, event in pairs])


def _mean_equity(worth: Curve) -> Decimal | None:
    if not worth.points:
        return None
    return sum((point.equity_pusd for point in worth.points), ZERO) / len(worth.points)
