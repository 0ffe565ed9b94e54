"""What the prices of other markets say about one: the interval in which its price fits them.

    ordered a <= b      p_a is at most what b is offered at, p_b at least what is bid for a
    at most one         p_i is at most 1 less what is bid for the others
    at least one        p_i is at least 1 less what the others are offered at

Only prices at which somebody would trade count, bids and offers for a least order, never mids: two mids can
contradict each other without anybody being able to do anything about it. Where a price lies outside its
interval one of the two is wrong, and nothing says which; so the component is never `independent`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from polyb0t.core.ids import ConditionId
from polyb0t.core.units import ONE, ZERO
from polyb0t.data.declared_links import NO_LINKS, DeclaredLinks
from polyb0t.data.order_book import Level, OrderBook
from polyb0t.models.calibration import Anchor, anchor_of
from polyb0t.models.logit import PRECISION, rounded
from polyb0t.models.relations import Relation, RelationKind, declared_among, relations_among
from polyb0t.models.signals import BOOK, OTHERS, Abstain, Answer, MarketState, ProbEstimate
from polyb0t.models.wording import percent

OLDEST_SECONDS: Final = 15.0  # a book that is older says nothing, as for every other signal
_TWELVE: Final = Decimal(12)
_LEAST: Final = Decimal("0.001")  # a bound beyond these has no log-odds


class Quote(NamedTuple):
    """What "yes" can be sold and bought at for a least order, through either outcome's book. Nobody bids: 0;
    nobody offers: 1."""

    bid: Decimal
    ask: Decimal

    @property
    def spread(self) -> Decimal:
        return max(ZERO, self.ask - self.bid)


class Bound(NamedTuple):
    """One end of an interval: where, how wide the quotes behind it are, and why."""

    at: Decimal
    spread: Decimal
    relation: Relation | None


ANYTHING_ABOVE: Final = Bound(ZERO, ZERO, None)
ANYTHING_BELOW: Final = Bound(ONE, ZERO, None)


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a probability has to lie for the executable prices of the others to be right."""

    low: Bound = ANYTHING_ABOVE
    high: Bound = ANYTHING_BELOW

    def within(self, low: Bound | None, high: Bound | None) -> "Interval":
        """Narrowed; the tighter bound wins, the older one at a tie."""
        return Interval(
            low if low is not None and low.at > self.low.at else self.low,
            high if high is not None and high.at < self.high.at else self.high,
        )


def quotes_of(states: Iterable[MarketState]) -> dict[ConditionId, Quote]:
    """The executable prices of each market whose books are known and young enough."""
    return {state.market.condition_id: quote for state in states if (quote := _quote(state)) is not None}


def intervals(
    quotes: Mapping[ConditionId, Quote], relations: Iterable[Relation]
) -> dict[ConditionId, Interval]:
    """The interval of every market that a relation says something about."""
    found: dict[ConditionId, Interval] = {}
    for relation in relations:
        for market, low, high in _bounds(relation, quotes):
            found[market] = found.get(market, Interval()).within(low, high)
    return found


class CoherenceModel:
    """Moves a price that lies outside its interval to the nearer end; inside it has nothing to say."""

    name: Final = "coherence"
    version: Final = "1"
    validated: Final = False
    requires: Final = frozenset({BOOK, OTHERS})

    def __init__(self, links: DeclaredLinks = NO_LINKS) -> None:
        self._links = links

    def relations(self, states: Sequence[MarketState]) -> list[Relation]:
        """What is declared of these markets, and what is concluded for them."""
        markets = [state.market for state in states]
        return [*declared_among(self._links, markets), *relations_among(markets)]

    def estimate_all(self, states: Sequence[MarketState]) -> list[Answer]:
        within = intervals(quotes_of(states), self.relations(states))
        return [self._estimate(state, within.get(state.market.condition_id)) for state in states]

    def _estimate(self, state: MarketState, interval: Interval | None) -> Answer:
        if interval is None:
            return Abstain("no_relation", "No other market says anything about it.")
        anchor = anchor_of(state.books[0])
        if isinstance(anchor, Abstain):
            return anchor
        if interval.low.at > interval.high.at or interval.low.at >= ONE or interval.high.at <= ZERO:
            return Abstain("others_disagree", "The markets that belong to it contradict each other.")
        bound = _nearest(interval, anchor.mid)
        if bound is None:
            return Abstain("coherent", f"Its price fits the others: {_range(interval)}.")
        return self._nudged(anchor, bound, interval)

    def _nudged(self, anchor: Anchor, bound: Bound, interval: Interval) -> ProbEstimate:
        q = rounded(min(max(bound.at, _LEAST), ONE - _LEAST))
        # Price and bound each lie somewhere inside their quotes: uniformly, a variance of width^2 / 12.
        width = anchor.spread * anchor.spread + bound.spread * bound.spread
        sd = PRECISION.sqrt(PRECISION.divide(width, _TWELVE))
        assert bound.relation is not None
        because = f"The others leave {_range(interval)}. {bound.relation.because}"
        return anchor.moved(q, sd, by=self, independent=False, because=because)


def _quote(state: MarketState) -> Quote | None:
    first, second = (book if _young(book, state) else None for book in state.books)
    if first is None and second is None:
        return None
    least = state.terms.min_shares if state.terms is not None else state.market.min_shares or ZERO
    bids, asks = [ZERO], [ONE]
    if first is not None:
        bids.append(_executable(first.bids, least, ZERO))
        asks.append(_executable(first.asks, least, ONE))
    if second is not None:
        bids.append(ONE - _executable(second.asks, least, ONE))
        asks.append(ONE - _executable(second.bids, least, ZERO))
    return Quote(max(bids), min(asks))


def _young(book: OrderBook | None, state: MarketState) -> bool:
    return book is not None and 0 <= book.age_seconds(state.now) <= OLDEST_SECONDS


def _executable(levels: Sequence[Level], least: Decimal, nobody: Decimal) -> Decimal:
    """The worst price of taking `least` shares."""
    got = ZERO
    for level in levels:
        got += level.shares
        if got >= least:
            return level.price
    return nobody


_Bounds = tuple[ConditionId, Bound | None, Bound | None]


def _bounds(relation: Relation, quotes: Mapping[ConditionId, Quote]) -> list[_Bounds]:
    match relation.kind:
        case RelationKind.ORDERED:
            return _ordered(relation, quotes)
        case RelationKind.AT_MOST_ONE:
            return _at_most_one(relation, quotes)
        case RelationKind.AT_LEAST_ONE:
            return _at_least_one(relation, quotes)


def _ordered(relation: Relation, quotes: Mapping[ConditionId, Quote]) -> list[_Bounds]:
    known = [market for market in relation.markets if market in quotes]
    lows: list[Bound | None] = []
    best: Bound | None = None
    for market in known:
        lows.append(best)
        quote = quotes[market]
        if best is None or quote.bid > best.at:
            best = Bound(quote.bid, quote.spread, relation)
    highs: list[Bound | None] = []
    best = None
    for market in reversed(known):
        highs.append(best)
        quote = quotes[market]
        if best is None or quote.ask < best.at:
            best = Bound(quote.ask, quote.spread, relation)
    return list(zip(known, lows, reversed(highs), strict=True))


def _at_most_one(relation: Relation, quotes: Mapping[ConditionId, Quote]) -> list[_Bounds]:
    """A market whose price is not known only makes the bounds wider."""
    known = [(market, quotes[market]) for market in relation.markets if market in quotes]
    bids = sum((quote.bid for _, quote in known), ZERO)
    spreads = sum((quote.spread for _, quote in known), ZERO)
    return [
        (market, None, Bound(ONE - (bids - quote.bid), spreads - quote.spread, relation))
        for market, quote in known
    ]


def _at_least_one(relation: Relation, quotes: Mapping[ConditionId, Quote]) -> list[_Bounds]:
    """Nothing where a price is not known: whatever is missing may be what happens."""
    if any(market not in quotes for market in relation.markets):
        return []
    known = [(market, quotes[market]) for market in relation.markets]
    asks = sum((quote.ask for _, quote in known), ZERO)
    spreads = sum((quote.spread for _, quote in known), ZERO)
    return [
        (market, Bound(ONE - (asks - quote.ask), spreads - quote.spread, relation), None)
        for market, quote in known
    ]


def _nearest(interval: Interval, mid: Decimal) -> Bound | None:
    if mid < interval.low.at:
        return interval.low
    return interval.high if mid > interval.high.at else None


def _range(interval: Interval) -> str:
    return f"{percent(max(ZERO, interval.low.at), 1)} to {percent(min(ONE, interval.high.at), 1)}"
