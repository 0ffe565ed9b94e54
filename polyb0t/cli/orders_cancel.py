"""`orders cancel`: to the exchange first, to the journal second, never blocked by a switch."""

from polyb0t.cli import door
from polyb0t.cli.terminal import Terminal
from polyb0t.core.errors import ConflictError, UsageError
from polyb0t.execution.cancelling import Plan, cancel_orders, cancelled_before, plan_of_all
from polyb0t.execution.gateway import OrderGateway
from polyb0t.execution.orders import TERMINAL_ORDER, OrderRecord, OrderStatus
from polyb0t.execution.store import Stores
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


def cancel_all(terminal: Terminal, opened: OpenedStore, *, everything: bool, yes: bool) -> int:
    """Cancel all of ours by id; with `everything` what else hangs on the key, after it was shown.

    Raises:
        UsageError: nobody can be asked. NotAuthorisedError: no credentials here.
        VenueUnreachableError: no answer; the orders may be cancelled or not.
    """
    gateway = gateway_of(opened)
    return cancel_planned(terminal, opened.stores, gateway, everything=everything, yes=yes)


def cancel_planned(
    terminal: Terminal, stores: Stores, gateway: OrderGateway, *, everything: bool, yes: bool
) -> int:
    """The same with the gateway at hand; the exit code."""
    plan = plan_of_all(stores.orders, gateway, everything=everything)
    if plan.others and not yes and not _agreed(terminal, plan):
        terminal.say("Not cancelled: you did not say y. Nothing was sent.")
        return NOT_DONE
    if not plan.ids:
        if terminal.json:
            terminal.data({"cancelled": [], "not_cancelled": {}})
        else:
            terminal.show(["Nothing to cancel: no order of ours is open."])
        return 0
    answer = cancel_orders(gateway, stores.engine, plan.ids, actor=door.actor())
    refused = {
        one: answer.not_cancelled.get(one, "no answer") for one in plan.ids if one not in answer.cancelled
    }
    before = cancelled_before(stores.engine, tuple(refused))
    for one in before:
        del refused[one]
    if terminal.json:
        terminal.data({"cancelled": [*answer.cancelled, *before], "not_cancelled": refused})
        return NOT_DONE if refused else 0
    lines = [f"Cancelled: {len(answer.cancelled)} of {len(plan.ids)}. What had filled before stays filled."]
    if before:
        lines.append(f"Cancelled already before this: {len(before)}.")
    lines += [
        f"Not cancelled: {wording.short_hex(one)}. {wording.one_line(why)}" for one, why in refused.items()
    ]
    if refused:
        lines.append("An order whose fate is not known may still arrive: polyb0t halt takes it back then.")
    terminal.show(lines)
    return NOT_DONE if refused else 0


def _agreed(terminal: Terminal, plan: Plan) -> bool:
    """Show what else would be hit, and ask."""
    if terminal.json or not terminal.somebody_sits_here:
        raise UsageError(
            f"Not cancelled: {len(plan.others)} orders that polyb0t did not place hang on this key, "
            "and nobody can be asked here. Nothing was sent.",
            do="Only ours: polyb0t orders cancel-all. All of them: --everything --yes",
            code="confirmation_required",
        )
    terminal.show(
        [
            f"Of ours: {len(plan.ours)}. Not placed by polyb0t, and cancelled too: {len(plan.others)}.",
            *(
                f"  {wording.short_hex(one.order_id)}  {one.side} {wording.money(one.original_shares)} "
                f"at {one.price}  asset {wording.one_line(one.asset_id)[:12]}"
                for one in plan.others
            ),
        ]
    )
    return terminal.ask("Cancel all of them? [y/N] ")


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
