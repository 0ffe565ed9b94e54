"""The account's socket without its connection: what the exchange tells, bent on its way to us.

Parsing, intake and the reads that follow are the product's own; its two threads are not started, so that a
history stays the same each time. What they would do at once happens when the exchange acts (`at_once`) or
when time passes, and the reads happen when time passes.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from polyb0t.core.errors import PolybotError
from polyb0t.core.ids import ConditionId, OrderId
from polyb0t.data.fills import Fill
from polyb0t.execution.fill_intake import FillIntake
from polyb0t.runtime.account import fee_lookup
from polyb0t.sandbox.account_json import order_event_json, trade_event_json
from polyb0t.sandbox.types import OrderEvent, TradeEvent, WorldEvent
from polyb0t.venue.credentials import ApiCredentials
from polyb0t.venue.user_stream import UserStream
from tests.faults.exchange import Exchange, credentials, signing_key
from tests.faults.process import Process

Event = dict[str, object]


@dataclass
class Wire:
    """What happens to news on the way. `bend` turns the events that wait into frames to be sent now."""

    bend: Callable[["Wire", list[Event]], list[str]]
    random: Random
    at_once: bool = True
    breaks: bool = False  # the connection is lost and opened again whenever time passes
    past: list[Event] = field(default_factory=list)  # all that was ever told


def as_told(_wire: Wire, events: list[Event]) -> list[str]:
    return [json.dumps(event) for event in events]


class Socket:
    """The socket of one process, from the exchange's events to stored fills."""

    def __init__(self, process: Process, exchange: Exchange, wire: Wire) -> None:
        self.wire = wire
        self._process = process
        self._owner = credentials().api_key
        self._waiting: list[Event] = []
        self._asked: dict[OrderId, None] = {}
        self._missed = False
        self._intake = FillIntake(process.stores, process.lease, process.in_flight, self._ask)
        ours = credentials()
        keys = ApiCredentials(signing_key().address, ours.api_key, ours.secret, ours.passphrase)
        self._stream = UserStream(
            "ws://127.0.0.1:8137/ws/user", keys, self, process.clock, fee_of=fee_lookup(process.stores)
        )
        self.close = exchange.world.subscribe(self._happened)
        self.missed("opened")

    def pass_time(self) -> None:
        """What waits is told, then everything is asked about that has to be."""
        self._tell()
        if self.wire.breaks:
            self._stream.lost("the connection broke")
        self._guarded(self._intake.retry)
        asked, self._asked = self._asked, {}
        missed, self._missed = self._missed, False
        if missed:
            self._guarded(self._process.reconciler.run)
            return
        for order_id in asked:
            self._guarded(lambda order_id=order_id: self._follow(order_id))  # type: ignore[misc]

    # -- as the stream's listener --------------------------------------------------------------

    def traded(self, fills: tuple[Fill, ...], /) -> None:
        self._guarded(lambda: self._intake.take(fills))

    def foreign_trade(self, trade_id: str, condition_id: ConditionId, /) -> None:
        self._guarded(lambda: self._intake.foreign(trade_id, condition_id))

    def moved(self, order_id: OrderId, /) -> None:
        self._asked[order_id] = None

    def missed(self, _reason: str, /) -> None:
        self._missed = True

    # -- inside --------------------------------------------------------------------------------

    def _happened(self, event: WorldEvent) -> None:
        if isinstance(event, OrderEvent) and event.order.owner == self._owner:
            self._waiting.append(order_event_json(event.kind, event.order, event.at_ms))
        elif isinstance(event, TradeEvent) and self._owner in event.owners:
            self._waiting.append(trade_event_json(event.trade, self._owner, event.at_ms))
        else:
            return
        if self.wire.at_once:
            self._tell()

    def _tell(self) -> None:
        events, self._waiting = self._waiting, []
        self.wire.past += events
        for frame in self.wire.bend(self.wire, events):
            self._stream.take(frame)

    def _ask(self, order_id: OrderId) -> None:
        self._asked[order_id] = None

    def _follow(self, order_id: OrderId) -> None:
        if self._intake.knows(order_id):
            self._process.reconciler.follow(order_id)

    def _guarded(self, work: Callable[[], object]) -> None:
        """As the feed's threads do: what failed is compared later, and the thread lives on."""
        try:
            work()
        except PolybotError:
            self._missed = True
