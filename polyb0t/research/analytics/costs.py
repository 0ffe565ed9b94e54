"""What trading cost: spread, fee, the wait for a decision, and how much more the book would have borne.

Three looks at the book: as proposed (kept with the proposal), when it was decided, and when the order
was permitted to be sent. The last two need a recorded book and are counted where there is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from polyb0t.core.ids import IntentId
from polyb0t.core.units import ZERO, Pusd
from polyb0t.data.order_book import OrderBook, Side
from polyb0t.research.analytics.clusters import Mean, clustered_mean
from polyb0t.research.analytics.fates import Scored
from polyb0t.research.analytics.records import Records
from polyb0t.research.replay.tape import Sight


@dataclass(frozen=True, slots=True)
class Walked:
    """One filled proposal. pUSD a share, against us is positive: from the best price of the proposal to
    that when it was approved, from there to that when the order went out, and from there to the fills."""

    scored: Scored
    to_approval: Decimal | None
    to_arrival: Decimal | None
    past_arrival: Decimal | None
    multiple: Decimal | None  # shares within the worst price at arrival over what was taken


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many times the size the book at arrival would have given within the worst price; at more than
    that the edge that was required is gone. Of `seen` filled proposals."""

    seen: int
    median: float | None
    one_in_ten: float | None  # a tenth of them had no more than this
    no_more: int  # the book had nothing beyond what was taken


@dataclass(frozen=True, slots=True)
class Costs:
    """pUSD paid in all for the half-spread and in fees; pUSD a share for the rest. `unseen` filled
    proposals have no recorded book at arrival."""

    filled: int
    unseen: int
    half_spread_pusd: Pusd
    fees_pusd: Pusd
    to_approval: Mean | None
    to_arrival: Mean | None
    slippage: Mean | None  # past the best price at arrival
    capacity: Capacity


def costs(scored: Sequence[Scored], records: Records) -> Costs:
    """Of the filled proposals among them."""
    filled = [each for each in scored if each.filled]
    walked = walks(filled, records)
    return Costs(
        filled=len(filled),
        unseen=sum(each.past_arrival is None for each in walked),
        half_spread_pusd=Pusd(sum((_half_spread(each) * each.shares for each in filled), ZERO)),
        fees_pusd=Pusd(sum((fill.fee for each in filled for fill in records.fills_of[each.record.id]), ZERO)),
        to_approval=_mean(walked, [each.to_approval for each in walked]),
        to_arrival=_mean(walked, [each.to_arrival for each in walked]),
        slippage=_mean(walked, [each.past_arrival for each in walked]),
        capacity=_capacity([each.multiple for each in walked]),
    )


def walks(filled: Sequence[Scored], records: Records) -> tuple[Walked, ...]:
    """The three looks at the book of each."""
    moments = {
        each.record.id: (each.record.decided_at, records.sent_at.get(each.record.id)) for each in filled
    }
    sights = [
        Sight(each.intent.asset_id, at)
        for each in filled
        for at in moments[each.record.id]
        if at is not None and records.watched(at)
    ]
    books = records.books.books(sights)

    def look(each: Scored, at: datetime | None) -> OrderBook | None:
        return None if at is None else books.get(Sight(each.intent.asset_id, at))

    return tuple(
        _walked(
            each,
            look(each, moments[each.record.id][0]),
            look(each, moments[each.record.id][1]),
            _average(each.record.id, records),
        )
        for each in filled
    )


def _walked(
    each: Scored, approved: OrderBook | None, arrived: OrderBook | None, paid: Decimal | None
) -> Walked:
    side = each.intent.side or Side.BUY
    sign = 1 if side is Side.BUY else -1
    first = each.intent.best_ask if side is Side.BUY else each.intent.best_bid
    then, last = _best(approved, side), _best(arrived, side)
    worst, multiple = each.intent.worst_price, None
    if arrived is not None and worst is not None and each.shares:
        multiple = arrived.depth(side, worst) / each.shares
    return Walked(
        scored=each,
        to_approval=None if first is None or then is None else sign * (then - first),
        to_arrival=None if then is None or last is None else sign * (last - then),
        past_arrival=None if last is None or paid is None else sign * (paid - last),
        multiple=multiple,
    )


def _best(book: OrderBook | None, side: Side) -> Decimal | None:
    """The price that `side` would meet first: an offer to buy from, a bid to sell to."""
    if book is None:
        return None
    return book.best_ask if side is Side.BUY else book.best_bid


def _average(intent: IntentId, records: Records) -> Decimal | None:
    """Of its fills, without fees."""
    fills = records.fills_of.get(intent, ())
    shares = sum((fill.shares for fill in fills), ZERO)
    return sum((fill.notional for fill in fills), ZERO) / shares if shares else None


def _half_spread(each: Scored) -> Decimal:
    """pUSD a share at the proposal; nothing for an order that rested, and where a side was empty."""
    intent = each.intent
    if intent.post_only or intent.best_ask is None or intent.best_bid is None:
        return ZERO
    return (intent.best_ask - intent.best_bid) / 2


def _mean(walked: Sequence[Walked], values: Sequence[Decimal | None]) -> Mean | None:
    pairs = [
        (value, each.scored.event) for value, each in zip(values, walked, strict=True) if value is not None
    ]
    return clustered_mean([float(value) for value, _ in pairs], [event for _, event in pairs])


def _capacity(multiples: Sequence[Decimal | None]) -> Capacity:
    found = sorted(float(each) for each in multiples if each is not None)
    if not found:
        return Capacity(0, None, None, 0)
    middle = (found[(len(found) - 1) // 2] + found[len(found) // 2]) / 2
    return Capacity(len(found), middle, found[max(0, -(-len(found) // 10) - 1)], sum(m <= 1 for m in found))
