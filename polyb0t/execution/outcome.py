"""What came of an intent, in the words that stand beside its status."""

from polyb0t.core.units import ZERO
from polyb0t.execution.intents import IntentRecord, IntentStatus, TradeIntent
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.models.wording import shares

_QUIET = {
    IntentStatus.PENDING: "",
    IntentStatus.APPROVED: "approved, waiting for the engine",
    IntentStatus.EXECUTING: "being sent",
}
_ENDED = {
    OrderStatus.CANCELLED: "cancelled",
    OrderStatus.EXPIRED: "expired at the exchange",
    OrderStatus.REFUSED: "refused by the exchange",
    OrderStatus.ABSENT: "never reached the exchange",
}


def outcome_of(record: IntentRecord, order: OrderRecord | None) -> str:
    """`filled 152.50 of 150+`, `resting 0 of 50`, `dry run, nothing sent`; empty while it waits."""
    if record.status is IntentStatus.EXECUTED and record.result == "dry_run":
        return "dry run, nothing sent"
    if order is not None:
        return order_outcome(record.intent, order)
    if record.status in _QUIET:
        return _QUIET[record.status]
    return (record.result or record.status.lower()).replace("_", " ")


def order_outcome(intent: TradeIntent, order: OrderRecord) -> str:
    """The same for an intent that has an order."""
    of = f"{shares(order.filled_shares)} of {_wanted(intent)}"
    match order.status:
        case OrderStatus.SIGNED | OrderStatus.UNKNOWN:
            return "sent, outcome unknown"
        case OrderStatus.VANISHED:
            return f"vanished from the exchange, filled {of}"
        case OrderStatus.LIVE:
            return f"resting {of}"
        case OrderStatus.DELAYED:
            return "accepted, held back by the exchange"
        case OrderStatus.MATCHED | OrderStatus.FILLED:
            provisional = ", provisional" if order.provisional_shares or not order.filled_shares else ""
            return f"filled {of}{provisional}"
        case _:
            ended = _ENDED[order.status]
            if order.status is OrderStatus.ABSENT and order.filled_shares:
                ended = "vanished from the exchange"
            if order.status is OrderStatus.CANCELLED and _is_no_fill(intent, order):
                return "no fill"
            return f"filled {of}, rest {ended}" if order.filled_shares else ended


def _is_no_fill(intent: TradeIntent, order: OrderRecord) -> bool:
    """A FOK or FAK that found nothing: normal life."""
    takes = intent.order_type is not None and intent.order_type.takes
    return takes and order.filled_shares == ZERO


def _wanted(intent: TradeIntent) -> str:
    if intent.amount is not None:  # money bounds it: the shares are a least, more are a gift
        return f"{shares(intent.least_shares or ZERO)}+"
    return shares(intent.shares or ZERO)
