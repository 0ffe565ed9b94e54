"""What of the limits over time and over orders is used, from our own records."""

from collections.abc import Iterable
from datetime import datetime

from polyb0t.core.ids import IntentId
from polyb0t.core.units import ZERO, Pusd
from polyb0t.data.account_state import AccountOrder
from polyb0t.data.fills import Fill, FillStatus
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import IntentRecord, IntentStatus, IntentType
from polyb0t.execution.orders import OPEN_ORDER, OrderRecord
from polyb0t.execution.scope import Regime
from polyb0t.models.usage import OwnOrder, Usage

_TAKEN_UP = (IntentStatus.EXECUTING, IntentStatus.EXECUTED)


def usage_of(
    live: Iterable[IntentRecord],
    unresolved: Iterable[OrderRecord],
    *,
    reserved: Pusd,
    bought_today: Pusd,
    taken_up: int,
    realised: Pusd,
    held: Pusd,
    without: IntentId | None,
) -> Usage:
    """Everything but `without`, whose reservation is in `reserved` no more.

    What is approved and not yet claimed has no reservation: it counts at its greatest cost.
    """
    under_way = [record for record in live if record.status is not IntentStatus.PENDING]
    ids = {record.id for record in under_way} | {order.intent_id for order in unresolved}
    approved = sum(
        (
            record.intent.max_cost or ZERO
            for record in under_way
            if record.status is IntentStatus.APPROVED and record.id != without
        ),
        ZERO,
    )
    open_pusd = Pusd(reserved + approved)
    return Usage(
        open_orders=len(ids - {without}),
        open_pusd=open_pusd,
        bought_today_pusd=Pusd(bought_today + open_pusd),
        orders_last_hour=taken_up,
        lost_pusd=Pusd(max(ZERO, -realised)),
        held_pusd=held,
    )


def bought_since(fills: Iterable[Fill], since: datetime) -> Pusd:
    """What was paid for purchases from `since` on, fees in it."""
    paid = (
        fill.notional + fill.fee
        for fill in fills
        if fill.side is Side.BUY and fill.status is not FillStatus.FAILED and fill.matched_at >= since
    )
    return Pusd(sum(paid, ZERO))


def openings_taken_up(
    records: Iterable[IntentRecord], since: datetime, without: IntentId | None, regime: Regime
) -> int:
    """Openings of one regime decided from `since` on that became an order or may do so; the claim counts the
    same."""
    return sum(
        record.intent.intent_type is IntentType.OPEN_POSITION
        and record.intent.regime is regime
        and record.id != without
        and record.decided_at is not None
        and record.decided_at > since
        and (record.status in _TAKEN_UP or record.order_id is not None)
        for record in records
    )


def own_orders(
    unresolved: Iterable[OrderRecord], foreign: Iterable[AccountOrder], without: IntentId | None
) -> tuple[OwnOrder, ...]:
    """What of this wallet may be in a book: our resting orders, and those that are not polyb0t's.

    A taker order that the exchange does not hold rests nowhere, whatever becomes of it.
    """
    ours = (
        OwnOrder(order.asset_id, order.side, order.price)
        for order in unresolved
        if order.intent_id != without and (not order.order_type.takes or order.status in OPEN_ORDER)
    )
    theirs = (OwnOrder(order.asset_id, order.side, order.price) for order in foreign)
    return (*ours, *theirs)
