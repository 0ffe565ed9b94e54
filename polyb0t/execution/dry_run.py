"""What an approved order would have come to: read off the book, nothing signed, nothing sent."""

from dataclasses import dataclass
from typing import Final

from polyb0t.core.units import ONE, ZERO, Price, Pusd, Shares, ceil_e6
from polyb0t.data.markets import FeeSchedule
from polyb0t.data.order_book import OrderBook, Side, Walk
from polyb0t.execution.intents import OrderType, TradeIntent
from polyb0t.models.fees import taker_fee
from polyb0t.models.limits import ControlResult
from polyb0t.models.wording import average, money, outcome, shares

NOTHING_SENT: Final = "Nothing was signed or sent."


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What the book would have filled at once. `total`: paid for a BUY, received for a SELL, with the fee."""

    side: Side
    shares: Shares
    average: Price | None
    fee: Pusd
    total: Pusd
    rests: Shares  # what would have stayed in the book


def rehearse(intent: TradeIntent, book: OrderBook) -> Rehearsal:
    """Walk `book` as the exchange would: money bounds a taker BUY, shares everything else.

    A FOK that cannot be filled whole fills nothing, and a post-only order takes nothing. An intent
    without a fee schedule is reckoned without a fee; the controls refuse it in the live regime.
    """
    assert intent.side is not None
    walk = _walk(intent, book)
    fee = _fee(intent, book, walk.shares)
    total = walk.notional + fee if intent.side is Side.BUY else walk.notional - fee
    resting = ZERO
    if intent.order_type in (OrderType.GTC, OrderType.GTD):
        resting = (intent.shares or ZERO) - walk.shares
    return Rehearsal(intent.side, walk.shares, walk.average, fee, Pusd(ceil_e6(total)), Shares(resting))


def _fee(intent: TradeIntent, book: OrderBook, shares: Shares) -> Pusd:
    """Each price level pays its own."""
    assert intent.side is not None
    schedule = FeeSchedule(intent.fee_rate or ZERO, intent.fee_exponent or ONE)
    left, paid = shares, ZERO
    for level in book.offers(intent.side):
        part = min(level.shares, left)
        left, paid = Shares(left - part), paid + taker_fee(part, level.price, schedule)
    return Pusd(paid)


def _walk(intent: TradeIntent, book: OrderBook) -> Walk:
    nothing = Walk(Shares(ZERO), Pusd(ZERO), None)
    if intent.worst_price is None or intent.side is None or intent.post_only:
        return nothing
    if intent.amount is not None:
        walk = book.spend(intent.amount, intent.worst_price)
        whole = walk.notional >= intent.amount
    else:
        wanted = intent.shares or Shares(ZERO)
        walk = book.take_shares(intent.side, wanted, intent.worst_price)
        whole = walk.shares >= wanted
    return nothing if intent.order_type is OrderType.FOK and not whole else walk


def sentence(intent: TradeIntent, done: Rehearsal, broken: tuple[ControlResult, ...]) -> str:
    """`Nothing was signed or sent. The book would have filled 152.50 YES at 60¢ for 92.96 pUSD.`"""
    parts = [NOTHING_SENT]
    if done.average is not None:
        got = f"{shares(done.shares)} {outcome(intent.outcome_label)} at {average(done.average, intent.tick)}"
        parts.append(f"The book would have filled {got} for {money(done.total)} pUSD.")
    else:
        parts.append("The book would have filled nothing at once.")
    if done.rests:
        parts.append(f"{shares(done.rests)} shares would have rested.")
    if broken:
        parts.append(f"With money it would have been refused ({broken[0].name}): {broken[0].detail}")
    return " ".join(parts)
