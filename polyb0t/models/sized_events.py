"""From the chances of a cycle to what their stakes are measured beside."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from polyb0t.core.ids import ConditionId
from polyb0t.models.chances import Candidate, Chance
from polyb0t.models.event_stakes import Bet, EventBook, event_of
from polyb0t.models.fees import cost_per_share
from polyb0t.models.signals import ProbEstimate


def event_book(held: EventBook, chances: Sequence[Chance], candidates: Sequence[Candidate]) -> EventBook:
    """What is held, with the chances of events that have several, and how likely the held markets are."""
    bets = [bet_of(chance) for chance in _several(held, chances)]
    on = {each.condition_id for each in held.holdings}
    markets = {**held.markets, **{bet.market.condition_id: bet.market for bet in bets}}
    likely: dict[ConditionId, Decimal] = {}
    for candidate in candidates:
        market = candidate.state.market
        if market.condition_id in on:
            markets[market.condition_id] = market
            chance = _first_outcome(candidate)
            if chance is not None:
                likely[market.condition_id] = chance
    return replace(held, bets=tuple(bets), markets=markets, chances=likely)


def bet_of(chance: Chance) -> Bet:
    """The chance at its worst price."""
    cost = cost_per_share(chance.worst_price, chance.fee)
    return Bet(chance.market, chance.side.outcome.asset_id, chance.edge_at_worst + cost, cost)


def _several(held: EventBook, chances: Sequence[Chance]) -> list[Chance]:
    """Those on events with more than one chance; an event of one market has no other."""
    exclusive = {condition for each in held.links.exclusive for condition in each.members}
    keyed = [
        (event_of(chance.market, held.links).key, chance)
        for chance in chances
        if chance.market.neg_risk or chance.market.condition_id in exclusive
    ]
    count = Counter(key for key, _ in keyed)
    return [chance for key, chance in keyed if count[key] > 1]


def _first_outcome(candidate: Candidate) -> Decimal | None:
    """By the model, else by the middle of the book."""
    if isinstance(candidate.estimate, ProbEstimate):
        return candidate.estimate.q
    book = candidate.state.books[0]
    return None if book is None else book.mid
