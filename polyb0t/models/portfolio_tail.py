"""What all positions together may lose until they are resolved, in the worst twentieth of cases.

Limits of a market, a theme or a category each look at one heap. This looks at all of them: every event
loses by its own ends, at the chances that the market's prices give them (so no edge of ours is counted),
and events lose together as they are linked: correlation .6 within a theme or a declared link, .2 within a
category, .05 otherwise. Bets of one theme are taken to lose together whichever side they are on: nobody
declares the sign. The random part lives behind a port, since decisions know no arrays of floats.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple, Protocol

from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import ONE, ZERO, Price, Pusd, Shares
from polyb0t.data.markets import Market
from polyb0t.models.exposure import AtRisk
from polyb0t.models.themes import themes


class End(NamedTuple):
    """One way in which an event may end: its chance, and what is lost then in pUSD; a gain is negative."""

    chance: Decimal
    loss: Decimal


class LossUnit(NamedTuple):
    """One event. Units of one `theme` lose together most, of one `category` less; empty: no such heap."""

    key: str
    theme: str
    category: str
    ends: tuple[End, ...]


class TailRisk(Protocol):
    """Expected loss of all units together in the worst twentieth of cases, in pUSD; the same for the same
    units, on every machine and in every order."""

    def __call__(self, units: Sequence[LossUnit], /) -> Pusd: ...


PriceOf = Callable[[AssetId], Price | None]


@dataclass(frozen=True, slots=True)
class PortfolioTail:
    """Everything at risk, and how to ask what it may lose at the worst."""

    items: tuple[AtRisk, ...]
    markets: Mapping[ConditionId, Market]
    price_of: PriceOf
    measure: TailRisk

    def plus(self, market: Market, asset_id: AssetId, shares: Shares, cost: Pusd) -> "PortfolioTail":
        """With another purchase, filled at its greatest cost."""
        item = AtRisk(market.condition_id, asset_id, shares, cost, certain=False)
        return replace(self, items=(*self.items, item), markets={**self.markets, market.condition_id: market})

    def with_purchase(self, market: Market, asset_id: AssetId, shares: Shares, cost: Pusd) -> Pusd:
        """Implements `TailCheck`."""
        return self.plus(market, asset_id, shares, cost).loss()

    def loss(self) -> Pusd:
        """Expected loss in the worst twentieth of cases."""
        return self.measure(units_of(self.items, self.markets, self.price_of))


def units_of(
    items: Iterable[AtRisk], markets: Mapping[ConditionId, Market], price_of: PriceOf
) -> tuple[LossUnit, ...]:
    """The events behind `items`, by key. What no market is known of loses all that it cost."""
    bundles: dict[str, list[AtRisk]] = {}
    for item in items:
        market = markets.get(item.condition_id)
        exclusive = market is not None and market.neg_risk and market.event_id
        key = f"event {market.event_id}" if market and exclusive else f"market {item.condition_id}"
        bundles.setdefault(key, []).append(item)
    members = {
        key: [markets[each.condition_id] for each in held if each.condition_id in markets]
        for key, held in bundles.items()
    }
    heaps = _heaps(members)
    units = []
    for key in sorted(bundles):
        known = members[key]
        theme = heaps.get(key, "")
        home = min((m.category for k in members if heaps.get(k, "") == theme for m in members[k]), default="")
        category = home if theme else min((m.category for m in known), default="")
        units.append(LossUnit(key, theme, category, _ends(bundles[key], markets, price_of)))
    return tuple(units)


def _heaps(members: Mapping[str, Sequence[Market]]) -> dict[str, str]:
    """The theme of each unit; themes that share a unit are one heap, named by the first of them."""
    named: dict[str, str] = {}

    def root(name: str) -> str:
        while named.setdefault(name, name) != name:
            name = named[name]
        return name

    by_unit = {key: [theme for market in known for theme in themes(market)] for key, known in members.items()}
    for found in by_unit.values():
        for theme in found[1:]:
            first, second = sorted((root(found[0]), root(theme)))
            named[second] = first
    return {key: root(found[0]) for key, found in by_unit.items() if found}


def _ends(
    held: Sequence[AtRisk], markets: Mapping[ConditionId, Market], price_of: PriceOf
) -> tuple[End, ...]:
    """The ends of one event and what is lost in each, the cheapest first."""
    names = list(dict.fromkeys(item.condition_id for item in held))
    if any(name not in markets for name in names):
        return (End(ONE, sum((max(ZERO, item.cost) for item in held), ZERO)),)
    chances = [_chance(markets[name], held, price_of) for name in names]
    total = max(ONE, sum(chances, ZERO))
    chances = [chance / total for chance in chances]
    ends = [
        End(chance, _lost(held, markets, comes_true=name))
        for name, chance in zip(names, chances, strict=True)
    ]
    none = End(max(ZERO, ONE - sum(chances, ZERO)), _lost(held, markets, comes_true=None))
    return tuple(sorted((*ends, none), key=lambda end: (end.loss, end.chance)))


def _lost(
    held: Sequence[AtRisk], markets: Mapping[ConditionId, Market], *, comes_true: ConditionId | None
) -> Decimal:
    lost = ZERO
    for item in held:
        first = item.asset_id == markets[item.condition_id].outcomes[0].asset_id
        lost += item.loss(pays=(item.condition_id == comes_true) is first)
    return lost


def _chance(market: Market, held: Sequence[AtRisk], price_of: PriceOf) -> Decimal:
    """Of the first outcome, by the bid of what we hold: the market's view, and not the kinder side of it."""
    for item in held:
        if item.condition_id == market.condition_id and item.shares > 0:
            price = price_of(item.asset_id)
            if price is None:
                price = Price(min(ONE, max(ZERO, item.cost / item.shares)))
            return price if item.asset_id == market.outcomes[0].asset_id else ONE - price
    return ZERO
