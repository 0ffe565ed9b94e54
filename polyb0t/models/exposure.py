"""What can be lost: everything held and everything under way, at its worst.

A holding loses what it cost where its outcome does not come true. An order is counted where it makes
things worse and not where it makes them better, since nobody knows whether it will fill. Markets of
one neg-risk event cannot all come true, so there the worst of the possible ends counts: several NOs
cannot all lose, several YES can. Every other market is taken to end independently, each at its worst.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import ZERO, Pusd, Shares
from polyb0t.data.markets import Market
from polyb0t.models.risk import Exposure, event_key
from polyb0t.models.themes import themes


@dataclass(frozen=True, slots=True)
class AtRisk:
    """Shares of one outcome for money. `certain`: they are held; else an order may still bring or take
    them, or not.

    A purchase has `shares` and `cost` above zero; a sale below: it gives shares and brings money.
    """

    condition_id: ConditionId
    asset_id: AssetId
    shares: Shares
    cost: Pusd
    certain: bool = True
    dependent: bool = False  # bought because a model corrected the market's own price

    def loss(self, *, pays: bool) -> Decimal:
        """pUSD lost if its outcome pays, or does not; a gain is negative."""
        result = self.cost - (self.shares if pays else ZERO)
        return result if self.certain else max(ZERO, result)


def exposure_of(
    items: Iterable[AtRisk],
    market_of: Callable[[ConditionId], Market | None],
    far: Callable[[Market], bool] = lambda _market: False,
) -> Exposure:
    """Everything at risk, by market, event, theme, category, in what ends `far` away, and in total.

    A market that nobody lists any more still counts, at cost, in its own right and in the total, and as if
    it ended late.
    """
    items = tuple(items)
    by_condition: dict[ConditionId, list[AtRisk]] = {}
    for item in items:
        by_condition.setdefault(item.condition_id, []).append(item)
    markets: dict[ConditionId, Market] = {}
    by_market: dict[ConditionId, Pusd] = {}
    total, late, dependent = ZERO, ZERO, ZERO
    for condition, held in by_condition.items():
        market = market_of(condition)
        if market is None:
            by_market[condition] = _gross(held)
            total += by_market[condition]
            late += by_market[condition]
            dependent += _gross(item for item in held if item.dependent)
        else:
            markets[condition] = market
            by_market[condition] = market_loss(market, held)
    own_price = {key: [item for item in held if item.dependent] for key, held in by_condition.items()}
    by_event, by_theme, by_category = dict[str, Pusd](), dict[str, Pusd](), dict[str, Pusd]()
    for members in _bundles(markets.values()):
        lost = event_loss(members, by_condition)
        total += lost
        late += event_loss([market for market in members if far(market)], by_condition)
        dependent += event_loss(members, own_price)
        _add(by_event, event_key(members[0]), lost)
        for category, some in _grouped(members, _category).items():
            part = lost if len(some) == len(members) else event_loss(some, by_condition)
            _add(by_category, category, part)
        for theme, some in _grouped(members, themes).items():
            part = lost if len(some) == len(members) else event_loss(some, by_condition)
            _add(by_theme, theme, part)
    return Exposure(Pusd(total), by_market, by_event, by_category, by_theme, Pusd(late), Pusd(dependent))


def market_loss(market: Market, items: Iterable[AtRisk]) -> Pusd:
    """The worst of the two ends of one market; never below zero, since a gain is nothing at risk."""
    first, second = _both_ends(market, items)
    return Pusd(max(ZERO, first, second))


def event_loss(markets: Iterable[Market], items: Mapping[ConditionId, Iterable[AtRisk]]) -> Pusd:
    """The worst end of markets of which at most one comes true; of a single market, its own worst."""
    ends = [_both_ends(market, items.get(market.condition_id, ())) for market in markets]
    if not ends:
        return Pusd(ZERO)
    # One of them comes true, or none that is known here does: then each ends with its second outcome.
    none = sum((second for _, second in ends), ZERO)
    if len(ends) == 1:
        return Pusd(max(ZERO, *ends[0]))
    return Pusd(max(ZERO, none, *(none - second + first for first, second in ends)))


def _both_ends(market: Market, items: Iterable[AtRisk]) -> tuple[Decimal, Decimal]:
    """What is lost if the first outcome comes true, and if the second does."""
    yes = market.outcomes[0].asset_id
    first, second = ZERO, ZERO
    for item in items:
        is_first = item.asset_id == yes
        first += item.loss(pays=is_first)
        second += item.loss(pays=not is_first)
    return first, second


def _gross(items: Iterable[AtRisk]) -> Pusd:
    """Where the market is not known nothing offsets anything."""
    return Pusd(sum((max(ZERO, item.cost) for item in items), ZERO))


def _bundles(markets: Iterable[Market]) -> Iterable[list[Market]]:
    """Markets of one neg-risk event together; every other market alone."""
    return _grouped(
        markets,
        lambda market: (
            f"event {market.event_id}"
            if market.neg_risk and market.event_id
            else f"market {market.condition_id}",
        ),
    ).values()


def _category(market: Market) -> tuple[str, ...]:
    return (market.category,)


def _add(to: dict[str, Pusd], key: str, amount: Pusd) -> None:
    to[key] = Pusd(to.get(key, ZERO) + amount)


def _grouped(markets: Iterable[Market], keys: Callable[[Market], tuple[str, ...]]) -> dict[str, list[Market]]:
    groups: dict[str, list[Market]] = {}
    for market in markets:
        for key in keys(market):
            groups.setdefault(key, []).append(market)
    return groups
