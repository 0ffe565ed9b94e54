"""Capital at work: what was held, for how long, and how it was spread.

Measured at cost, which is what can be lost. Capital stays at work until the money is back: through the
market's end, its proposal, a dispute, up to the payout.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from polyb0t.core.ids import AssetId
from polyb0t.core.units import ZERO, Pusd
from polyb0t.data.fills import Fill
from polyb0t.data.order_book import Side
from polyb0t.models.portfolio import portfolio_of
from polyb0t.research.analytics.records import Records, event_of
from polyb0t.research.groups import category_of

NOTHING: Final = Pusd(ZERO)
DAY: Final = timedelta(days=1)


class Step(NamedTuple):
    """At an instant the cost of an outcome changed by so much."""

    at: datetime
    asset: AssetId
    pusd: Decimal


@dataclass(frozen=True, slots=True)
class Concentration:
    """The most that lay in one event, theme or category at a time."""

    name: str
    most_pusd: Pusd


@dataclass(frozen=True, slots=True)
class Exposure:
    """pUSD at cost. `capital_days`: one pUSD held for one day is one. `days_to_cash` is how long a pUSD
    that was spent stayed away, on average; what is still held counts up to the end, so it is a floor
    while `still_held_pusd` is not nothing."""

    mean_pusd: Pusd
    most_pusd: Pusd
    capital_days: Decimal
    bought_pusd: Pusd
    sold_pusd: Pusd
    still_held_pusd: Pusd
    by_event: tuple[Concentration, ...]
    by_theme: tuple[Concentration, ...]
    by_category: tuple[Concentration, ...]

    @property
    def days_to_cash(self) -> Decimal | None:
        return self.capital_days / self.bought_pusd if self.bought_pusd else None


def exposure(records: Records) -> Exposure:
    """Over the period, with what was held when it began."""
    steps = cost_steps(records)
    inside = [each for each in records.counted_fills if each.matched_at >= records.since]
    areas = _Areas(records.since, records.until)
    capital = areas.area(steps)
    days = Decimal((records.until - records.since) / DAY)
    names = _names(records)
    return Exposure(
        mean_pusd=Pusd(capital / days if days else ZERO),
        most_pusd=areas.most(steps),
        capital_days=capital,
        bought_pusd=_turned(inside, Side.BUY),
        sold_pusd=_turned(inside, Side.SELL),
        still_held_pusd=Pusd(sum((step.pusd for step in steps), ZERO)),
        by_event=_most(steps, areas, lambda asset: names.get(asset, _Names()).event),
        by_theme=_most(steps, areas, lambda asset: names.get(asset, _Names()).themes),
        by_category=_most(steps, areas, lambda asset: names.get(asset, _Names()).category),
    )


def turnover(traded: Exposure, mean_equity: Decimal | None) -> Decimal | None:
    """What was bought and sold, in times of the account; None: its size is not known."""
    if not mean_equity:
        return None
    return (traded.bought_pusd + traded.sold_pusd) / mean_equity


def cost_steps(records: Records) -> list[Step]:
    """Every change of cost, by time. An outcome's lots are its own, so each is replayed alone."""
    fills: dict[AssetId, list[Fill]] = {}
    for fill in records.counted_fills:
        fills.setdefault(fill.asset_id, []).append(fill)
    steps: list[Step] = []
    for asset, own in fills.items():
        steps += _steps_of(asset, own, records)
    return sorted(steps)


def _steps_of(asset: AssetId, own: list[Fill], records: Records) -> list[Step]:
    taken = [entry for entry in records.counted_moves if any(each.asset_id == asset for each in entry.taken)]
    instants = sorted({each.matched_at for each in own} | {each.movement.at for each in taken})
    steps, before = [], ZERO
    for at in instants:
        held = portfolio_of(
            [each for each in own if each.matched_at <= at],
            starting_cash=NOTHING,
            booked=[each for each in taken if each.movement.at <= at],
        ).positions.get(asset)
        cost = ZERO if held is None else Decimal(held.cost)
        steps.append(Step(at, asset, cost - before))
        before = cost
    return steps


class _Areas(NamedTuple):
    since: datetime
    until: datetime

    def area(self, steps: Iterable[Step]) -> Decimal:
        """pUSD times days, within the bounds; what was there before them counts from their beginning."""
        return sum(
            (step.pusd * Decimal((self.until - max(step.at, self.since)) / DAY) for step in steps), ZERO
        )

    def most(self, steps: Iterable[Step]) -> Pusd:
        """The most at one time; what happens at one instant happens at once."""
        changes: dict[datetime, Decimal] = {}
        for step in steps:
            at = max(step.at, self.since)
            changes[at] = changes.get(at, ZERO) + step.pusd
        level, most = ZERO, ZERO
        for at in sorted(changes):
            level += changes[at]
            most = max(most, level)
        return Pusd(most)


class _Names(NamedTuple):
    event: tuple[str, ...] = ("unknown",)
    themes: tuple[str, ...] = ()
    category: tuple[str, ...] = ("unknown",)


def _names(records: Records) -> Mapping[AssetId, _Names]:
    found: dict[AssetId, _Names] = {}
    for record in records.intents:
        intent = record.intent
        themes = records.themes.get(intent.condition_id, ())
        found.setdefault(intent.asset_id, _Names((event_of(record),), themes, (category_of(record),)))
    return found


def _most(
    steps: Iterable[Step], areas: _Areas, names_of: Callable[[AssetId], tuple[str, ...]]
) -> tuple[Concentration, ...]:
    """The largest first."""
    parts: dict[str, list[Step]] = {}
    for step in steps:
        for name in names_of(step.asset):
            parts.setdefault(name, []).append(step)
    found = [Concentration(name, areas.most(own)) for name, own in parts.items()]
    return tuple(sorted(found, key=lambda each: (-each.most_pusd, each.name)))


def _turned(fills: Iterable[Fill], side: Side) -> Pusd:
    return Pusd(sum((each.notional for each in fills if each.side is side), ZERO))
