"""`orders list` and `orders show`."""

from polyb0t.cli.render_orders import foreign_orders, order_screen, orders_table
from polyb0t.cli.scene import context_line, look
from polyb0t.cli.terminal import Terminal
from polyb0t.execution.orders import UNRESOLVED_ORDER
from polyb0t.runtime.foreign import foreign_orders as their_orders
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.views import View, fill_view, foreign_order_view, order_view


def show_list(terminal: Terminal, opened: OpenedStore, *, only_open: bool, limit: int) -> None:
    """Print the orders."""
    statuses = tuple(UNRESOLVED_ORDER) if only_open else ()
    orders = opened.stores.orders.orders(statuses=statuses, limit=limit)
    if terminal.json:
        ours: list[View] = [{**order_view(order), "foreign": False} for order in orders]
        theirs: list[View] = [
            {**foreign_order_view(order), "foreign": True} for order in their_orders(opened.stores)
        ]
        terminal.data([*ours, *theirs])
        return
    scene = look(opened)
    lines = [*context_line(scene, terminal.paint, terminal.columns).split("\n"), ""]
    if orders:
        intents = [opened.stores.intents.get(order.intent_id).intent for order in orders]
        lines += orders_table(list(zip(orders, intents, strict=True)), scene, terminal.columns)
    elif scene.regime.value == "dry_run":
        lines.append("No orders. This is a dry run: approved trades are noted, nothing is sent.")
    elif only_open:
        lines.append("No order is open. All that there were: polyb0t orders list")
    else:
        lines.append("No orders. An order comes from an approved trade: polyb0t intents list")
    lines += foreign_orders(their_orders(opened.stores), terminal.columns)
    terminal.show(lines)


def show_one(terminal: Terminal, opened: OpenedStore, prefix: str) -> None:
    """Print one order with its fills."""
    order = opened.stores.orders.find_order(prefix)
    fills = opened.stores.orders.fills(order_id=order.id)
    if terminal.json:
        terminal.data({**order_view(order), "fills": [fill_view(fill) for fill in fills]})
        return
    record = opened.stores.intents.get(order.intent_id)
    scene = look(opened)
    terminal.show(order_screen(order, record, fills, scene, terminal.paint, terminal.columns))
