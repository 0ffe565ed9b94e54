"""Whether the first orders with real money went as they were predicted.

An order agrees when it has ended with shares, every fill of it is final on the chain, the fills sum up to
what the exchange says, each was at the worst price or better, each fee is what the market's schedule gives,
and the whole cost no more than its approver saw. A difference between the charged and the predicted fees,
noticed in the balance, sets the count back: only orders that ended after it count.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from polyb0t.core.ids import OrderId
from polyb0t.core.units import ZERO, Pusd, ceil_e6
from polyb0t.data.fills import Fill, FillStatus, Role
from polyb0t.data.markets import FeeSchedule
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import TradeIntent
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.store import Stores
from polyb0t.models.fees import taker_fee
from polyb0t.models.usage import SmallOrders

FEES: Final = "fees"  # the journal's subject of differences between charged and predicted fees
ENDED: Final = (OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.EXPIRED)
LOOKED_AT: Final = 500  # of the newest ended orders; more than any phase asks for
_DIFFERED: Final = frozenset({"order.differed", "order.contradicted"})


def agrees(order: OrderRecord, intent: TradeIntent, fills: Sequence[Fill]) -> bool:
    """Whether a settled order is what was predicted of it."""
    counted = [fill for fill in fills if fill.status is not FillStatus.FAILED]
    if order.status not in ENDED or order.provisional_shares or not counted:
        return False
    if any(fill.status is not FillStatus.CONFIRMED for fill in counted):
        return False
    return (
        sum((fill.shares for fill in counted), ZERO) == order.filled_shares
        and all(_price_kept(intent, fill) and _fee_as_predicted(intent, fill) for fill in counted)
        and _cost_kept(intent, counted)
    )


Judged = dict[OrderId, tuple[datetime, bool]]


def phase_of(stores: Stores, *, needed: int, most_pusd: Pusd, judged: Judged | None = None) -> SmallOrders:
    """How far the phase of small orders is, from the records alone. `judged` remembers orders between
    calls, each as it was when it last moved."""
    if not needed:
        return SmallOrders(0, 0, most_pusd)
    judged = {} if judged is None else judged
    since = _last_difference(stores)
    ended = stores.orders.orders(statuses=ENDED, limit=LOOKED_AT)
    agreed = 0
    for order in ended:
        if agreed >= needed:
            break
        if order.filled_shares and (since is None or order.updated_at > since):
            known = judged.get(order.id)
            if known is None or known[0] != order.updated_at:
                known = judged[order.id] = (order.updated_at, _settled_well(stores, order))
            agreed += known[1]
    return SmallOrders(agreed, needed, most_pusd)


def _settled_well(stores: Stores, order: OrderRecord) -> bool:
    fills = stores.orders.fills(order_id=order.id)
    if not agrees(order, stores.intents.get(order.intent_id).intent, fills):
        return False
    return not any(entry.kind in _DIFFERED for entry in stores.engine.journal(subject=order.id))


def _last_difference(stores: Stores) -> datetime | None:
    entry = stores.engine.latest_entry(FEES)
    return None if entry is None else entry.at


def _price_kept(intent: TradeIntent, fill: Fill) -> bool:
    if intent.worst_price is None:
        return False
    if intent.side is Side.BUY:
        return fill.price <= intent.worst_price
    return fill.price >= intent.worst_price


def _fee_as_predicted(intent: TradeIntent, fill: Fill) -> bool:
    if fill.role is Role.MAKER:
        return fill.fee == ZERO
    if intent.fee_rate is None or intent.fee_exponent is None:
        return False
    schedule = FeeSchedule(intent.fee_rate, intent.fee_exponent)
    return fill.fee == taker_fee(fill.shares, fill.price, schedule)


def _cost_kept(intent: TradeIntent, fills: Iterable[Fill]) -> bool:
    if intent.side is not Side.BUY:
        return True
    paid = sum((fill.notional + fill.fee for fill in fills), ZERO)
    return intent.max_cost is not None and ceil_e6(paid) <= intent.max_cost
