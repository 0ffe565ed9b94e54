"""An exchange in memory behind the gateway's port, with answers that a test can bend.

It keeps what the contract suite asks of any gateway: one identity per intent, one life per
identity, and a cancelled or matched order can still be read by id.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import ConditionId, OrderId, TradeId
from polyb0t.core.units import ZERO, Price, Pusd, Shares, floor_e6
from polyb0t.data.account_state import AccountOrder
from polyb0t.data.fills import Fill, FillStatus, Role
from polyb0t.data.order_book import Side
from polyb0t.execution.gateway import (
    Accepted,
    AcceptedStatus,
    CancelAnswer,
    Found,
    Lookup,
    NoFill,
    NotFound,
    NotSent,
    PreparedOrder,
    SendOutcome,
    Unknown,
    Unreadable,
    VenueOrder,
)
from polyb0t.execution.intents import TradeIntent
from polyb0t.execution.orders import salt_of

LOST_REPLY = "no answer within 10 s"
Answer = SendOutcome | Callable[[PreparedOrder], SendOutcome]


@dataclass
class FakeGateway:
    """`offered` shares are for sale (and wanted) at `price`; orders that cross it match at once."""

    price: Price = field(default_factory=lambda: Price(Decimal("0.48")))
    offered: Shares = field(default_factory=lambda: Shares(Decimal(1_000)))
    answers: deque[Answer] = field(default_factory=deque)
    sent: list[OrderId] = field(default_factory=list)  # bytes that reached the exchange
    signed: list[OrderId] = field(default_factory=list)
    lookups: list[OrderId] = field(default_factory=list)
    cancels: list[OrderId] = field(default_factory=list)
    orders: dict[OrderId, VenueOrder] = field(default_factory=dict)
    trades: dict[str, Fill] = field(default_factory=dict)
    foreign: list[AccountOrder] = field(default_factory=list)
    other_wallets: list[AccountOrder] = field(default_factory=list)  # on the same key
    down: bool = False  # every read fails
    hidden: set[OrderId] = field(default_factory=set)  # late visibility: reads do not show these yet
    credential_id: str = "fake"
    _intents: dict[OrderId, TradeIntent] = field(default_factory=dict)

    # -- the port ------------------------------------------------------------------------------

    def order_id(self, intent: TradeIntent) -> OrderId:
        return OrderId(f"0x{salt_of(intent.digest):064x}")

    def prepare(self, intent: TradeIntent, at: datetime) -> PreparedOrder:
        order_id = self.order_id(intent)
        self.signed.append(order_id)
        self._intents[order_id] = intent
        return PreparedOrder(
            order_id=order_id,
            signed_order='{"salt":' + str(salt_of(intent.digest)) + "}",
            l2_timestamp=int(at.timestamp()),
            credential_id=self.credential_id,
            body=b"{}",
            headers={},
        )

    def send(self, prepared: PreparedOrder) -> SendOutcome:
        answer: Answer = self.answers.popleft() if self.answers else self.take
        outcome = answer(prepared) if callable(answer) else answer
        if not isinstance(outcome, NotSent):
            self.sent.append(prepared.order_id)
        return outcome

    def lookup(self, order_id: OrderId) -> Lookup:
        self.lookups.append(order_id)
        if self.down:
            return Unreadable("503")
        found = self.orders.get(order_id)
        return Found(found) if found and order_id not in self.hidden else NotFound()

    def fills(self, order_id: OrderId, trade_ids: Sequence[str]) -> tuple[Fill, ...]:
        self._reachable()
        trades = [self.trades[trade_id] for trade_id in trade_ids if trade_id in self.trades]
        return tuple(fill for fill in trades if fill.order_id == order_id)

    def market_fills(self, order_id: OrderId, condition_id: ConditionId, since: datetime) -> tuple[Fill, ...]:
        self._reachable()
        if order_id in self.hidden:
            return ()
        ours = (fill for fill in self.trades.values() if fill.order_id == order_id)
        return tuple(fill for fill in ours if fill.condition_id == condition_id and fill.matched_at >= since)

    def control_read(self) -> None:
        self._reachable()

    def open_orders(self) -> tuple[AccountOrder, ...]:
        self._reachable()
        ours = [
            AccountOrder(
                order.order_id,
                order.condition_id,
                order.asset_id,
                order.side,
                order.price,
                order.original_size,
                order.matched_shares,
                order.status,
            )
            for order in self.orders.values()
            if order.status == "LIVE" and order.order_id not in self.hidden
        ]
        return (*ours, *self.foreign)

    def open_on_the_key(self) -> tuple[AccountOrder, ...]:
        return (*self.open_orders(), *self.other_wallets)

    def cancel(self, order_ids: Sequence[OrderId]) -> CancelAnswer:
        self._reachable()
        self.cancels.extend(order_ids)
        cancelled: list[OrderId] = []
        refused: dict[OrderId, str] = {}
        for order_id in order_ids:
            order = self.orders.get(order_id)
            if order is not None and order.status == "LIVE":
                self.orders[order_id] = replace(order, status="CANCELED")
                cancelled.append(order_id)
            elif self._is_foreign(order_id):
                self.foreign = [one for one in self.foreign if one.order_id != order_id]
                self.other_wallets = [one for one in self.other_wallets if one.order_id != order_id]
                cancelled.append(order_id)
            else:
                refused[order_id] = "Order not found or already canceled"
        return CancelAnswer(tuple(cancelled), refused)

    # -- what tests bend -----------------------------------------------------------------------

    def take(self, prepared: PreparedOrder) -> SendOutcome:
        """What a healthy exchange does with an order."""
        order_id = prepared.order_id
        if order_id in self.orders:
            return Unknown(f"order {order_id} is invalid. Duplicated.")
        intent = self._intents[order_id]
        shares = self._matched(intent)
        takes = intent.order_type is not None and intent.order_type.takes
        if takes and not shares:
            return NoFill("no orders found to match with FAK order.")
        wanted = intent.shares or intent.least_shares or Shares(ZERO)
        resting = not takes and shares < wanted
        trades = (self._trade(order_id, intent, shares),) if shares else ()
        assert intent.side is not None
        assert intent.worst_price is not None
        self.orders[order_id] = VenueOrder(
            order_id=order_id,
            status="LIVE" if resting else "MATCHED",
            condition_id=intent.condition_id,
            asset_id=intent.asset_id,
            side=intent.side,
            price=intent.worst_price,
            original_size=wanted,
            matched_shares=shares,
            trade_ids=trades,
        )
        return Accepted(AcceptedStatus.LIVE if resting else AcceptedStatus.MATCHED, trades)

    def take_and_lose_the_reply(self, prepared: PreparedOrder) -> SendOutcome:
        self.take(prepared)
        return Unknown(LOST_REPLY)

    def change(self, order_id: OrderId, **changes: object) -> None:
        self.orders[order_id] = replace(self.orders[order_id], **changes)  # type: ignore[arg-type]

    def settle_trades(self, status: FillStatus = FillStatus.CONFIRMED) -> None:
        self.trades = {
            key: replace(fill, status=status, transaction_hash="0xfeed") for key, fill in self.trades.items()
        }

    def held(self) -> Mapping[str, Decimal]:
        """Shares by asset that the trades left the wallet with."""
        held: dict[str, Decimal] = {}
        for fill in self.trades.values():
            signed = fill.shares if fill.side is Side.BUY else -fill.shares
            if fill.status is not FillStatus.FAILED:
                held[fill.asset_id] = held.get(fill.asset_id, ZERO) + signed
        return held

    def _matched(self, intent: TradeIntent) -> Shares:
        worst = intent.worst_price
        assert worst is not None
        crosses = worst >= self.price if intent.side is Side.BUY else worst <= self.price
        if not crosses or intent.post_only:
            return Shares(ZERO)
        wanted = intent.amount / self.price if intent.amount is not None else intent.shares
        return Shares(floor_e6(min(wanted or ZERO, self.offered)))

    def _trade(self, order_id: OrderId, intent: TradeIntent, shares: Shares) -> str:
        assert intent.side is not None
        trade_id = TradeId(f"trade-{len(self.trades) + 1}")
        self.trades[trade_id] = Fill(
            trade_id=trade_id,
            bucket_index=0,
            order_id=order_id,
            condition_id=intent.condition_id,
            asset_id=intent.asset_id,
            side=intent.side,
            role=Role.TAKER,
            price=self.price,
            shares=shares,
            fee=Pusd(Decimal("0.1")),
            status=FillStatus.MATCHED,
            matched_at=intent.created_at,
            transaction_hash="",
        )
        return trade_id

    def _is_foreign(self, order_id: OrderId) -> bool:
        return any(one.order_id == order_id for one in (*self.foreign, *self.other_wallets))

    def _reachable(self) -> None:
        if self.down:
            raise VenueUnreachableError("The exchange did not answer.")
