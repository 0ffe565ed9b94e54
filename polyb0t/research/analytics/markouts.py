"""Where the price went after a proposal: the drift of the middle, before anybody knew the result.

A resolved price of 0 or 1 is mostly luck; the drift before it is evidence sooner. It is measured on the
outcome that was proposed, in the direction of the trade, against the middle of the book at the proposal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from polyb0t.core.ids import IntentId
from polyb0t.data.order_book import OrderBook, Side
from polyb0t.execution.intents import IntentRecord, TradeIntent
from polyb0t.research.analytics.clusters import Mean, clustered_mean
from polyb0t.research.analytics.records import Records, event_of
from polyb0t.research.replay.tape import Sight


class Horizon(StrEnum):
    """How long after the proposal."""

    MINUTE = "1 min"
    TEN_MINUTES = "10 min"
    HOUR = "1 h"
    DAY = "24 h"
    WEEK = "7 d"


AFTER: Final[Mapping[Horizon, timedelta]] = {
    Horizon.MINUTE: timedelta(minutes=1),
    Horizon.TEN_MINUTES: timedelta(minutes=10),
    Horizon.HOUR: timedelta(hours=1),
    Horizon.DAY: timedelta(days=1),
    Horizon.WEEK: timedelta(days=7),
}


class Missing(StrEnum):
    """Why there is no markout."""

    TOO_EARLY = "still ahead"
    NOT_WATCHED = "nothing was recorded"
    NO_BOOK = "no book was recorded then"
    ONE_SIDED = "one side of its book was empty"


@dataclass(frozen=True, slots=True)
class Markout:
    """pUSD a share in the direction of the trade. `drift` is that of the middle; `net` has half the spread
    of the proposal taken off, which is what crossing it costs. Either both are there or `missing` is."""

    drift: Decimal | None = None
    net: Decimal | None = None
    missing: Missing | None = None


@dataclass(frozen=True, slots=True)
class HorizonRow:
    """All proposals at one horizon. pUSD a share."""

    horizon: Horizon
    drift: Mean | None
    net: Mean | None
    missing: Mapping[Missing, int]


def middle_of(intent: TradeIntent) -> Decimal | None:
    """Of the book that the proposal was made on; None: one side was empty."""
    if intent.best_bid is None or intent.best_ask is None:
        return None
    return (intent.best_bid + intent.best_ask) / 2


def markouts(records: Records) -> dict[IntentId, dict[Horizon, Markout]]:
    """Of every judged proposal at every horizon, asked of the past in one question."""
    wanted = {
        (record.id, horizon): Sight(record.intent.asset_id, record.intent.created_at + after)
        for record in records.judged
        for horizon, after in AFTER.items()
    }
    asked = [sight for sight in wanted.values() if sight.at < records.until and records.watched(sight.at)]
    books = records.books.books(asked)
    found: dict[IntentId, dict[Horizon, Markout]] = {}
    for record in records.judged:
        found[record.id] = {
            horizon: _markout(record.intent, wanted[record.id, horizon], records, books) for horizon in AFTER
        }
    return found


def _markout(
    intent: TradeIntent, sight: Sight, records: Records, books: Mapping[Sight, OrderBook]
) -> Markout:
    if sight.at >= records.until:
        return Markout(missing=Missing.TOO_EARLY)
    if not records.watched(sight.at):
        return Markout(missing=Missing.NOT_WATCHED)
    book = books.get(sight)
    if book is None:
        return Markout(missing=Missing.NO_BOOK)
    then, before = book.mid, middle_of(intent)
    if then is None or before is None or intent.best_bid is None or intent.best_ask is None:
        return Markout(missing=Missing.ONE_SIDED)
    drift = then - before if intent.side is Side.BUY else before - then
    return Markout(drift, drift - (intent.best_ask - intent.best_bid) / 2)


def horizon_rows(
    proposals: Sequence[IntentRecord], found: Mapping[IntentId, Mapping[Horizon, Markout]]
) -> tuple[HorizonRow, ...]:
    """The means over `proposals`, by horizon."""
    return tuple(_row(horizon, proposals, found) for horizon in Horizon)


def _row(
    horizon: Horizon,
    proposals: Sequence[IntentRecord],
    found: Mapping[IntentId, Mapping[Horizon, Markout]],
) -> HorizonRow:
    drifts, nets, events = [], [], []
    missing: dict[Missing, int] = {}
    for record in proposals:
        each = found[record.id][horizon]
        if each.missing is not None:
            missing[each.missing] = missing.get(each.missing, 0) + 1
        if each.drift is not None and each.net is not None:
            drifts.append(float(each.drift))
            nets.append(float(each.net))
            events.append(event_of(record))
    return HorizonRow(horizon, clustered_mean(drifts, events), clustered_mean(nets, events), missing)
