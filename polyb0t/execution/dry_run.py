"""What an approved order would have come to: read off the book, nothing signed, nothing sent."""

from dataclasses import dataclass
from typing import Final

from polyb0t.core.units import ZERO, Price, Pusd, Shares, ceil_e6
from polyb0t.data.order_book import OrderBook, Side
from polyb0t.execution.filler import Standing, arrive
from polyb0t.execution.intents import TradeIntent
from polyb0t.execution.liquidity import Taken
from polyb0t.execution.simulated import rules_of, simulated
from polyb0t.models.limits import ControlResult
from polyb0t.models.wording import average, coarse, money, outcome, shares

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
    refused: str = ""  # why the exchange would not have taken it


def rehearse(intent: TradeIntent, book: OrderBook) -> Rehearsal:
    """What the filler makes of it on `book`. An intent without a fee schedule is reckoned without a fee;
    the controls refuse it in the live regime."""
    assert intent.side is not None
    met = arrive(simulated(intent, book.observed_at), book, rules_of(intent, book, None), Taken())
    total = met.notional + met.fee if intent.side is Side.BUY else met.notional - met.fee
    rests = Shares(ZERO)
    if met.standing is Standing.RESTING:
        rests = Shares((intent.shares or ZERO) - met.shares)
    average_price = Price(met.notional / met.shares) if met.shares else None
    refused = met.detail if met.standing is Standing.REFUSED else ""
    return Rehearsal(intent.side, met.shares, average_price, met.fee, Pusd(ceil_e6(total)), rests, refused)


def sentence(intent: TradeIntent, done: Rehearsal, broken: tuple[ControlResult, ...]) -> str:
    """`Nothing was signed or sent. The book would have filled 152.50 YES at 60¢ for 92.96 pUSD.`"""
    parts = [NOTHING_SENT]
    if done.average is not None:
        got = f"{shares(done.shares)} {outcome(intent.outcome_label)} at {average(done.average, intent.tick)}"
        parts.append(f"The book would have filled {got} for {money(done.total)} pUSD.")
    elif done.refused:
        parts.append(f"The exchange would have refused it. {done.refused}")
    else:
        parts.append("The book would have filled nothing at once.")
    if done.rests:
        life = f" for {coarse(intent.life_seconds)} at most" if intent.life_seconds else ""
        parts.append(f"{shares(done.rests)} shares would have rested{life}.")
    if broken:
        parts.append(f"With money it would have been refused ({broken[0].name}): {broken[0].detail}")
    return " ".join(parts)
