"""A purchase that is worth a person's minute, what one cycle found, and both in words."""

from dataclasses import dataclass
from decimal import Decimal

from polyb0t.core.units import ZERO, Price, Pusd, Shares
from polyb0t.data.markets import FeeSchedule, Market, Outcome, TradingTerms
from polyb0t.data.order_book import Side
from polyb0t.models.chances import NearMiss, Passed
from polyb0t.models.execution_choice import RestingOffer
from polyb0t.models.likely_fill import LikelyFill
from polyb0t.models.risk import ControlResult
from polyb0t.models.signals import Belief, ProbEstimate
from polyb0t.models.sizing import SizeChain
from polyb0t.models.wording import cents, coarse, percent, signed_cents


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
