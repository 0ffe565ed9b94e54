"""What came of an approval: accepted, noted, refused, or not known."""

from dataclasses import dataclass

from polyb0t.cli import words
from polyb0t.cli.terminal import Paint
from polyb0t.core.units import ZERO
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import IntentRecord, IntentStatus
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.scope import Regime
from polyb0t.models import wording


@dataclass(frozen=True, slots=True)
class Result:
    """An approved intent some moments later."""

    record: IntentRecord
    order: OrderRecord | None
    short: str

    @property
    def unknown(self) -> bool:
        return self.order is not None and self.order.status in (OrderStatus.UNKNOWN, OrderStatus.VANISHED)

    @property
    def not_done(self) -> bool:
        ended = (IntentStatus.FAILED, IntentStatus.REJECTED, IntentStatus.EXPIRED)
        return self.unknown or self.record.status in ended


def result_lines(result: Result, paint: Paint, columns: int, waited: float) -> list[str]:
    """The result in sentences; every line fits the screen."""
    record = result.record
    if result.unknown:
        lines = _unknown(result, paint)
    elif record.status is IntentStatus.EXECUTED:
        lines = _executed(result)
    elif result.not_done:
        lines = _not_done(result)
    else:
        lines = [
            f"No answer after {wording.span(waited)}; it may still come.",
            f"  Follow: polyb0t intents show {result.short}",
        ]
    return [part for line in lines for part in words.fold(line, columns)]


def _executed(result: Result) -> list[str]:
    record, order = result.record, result.order
    if record.intent.regime is Regime.DRY_RUN:
        detail = wording.one_line(record.result_detail) or "Nothing was signed or sent."
        return [f"Dry run. {detail}"]
    if order is None:
        return [f"Done: {wording.one_line(record.result_detail) or record.result or 'accepted'}."]
    took = ""
    if record.decided_at is not None:
        seconds = (order.created_at - record.decided_at).total_seconds()
        took = f" after {max(0.0, seconds):.1f} s"
    lines = [f"Accepted{took}. {order_words(record, order)}"]
    short = wording.short_hex(order.id)[:6]
    if order.provisional_shares or (order.filled_shares == ZERO and order.status is OrderStatus.MATCHED):
        lines.append(f"Provisional: final on chain in about 10 s. Follow: polyb0t orders show {short}")
    else:
        lines.append(f"Follow: polyb0t orders show {short}")
    return lines


def order_words(record: IntentRecord, order: OrderRecord) -> str:
    """`Bought 152.50 YES at 60¢, fee 1.46, paid 92.96 pUSD (2.20 under the ceiling).`"""
    intent = record.intent
    if not order.filled_shares:
        of = wording.count(order.shares)
        return f"Resting, 0 of {of}." if order.status is OrderStatus.LIVE else "No fill is known yet."
    bought = order.side is Side.BUY
    paid = order.filled_notional + order.fees if bought else order.filled_notional - order.fees
    at = wording.average(order.average_price, intent.tick)
    what = f"{wording.shares(order.filled_shares)} {wording.outcome(intent.outcome_label)} at {at}"
    fee = f", fee {wording.money(order.fees)}" if order.fees else ""
    under = ""
    if bought and intent.max_cost is not None and intent.max_cost >= paid:
        under = f" ({wording.money(intent.max_cost - paid)} under the ceiling)"
    did, paid_or_got = ("Bought", "paid") if bought else ("Sold", "got")
    return f"{did} {what}{fee}, {paid_or_got} {wording.money(paid)} pUSD{under}."


def _not_done(result: Result) -> list[str]:
    record = result.record
    sent = result.order is not None
    what = "the exchange did not take it" if sent else _reason(record)
    money = "No money moved." if sent else "Nothing was signed, no money moved."
    lines = [f"Approved, but {'not filled' if sent else 'not sent'}: {what}. {money}"]
    if record.result_detail:
        lines.append(f"  {wording.one_line(record.result_detail)}")
    code = record.result or record.status.value.lower()
    then = "If the edge is still there, a new proposal comes by itself."
    return [*lines, f"  {result.short} is {record.status.value} ({code}). {then}"]


def _reason(record: IntentRecord) -> str:
    known = {
        "price_worse": "the price moved away",
        "halted": "trading is stopped",
        "book_stale": "no fresh prices were there",
        "expired": "its time was up before it could be sent",
        "interrupted": "the engine stopped before it was sent",
    }
    code = record.result or record.status.value.lower()
    return known.get(code, code.replace("_", " "))


def _unknown(result: Result, paint: Paint) -> list[str]:
    order, intent = result.order, result.record.intent
    assert order is not None
    spent = intent.side is Side.BUY
    at_stake = (
        f"Up to {wording.at_most(intent.max_cost)} pUSD may be spent and is counted as spent."
        if spent
        else f"Up to {wording.shares(intent.shares)} shares may be sold and are counted as sold."
    )
    asked = {0: "not asked yet", 1: "asked once", 2: "asked twice"}.get(
        order.lookups, f"asked {order.lookups} times"
    )
    shown, unknown = wording.short_hex(order.id), paint.yellow("SENT, OUTCOME UNKNOWN.")
    return [
        f"{unknown} The exchange did not answer; it may have the order or not.",
        f"  {at_stake} Do not place it again by hand.",
        f"  polyb0t asks for order {shown} until it knows and never makes a second one ({asked}).",
        f"  Follow: polyb0t orders show {order.id[:6]}",
    ]
