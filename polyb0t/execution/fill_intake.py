"""What the account's socket says of our fills, taken in at once and believed no further than it goes.

A fill is stored the moment it is told, as provisional: its end, CONFIRMED or FAILED, is only ever
taken from a read by id, and so is anything that does not fit the order that it names. Stored fills
move forward only and are keyed, so hearing a thing twice, late or out of order changes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from polyb0t.core.errors import ConflictError, NotFoundError
from polyb0t.core.ids import OrderId
from polyb0t.data.fills import FINAL_FILL, Fill, FillStatus
from polyb0t.data.order_book import Side
from polyb0t.execution.in_flight import InFlight
from polyb0t.execution.orders import OrderRecord
from polyb0t.execution.reconciliation import beyond_belief
from polyb0t.execution.store import Lease, Stores

log = structlog.get_logger(__name__)

_MOST_NOTED: Final = 10_000


@dataclass
class FillIntake:
    """Used by one thread. `ask` is called for an order of which a read has to tell the truth, and must
    not wait. Fills of an order that is being sent wait until its answer is written."""

    stores: Stores
    lease: Lease
    in_flight: InFlight
    ask: Callable[[OrderId], None]
    _waiting: list[Fill] = field(default_factory=list)
    _noted: set[tuple[str, str]] = field(default_factory=set)

    @property
    def waiting(self) -> int:
        """Fills that wait for the answer of an order that is being sent."""
        return len(self._waiting)

    def take(self, fills: Sequence[Fill]) -> None:
        """Store what may be stored, and ask about the rest.

        Raises:
            DatabaseError, LeaseLostError: nothing of the fill at hand was stored; polling finds it.
        """
        for fill in fills:
            self._one(fill)

    def retry(self) -> None:
        """Take again what waited. Raises as `take`."""
        waiting, self._waiting = self._waiting, []
        self.take(waiting)

    def knows(self, order_id: OrderId) -> bool:
        """Whether an order is one of ours. Raises DatabaseError."""
        try:
            self.stores.orders.order(order_id)
        except NotFoundError:
            return False
        return True

    def foreign(self, trade_id: str, condition_id: str) -> None:
        """A trade of this account that is none of our orders': shown in the journal, applied nowhere."""
        self._note_once("fill.foreign", trade_id, "No order of ours is named in it.", market=condition_id)

    def _one(self, fill: Fill) -> None:
        try:
            order = self.stores.orders.order(fill.order_id)
        except NotFoundError:
            self.foreign(fill.trade_id, fill.condition_id)
            return
        if order.intent_id in self.in_flight:
            self._waiting.append(fill)
            return
        if fill.status is not FillStatus.FAILED:  # what failed is taken back by the read that proves it
            self._store(order, fill)
        if fill.status in FINAL_FILL:
            self.ask(order.id)

    def _store(self, order: OrderRecord, fill: Fill) -> None:
        known = self.stores.orders.fills(order_id=order.id)
        why = implausible(order, fill, known)
        if why is None:
            try:
                self.stores.orders.record_fills(order.id, [_provisional(fill)], self.lease)
            except ConflictError as error:
                why = error.why or error.what
        if why is not None:
            self._note_once("fill.not_taken", fill.trade_id, why, order=order.id)
            self.ask(order.id)

    def _note_once(self, kind: str, trade_id: str, why: str, **about: str) -> None:
        if (kind, trade_id) in self._noted:
            return
        if len(self._noted) < _MOST_NOTED:
            self._noted.add((kind, trade_id))
        log.error(kind, trade_id=trade_id, why=why, **about)
        self.stores.engine.note(
            self.lease, kind=kind, subject=trade_id, payload={"why": why, **about}, actor="engine:socket"
        )


def implausible(order: OrderRecord, fill: Fill, known: Sequence[Fill]) -> str | None:
    """Why this fill can not be this order's, or None. `known` are the order's stored fills.

    What a read by id is held against too, and beside it what only a read may say: a price beyond the limit.
    """
    worse = fill.price > order.price if order.side is Side.BUY else fill.price < order.price
    if worse:
        return f"Its price {fill.price} is worse than the order's {order.price}."
    return beyond_belief(order, [fill], known)


def _provisional(fill: Fill) -> Fill:
    """An end is never taken from a socket: until it is read, the fill is matched and no more."""
    return replace(fill, status=FillStatus.MATCHED) if fill.status in FINAL_FILL else fill
