"""The sale of a position: a floor under the bid, and what it brings at least."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price, Pusd, Shares, ceil_to, floor_e6, floor_to
from polyb0t.data.markets import FeeSchedule, Market, Outcome, TradingTerms
from polyb0t.data.order_book import OrderBook, Side
from polyb0t.models.fees import effective_fee, least_proceeds, taker_fee
from polyb0t.models.limits import check
from polyb0t.models.risk import CLOSE_POSITION, ControlContext, ControlResult, ProposedTrade
from polyb0t.models.wording import cents

HUNDREDTH: Final = Decimal("0.01")
DEFAULT_SLACK: Final = Price(Decimal("0.01"))  # how far under the bid a sale may go while a person decides


@dataclass(frozen=True, slots=True)
class CloseProposal:
    """A taker SELL of `shares` at `worst_price` or more; it brings `least_proceeds` when all of it fills."""

    market: Market
    terms: TradingTerms
    fee: FeeSchedule
    outcome: Outcome
    shares: Shares
    worst_price: Price
    least_proceeds: Pusd
    likely_shares: Shares
    likely_proceeds: Pusd
    likely_fee: Pusd
    reference_price: Price  # the best bid
    best_ask: Price | None
    book_hash: str
    reason: str
    controls: tuple[ControlResult, ...]


@dataclass(frozen=True, slots=True)
class CannotClose:
    """Nothing can be sold now: a stable code and a sentence."""

    code: str
    reason: str


def close_proposal(
    asset_id: AssetId,
    *,
    context: ControlContext,
    reason: str,
    shares: Shares | None = None,
    floor: Price | None = None,
    slack: Price = DEFAULT_SLACK,
    least: Price | None = None,
) -> CloseProposal | CannotClose:
    """Sell what can be closed of one asset, or `shares` of it, at `floor` or, without one, at the bid
    less `slack`, or less where a cent is much of the price; never under `least`. The floor is raised to
    the grid."""
    market, terms, book = context.market, context.terms, context.book
    if market is None or terms is None or book is None or book.best_bid is None:
        return CannotClose("no_bid", "The market or its book is not known, or nobody bids.")
    fee = effective_fee(market, terms)
    if fee is None or context.closable_shares is None:
        return CannotClose("not_known", "The fee or the shares that can be closed are not known.")
    wanted = context.closable_shares if shares is None else min(shares, context.closable_shares)
    size = Shares(floor_to(wanted, HUNDREDTH))
    reach = min(slack, context.limits.collar_fraction * book.best_bid)
    price = floor if floor is not None else max(book.best_bid - reach, least or Decimal(0))
    worst = Price(max(terms.tick, ceil_to(price, terms.tick)))
    trade = _sale(market, asset_id, size, worst)
    controls = check(trade, context)
    failed = next((control for control in controls if not control.passed), None)
    if failed is not None:
        return CannotClose(failed.name, failed.detail)
    return _proposal(trade, context, fee, reason, controls)


def _sale(market: Market, asset_id: AssetId, shares: Shares, worst: Price) -> ProposedTrade:
    return ProposedTrade(
        intent_type=CLOSE_POSITION,
        side=Side.SELL,
        order_type="FAK",
        condition_id=market.condition_id,
        asset_id=asset_id,
        worst_price=worst,
        amount=None,
        shares=shares,
        min_shares=None,
        max_cost=Pusd(Decimal(0)),
        rules_hash=market.rules_hash,
    )


def _proposal(
    trade: ProposedTrade,
    context: ControlContext,
    fee: FeeSchedule,
    reason: str,
    controls: tuple[ControlResult, ...],
) -> CloseProposal:
    market, terms, book = context.market, context.terms, context.book
    assert market is not None
    assert terms is not None
    assert book is not None
    assert book.best_bid is not None
    assert trade.shares is not None
    walk = book.take_shares(Side.SELL, trade.shares, trade.worst_price)
    paid = sale_fee(book, trade.shares, trade.worst_price, fee)
    return CloseProposal(
        market=market,
        terms=terms,
        fee=fee,
        outcome=market.outcome(trade.asset_id),
        shares=trade.shares,
        worst_price=trade.worst_price,
        least_proceeds=least_proceeds(trade.shares, trade.worst_price, fee),
        likely_shares=walk.shares,
        likely_proceeds=Pusd(floor_e6(walk.notional - paid)),
        likely_fee=paid,
        reference_price=book.best_bid,
        best_ask=book.best_ask,
        book_hash=book.hash,
        reason=f"{reason} The bid is {cents(book.best_bid)}; not sold under {cents(trade.worst_price)}.",
        controls=controls,
    )


def sale_fee(book: OrderBook, shares: Shares, worst: Price, fee: FeeSchedule) -> Pusd:
    """Fees of selling into the bids now; each level pays its own."""
    left, paid = Decimal(shares), Decimal(0)
    for level in book.bids:
        part = min(level.shares, left)
        if level.price < worst or part <= 0:
            break
        left, paid = left - part, paid + taker_fee(part, level.price, fee)
    return Pusd(paid)
