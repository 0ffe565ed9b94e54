"""The exchange of a paper run: it fills orders by what the real books show, into rows that carry `paper`.

Every step is one transaction of the store and each can be the last: an order that was taken in and has
no fill yet never came about; one whose fills are stored is brought to the end that they prove. So an
interruption ends in nothing or in the whole, once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

import structlog

from polyb0t.core.ids import AssetId, IntentId, OrderId, TradeId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.fills import Fill, FillStatus
from polyb0t.data.order_book import Level, OrderBook
from polyb0t.execution.filler import (
    Met,
    Piece,
    Print,
    Standing,
    arrive,
    wait,
)
from polyb0t.execution.in_flight import InFlight
from polyb0t.execution.intents import TradeIntent
from polyb0t.execution.liquidity import Taken
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.simulated import rules_of, simulated
from polyb0t.execution.store import Lease, Stores

log = structlog.get_logger(__name__)

REMEMBERED: Final = timedelta(hours=1)  # what was taken so lately is taken to be on show after a restart
MOST_PRINTS: Final = 10_000  # of one asset between two looks; more than that and the oldest are forgotten
_ENDS: Final = {
    Standing.FILLED: OrderStatus.FILLED,
    Standing.RESTING: OrderStatus.LIVE,
    Standing.CANCELLED: OrderStatus.CANCELLED,
    Standing.REFUSED: OrderStatus.REFUSED,
    Standing.EXPIRED: OrderStatus.EXPIRED,
}
_CODES: Final = {Standing.FILLED: "filled", Standing.RESTING: "accepted"}


def paper_order_id(intent_id: IntentId) -> OrderId:
    """The one order that an intent may have here. It cannot be taken for an order of the exchange."""
    return OrderId(f"p-{intent_id}")


@dataclass
class PaperExchange:
    """Shared between the executor's threads, the socket's and the one that looks after resting orders.

    `opposite` names the other outcome of an intent's market, where it is known.
    """

    stores: Stores
    lease: Lease
    in_flight: InFlight
    opposite: Callable[[TradeIntent], AssetId | None] = lambda _intent: None
    _taken: Taken | None = None
    _prints: dict[AssetId, list[tuple[datetime, Print]]] = field(default_factory=dict)
    _resting: frozenset[AssetId] = frozenset()
    _lock: Lock = field(default_factory=Lock)

    def receive(self, intent: TradeIntent, order: OrderRecord, book: OrderBook) -> OrderRecord:
        """An order that was just stored arrives at this book.

        Raises:
            DatabaseError, LeaseLostError: what is stored is the truth; `finish_interrupted` goes on from it.
        """
        with self._lock:
            rules = rules_of(intent, book, self.opposite(intent))
            met = arrive(simulated(intent, order.created_at), book, rules, self._remembered())
            self._taken = met.taken
            self._resting |= {order.asset_id} if met.standing is Standing.RESTING else set()
            return self._book(order, met)

    def traded(self, asset_id: AssetId, price: Price, shares: Shares, at: datetime) -> None:
        """A trade of others was seen. Remembered only where an order of ours rests."""
        with self._lock:
            if asset_id in self._resting:
                seen = self._prints.setdefault(asset_id, [])
                seen.append((at, Print(price, shares)))
                del seen[:-MOST_PRINTS]

    def tend(self, book_of: Callable[[AssetId], OrderBook | None]) -> int:
        """Let the market happen to every resting order; how many still rest. Raises as `receive`."""
        with self._lock:
            live = self.stores.orders.orders(statuses=(OrderStatus.LIVE,), limit=None)
            prints, self._prints = self._prints, {}
            self._resting = frozenset(order.asset_id for order in live)
            for order in reversed(live):  # the oldest first: it was there before the others
                self._wait(order, book_of(order.asset_id), prints.get(order.asset_id, ()))
            left = self.stores.orders.orders(statuses=(OrderStatus.LIVE,), limit=None)
            self._resting = frozenset(order.asset_id for order in left)
            return len(left)

    def cancel(self, order_id: OrderId, *, code: str = "cancelled", detail: str = "") -> bool:
        """Take an order out of the book; False when it is not in it any more. Raises as `receive`."""
        with self._lock:
            order = self.stores.orders.order(order_id)
            if order.status is not OrderStatus.LIVE:
                return False
            self._settle(order, OrderStatus.CANCELLED, code, detail)
            return True

    def finish_interrupted(self) -> tuple[OrderId, ...]:
        """Bring what an earlier process left half done to its end. Raises as `receive`."""
        ended = []
        half_done = (OrderStatus.SIGNED, OrderStatus.UNKNOWN, OrderStatus.MATCHED)
        with self._lock:
            for order in self.stores.orders.orders(statuses=half_done, limit=None):
                if order.intent_id not in self.in_flight:
                    self._finish(order)
                    ended.append(order.id)
        return tuple(ended)

    # -- inside, with the lock held --------------------------------------------------------------

    def _finish(self, order: OrderRecord) -> None:
        log.warning("paper.finished_later", order_id=order.id, status=order.status)
        if order.status is not OrderStatus.MATCHED:
            detail = "It was interrupted before it met the book. Nothing was simulated."
            self._settle(order, OrderStatus.REFUSED, "interrupted", detail)
            return
        intent = self.stores.intents.get(order.intent_id).intent
        if order.order_type.takes:
            whole = _whole_taker(intent, order)
            self._settle(order, OrderStatus.FILLED if whole else OrderStatus.CANCELLED, "filled", "")
            return
        rests = order.shares - order.filled_shares >= _step(intent)
        self._settle(order, OrderStatus.LIVE if rests else OrderStatus.FILLED, "filled", "")

    def _wait(
        self, order: OrderRecord, book: OrderBook | None, prints: Sequence[tuple[datetime, Print]]
    ) -> None:
        intent, now = self.stores.intents.get(order.intent_id).intent, self.stores.intents.now()
        since = [each for at, each in prints if at >= order.created_at]
        if book is not None and book.observed_at < order.created_at:
            book = None  # what was shown before it rested says nothing of it
        left = Shares(order.shares - order.filled_shares)
        rules = rules_of(intent, book, self.opposite(intent))
        taken = self._remembered()
        met = wait(simulated(intent, order.created_at), left, rules, taken, book=book, prints=since, now=now)
        self._taken = met.taken
        if met.pieces or met.standing is not Standing.RESTING:
            self._book(order, met)

    def _book(self, order: OrderRecord, met: Met) -> OrderRecord:
        """The fills in one transaction, the order's standing in the next."""
        known = len(self.stores.orders.fills(order_id=order.id))
        now = self.stores.intents.now()
        fills = [_fill(order, piece, known + index, now) for index, piece in enumerate(met.pieces)]
        if fills:
            order = self.stores.orders.record_fills(order.id, fills, self.lease)
        code = met.code or _CODES.get(met.standing, met.standing.value)
        status = _ENDS[met.standing]
        if status is OrderStatus.LIVE and order.status is OrderStatus.LIVE:
            return order
        return self._settle(order, status, code, met.detail)

    def _settle(self, order: OrderRecord, status: OrderStatus, code: str, detail: str) -> OrderRecord:
        log.info("paper.settled", order_id=order.id, status=status, code=code)
        return self.stores.orders.settle(order.id, self.lease, status=status, code=code, detail=detail)

    def _remembered(self) -> Taken:
        """What was taken; after a restart as far as our own fills of the last hour tell."""
        if self._taken is None:
            taken, since = Taken(), self.stores.intents.now() - REMEMBERED
            for fill in self.stores.orders.fills():
                if fill.matched_at >= since:
                    taken = taken.plus(fill.asset_id, fill.side, [Level(fill.price, fill.shares)])
            self._taken = taken
        return self._taken


def _step(intent: TradeIntent) -> Shares:
    return Shares(rules_of(intent, None, None).step)


def _whole_taker(intent: TradeIntent, order: OrderRecord) -> bool:
    if order.amount is None:
        return order.shares - order.filled_shares < _step(intent)
    return order.amount - order.filled_notional < _step(intent)


def _fill(order: OrderRecord, piece: Piece, index: int, at: datetime) -> Fill:
    """Keyed by the order and its place in it: recorded twice it is the same fill."""
    return Fill(
        trade_id=TradeId(f"{order.id}-{index}"),
        bucket_index=0,
        order_id=order.id,
        condition_id=order.condition_id,
        asset_id=order.asset_id,
        side=order.side,
        role=piece.role,
        price=piece.price,
        shares=piece.shares,
        fee=Pusd(piece.fee),
        status=FillStatus.CONFIRMED,
        matched_at=at,
        transaction_hash="",
    )
