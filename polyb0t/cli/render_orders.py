"""Orders as a table, and one order with its fills."""

from collections.abc import Sequence

from polyb0t.cli import words
from polyb0t.cli.render_result import order_words
from polyb0t.cli.scene import Scene, context_line
from polyb0t.cli.table import Column, table
from polyb0t.cli.terminal import MEDIUM, Paint
from polyb0t.core.units import ZERO
from polyb0t.data.account_state import AccountOrder
from polyb0t.data.fills import Fill, FillStatus
from polyb0t.execution.intents import IntentRecord, TradeIntent
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.outcome import order_outcome
from polyb0t.models import wording

_COLUMNS = (
    Column("ORDER"),
    Column("SENT"),
    Column("TRADE", widest=28),
    Column("WORST", right=True),
    Column("STANDS", widest=44),
    Column("FEE", right=True),
    Column("MARKET"),
)


def orders_table(rows: Sequence[tuple[OrderRecord, TradeIntent]], scene: Scene, columns: int) -> list[str]:
    """All orders, newest first."""
    cells = [
        [
            wording.short_hex(order.id),
            f"{wording.coarse((scene.now - order.created_at).total_seconds())} ago",
            trade_words(order, intent),
            wording.price(order.price, intent.tick),
            standing(order, intent),
            wording.money(order.fees) if order.fees else "-",
            wording.one_line(intent.question),
        ]
        for order, intent in rows
    ]
    follow = f"Closer look: polyb0t orders show {rows[0][0].id[:6]}"
    if columns < MEDIUM:
        cards = [[f"{cell[0]}  {cell[1]}  {cell[2]}", f"      {cell[4]}"] for cell in cells]
        return [*(line for card in cards for line in card), "", follow]
    return [*table(_COLUMNS, cells, columns), "", follow]


def foreign_orders(orders: Sequence[AccountOrder], columns: int) -> list[str]:
    """Open orders of this wallet that are somebody else's, as the exchange last listed them."""
    if not orders:
        return []
    rows = [
        f"  {wording.short_hex(order.order_id)}  {order.side} {wording.shares(order.original_shares)} sh "
        f"at {wording.round_to(order.price * 100, 1)}¢, {wording.shares(order.matched_shares)} matched"
        for order in orders
    ]
    return [
        "",
        *words.wrap("Not from polyb0t: counted, never touched", columns),
        *(words.cut(row, columns) for row in rows),
    ]


def trade_words(order: OrderRecord, intent: TradeIntent) -> str:
    """`BUY YES 150.00+ sh`."""
    more = "+" if order.amount is not None else ""
    outcome = words.cut(wording.outcome(intent.outcome_label), 16)
    return f"{order.side} {outcome} {wording.shares(order.shares)}{more} sh"


def standing(order: OrderRecord, intent: TradeIntent) -> str:
    """`MATCHED 152.50 of 150.00+, provisional`, `LIVE, resting 0.00 of 50.00`."""
    came_of_it = order_outcome(intent, order)
    filled = came_of_it.removeprefix("filled ")
    status = order.status.value
    return f"{status} {filled}" if filled != came_of_it else f"{status}, {came_of_it}"


def order_screen(
    order: OrderRecord, record: IntentRecord, fills: Sequence[Fill], scene: Scene, paint: Paint, columns: int
) -> list[str]:
    """One order: what was signed, what came of it, each fill."""
    intent = record.intent
    unknown = order.status in (OrderStatus.UNKNOWN, OrderStatus.VANISHED)
    stands = standing(order, intent)
    what = [
        f"{order.side} {wording.outcome(intent.outcome_label)}",
        f"worst price {wording.price(order.price, intent.tick)}",
        order.order_type.value,
        f"sent {wording.clock_time(order.created_at)}",
    ]
    lines = [
        *context_line(scene, paint, columns).split("\n"),
        "",
        f"Order {order.id}",
        f"  {paint.yellow(stands) if unknown else stands}",
        *words.fold(f"  {', '.join(what)}", columns),
        *(f"  {line}" for line in words.wrap(wording.one_line(intent.question), columns - 4)),
        "",
        *words.fold(f"  {order_words(record, order)}", columns),
        *(part for line in _doubt(order) for part in words.fold(line, columns)),
        *_fills(fills, intent, columns),
        "",
        f"Its approval: polyb0t intents show {order.intent_id[:6]}",
    ]
    if order.status is OrderStatus.LIVE:  # of the rest nothing is there, or nobody knows
        lines.append(f"Take it back: polyb0t orders cancel {order.id[:6]}")
    return lines


def _doubt(order: OrderRecord) -> list[str]:
    lines = []
    if order.provisional_shares > ZERO:
        provisional = wording.shares(order.provisional_shares)
        lines.append(f"  {provisional} shares are provisional: not yet final on chain.")
    if order.status in (OrderStatus.UNKNOWN, OrderStatus.VANISHED):
        lines.append(f"  It may exist or not; its money stays reserved. Asked {order.lookups} times.")
    if order.detail:
        lines.append(f"  {wording.one_line(order.detail)}")
    return lines


def _fills(fills: Sequence[Fill], intent: TradeIntent, columns: int) -> list[str]:
    if not fills:
        return []
    names = ("FILL", "AT", "SHARES", "PRICE", "FEE", "STATUS")
    heading = [Column(name, right=name in ("SHARES", "PRICE", "FEE")) for name in names]
    rows = [
        [
            words.cut(wording.one_line(fill.trade_id), 14),
            wording.clock_time(fill.matched_at),
            wording.shares(fill.shares),
            wording.price(fill.price, intent.tick),
            wording.money(fill.fee),
            "final" if fill.status is FillStatus.CONFIRMED else f"{fill.status.value}, {_meaning(fill)}",
        ]
        for fill in fills
    ]
    return ["", *(f"  {line}" for line in table(heading, rows, columns - 2))]


def _meaning(fill: Fill) -> str:
    return "taken back" if fill.status is FillStatus.FAILED else "provisional"
