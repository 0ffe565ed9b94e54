"""Executable prices of several markets that contradict each other, after the fees of all their legs.

A sign that wording or data are wrong, or that somebody slept. No promise of a gain: sets like these are gone
in seconds where they are real, and most of them are two rules that do not say what their titles say.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from polyb0t.core.ids import ConditionId
from polyb0t.core.units import ONE, ZERO
from polyb0t.data.markets import FeeSchedule
from polyb0t.models.coherence import Quote, quotes_of
from polyb0t.models.fees import effective_fee, per_share
from polyb0t.models.relations import Relation, RelationKind
from polyb0t.models.signals import MarketState
from polyb0t.models.wording import cents

ALARM_GAP: Final = Decimal("0.01")  # pUSD a share, net of fees; a smaller one is noise
ALARM_SECONDS: Final = 60.0  # seen so long; what is gone sooner was a book on its way


@dataclass(frozen=True, slots=True)
class Gap:
    """Executable prices that contradict each other. `net` is what is left of it a share after the fees of
    all its legs; it is a sign that wording or data are wrong, and no promise of a gain."""

    relation: Relation
    legs: tuple[ConditionId, ...]
    gross: Decimal
    net: Decimal
    sentence: str


def gaps(states: Sequence[MarketState], relations: Iterable[Relation]) -> list[Gap]:
    """Every relation that does not hold at executable prices, the widest after fees first. A leg whose fee
    is not known is left out of it, and with it what cannot do without that leg."""
    quotes = quotes_of(states)
    fees = {state.market.condition_id: effective_fee(state.market, state.terms) for state in states}
    names = {state.market.condition_id: state.market.question for state in states}
    legs = {
        market: _Leg(market, quote, fee, names[market])
        for market, quote in quotes.items()
        if (fee := fees[market]) is not None
    }
    found = [gap for relation in relations for gap in _gaps(relation, legs)]
    return sorted(found, key=lambda gap: (-gap.net, gap.legs))


class _Leg(NamedTuple):
    market: ConditionId
    quote: Quote
    fee: FeeSchedule
    question: str

    @property
    def sold_at(self) -> Decimal:
        """After the fee."""
        return self.quote.bid - per_share(self.quote.bid, self.fee)

    @property
    def bought_at(self) -> Decimal:
        return self.quote.ask + per_share(self.quote.ask, self.fee)


def _gaps(relation: Relation, legs: Mapping[ConditionId, _Leg]) -> list[Gap]:
    known = [legs[market] for market in relation.markets if market in legs]
    match relation.kind:
        case RelationKind.ORDERED:
            return [gap for earlier, later in _widest(known) for gap in _inverted(relation, earlier, later)]
        case RelationKind.AT_MOST_ONE:
            bid = [leg for leg in known if leg.quote.bid > 0]
            gross = sum((leg.quote.bid for leg in bid), ZERO) - ONE
            net = sum((max(ZERO, leg.sold_at) for leg in bid), ZERO) - ONE
            return _summed(relation, bid, gross, net, "bids of {} add up to {}, and one can pay at most")
        case RelationKind.AT_LEAST_ONE:
            if len(known) < len(relation.markets):
                return []
            gross = ONE - sum((leg.quote.ask for leg in known), ZERO)
            net = ONE - sum((leg.bought_at for leg in known), ZERO)
            return _summed(relation, known, gross, net, "offers of {} add up to {}, and one has to pay")


def _widest(known: Sequence[_Leg]) -> list[tuple[_Leg, _Leg]]:
    """Of a chain the two that contradict each other most."""
    best: tuple[Decimal, _Leg, _Leg] | None = None
    highest: _Leg | None = None
    for leg in known:
        if highest is not None:
            off = highest.quote.bid - leg.quote.ask
            if off > 0 and (best is None or off > best[0]):
                best = off, highest, leg
        if highest is None or leg.quote.bid > highest.quote.bid:
            highest = leg
    return [] if best is None else [best[1:]]


def _inverted(relation: Relation, less: _Leg, more: _Leg) -> list[Gap]:
    gross, net = less.quote.bid - more.quote.ask, less.sold_at - more.bought_at
    sentence = (
        f"{less.question!r} is bid {cents(less.quote.bid)}, {more.question!r} is offered at "
        f"{cents(more.quote.ask)} and cannot be less likely: {cents(gross)} too much. {relation.because}"
    )
    return [Gap(relation, (less.market, more.market), gross, net, sentence)]


def _summed(relation: Relation, legs: Sequence[_Leg], gross: Decimal, net: Decimal, words: str) -> list[Gap]:
    if gross <= 0:
        return []
    total = ONE + gross if relation.kind is RelationKind.AT_MOST_ONE else ONE - gross
    said = words.format(f"{len(legs)} markets", cents(total))
    sentence = f"The {said}. {relation.because}"
    return [Gap(relation, tuple(leg.market for leg in legs), gross, net, sentence)]
