"""From estimates to proposals: which trades are worth a person's minute, and how near the others came.

Deterministic: the same candidates and desk give the same answer in the same order, whatever order
they came in.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from polyb0t.core.ids import AssetId, EventId
from polyb0t.core.units import ZERO, Price, Pusd, Shares, ceil_e6, floor_e6
from polyb0t.data.deny_list import DenyList
from polyb0t.data.markets import FeeSchedule, Market, Outcome, TradingTerms
from polyb0t.data.order_book import Level, OrderBook, Side
from polyb0t.models.chances import Candidate, Chance, NearMiss, Passed, find_chance
from polyb0t.models.event_stakes import NO_EVENTS, EventBook
from polyb0t.models.execution_choice import GTD, TAKER_ONLY, ExecutionRules, RestingOffer
from polyb0t.models.fees import FeeUnboundedError, cost_per_share, taker_fee
from polyb0t.models.kill_switches import Stance
from polyb0t.models.limits import check
from polyb0t.models.movement import Movement
from polyb0t.models.portfolio_tail import PortfolioTail
from polyb0t.models.risk import (
    OPEN_POSITION,
    Allowance,
    ControlContext,
    ControlResult,
    Exposure,
    ProposedTrade,
    RiskLimits,
    ends_far,
    event_key,
)
from polyb0t.models.shortlist import USUAL_WAIT, Ranked, Waiting, shortlist
from polyb0t.models.signals import Belief, ProbEstimate, model_id
from polyb0t.models.sized_events import event_book
from polyb0t.models.sizing import Funds, NoSize, Size, SizeChain, Wish, size_purchase
from polyb0t.models.usage import OwnOrder, SmallOrders, Usage, UsualSpread
from polyb0t.models.wording import cents, coarse, percent, signed_cents

NEAREST_MISSES: Final = 5
NO_SLOT: Final = "no_slot"
NAMED_PLACES: Final = 20  # so far down the list a chance without a slot is named with its place
FAK: Final = "FAK"
_SLIPPAGE: Final = "The whole amount would leave {} a share: the best offer is too small for it."


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything about us that a decision depends on. None means not known, and then nothing passes.

    `resting_assets` are ideas that cool down after an end, `sold_assets` outcomes that were sold and are not
    bought back yet; `live_assets` are targets of live intents and open orders. `at_most` is how many new
    proposals there is room for.
    """

    now: datetime
    limits: RiskLimits
    regime: str
    stance: Stance | None
    bankroll_pusd: Pusd | None
    spendable_pusd: Pusd | None
    exposure: Exposure | None
    live_assets: frozenset[AssetId] | None
    resting_assets: frozenset[AssetId]
    sold_assets: frozenset[AssetId]
    clock_skew_seconds: Decimal | None
    allow_unvalidated: bool
    identity_proven: bool
    at_most: int
    allowance_of: Callable[[Market], Allowance | None] = lambda _market: None  # None: not known
    identity_proven_of: Callable[[Market], bool] = lambda _market: False  # where it is not for all of them
    deny: DenyList | None = None
    frozen_events: frozenset[EventId] = frozenset()
    usage: Usage | None = None
    own_orders: tuple[OwnOrder, ...] | None = None
    small_orders: SmallOrders | None = None
    active_model: str | None = None
    usual_spread_of: Callable[[Market], UsualSpread | None] = lambda _market: None
    execution: ExecutionRules = TAKER_ONLY
    movement_of: Callable[[Market], Movement | None] = lambda _market: None
    events: EventBook = NO_EVENTS  # what is held and under way, and what is declared exclusive
    waiting: Waiting = USUAL_WAIT
    tail: PortfolioTail | None = None
    drawdown: Decimal | None = ZERO  # how far the account is under its peak, as a fraction


@dataclass(frozen=True, slots=True)
class LikelyFill:
    """What the book would give at this moment for the whole amount."""

    shares: Shares
    notional: Pusd
    fee: Pusd
    edge: Decimal | None = None  # per share at this average, after fee and reserve

    @property
    def cost(self) -> Pusd:
        return Pusd(self.notional + self.fee)


@dataclass(frozen=True, slots=True)
class OpeningProposal:
    """A purchase to put before a person. Edges and prices are pUSD per share, money is pUSD.

    Spend `amount` at `worst_price` or less for `min_shares` or more; `max_cost` is the ceiling with
    fee. `belief` is the model's view of the outcome that is bought.
    """

    market: Market
    terms: TradingTerms
    fee: FeeSchedule
    outcome: Outcome
    side: Side
    order_type: str
    worst_price: Price
    amount: Pusd
    min_shares: Shares
    max_cost: Pusd
    likely: LikelyFill
    edge_now: Decimal
    edge_at_worst: Decimal
    edge_required: Decimal
    break_even: Decimal  # probability at which the worst price neither wins nor loses
    belief: Belief
    estimate: ProbEstimate
    reference_price: Price  # the best offer
    best_bid: Price | None
    book_hash: str
    book_age_seconds: Decimal
    size: SizeChain
    growth: Decimal  # expected growth of the bankroll; times the chance of a fill it is ranked by
    reason: str
    controls: tuple[ControlResult, ...]
    resting: RestingOffer | None = None  # it rests at this; None: it takes what is offered
    place: str = ""  # on the list of this cycle's chances, in words

    @property
    def slippage(self) -> Decimal:
        """pUSD per share that the whole amount would cost above the best offer, without fees."""
        if not self.likely.shares:
            return ZERO
        return self.likely.notional / self.likely.shares - self.reference_price


@dataclass(frozen=True, slots=True)
class Openings:
    """The answer of one cycle. `near_misses`: nearest first; `passed`: every market with another reason."""

    proposals: tuple[OpeningProposal, ...]
    near_misses: tuple[NearMiss, ...]
    passed: tuple[Passed, ...]
    missed: int  # markets whose better side earns too little, the near misses among them


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
        desk = _after(desk, market, outcome)
    return proposals


def _after(desk: Desk, market: Market, proposal: OpeningProposal) -> Desk:
    """The desk as if `proposal` had been filled at its worst."""
    assert desk.exposure is not None  # a proposal passed the controls, which need all three
    assert desk.spendable_pusd is not None
    assert desk.live_assets is not None
    assert desk.usage is not None
    assert desk.tail is not None
    bought = (market, proposal.outcome.asset_id, proposal.min_shares, proposal.max_cost)
    return replace(
        desk,
        tail=desk.tail.plus(*bought),
        usage=desk.usage.plus(proposal.max_cost),
        exposure=desk.exposure.plus(
            market,
            proposal.max_cost,
            far=ends_far(market, desk.now, desk.limits),
            dependent=not proposal.estimate.independent,
        ),
        events=desk.events.plus(*bought),
        spendable_pusd=Pusd(desk.spendable_pusd - proposal.max_cost),
        live_assets=desk.live_assets | {proposal.outcome.asset_id},
    )


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
    parts = tuple(_parts(chance.side.book, size.amount, chance.worst_price))
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


def likely_purchase(book: OrderBook, amount: Pusd, worst_price: Price, fee: FeeSchedule) -> LikelyFill:
    """Walk the offers with `amount`; each level pays its own fee. Whole millionths throughout."""
    money, shares, paid = ZERO, ZERO, ZERO
    for part in _parts(book, amount, worst_price):
        shares, money = shares + part.shares, money + part.shares * part.price
        paid += taker_fee(part.shares, part.price, fee)
    return LikelyFill(Shares(shares), Pusd(ceil_e6(money)), Pusd(paid))


def _parts(book: OrderBook, amount: Pusd, worst_price: Price) -> Iterable[Level]:
    """What `amount` takes of each level, best first."""
    left: Decimal = amount
    for level in book.asks:
        part = floor_e6(min(level.shares, left / level.price))
        if level.price > worst_price or part <= 0:
            return
        left -= part * level.price
        yield Level(level.price, Shares(part))


def opening_reason(
    belief: Belief, ask: Price, edge_now: Decimal, edge_at_worst: Decimal, because: str
) -> str:
    """Why, in two sentences, as screens show it."""
    return (
        f"The model says {percent(belief.q)} ({percent(belief.low)} to {percent(belief.high)}), "
        f"the offer is {cents(ask)}: {signed_cents(edge_now)} a share now, "
        f"{signed_cents(edge_at_worst)} at the worst price. {because}"
    )


def resting_reason(belief: Belief, ask: Price, edge_now: Decimal, resting: RestingOffer, because: str) -> str:
    """Why it rests and takes nothing, until when, and what that is worth."""
    return (
        f"The model says {percent(belief.q)} ({percent(belief.low)} to {percent(belief.high)}). "
        f"Taking the offer of {cents(ask)} leaves {signed_cents(edge_now)} a share; resting at "
        f"{cents(resting.price)} without a fee leaves {signed_cents(resting.edge)} even after what a fill "
        f"tells, with a chance of {percent(resting.chance)} to fill within {coarse(resting.life_seconds)}. "
        f"{because}"
    )


def age_seconds(book: OrderBook, now: datetime) -> Decimal:
    """How long ago a book was seen, to the millisecond."""
    return Decimal((now - book.observed_at) // timedelta(milliseconds=1)).scaleb(-3)
