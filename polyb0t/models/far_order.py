"""A test order: bought for next to nothing where nobody sells, to see how the exchange names and cancels it.

It is an opening like any other, except that it may go before the proof that it makes, and that its price
is far from the market on purpose. `near_market` holds it to that.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price, Pusd, Shares, ceil_to
from polyb0t.data.markets import FeeSchedule, Market, Outcome, TradingTerms
from polyb0t.data.order_book import Side
from polyb0t.models.fees import FeeUnboundedError, effective_fee, worst_case_cost
from polyb0t.models.limits import check
from polyb0t.models.own_purchase import CannotBuy
from polyb0t.models.risk import OPEN_POSITION, ControlContext, ControlResult, ProposedTrade

GTD: Final = "GTD"
CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class FarOrder:
    """A BUY of the market's smallest size that rests at `price`, in pUSD per share, and takes nothing."""

    market: Market
    terms: TradingTerms
    fee: FeeSchedule
    outcome: Outcome
    shares: Shares
    price: Price
    max_cost: Pusd
    best_bid: Price | None
    best_ask: Price | None
    book_hash: str
    controls: tuple[ControlResult, ...]


def far_order(asset_id: AssetId, *, context: ControlContext) -> FarOrder | CannotBuy:
    """The test order on this outcome now, or which control stands in its way."""
    market, terms, book = context.market, context.terms, context.book
    if market is None or terms is None or book is None:
        return CannotBuy("no_offer", "The market or its book is not known.")
    fee = effective_fee(market, terms)
    if fee is None:
        return CannotBuy("fee_unknown", "The market's fee is not known.")
    price = Price(max(terms.tick, ceil_to(CENT, terms.tick)))
    shares = Shares(ceil_to(terms.min_shares, CENT))
    try:
        most = worst_case_cost(Pusd(shares * price), fee)
    except FeeUnboundedError as error:
        return CannotBuy(error.code, error.why)
    trade = ProposedTrade(
        intent_type=OPEN_POSITION,
        side=Side.BUY,
        order_type=GTD,
        condition_id=market.condition_id,
        asset_id=asset_id,
        worst_price=price,
        amount=None,
        shares=shares,
        min_shares=None,
        max_cost=most,
        rules_hash=market.rules_hash,
        own_idea=True,
        post_only=True,
        test_order=True,
    )
    controls = check(trade, context)
    failed = next((control for control in controls if not control.passed), None)
    if failed is not None:
        return CannotBuy(failed.name, failed.detail)
    return FarOrder(
        market=market,
        terms=terms,
        fee=fee,
        outcome=market.outcome(asset_id),
        shares=shares,
        price=price,
        max_cost=most,
        best_bid=book.best_bid,
        best_ask=book.best_ask,
        book_hash=book.hash,
        controls=controls,
    )
