"""A person's own idea: a purchase that no model asked for, through the same controls as any other."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price, Pusd, Shares, floor_to
from polyb0t.data.markets import FeeSchedule, Market, Outcome, TradingTerms
from polyb0t.data.order_book import Side
from polyb0t.models.fees import FeeUnboundedError, effective_fee, worst_case_cost
from polyb0t.models.likely_fill import LikelyFill, likely_purchase
from polyb0t.models.limits import check
from polyb0t.models.risk import OPEN_POSITION, ControlContext, ControlResult, ProposedTrade

CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class OwnPurchase:
    """A taker BUY that spends `amount` at `worst_price` or less, for `min_shares` or more."""

    market: Market
    terms: TradingTerms
    fee: FeeSchedule
    outcome: Outcome
    amount: Pusd
    min_shares: Shares
    worst_price: Price
    max_cost: Pusd
    likely: LikelyFill
    reference_price: Price
    best_bid: Price | None
    book_hash: str
    reason: str
    controls: tuple[ControlResult, ...]


@dataclass(frozen=True, slots=True)
class CannotBuy:
    """Nothing can be bought so: a stable code and a sentence."""

    code: str
    reason: str


def own_purchase(
    asset_id: AssetId,
    *,
    context: ControlContext,
    worst_price: Price,
    amount: Pusd | None = None,
    shares: Shares | None = None,
    reason: str = "A person's own idea.",
) -> OwnPurchase | CannotBuy:
    """Spend `amount`, or what `shares` cost at the worst price; the price is lowered to the grid."""
    market, terms, book = context.market, context.terms, context.book
    if market is None or terms is None or book is None or book.best_ask is None:
        return CannotBuy("no_offer", "The market or its book is not known, or nobody offers.")
    fee = effective_fee(market, terms)
    if fee is None:
        return CannotBuy("fee_unknown", "The market's fee is not known.")
    worst = Price(floor_to(worst_price, terms.tick))
    if (amount is None) == (shares is None) or worst <= 0:
        return CannotBuy("size_missing", "Name an amount or a number of shares, and a price above zero.")
    wanted = amount if amount is not None else Pusd((shares or Decimal(0)) * worst)
    spent = Pusd(floor_to(wanted, CENT))
    try:
        most = worst_case_cost(spent, fee)
    except FeeUnboundedError as error:
        return CannotBuy(error.code, error.why)
    least = Shares(floor_to(spent / worst, CENT))
    trade = ProposedTrade(
        intent_type=OPEN_POSITION,
        side=Side.BUY,
        order_type="FAK",
        condition_id=market.condition_id,
        asset_id=asset_id,
        worst_price=worst,
        amount=spent,
        shares=None,
        min_shares=least,
        max_cost=most,
        rules_hash=market.rules_hash,
        own_idea=True,
    )
    controls = check(trade, context)
    failed = next((control for control in controls if not control.passed), None)
    if failed is not None:
        return CannotBuy(failed.name, failed.detail)
    return OwnPurchase(
        market=market,
        terms=terms,
        fee=fee,
        outcome=market.outcome(asset_id),
        amount=spent,
        min_shares=least,
        worst_price=worst,
        max_cost=most,
        likely=likely_purchase(book, spent, worst, fee),
        reference_price=book.best_ask,
        best_bid=book.best_bid,
        book_hash=book.hash,
        reason=reason,
        controls=controls,
    )
