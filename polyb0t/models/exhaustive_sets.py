"""Probabilities of markets of which exactly one pays: together they are one.

Named outcomes are scaled; what stands for nobody in particular ("Other", a name that is not given yet) and
what no model spoke of keeps the market's own probability. Nothing is ever shared out among the named
because a remainder was left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from polyb0t.core.ids import ConditionId
from polyb0t.core.units import E6, ONE, ZERO
from polyb0t.models.calibration import rounded_logit
from polyb0t.models.logit import logit, rounded
from polyb0t.models.signals import Answer, MarketState, ProbEstimate


@dataclass(frozen=True, slots=True)
class SetSum:
    """What an exhaustive set adds up to, by mids; `kept` is the share of "Other" and of what is not named.
    A difference from one by mids is nothing that anybody could trade."""

    markets: tuple[ConditionId, ...]
    mids: Decimal
    kept: Decimal


def renormalised(named: Sequence[Decimal], kept: Decimal = ZERO) -> list[Decimal]:
    """`named` scaled so that with `kept` they are exactly one, in millionths; the largest takes the rounding.

    Raises:
        ValueError: nothing is named, or `kept` leaves no room.
    """
    total, room = sum(named, ZERO), ONE - kept
    if not named or total <= 0 or room <= 0:
        raise ValueError(f"{len(named)} probabilities cannot share what {kept} leaves")
    scaled = [(each * room / total).quantize(E6) for each in named]
    largest = scaled.index(max(scaled))
    scaled[largest] += room - sum(scaled, ZERO)
    return scaled


def set_sum(markets: Sequence[ConditionId], states: Mapping[ConditionId, MarketState]) -> SetSum | None:
    """The sum of a set's mids; None where one of them has none."""
    mids = {market: mid for market in markets if (mid := _mid(states.get(market))) is not None}
    if len(mids) < len(markets):
        return None
    kept = sum((mid for market, mid in mids.items() if states[market].market.placeholder), ZERO)
    return SetSum(tuple(markets), sum(mids.values(), ZERO), kept)


def renormalise(
    states: Sequence[MarketState], answers: Sequence[Answer], sets: Sequence[Sequence[ConditionId]]
) -> list[Answer]:
    """The answers, with the estimates of each set scaled to one. A set with a market whose price is not
    known, or whose remainder leaves no room, is left as it is."""
    by_market = {state.market.condition_id: at for at, state in enumerate(states)}
    told = list(answers)
    for markets in sets:
        if any(market not in by_market for market in markets):
            continue
        places = [by_market[market] for market in markets]
        for at, estimate in _scaled(places, states, told).items():
            told[at] = estimate
    return told


def _scaled(
    places: Sequence[int], states: Sequence[MarketState], answers: Sequence[Answer]
) -> dict[int, ProbEstimate]:
    named: dict[int, ProbEstimate] = {}
    kept = ZERO
    for at in places:
        answer, mid = answers[at], _mid(states[at])
        if isinstance(answer, ProbEstimate) and not states[at].market.placeholder:
            named[at] = answer
        elif mid is not None:
            kept += mid
        else:
            return {}
    if not named or kept >= ONE:
        return {}
    shares = renormalised([each.q for each in named.values()], kept)
    return {at: _moved(each, q) for (at, each), q in zip(named.items(), shares, strict=True)}


def _moved(estimate: ProbEstimate, q: Decimal) -> ProbEstimate:
    """The same estimate at `q`, its interval around it."""
    q = rounded(q)
    step = rounded_logit(logit(q) - logit(estimate.q))
    return replace(
        estimate,
        q=q,
        low=rounded(q - (estimate.q - estimate.low)),
        high=rounded(q + (estimate.high - estimate.q)),
        parts=(*estimate.parts, ("sum to one", step)),
    )


def _mid(state: MarketState | None) -> Decimal | None:
    book = state.books[0] if state is not None else None
    return None if book is None else book.mid
