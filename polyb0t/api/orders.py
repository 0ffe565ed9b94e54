"""The routes of what was sent: orders with how they stand, and the fills that came of them."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from polyb0t.api.pages import NEXT, Cursor, Limit
from polyb0t.api.problems import responses
from polyb0t.api.schemas import Answer, DecimalText, Instant
from polyb0t.core.errors import UsageError
from polyb0t.core.ids import OrderId
from polyb0t.execution.orders import UNRESOLVED_ORDER, OrderStatus
from polyb0t.runtime.fills_view import fill_views, named_fills, page_of
from polyb0t.runtime.foreign import foreign_orders
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.views import View, fill_view, foreign_order_view, order_view


class _OwnOrder(Answer):
    """What is known of an order of ours. `price` is the worst that it may fill at; `average_price` is null
    before a fill; `provisional_shares` are not on the chain yet."""

    id: str
    intent_id: str
    status: str
    scope: str
    regime: str
    condition_id: str
    asset_id: str
    side: str
    order_type: str
    price: DecimalText
    shares: DecimalText
    amount: DecimalText | None
    filled_shares: DecimalText
    provisional_shares: DecimalText
    filled_notional: DecimalText
    average_price: DecimalText | None
    fees: DecimalText
    venue_status: str
    detail: str
    lookups: int
    looked_up_at: Instant | None
    created_at: Instant
    updated_at: Instant


class Order(Answer):
    """An order of ours, or with `foreign` one on the wallet that polyb0t did not place: of that only the
    exchange's own figures are known and the rest is null."""

    id: str
    foreign: bool
    intent_id: str | None
    status: str | None
    scope: str | None
    regime: str | None
    condition_id: str
    asset_id: str
    side: str
    order_type: str | None
    price: DecimalText
    shares: DecimalText
    amount: DecimalText | None
    filled_shares: DecimalText
    provisional_shares: DecimalText | None
    filled_notional: DecimalText | None
    average_price: DecimalText | None
    fees: DecimalText | None
    venue_status: str
    detail: str | None
    lookups: int | None
    looked_up_at: Instant | None
    created_at: Instant | None
    updated_at: Instant | None


class OrderFill(Answer):
    """One piece of an order that was traded; final once its status is CONFIRMED."""

    trade_id: str
    bucket_index: int
    order_id: str
    condition_id: str
    asset_id: str
    side: str
    role: str
    price: DecimalText
    shares: DecimalText
    fee: DecimalText
    status: str
    matched_at: Instant
    transaction_hash: str


class OrderWithFills(_OwnOrder):
    """An order with its fills, the oldest first."""

    fills: list[OrderFill]


class NamedFill(OrderFill):
    """A fill with what was traded, in words. `notional` is price times shares, in pUSD, without the fee."""

    id: str
    intent_id: str
    question: str
    outcome_label: str
    notional: DecimalText


def order_routes(opened: OpenedStore) -> APIRouter:
    """The routes over one store."""
    router = APIRouter(tags=["orders"])
    stores = opened.stores

    @router.get("/orders", response_model=list[Order], responses=responses(404, 422, 503))
    def orders(
        response: Response,
        status: Annotated[list[OrderStatus] | None, Query(description="Only these.")] = None,
        open: Annotated[bool, Query(description="Only what has no proven end.")] = False,  # noqa: A002 - its name on the wire
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> list[View]:
        """Our orders, the newest first, and on the last page what is open on the wallet from elsewhere. When
        there are more, `X-Next-Cursor` continues the list."""
        if open and status:
            raise UsageError(
                "Not answered: open and status exclude each other.", do="Give one.", code="invalid_request"
            )
        statuses = tuple(UNRESOLVED_ORDER) if open else tuple(status or ())
        before = None if cursor is None else OrderId(cursor)
        found = stores.orders.orders(statuses=statuses, limit=limit + 1, before=before)
        if len(found) > limit:
            response.headers[NEXT] = found[limit - 1].id
        ours: list[View] = [{**order_view(order), "foreign": False} for order in found[:limit]]
        if len(found) > limit or status:
            return ours
        return [*ours, *({**foreign_order_view(each), "foreign": True} for each in foreign_orders(stores))]

    @router.get("/orders/{order_id}", response_model=OrderWithFills, responses=responses(404, 409, 503))
    def order(order_id: str) -> View:
        """One order with its fills; a unique beginning of its id or of its intent's id is enough."""
        found = stores.orders.find_order(order_id)
        return {
            **order_view(found),
            "fills": [fill_view(fill) for fill in stores.orders.fills(order_id=found.id)],
        }

    @router.get("/fills", response_model=list[NamedFill], responses=responses(404, 409, 422, 503))
    def fills(
        response: Response,
        order: Annotated[str | None, Query(description="Only of this order; a beginning is enough.")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> list[View]:
        """What was traded, the newest first. When there are more, `X-Next-Cursor` continues the list."""
        page = page_of(stores, order=order, limit=limit, before=cursor)
        if page.next:
            response.headers[NEXT] = page.next
        return fill_views(named_fills(stores, page.fills))

    return router
