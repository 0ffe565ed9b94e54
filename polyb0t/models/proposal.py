"""From estimates to proposals: which trades are worth a person's minute, and how near the others came.

Deterministic: the same candidates and desk give the same answer in the same order, whatever order
they came in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from polyb0t.core.units import ZERO, Pusd, Shares, ceil_e6
from polyb0t.data.order_book import OrderBook, Side
from polyb0t.models.chances import Candidate, Chance, NearMiss, Passed, find_chance
from polyb0t.models.decision_desk import Desk, after
from polyb0t.models.execution_choice import GTD
from polyb0t.models.fees import FeeUnboundedError, cost_per_share
from polyb0t.models.likely_fill import LikelyFill, likely_purchase, purchase_parts
from polyb0t.models.limits import check
from polyb0t.models.opening import OpeningProposal, Openings, opening_reason, resting_reason
from polyb0t.models.risk import (
    OPEN_POSITION,
    ControlContext,
    ControlResult,
    ProposedTrade,
    ends_far,
    event_key,
)
from polyb0t.models.shortlist import Ranked, shortlist
from polyb0t.models.signals import model_id
from polyb0t.models.sized_events import event_book
from polyb0t.models.sizing import Funds, NoSize, Size, Wish, size_purchase
from polyb0t.models.wording import signed_cents

NEAREST_MISSES: Final = 5
NO_SLOT: Final = "no_slot"
NAMED_PLACES: Final = 20  # so far down the list a chance without a slot is named with its place
FAK: Final = "FAK"
_SLIPPAGE: Final = "The whole amount would leave {} a share: the best offer is too small for it."


def decide_openings(candidates: Iterable[Candidate], desk: Desk) -> Openings:
    """Rank every purchase with enough edge and take the best, at most one per event.

    Each proposal is sized and controlled as if the better ones were filled at their worst.
    """
    chances: list[Chance] = []
    misses: list[NearMiss] = []
    passed: list[Passed] = []
    candidates = list(candidates)
    for candidate in candidates:
        moves = desk.movement_of(candidate.state.market)
        found = find_chance(candidate, desk.limits, desk.execution, moves)
        match found:
            case Chance():
                chances.append(found)
            case NearMiss():
                misses.append(found)
            case Passed():
                passed.append(found)
    desk = replace(desk, events=event_book(desk.events, chances, candidates))
    proposals = _take(shortlist(chances, desk.waiting, desk.movement_of), desk, passed)
    misses.sort(key=lambda miss: (miss.needed - miss.edge, miss.question))
    passed.sort(key=lambda each: (each.code, each.question))
    return Openings(tuple(proposals), tuple(misses[:NEAREST_MISSES]), tuple(passed), len(misses))


def _take(ranked: Sequence[Ranked], desk: Desk, passed: list[Passed]) -> list[OpeningProposal]:
    proposals: list[OpeningProposal] = []
    events: set[str] = set()
    for place in ranked:
        chance, market = place.chance, place.chance.market
        outcome = _refused(chance, desk, events, len(proposals)) or _propose(chance, desk)
        if isinstance(outcome, Passed):
            if outcome.code == NO_SLOT and place.rank <= NAMED_PLACES:
                outcome = replace(outcome, place=place.words, rank=place.rank)
            passed.append(outcome)
            continue
        proposals.append(replace(outcome, place=place.words))
        events.add(event_key(market))
        desk = after(desk, outcome)
    return proposals


def _refused(chance: Chance, desk: Desk, events: set[str], taken: int) -> Passed | None:
    market = chance.market
    if chance.side.outcome.asset_id in desk.sold_assets:
        return Passed(market.question, "sold_lately", "It was sold a while ago and is not bought back yet.")
    if chance.side.outcome.asset_id in desk.resting_assets:
        return Passed(market.question, "resting", "The same idea ended a short while ago and rests.")
    if event_key(market) in events:
        return Passed(market.question, "same_event", "A better trade on the same event is proposed already.")
    if taken >= desk.at_most:
        return Passed(market.question, NO_SLOT, "Better trades took every place on the list.")
    return None


def _propose(chance: Chance, desk: Desk) -> OpeningProposal | Passed:
    """Size it, run every control, and put it in words."""
    market = chance.market
    size = _size(chance, desk)
    if isinstance(size, Passed):
        return size
    trade = _trade(chance, size)
    likely = _likely(chance, size)
    if likely.edge is not None and likely.edge < chance.needed:
        return Passed(market.question, "edge_low", _SLIPPAGE.format(signed_cents(likely.edge)))
    controls = check(trade, _control_context(chance, desk))
    failed = next((control for control in controls if not control.passed), None)
    if failed is not None:
        return Passed(market.question, failed.name, failed.detail)
    return _proposal(chance, desk, size, likely, controls)


def _size(chance: Chance, desk: Desk) -> Size | Passed:
    question = chance.market.question
    if desk.bankroll_pusd is None or desk.spendable_pusd is None or desk.exposure is None:
        return Passed(question, "balance", "The cash, the bankroll or what is at risk is not known.")
    if desk.drawdown is None:
        return Passed(question, "drawdown", "How far the account is under its peak is not known.")
    wish = Wish(
        asset_id=chance.side.outcome.asset_id,
        edge=chance.edge_at_worst,
        cost=cost_per_share(chance.worst_price, chance.fee),
        sd=chance.side.belief.sd,
        independent=chance.estimate.independent,
        worst_price=chance.worst_price,
        best_ask=chance.bought_at,
        depth=chance.depth,
        min_shares=chance.terms.min_shares,
        fee=chance.fee,
        far=ends_far(chance.market, desk.now, desk.limits),
    )
    funds = Funds(desk.bankroll_pusd, desk.spendable_pusd, desk.exposure, desk.drawdown, desk.events)
    try:
        size = size_purchase(wish, chance.market, funds, desk.limits)
    except FeeUnboundedError as error:
        return Passed(question, error.code, error.why)
    if isinstance(size, NoSize):
        return Passed(question, f"size_{size.bound}", size.reason)
    return size


def _trade(chance: Chance, size: Size) -> ProposedTrade:
    market = chance.market
    return ProposedTrade(
        intent_type=OPEN_POSITION,
        side=Side.BUY,
        order_type=FAK if chance.resting is None else GTD,
        condition_id=market.condition_id,
        asset_id=chance.side.outcome.asset_id,
        worst_price=chance.worst_price,
        amount=size.amount if chance.resting is None else None,
        shares=None if chance.resting is None else size.min_shares,
        min_shares=size.min_shares if chance.resting is None else None,
        max_cost=_greatest_cost(chance, size),
        rules_hash=market.rules_hash,
        edge_now=chance.edge_now,
        edge_at_worst=chance.edge_at_worst,
        edge_required=chance.needed,
        model_validated=chance.estimate.validated,
        model=model_id(chance.estimate.model, chance.estimate.version),
        dependent=not chance.estimate.independent,
        post_only=chance.resting is not None,
        taken_back=None if chance.resting is None else chance.resting.taken_back,
    )


def _greatest_cost(chance: Chance, size: Size) -> Pusd:
    """Of an order that rests, its shares at its price: it is post-only, so no fee can be charged."""
    if chance.resting is None:
        return size.max_cost
    return Pusd(ceil_e6(size.min_shares * chance.resting.price))


def _likely(chance: Chance, size: Size) -> LikelyFill:
    """What the whole amount would get now; an order that rests takes nothing."""
    if chance.resting is not None:
        return LikelyFill(Shares(ZERO), Pusd(ZERO), Pusd(ZERO), chance.edge_at_worst)
    buying = chance.side.purchase
    likely = likely_purchase(chance.side.book, size.amount, chance.worst_price, buying.fee)
    parts = tuple(purchase_parts(chance.side.book, size.amount, chance.worst_price))
    if not parts:
        return likely
    earned = sum((part.shares * buying.edge(part.price) for part in parts), ZERO)
    return replace(likely, edge=earned / likely.shares)


def _control_context(chance: Chance, desk: Desk) -> ControlContext:
    return ControlContext(
        now=desk.now,
        limits=desk.limits,
        regime=desk.regime,
        at_submit=False,
        stance=desk.stance,
        market=chance.market,
        terms=chance.terms,
        book=chance.side.book,
        bankroll_pusd=desk.bankroll_pusd,
        spendable_pusd=desk.spendable_pusd,
        exposure=desk.exposure,
        live_assets=desk.live_assets,
        clock_skew_seconds=desk.clock_skew_seconds,
        allow_unvalidated=desk.allow_unvalidated,
        allowance=desk.allowance_of(chance.market),
        identity_proven=desk.identity_proven or desk.identity_proven_of(chance.market),
        deny=desk.deny,
        frozen_events=desk.frozen_events,
        usual_spread=desk.usual_spread_of(chance.market),
        usage=desk.usage,
        own_orders=desk.own_orders,
        small_orders=desk.small_orders,
        active_model=desk.active_model,
        tail=desk.tail,
    )


def _proposal(
    chance: Chance, desk: Desk, size: Size, likely: LikelyFill, controls: tuple[ControlResult, ...]
) -> OpeningProposal:
    return OpeningProposal(
        market=chance.market,
        terms=chance.terms,
        fee=chance.side.purchase.fee,
        outcome=chance.side.outcome,
        side=Side.BUY,
        order_type=FAK if chance.resting is None else GTD,
        worst_price=chance.worst_price,
        amount=size.amount,
        min_shares=size.min_shares,
        max_cost=_greatest_cost(chance, size),
        likely=likely,
        edge_now=chance.edge_now,
        edge_at_worst=chance.edge_at_worst,
        edge_required=chance.needed,
        break_even=ceil_e6(cost_per_share(chance.worst_price, chance.fee)),
        belief=chance.side.belief,
        estimate=chance.estimate,
        reference_price=chance.side.ask,
        best_bid=chance.side.book.best_bid,
        book_hash=chance.side.book.hash,
        book_age_seconds=age_seconds(chance.side.book, desk.now),
        size=size.chain,
        growth=chance.growth,
        reason=_reason(chance, likely),
        controls=controls,
        resting=chance.resting,
    )


def _reason(chance: Chance, likely: LikelyFill) -> str:
    belief, ask, because = chance.side.belief, chance.side.ask, chance.estimate.because
    if chance.resting is not None:
        return resting_reason(belief, ask, chance.side.edge, chance.resting, because)
    now, all_of_it = chance.side.edge, likely.edge
    if all_of_it is not None and signed_cents(all_of_it) != signed_cents(now):
        # The best offer is too small for it: the person is told what the whole amount would leave.
        because = f"All of it would leave {signed_cents(all_of_it)}. {because}"
    return opening_reason(belief, ask, now, chance.edge_at_worst, because)


def age_seconds(book: OrderBook, now: datetime) -> Decimal:
    """How long ago a book was seen, to the millisecond."""
    return Decimal((now - book.observed_at) // timedelta(milliseconds=1)).scaleb(-3)
