"""What analytics read: an account's records of any regime, and what the market showed around them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from polyb0t.core.ids import AssetId, ConditionId, IntentId, OrderId
from polyb0t.core.units import Price, Pusd
from polyb0t.data.cash_flows import Booked
from polyb0t.data.fills import Fill, FillStatus
from polyb0t.data.order_book import OrderBook
from polyb0t.execution.intents import IntentRecord, Purpose
from polyb0t.execution.orders import TERMINAL_ORDER, OrderRecord
from polyb0t.execution.scope import Regime
from polyb0t.research.replay.tape import PastBooks, Sight


class EquityPoint(NamedTuple):
    """What the account was worth at an instant: cash and holdings at the bid."""

    at: datetime
    equity_pusd: Pusd


class Flow(NamedTuple):
    """Money that came (or, negative, went) and is no result."""

    at: datetime
    pusd: Pusd


@dataclass(frozen=True, slots=True)
class NoBooks:
    """Nothing was recorded."""

    def books(self, sights: Sequence[Sight]) -> Mapping[Sight, OrderBook]:  # noqa: ARG002 - the port's
        return {}


@dataclass(frozen=True, kw_only=True)
class Records:
    """Of one account and one regime, as things stand at `until`. Judged are the proposals from `since` on,
    before `asked_until` where that is earlier; what became of them counts up to `until`.

    `bids` are the newest that are known at `until`, `pays` what a share of a resolved outcome pays.
    `watched` tells whether anything at all was recorded around an instant: only then does a book that
    has not changed stand, and nothing is concluded from an instant that nobody watched.
    """

    regime: Regime
    since: datetime
    until: datetime
    intents: Sequence[IntentRecord]
    asked_until: datetime | None = None
    orders: Sequence[OrderRecord] = ()
    fills: Sequence[Fill] = ()
    booked: Sequence[Booked] = ()
    bids: Mapping[AssetId, Price] = field(default_factory=dict)
    pays: Mapping[AssetId, Price] = field(default_factory=dict)
    opening_pusd: Pusd | None = None
    equity: Sequence[EquityPoint] = ()
    flows: Sequence[Flow] = ()
    books: PastBooks = field(default_factory=NoBooks)
    watched: Callable[[datetime], bool] = lambda _at: False
    themes: Mapping[ConditionId, tuple[str, ...]] = field(default_factory=dict)
    people: frozenset[str] = frozenset({"user", "token"})  # kinds of actors that count as a person

    @cached_property
    def judged(self) -> tuple[IntentRecord, ...]:
        """What was proposed in the period and would have traded, oldest first; test orders are no ideas."""
        found = [
            each
            for each in self.intents
            if each.intent.intent_type.places_order
            and each.intent.purpose is not Purpose.TEST_ORDER
            and self.since <= each.intent.created_at < (self.asked_until or self.until)
        ]
        return tuple(sorted(found, key=lambda each: (each.intent.created_at, each.id)))

    @cached_property
    def counted_fills(self) -> tuple[Fill, ...]:
        """Fills before `until` that stand."""
        return tuple(
            each
            for each in self.fills
            if each.status is not FillStatus.FAILED and each.matched_at < self.until
        )

    @cached_property
    def counted_moves(self) -> tuple[Booked, ...]:
        return tuple(each for each in self.booked if each.movement.at < self.until)

    @cached_property
    def intent_of(self) -> Mapping[OrderId, IntentRecord]:
        """Whose approval stands behind an order."""
        by_id = {each.id: each for each in self.intents}
        found = {each.order_id: each for each in self.intents if each.order_id is not None}
        for order in self.orders:
            if order.intent_id in by_id:
                found[order.id] = by_id[order.intent_id]
        return found

    @cached_property
    def fills_of(self) -> Mapping[IntentId, tuple[Fill, ...]]:
        found: dict[IntentId, list[Fill]] = {}
        for fill in self.counted_fills:
            record = self.intent_of.get(fill.order_id)
            if record is not None:
                found.setdefault(record.id, []).append(fill)
        return {intent: tuple(fills) for intent, fills in found.items()}

    @cached_property
    def over(self) -> frozenset[IntentId]:
        """Whose order has ended."""
        return frozenset(order.intent_id for order in self.orders if order.status in TERMINAL_ORDER)

    @cached_property
    def sent_at(self) -> Mapping[IntentId, datetime]:
        """When the order of an intent was permitted to be sent."""
        return {order.intent_id: order.created_at for order in self.orders}

    def value_of(self, asset: AssetId) -> Price | None:
        """pUSD a share: what a resolved outcome pays, else the newest bid; None: not known."""
        return self.pays.get(asset, self.bids.get(asset))


def event_of(record: IntentRecord) -> str:
    """What results are clustered by; a market without an event is one of its own."""
    return record.intent.event_id or record.intent.condition_id
