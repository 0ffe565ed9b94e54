"""How much to spend on one outcome beside what is held on its event, and beside its other chances.

The markets of a neg-risk event, and of a set that a person declared exclusive, cannot come true together:
they and "none of these" are the ends of one event. Every other market is an event of its own. What is held
counts in full: the fraction and the doubt of a stake shrink the wealth that the event is measured
against, so a position that has its size is not added to. Each stake is the smaller of two: bought alone,
and beside the event's other chances, since a person may refuse those.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import ONE, ZERO, Pusd, Shares, floor_e6
from polyb0t.data.declared_links import NOTHING_LINKED, LinkedMarkets
from polyb0t.data.markets import Market
from polyb0t.models.scenario_kelly import Ends, Token, best_stakes

NONE_OF_THESE: Final = Decimal(
    "0.01"
)  # least chance of it, where it is not known that one of them has to come true


@dataclass(frozen=True, slots=True)
class Holding:
    """Shares of one outcome, and what the bankroll counts them at. `certain` False: an order for them is
    under way, and `worth` is what it costs at most."""

    condition_id: ConditionId
    asset_id: AssetId
    shares: Shares
    worth: Pusd
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Bet:
    """An outcome worth buying at `cost` all-in a share; `q` is the chance that it pays, less the reserve."""

    market: Market
    asset_id: AssetId
    q: Decimal
    cost: Decimal

    @property
    def first(self) -> bool:
        """Whether it is the market's first outcome, which pays where the market comes true."""
        return self.asset_id == self.market.outcomes[0].asset_id

    @property
    def comes_true(self) -> Decimal:
        """The chance of the market's first outcome."""
        return self.q if self.first else ONE - self.q


@dataclass(frozen=True, slots=True)
class EventStake:
    """What to spend on one bet; `held` is the worth of what is held or under way on the event and counts,
    `others` how many other chances the event has."""

    amount: Pusd
    held: Pusd
    others: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class _Event:
    """Markets of which at most one comes true; `size` is how many there are where one of them has to."""

    key: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class EventBook:
    """Everything that stakes of one cycle depend on beside the bet: other bets, holdings, and by condition
    the markets of both, and the chance of a first outcome where nobody bets on it. A holding whose
    market nobody knows any more hedges nothing and counts for the limits only."""

    bets: Sequence[Bet] = ()
    holdings: Sequence[Holding] = ()
    markets: Mapping[ConditionId, Market] = field(default_factory=dict)
    chances: Mapping[ConditionId, Decimal] = field(default_factory=dict)
    links: LinkedMarkets = NOTHING_LINKED

    def plus(self, market: Market, asset: AssetId, shares: Shares, cost: Pusd) -> "EventBook":
        """With a purchase under way that costs at most `cost`."""
        more = Holding(market.condition_id, asset, shares, cost, certain=False)
        markets = {**self.markets, market.condition_id: market}
        return replace(self, holdings=(*self.holdings, more), markets=markets)

    def stake(self, bet: Bet, wealth: Decimal) -> EventStake | None:
        """What to spend on `bet` by somebody with `wealth`, shares on this event counted at their worth.

        None where the event has nothing else: then the closed form of one outcome holds.
        """
        event = event_of(bet.market, self.links)
        held = [each for each in self._held_on(event) if self._counts(each, bet)]
        others = [
            other
            for other in self.bets
            if other.market.condition_id != bet.market.condition_id
            and event_of(other.market, self.links).key == event.key
        ]
        worth = floor_e6(sum((each.worth for each in held), ZERO))
        if not held and not others:
            return None
        alone = wealth * max(ZERO, (bet.q - bet.cost) / (ONE - bet.cost))
        found = [self._spend(bet, (), held, event, wealth) if held else (alone, True)]
        if others:
            found.append(self._spend(bet, others, held, event, wealth))
        amount = floor_e6(min(spent for spent, _ in found))
        return EventStake(Pusd(amount), Pusd(worth), len(others), all(exact for _, exact in found))

    def _held_on(self, event: _Event) -> Iterable[Holding]:
        for each in self.holdings:
            market = self.markets.get(each.condition_id)
            if market is not None and event_of(market, self.links).key == event.key:
                yield each

    def _counts(self, holding: Holding, bet: Bet) -> bool:
        """What is held always counts; an order under way only where it wins and loses with the bet.

        One that would hedge the bet may never fill, and then the stake would be too large. Of two exclusive
        markets the first outcomes hedge each other, and a first outcome wins with the other's second.
        """
        if holding.certain:
            return True
        first = holding.asset_id == self.markets[holding.condition_id].outcomes[0].asset_id
        same_market = holding.condition_id == bet.market.condition_id
        return (first == bet.first) is same_market

    def _spend(
        self, bet: Bet, others: Sequence[Bet], held: Sequence[Holding], event: _Event, wealth: Decimal
    ) -> tuple[Decimal, bool]:
        bets = (bet, *others)
        names = list(dict.fromkeys([*(b.market.condition_id for b in bets), *(h.condition_id for h in held)]))
        chances = self._chances(bet, others, names, event)
        count = len(chances)
        paying = [self._pays(each.condition_id, each.asset_id, names, count) for each in held]
        before = tuple(
            wealth + sum((h.shares * pays[end] - h.worth for h, pays in zip(held, paying, strict=True)), ZERO)
            for end in range(count)
        )
        tokens = [Token(self._pays(b.market.condition_id, b.asset_id, names, count), b.cost) for b in bets]
        stakes = best_stakes(Ends(chances, before), tokens, min(before))
        return stakes.spent[0], stakes.exact

    def _chances(
        self, bet: Bet, others: Sequence[Bet], names: Sequence[ConditionId], event: _Event
    ) -> tuple[Decimal, ...]:
        """One for each of `names`, the bet's own first and as it is, and the rest for none of these."""
        by_bet = {other.market.condition_id: other.comes_true for other in others}
        own = min(max(bet.comes_true, ZERO), ONE)
        rest = [max(ZERO, by_bet.get(name, self._chance(name))) for name in names[1:]]
        whole = event.size == len(names)
        left = ONE - own
        room = left if whole else max(ZERO, left - NONE_OF_THESE)
        total = sum(rest, ZERO)
        if total > 0 and (total > room or whole):
            rest = [chance * room / total for chance in rest]
        none = max(ZERO, left - sum(rest, ZERO))
        return (own, *rest, none)

    def _chance(self, name: ConditionId) -> Decimal:
        """By the model or the price; else by what the shares that we hold are counted at."""
        if name in self.chances:
            return self.chances[name]
        for each in self.holdings:
            market = self.markets.get(name)
            if each.condition_id == name and each.shares > 0 and market is not None:
                price = min(ONE, each.worth / each.shares)
                return price if each.asset_id == market.outcomes[0].asset_id else ONE - price
        return ZERO

    def _pays(
        self, name: ConditionId, asset: AssetId, names: Sequence[ConditionId], count: int
    ) -> tuple[bool, ...]:
        """In which ends a share pays: its market's own, or all but that."""
        market = self.markets[name]
        first = asset == market.outcomes[0].asset_id
        return tuple((end == names.index(name)) is first for end in range(count))


def event_of(market: Market, links: LinkedMarkets) -> _Event:
    """The markets that cannot come true together with this one, by a key that they share."""
    if market.neg_risk and market.event_id:
        return _Event(f"event {market.event_id}")
    for each in links.exclusive:
        if market.condition_id in each.members:
            return _Event(each.link.tag, len(each.members) if each.exhaustive else None)
    return _Event(f"market {market.condition_id}")


NO_EVENTS: Final = EventBook()
