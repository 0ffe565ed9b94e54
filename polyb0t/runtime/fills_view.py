"""Fills with what was traded, in words: what `fills list` prints and `/fills` answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from polyb0t.core.errors import NotFoundError
from polyb0t.data.fills import Fill
from polyb0t.execution.intents import TradeIntent
from polyb0t.execution.store import Stores
from polyb0t.runtime.views import View, fill_view, value_view

FILL_COLUMNS: Final = (
    *("matched_at", "status", "side", "shares", "outcome_label", "question", "price", "notional", "fee"),
    *("role", "order_id", "intent_id", "trade_id", "bucket_index", "condition_id", "asset_id"),
    *("transaction_hash", "id"),
)


@dataclass(frozen=True, slots=True)
class NamedFill:
    """A fill and the trade that it belongs to."""

    fill: Fill
    intent: TradeIntent

    def view(self) -> View:
        """The same as data. `notional` is in pUSD, without the fee."""
        return {
            "id": fill_id(self.fill),
            "intent_id": self.intent.id,
            "question": self.intent.question,
            "outcome_label": self.intent.outcome_label,
            "notional": value_view(self.fill.notional),
            **fill_view(self.fill),
        }


@dataclass(frozen=True, slots=True)
class FillPage:
    """Some fills, the newest first; `next` continues behind them and is empty on the last page."""

    fills: tuple[Fill, ...]
    next: str


def fill_id(fill: Fill) -> str:
    """What names a fill: an order may have several of one trade."""
    return f"{fill.trade_id}.{fill.bucket_index}.{fill.order_id}"


def page_of(
    stores: Stores, *, order: str | None = None, limit: int | None = None, before: str | None = None
) -> FillPage:
    """Fills, the newest first, of all orders or of one; `before` continues after the fill of that id.

    Raises:
        NotFoundError, AmbiguousError: no such order, or the beginning of several; no such fill.
    """
    order_id = None if order is None else stores.orders.find_order(order).id
    found = stores.orders.fills(order_id=order_id)[::-1]
    start = 0 if before is None else _behind(found, before)
    page = found[start:] if limit is None else found[start : start + limit]
    more = start + len(page) < len(found)
    return FillPage(page, fill_id(page[-1]) if more and page else "")


def named_fills(stores: Stores, fills: Sequence[Fill]) -> list[NamedFill]:
    """The same fills, each with its trade."""
    orders = stores.orders.named({fill.order_id for fill in fills})
    intents = stores.intents.named({order.intent_id for order in orders.values()})
    return [NamedFill(fill, intents[orders[fill.order_id].intent_id].intent) for fill in fills]


def fill_views(fills: Sequence[NamedFill]) -> list[View]:
    """As data."""
    return [each.view() for each in fills]


def _behind(fills: Sequence[Fill], fill_name: str) -> int:
    for index, fill in enumerate(fills):
        if fill_id(fill) == fill_name:
            return index + 1
    raise NotFoundError(
        "There is no such fill.", do="See them with `polyb0t fills list`.", code="fill_not_found"
    )
