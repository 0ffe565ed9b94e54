"""Trades and our part in them, from `/data/trades` and from the frames of the user socket.

Shapes: the vendor's pages of autumn 2026. A frame is a hint that something moved; what counts is read.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from polyb0t.core.ids import AssetId, ConditionId, OrderId, TradeId
from polyb0t.core.units import ZERO, Price, Pusd, Shares
from polyb0t.data.fills import Fill, FillStatus, Role
from polyb0t.data.markets import FeeSchedule
from polyb0t.data.order_book import Side
from polyb0t.models.fees import taker_fee
from polyb0t.venue.account_parsing import order_id, parse_page, price_of, seconds_or_milliseconds, side_of
from polyb0t.venue.parsing import (
    Refused,
    Wire,
    as_object,
    asset_id,
    condition_id,
    describe,
    line,
    share_count,
    text,
    whole,
)

_MOST_MAKERS: Final = 10_000

# REST says MATCHED_NOT_BROADCASTED before the transaction is sent: matched, and no more than that.
_FILL_STATUSES: Final = {
    **{str(status): status for status in FillStatus},
    "MATCHED_NOT_BROADCASTED": FillStatus.MATCHED,
}


@dataclass(frozen=True, slots=True)
class MakerFill:
    """The share of one resting order in a trade; asset, side and price may differ from the taker's."""

    order_id: OrderId
    asset_id: AssetId
    side: Side | None  # absent in answers from before 2025
    price: Price
    shares: Shares


@dataclass(frozen=True, slots=True)
class VenueTrade:
    """A trade as the exchange tells it. Its fee field is legacy noise and not read."""

    trade_id: TradeId
    bucket_index: int
    condition_id: ConditionId
    taker_order_id: OrderId
    asset_id: AssetId
    side: Side
    price: Price
    shares: Shares
    status: FillStatus
    matched_at: datetime
    transaction_hash: str
    makers: tuple[MakerFill, ...]


@dataclass(frozen=True, slots=True)
class UserOrderFrame:
    """A hint that one of our orders moved. Status words are the exchange's, sometimes a sentence."""

    order_id: str
    kind: str  # PLACEMENT, UPDATE, CANCELLATION
    status: str
    matched_shares: Shares | None


@dataclass(frozen=True, slots=True)
class UserTradeFrame:
    """A hint that a trade of ours moved."""

    trade: VenueTrade


def parse_trade(raw: object) -> VenueTrade:
    """One trade of `/data/trades` or of the user socket.

    Raises:
        Refused: a part is missing or malformed, or its status is not known.
    """
    row = as_object(raw, "the trade")
    makers = row.get("maker_orders")
    if makers is not None and (not isinstance(makers, list) or len(makers) > _MOST_MAKERS):
        raise Refused("malformed", f"maker_orders is {describe(makers)}, not a list")
    trade = text(row, "id", longest=200)
    if not trade:
        raise Refused("malformed", "id is missing")
    return VenueTrade(
        trade_id=TradeId(trade),
        bucket_index=whole(row, "bucket_index", largest=1_000_000),
        condition_id=condition_id(row.get("market"), "market"),
        taker_order_id=order_id(row.get("taker_order_id"), "taker_order_id"),
        asset_id=asset_id(row.get("asset_id"), "asset_id"),
        side=side_of(row.get("side"), "side"),
        price=price_of(row.get("price"), "price"),
        shares=share_count(row.get("size"), "size"),
        status=_fill_status(row),
        matched_at=seconds_or_milliseconds(row.get("match_time") or row.get("matchtime"), "match_time"),
        transaction_hash=text(row, "transaction_hash", longest=200),
        makers=tuple(_maker(as_object(one, "a maker order")) for one in makers or ()),
    )


def parse_trades(raw: object) -> tuple[VenueTrade, ...]:
    """The rows of one page, or a bare list, of trades.

    Raises:
        Refused: one of them can not be read; part of a list is not the list.
    """
    rows = raw if isinstance(raw, list) else parse_page(raw).rows
    return tuple(parse_trade(row) for row in rows)


def fills_of(trade: VenueTrade, ours: OrderId, fee: FeeSchedule) -> tuple[Fill, ...]:
    """What of this trade is our order's: as taker the trade's own values, as maker only our entry's.

    Raises:
        Refused: our entry does not say what it did.
    """
    if trade.taker_order_id == ours:
        return (_taken(trade, fee),)
    mine = [maker for maker in trade.makers if maker.order_id == ours]
    if not mine:
        return ()
    if len(mine) > 1:
        raise Refused("malformed", "the trade lists our order more than once")
    maker = mine[0]
    if maker.side is None:
        raise Refused("malformed", "our maker order has no side")
    return (
        replace(
            _taken(trade, fee),
            order_id=ours,
            role=Role.MAKER,
            asset_id=maker.asset_id,
            side=maker.side,
            price=maker.price,
            shares=maker.shares,
            fee=Pusd(ZERO),  # makers pay none
        ),
    )


def parse_user_frame(raw: object) -> UserOrderFrame | UserTradeFrame:
    """One frame of the user socket.

    Raises:
        Refused: neither an order nor a trade, or one that can not be read.
    """
    frame = as_object(raw, "the frame")
    kind = text(frame, "event_type") or ("trade" if "taker_order_id" in frame else "order")
    if kind == "trade":
        return UserTradeFrame(parse_trade(frame))
    if kind != "order":
        raise Refused("unknown_frame", f"frames of the kind {kind!r:.40} are not read")
    order, event = text(frame, "id", longest=200), text(frame, "type", longest=40)
    if not order or event not in ("PLACEMENT", "UPDATE", "CANCELLATION"):
        raise Refused("malformed", "the frame names no order, or does not say what happened to it")
    matched = frame.get("size_matched")
    return UserOrderFrame(
        order_id=order,
        kind=event,
        status=line(frame, "status", longest=500),
        matched_shares=None if matched in (None, "") else share_count(matched, "size_matched"),
    )


def _maker(row: Wire) -> MakerFill:
    side = row.get("side")
    return MakerFill(
        order_id=order_id(row.get("order_id"), "order_id"),
        asset_id=asset_id(row.get("asset_id"), "asset_id"),
        side=None if side in (None, "") else side_of(side, "side"),
        price=price_of(row.get("price"), "price"),
        shares=share_count(row.get("matched_amount"), "matched_amount"),
    )


def _taken(trade: VenueTrade, fee: FeeSchedule) -> Fill:
    """The whole trade, as the fill of the order that took."""
    return Fill(
        trade_id=trade.trade_id,
        bucket_index=trade.bucket_index,
        order_id=trade.taker_order_id,
        condition_id=trade.condition_id,
        asset_id=trade.asset_id,
        side=trade.side,
        role=Role.TAKER,
        price=trade.price,
        shares=trade.shares,
        fee=taker_fee(trade.shares, trade.price, fee),
        status=trade.status,
        matched_at=trade.matched_at,
        transaction_hash=trade.transaction_hash,
    )


def _fill_status(row: Wire) -> FillStatus:
    word = text(row, "status", longest=100).removeprefix("TRADE_STATUS_")
    status = _FILL_STATUSES.get(word)
    if status is None:
        raise Refused("malformed", f"the trade's status is not known: {word!r:.60}")
    return status
