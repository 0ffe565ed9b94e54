"""What the exchange tells about our account: orders, trades, balances, positions, user frames.

Readers return a value or raise `parsing.Refused`. Shapes: the vendor's pages of autumn 2026.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from polyb0t.core.clock import from_microseconds
from polyb0t.core.ids import OrderId, Wallet
from polyb0t.core.units import Price, Pusd, from_e6
from polyb0t.data.account_state import AccountOrder, AccountPosition
from polyb0t.data.order_book import Side
from polyb0t.execution.gateway import CancelAnswer, VenueOrder
from polyb0t.venue.parsing import (
    Refused,
    Wire,
    as_object,
    asset_id,
    condition_id,
    describe,
    exact_decimal,
    flag,
    line,
    share_count,
    text,
    texts,
)
from polyb0t.venue.signing import checksummed

END_CURSOR: Final = "LTE="
_MOST_ROWS: Final = 10_000
_HEX: Final = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a listing, and where it goes on; "" at its end."""

    rows: tuple[Wire, ...]
    next_cursor: str


@dataclass(frozen=True, slots=True)
class BalanceAllowance:
    """What the exchange believes that the wallet holds and lets its contracts take, in millionths."""

    balance: Decimal
    allowances: Mapping[str, Pusd]


def parse_page(raw: object) -> Page:
    """`{data, next_cursor}` of the order listings.

    Raises:
        Refused: another shape; a missing cursor is not an end.
    """
    page = as_object(raw, "the page")
    rows = page.get("data")
    if not isinstance(rows, list) or len(rows) > _MOST_ROWS:
        raise Refused("malformed", f"data is {describe(rows)}, not a list of rows")
    cursor = page.get("next_cursor")
    if not isinstance(cursor, str) or not 0 < len(cursor) < 1_000:
        raise Refused("malformed", f"next_cursor is {describe(cursor)}, not a cursor")
    return Page(tuple(as_object(row, "a row") for row in rows), "" if cursor == END_CURSOR else cursor)


def parse_order(raw: object) -> VenueOrder:
    """One order of `/data/order/{id}` or `/data/orders`.

    Raises:
        Refused: a part is missing or malformed.
    """
    row = as_object(raw, "the order")
    status = text(row, "status", longest=300).removeprefix("ORDER_STATUS_")
    if not status:
        raise Refused("malformed", "status is missing")
    return VenueOrder(
        order_id=order_id(row.get("id"), "id"),
        status=status,
        condition_id=condition_id(row.get("market"), "market"),
        asset_id=asset_id(row.get("asset_id"), "asset_id"),
        side=side_of(row.get("side"), "side"),
        price=price_of(row.get("price"), "price"),
        original_size=share_count(row.get("original_size"), "original_size"),
        matched_shares=share_count(row.get("size_matched"), "size_matched"),
        trade_ids=tuple(texts(row, "associate_trades", most=10_000) or ()),
    )


def account_order(order: VenueOrder) -> AccountOrder:
    """An order of the listing of open ones, as the account's state holds it."""
    return AccountOrder(
        order_id=order.order_id,
        condition_id=order.condition_id,
        asset_id=order.asset_id,
        side=order.side,
        price=order.price,
        original_shares=order.original_size,
        matched_shares=order.matched_shares,
        status=order.status,
    )


def maker_address(row: Wire) -> str:
    """The wallet that an order or trade belongs to, in lower case."""
    return text(row, "maker_address").lower()


def parse_cancel(raw: object) -> CancelAnswer:
    """`{canceled, not_canceled}`.

    Raises:
        Refused: another shape.
    """
    answer = as_object(raw, "the answer")
    cancelled = answer.get("canceled")
    if not isinstance(cancelled, list):
        raise Refused("malformed", f"canceled is {describe(cancelled)}, not a list")
    refused = as_object(answer.get("not_canceled") or {}, "not_canceled")
    return CancelAnswer(
        tuple(order_id(one, "a cancelled id") for one in cancelled),
        {order_id(one, "an id"): line(refused, one, longest=1_000) for one in refused},
    )


def parse_balance(raw: object) -> BalanceAllowance:
    """`/balance-allowance`: whole base units in texts.

    Raises:
        Refused: a part is missing or malformed.
    """
    answer = as_object(raw, "the answer")
    allowances = as_object(answer.get("allowances"), "allowances")
    return BalanceAllowance(
        from_e6(_base_units(answer.get("balance"), "balance")),
        {_address(name): Pusd(from_e6(_base_units(allowances[name], name))) for name in allowances},
    )


def parse_positions_v2(raw: object) -> tuple[tuple[AccountPosition, ...], str]:
    """A page of `/v2/positions` and the cursor of the next, "" at the end.

    Raises:
        Refused: another shape, or one row that can not be read: a wallet is known whole or not at all.
    """
    answer = as_object(raw, "the page")
    rows = answer.get("data")
    if not isinstance(rows, list) or len(rows) > _MOST_ROWS:
        raise Refused("malformed", f"data is {describe(rows)}, not a list of positions")
    pages = as_object(answer.get("pagination"), "pagination")
    more, cursor = flag(pages, "has_more"), text(pages, "next_cursor")
    if more is None or more != bool(cursor):
        raise Refused("malformed", "has_more and next_cursor do not agree")
    return tuple(_position(as_object(row, "a position")) for row in rows), cursor


def order_id(value: object, name: str) -> OrderId:
    """An order id: 0x and 64 lower-case hex digits.

    Raises:
        Refused: it is not one.
    """
    if isinstance(value, str) and len(value) == 66 and value[:2] == "0x":
        lowered = value.lower()
        if _HEX.issuperset(lowered[2:]):
            return OrderId(lowered)
    raise Refused("malformed", f"{name} is not an order id: {value!r:.80}")


def _position(row: Wire) -> AccountPosition:
    average, current = row.get("avg_price"), row.get("current_price")
    return AccountPosition(
        asset_id=asset_id(row.get("token_id"), "token_id"),
        condition_id=condition_id(row.get("condition_id"), "condition_id"),
        outcome_label=line(row, "outcome"),
        question=line(row, "title"),
        shares=share_count(row.get("current_size"), "current_size"),
        average_price=None if average is None else Price(exact_decimal(average, "avg_price")),
        current_price=None if current is None else Price(exact_decimal(current, "current_price")),
        redeemable=flag(row, "redeemable") is True,
    )


def side_of(value: object, name: str) -> Side:
    if value not in ("BUY", "SELL"):
        raise Refused("malformed", f"{name} is neither BUY nor SELL: {value!r:.20}")
    return Side(str(value))


def price_of(value: object, name: str) -> Price:
    amount = exact_decimal(value, name)
    if not 0 <= amount <= 1:
        raise Refused("malformed", f"{name} is not between 0 and 1: {amount:f}")
    return Price(amount)


def seconds_or_milliseconds(value: object, name: str) -> datetime:
    """Seconds or milliseconds since 1970, told apart by their size: both are seen."""
    amount = exact_decimal(value, name)
    if amount != amount.to_integral_value() or not 1_262_304_000 <= amount <= 16_725_225_600_000:
        raise Refused("malformed", f"{name} is not a time: {amount:f}")
    scale = 1_000_000 if amount < 100_000_000_000 else 1_000
    return from_microseconds(int(amount) * scale)


def _base_units(value: object, name: str) -> int:
    """A uint256 in a text; a JSON number may have lost digits."""
    if not isinstance(value, str) or not (value.isascii() and value.isdigit()) or len(value) > 78:
        raise Refused("malformed", f"{name} is not a whole number of base units: {value!r:.90}")
    return int(value)


def _address(value: str) -> Wallet:
    try:
        return checksummed(value)
    except ValueError as error:
        raise Refused("malformed", f"{value!r:.60} is not an address") from error
