"""Controls of the order: its price against the book, its form against the exchange's rules."""

from decimal import Decimal
from typing import Final

from polyb0t.core.units import ZERO, floor_to, plain
from polyb0t.data.order_book import Side
from polyb0t.models.risk import (
    CLOSE_POSITION,
    OPEN_POSITION,
    TAKER_TYPES,
    ControlContext,
    ProposedTrade,
    Verdict,
    not_for_closes,
    unknown,
)
from polyb0t.models.taken_back import moved
from polyb0t.models.usage import any_meets
from polyb0t.models.wording import at_most, cents, limit, money, shares

HUNDREDTH: Final = Decimal("0.01")
TEST_PRICE_FRACTION: Final = Decimal("0.5")  # of the best bid: a test order rests no higher
TEST_MOST_PUSD: Final = Decimal(1)  # what a test order may cost at most, should it fill after all


def wrong_side(trade: ProposedTrade, _context: ControlContext) -> Verdict:
    """An opening buys and a close sells."""
    right = {OPEN_POSITION: Side.BUY, CLOSE_POSITION: Side.SELL}.get(trade.intent_type)
    fits = trade.side is right
    return Verdict(
        fits, trade.side, right or "", "" if fits else f"{trade.intent_type} does not {trade.side}."
    )


def price_worse(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """Somebody offers the worst price or better."""
    if trade.order_type not in TAKER_TYPES:
        return Verdict(True, "", "", "Does not apply to an order that rests.")
    if context.book is None:
        return unknown("The book is")
    buying = trade.side is Side.BUY
    best = context.book.best_ask if buying else context.book.best_bid
    allowed = f"{cents(trade.worst_price)} {'or less' if buying else 'or more'}"
    if best is None:
        return Verdict(False, "nothing offered", allowed, f"You allowed {allowed}; nobody offers anything.")
    fits = best <= trade.worst_price if buying else best >= trade.worst_price
    detail = (
        "" if fits else f"You allowed {allowed}; the best {'offer' if buying else 'bid'} is {cents(best)}."
    )
    return Verdict(fits, cents(best), allowed, detail)


def no_longer_rests(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """A purchase that was proposed to rest still would, and nothing has happened for which it would be
    taken back."""
    if trade.taken_back is None or not trade.opening:
        return Verdict(True, "", "", "Does not apply: it was not proposed to rest.")
    if context.book is None:
        return unknown("The book is")
    ask, price = context.book.best_ask, cents(trade.worst_price)
    if ask is not None and ask <= trade.worst_price:
        return Verdict(False, cents(ask), price, f"It would trade at once: the offer is {cents(ask)}.")
    gone = moved(trade.taken_back, context.book.mid, context.book.spread)
    if gone is not None:
        return Verdict(False, "moved", price, gone.detail)
    return Verdict(True, cents(ask or trade.worst_price), price)


def price_collar(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """The worst price is near the market: near the mid for an opening, near the bid for a sale."""
    if trade.test_order and trade.opening:
        return Verdict(True, cents(trade.worst_price), "", "A test order rests far from the market.")
    book, limits = context.book, context.limits
    anchor = None if book is None else (book.mid if trade.opening else book.best_bid)
    if anchor is None:
        return unknown("The middle of the market is")
    reach = min(limits.collar_pusd, limits.collar_fraction * anchor)
    near = abs(trade.worst_price - anchor) <= reach
    if trade.side is Side.SELL and trade.worst_price > anchor:
        near = True  # a floor above the market loses nothing: it does not fill
    inside = not trade.opening or limits.price_low <= trade.worst_price <= limits.price_high
    limit = f"{cents(anchor)} ± {cents(reach)}"
    if not inside:
        limit = f"{cents(limits.price_low)} to {cents(limits.price_high)}"
    passed = near and inside
    detail = "" if passed else f"The worst price {cents(trade.worst_price)} is outside {limit}."
    return Verdict(passed, cents(trade.worst_price), limit, detail)


def near_market(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """A test order only rests, far under the best bid, and costs next to nothing even if it fills.

    Other orders pass: what is asked of their price is `price_collar`'s business.
    """
    if not trade.test_order:
        return Verdict(True, "", "", "Does not apply: this is no test order.")
    resting = trade.side is Side.BUY and trade.post_only and trade.order_type not in TAKER_TYPES
    if not resting or trade.intent_type != OPEN_POSITION:
        return Verdict(False, trade.order_type, "rests", "A test order buys, and only rests.")
    bid = None if context.book is None else context.book.best_bid
    if bid is None:
        return unknown("The best bid is")
    highest, most = bid * TEST_PRICE_FRACTION, TEST_MOST_PUSD
    if trade.max_cost > most:
        return Verdict(
            False, at_most(trade.max_cost), limit(most), "A test order has to cost next to nothing."
        )
    far = trade.worst_price <= highest
    detail = "" if far else f"A test order has to rest at {cents(highest)} or less; the bid is {cents(bid)}."
    return Verdict(far, cents(trade.worst_price), cents(highest), detail)


def spread_wide(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """Bid and offer are close enough to know what the market thinks."""
    if not trade.opening:
        return not_for_closes()
    if context.book is None or context.book.spread is None:
        return unknown("The spread is")
    spread, most = context.book.spread, context.limits.spread_max
    narrow = ZERO <= spread <= most
    return Verdict(narrow, cents(spread), cents(most), "" if narrow else f"The spread is {cents(spread)}.")


def spread_unusual(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """The spread is not several times what is usual for this book: then something is going on here.

    A book that was not seen for long enough has no usual spread yet; the limit of `spread_wide` holds.
    """
    if not trade.opening:
        return not_for_closes()
    if context.usual_spread is None or context.book is None or context.book.spread is None:
        return unknown("The spread, or what is usual for it, is")
    spread, usual = context.book.spread, context.usual_spread.spread
    if usual is None:
        return Verdict(True, cents(spread), "", "What is usual for this book is not known yet.")
    most = max(context.limits.spread_multiple * usual, context.limits.spread_unjudged)
    detail = "" if spread <= most else f"The spread is {cents(spread)}; {cents(usual)} is usual here."
    return Verdict(spread <= most, cents(spread), cents(most), detail)


def depth_thin(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """Enough is offered at the worst price or better: several times the order when it is proposed, the
    order itself when it is sent (others may take from the book while a person reads). An order that only
    rests takes nothing and needs none."""
    if not trade.opening:
        return not_for_closes()
    if trade.post_only and trade.order_type not in TAKER_TYPES:
        return Verdict(True, "", "", "Does not apply to an order that only rests.")
    if context.book is None or trade.least_shares is None:
        return unknown("The book or the order's size is")
    fraction = Decimal(1) if context.at_submit else context.limits.depth_fraction
    depth = context.book.depth(trade.side, trade.worst_price)
    usable = fraction * depth
    enough = trade.least_shares <= usable
    detail = (
        "" if enough else f"{shares(depth)} shares are offered; the order may use {shares(usable)} of them."
    )
    return Verdict(enough, shares(trade.least_shares), shares(usable), detail)


def off_tick(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """The worst price is on the market's present grid."""
    if context.terms is None:
        return unknown("The market's tick is")
    tick = context.terms.tick
    fits = tick <= trade.worst_price <= 1 - tick and floor_to(trade.worst_price, tick) == trade.worst_price
    detail = "" if fits else f"{cents(trade.worst_price)} is not on the grid of {cents(tick)}."
    return Verdict(fits, cents(trade.worst_price), cents(tick), detail)


def below_minimum(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """The order is as large as the exchange asks: in shares, and in pUSD for a taker BUY."""
    if context.terms is None or trade.least_shares is None:
        return unknown("The exchange's minimum or the order's size is")
    least = context.terms.min_shares
    if trade.least_shares < least:
        return Verdict(
            False,
            f"{shares(trade.least_shares)} sh",
            f"{plain(least)} sh",
            f"The market's smallest order is {plain(least)} shares.",
        )
    dollars = context.limits.marketable_min_pusd
    if trade.spends_money and (trade.amount is None or trade.amount < dollars):
        return Verdict(
            False, money(trade.amount), plain(dollars), f"The smallest purchase is {plain(dollars)} pUSD."
        )
    return Verdict(True, f"{shares(trade.least_shares)} sh", f"{plain(least)} sh")


def decimals(trade: ProposedTrade, _context: ControlContext) -> Verdict:
    """The size has two decimals, as the exchange takes it."""
    size = trade.amount if trade.spends_money else trade.shares
    if size is None:
        return unknown("The order's size is")
    fits = size > 0 and floor_to(size, HUNDREDTH) == size
    return Verdict(
        fits, plain(size), "0.01", "" if fits else f"{plain(size)} has more than two decimals or is not > 0."
    )


def unit_mismatch(trade: ProposedTrade, _context: ControlContext) -> Verdict:
    """Money for a taker BUY, shares for everything else, never both and never the other."""
    fits = (trade.amount is not None, trade.shares is not None) == (
        trade.spends_money,
        not trade.spends_money,
    )
    unit = "pUSD" if trade.spends_money else "shares"
    return Verdict(
        fits, unit, unit, "" if fits else f"This kind of order is sized in {unit} and in nothing else."
    )


def duplicate(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """Nothing else is under way on this outcome.

    A close is not held back by an opening that waits for a person; that two closes do not sell the
    same shares is the business of `balance`, whose closable shares are without those of open sales.
    """
    if not trade.opening:
        return not_for_closes()
    if context.live_assets is None:
        return unknown("What else is under way is")
    alone = trade.asset_id not in context.live_assets
    detail = "" if alone else "An intent or order on it exists already."
    return Verdict(alone, "none" if alone else "exists", "none", detail)


def self_trade(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """Nothing of ours is under way on the other outcome: both sides bought would meet each other."""
    if not trade.opening:
        return not_for_closes()
    if context.live_assets is None or context.market is None:
        return unknown("What else is under way is")
    other = context.market.opposite(trade.asset_id)
    alone = other.asset_id not in context.live_assets
    detail = "" if alone else f"An intent or order on the other outcome, {other.label}, exists already."
    return Verdict(alone, "none" if alone else "exists", "none", detail)


def opposite(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """No order of ours is in the book that this one could trade with, on this outcome or the other one.

    Closes too: a sale that meets our own purchase sells nothing and pays the fee for it.
    """
    if context.own_orders is None or context.market is None:
        return unknown("Which orders of ours are in the book is")
    other = context.market.opposite(trade.asset_id).asset_id
    met = any_meets(context.own_orders, trade.asset_id, other, trade.side, trade.worst_price)
    if met is None:
        return Verdict(True, "none", "none")
    where = "this outcome" if met.asset_id == trade.asset_id else "the other outcome"
    mine = f"{met.side} at {cents(met.price)}"
    detail = f"It could trade with our own order on {where}, {mine}; cancel that one first."
    return Verdict(False, mine, "none", detail)
