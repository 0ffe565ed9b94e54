"""`orders cancel`: to the exchange first, to the journal second, never blocked by a switch."""

from polyb0t.cli import door
from polyb0t.cli.terminal import Terminal
from polyb0t.core.errors import ConflictError
from polyb0t.execution.cancelling import cancel_orders
from polyb0t.execution.orders import TERMINAL_ORDER, OrderRecord, OrderStatus
from polyb0t.models import wording
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.reaching import gateway_of

NOT_DONE = 4


def cancel(terminal: Terminal, opened: OpenedStore, prefix: str) -> int:
    """Cancel one order by id; the exit code.

    Raises:
        ConflictError: it has ended, or the exchange holds it back. NotAuthorisedError: no credentials here.
        VenueUnreachableError: no answer; the order may be cancelled or not.
    """
    order = opened.stores.orders.find_order(prefix)
    _can_be_cancelled(order)
    gateway = gateway_of(opened)
    answer = cancel_orders(gateway, opened.stores.engine, [order.id], actor=door.actor())
    done = order.id in answer.cancelled
    why = answer.not_cancelled.get(order.id, "")
    if terminal.json:
        terminal.data({"id": order.id, "cancelled": done, "reason": why or None})
        return 0 if done else NOT_DONE
    short = wording.short_hex(order.id)
    if done:
        terminal.show([f"Cancelled: {short}. What had filled before stays filled.", _follow(order)])
        return 0
    reason = wording.one_line(why) or "The exchange gave no reason."
    terminal.say(f"Not cancelled: {short}. {reason}", _follow(order))
    return NOT_DONE


def _follow(order: OrderRecord) -> str:
    return f"Follow: polyb0t orders show {order.id[:6]}"


def _can_be_cancelled(order: OrderRecord) -> None:
    short = wording.short_hex(order.id)
    if order.status in TERMINAL_ORDER:
        raise ConflictError(
            f"Not cancelled: {short} has ended ({order.status.value}). Nothing was sent.", code="order_ended"
        )
    if order.status is OrderStatus.DELAYED:
        raise ConflictError(
            f"Not cancelled: the exchange holds {short} back and takes no cancel. Nothing was sent.",
            do=_follow(order),
            code="order_delayed",
        )
