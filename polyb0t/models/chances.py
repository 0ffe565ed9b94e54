"""Which side of a market is worth buying, and up to which price, before size and controls."""

from dataclasses import dataclass
from decimal import Decimal

from polyb0t.core.units import ONE, Price, Shares
from polyb0t.data.markets import FeeSchedule, Market, Outcome, TradingTerms
from polyb0t.data.order_book import OrderBook, Side
from polyb0t.models.execution_choice import TAKER_ONLY, ExecutionRules, Moment, RestingOffer, rest
from polyb0t.models.fees import NO_FEE, cost_per_share, effective_fee
from polyb0t.models.movement import Movement
from polyb0t.models.pricing import Purchase, reserve_for
from polyb0t.models.risk import RiskLimits
from polyb0t.models.signals import Abstain, Belief, MarketState, ProbEstimate
from polyb0t.models.wording import cents


@dataclass(frozen=True, slots=True)
class Candidate:
    """A market as it is known, and what the model says about it."""

    state: MarketState
    estimate: ProbEstimate | Abstain


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A market with an estimate whose better side does not earn enough at the present offer."""

    question: str
    outcome_label: str
    edge: Decimal
    needed: Decimal


@dataclass(frozen=True, slots=True)
class Passed:
    """A market that was passed over: a stable code and a sentence."""

    question: str
    code: str
    reason: str
    place: str = ""  # on the list of chances, of one that found no room on it, in words
    rank: int = 0


@dataclass(frozen=True, slots=True)
class OfferedSide:
    """One outcome at its best offer; `edge` is what buying it there is expected to earn a share."""

    outcome: Outcome
    belief: Belief
    book: OrderBook
    ask: Price
    purchase: Purchase
    edge: Decimal


@dataclass(frozen=True, slots=True)
class Chance:
    """A purchase with enough edge at its worst price, before size and controls.

    With `resting` it is put into the book at that price and pays no fee; else it takes what is offered.
    """

    market: Market
    estimate: ProbEstimate
    terms: TradingTerms
    side: OfferedSide
    needed: Decimal
    worst_price: Price
    resting: RestingOffer | None = None

    @property
    def edge_at_worst(self) -> Decimal:
        return self.side.purchase.edge(self.worst_price) if self.resting is None else self.resting.edge

    @property
    def edge_now(self) -> Decimal:
        """At the present offer, or at the price at which it would rest."""
        return self.side.edge if self.resting is None else self.resting.edge_before

    @property
    def fee(self) -> FeeSchedule:
        """What this order pays by: makers pay none."""
        return self.side.purchase.fee if self.resting is None else NO_FEE

    @property
    def bought_at(self) -> Price:
        """The least that a share can cost without fee, as far as is known."""
        return self.side.ask if self.resting is None else self.resting.price

    @property
    def depth(self) -> Shares:
        """Shares offered at the worst price or better, or bid where it would rest."""
        if self.resting is not None:
            return self.resting.depth
        return self.side.book.depth(Side.BUY, self.worst_price)

    @property
    def worth(self) -> Decimal:
        """Expected pUSD of a share that is ordered: of one that rests, times the chance that it fills."""
        return self.side.edge if self.resting is None else self.resting.worth

    @property
    def growth(self) -> Decimal:
        """Expected log growth at the present offer, e^2 / (c (1 - c)); `shortlist` ranks by it.

        Not at the worst price, which rounding to the grid would make a matter of luck. Of what rests, times
        the chance that it fills.
        """
        edge, chance = (
            (self.side.edge, ONE) if self.resting is None else (self.resting.edge, self.resting.chance)
        )
        cost = cost_per_share(self.bought_at, self.fee)
        return chance * edge * edge / (cost * (1 - cost))


def find_chance(
    candidate: Candidate,
    limits: RiskLimits,
    rules: ExecutionRules = TAKER_ONLY,
    movement: Movement | None = None,
) -> Chance | NearMiss | Passed:
    """The better side of one market, if it is worth buying, taken now or left to rest."""
    taken = _taken(candidate, limits)
    if not rules.allowed:
        return taken
    resting = _rested(candidate, limits, rules, movement)
    least = taken.worth if isinstance(taken, Chance) else 0
    return resting if resting is not None and resting.worth > least else taken


def _rested(
    candidate: Candidate, limits: RiskLimits, rules: ExecutionRules, movement: Movement | None
) -> Chance | None:
    """The side that is worth most when it rests; None where nothing may."""
    state, estimate = candidate.state, candidate.estimate
    fee = effective_fee(state.market, state.terms)
    if isinstance(estimate, Abstain) or state.terms is None or fee is None:
        return None
    needed, reserve = _needed(estimate, limits), reserve_for(state.market, state.now)
    best: Chance | None = None
    for index, (outcome, book) in enumerate(zip(state.market.outcomes, state.books, strict=True)):
        if book is None or book.best_ask is None:
            continue
        belief = estimate.belief(index)
        moment = Moment(state.market, state.terms, book, movement, state.now)
        offer = rest(moment, belief.q, reserve, needed, rules)
        if not isinstance(offer, RestingOffer) or (best is not None and offer.worth <= best.worth):
            continue
        purchase = Purchase(belief.q, fee, reserve)
        side = OfferedSide(outcome, belief, book, book.best_ask, purchase, purchase.edge(book.best_ask))
        best = Chance(state.market, estimate, state.terms, side, needed, offer.price, offer)
    return best


def _needed(estimate: ProbEstimate, limits: RiskLimits) -> Decimal:
    return max(limits.edge_min, limits.edge_sd_multiple * estimate.sd)


def _taken(candidate: Candidate, limits: RiskLimits) -> Chance | NearMiss | Passed:
    state, estimate = candidate.state, candidate.estimate
    question = state.market.question
    if isinstance(estimate, Abstain):
        return Passed(question, estimate.code, estimate.reason)
    fee = effective_fee(state.market, state.terms)
    if state.terms is None or fee is None:
        return Passed(question, "fee_unknown", "Its trading terms or its fee are not known.")
    side = _better_side(state, estimate, fee)
    if side is None:
        return Passed(question, "no_offer", "Nobody offers either outcome.")
    needed = _needed(estimate, limits)
    if side.edge < needed:
        return NearMiss(question, side.outcome.label, side.edge, needed)
    worst = side.purchase.limit(
        side.ask,
        edge_min=needed,
        given_up=limits.edge_given_up,
        ceiling=_ceiling(side.book, limits),
        tick=state.terms.tick,
    )
    if worst is None:
        reason = f"Its offer of {cents(side.ask)} is off the grid or too far from the middle."
        return Passed(question, "price_collar", reason)
    return Chance(state.market, estimate, state.terms, side, needed, worst)


def _better_side(state: MarketState, estimate: ProbEstimate, fee: FeeSchedule) -> OfferedSide | None:
    """The outcome whose best offer has the greater edge; the first one at a tie."""
    reserve = reserve_for(state.market, state.now)
    best: OfferedSide | None = None
    for index, (outcome, book) in enumerate(zip(state.market.outcomes, state.books, strict=True)):
        if book is None or book.best_ask is None:
            continue
        belief = estimate.belief(index)
        purchase = Purchase(belief.q, fee, reserve)
        edge = purchase.edge(book.best_ask)
        if best is None or edge > best.edge:
            best = OfferedSide(outcome, belief, book, book.best_ask, purchase, edge)
    return best


def _ceiling(book: OrderBook, limits: RiskLimits) -> Decimal:
    """The highest price that the collar lets through; the control checks it again."""
    if book.mid is None:
        return limits.price_high
    reach = min(limits.collar_pusd, limits.collar_fraction * book.mid)
    return min(limits.price_high, book.mid + reach)
