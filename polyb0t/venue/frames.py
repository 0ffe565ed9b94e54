"""Frames of the market socket: text to events, or a refusal with a name.

A frame is one object or an array of them; blank frames and `PONG` are normal (recorded 2026-09-27).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import Price, Shares
from polyb0t.data.order_book import OrderBook, Side
from polyb0t.venue.book_parsing import book_from, last_price, wire_price, wire_size
from polyb0t.venue.parsing import (
    FrameRefused,
    Refused,
    Wire,
    as_object,
    asset_id,
    condition_id,
    decode_json,
    describe,
    millisecond_instant,
    text,
    tick_size,
)

# Kinds that say nothing about a book. They come only to those who ask for them, or in passing.
_OTHER_KINDS: Final = frozenset({"best_bid_ask", "new_market"})
RESOLVED: Final = "market_resolved"
_MOST_EVENTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class BookSnapshot:
    """A whole book: it replaces what was known."""

    book: OrderBook


@dataclass(frozen=True, slots=True)
class LevelChange:
    """The new total at one price (zero removes the level) and the best prices after it."""

    asset_id: AssetId
    side: Side
    price: Price
    size: Shares
    hash: str
    best_bid: Price | None
    best_ask: Price | None
    states_best: bool  # whether the frame named the best prices at all


@dataclass(frozen=True, slots=True)
class PriceChange:
    """Changes of one match or order, usually for both outcomes."""

    condition_id: ConditionId
    changes: tuple[LevelChange, ...]
    venue_time: datetime | None


@dataclass(frozen=True, slots=True)
class TickChange:
    """The price grid changed: prices known so far may not be on it."""

    asset_id: AssetId
    new_tick: Price
    venue_time: datetime | None


@dataclass(frozen=True, slots=True)
class LastTrade:
    """A trade happened; the book that follows comes in a frame of its own."""

    asset_id: AssetId
    price: Price
    venue_time: datetime | None
    shares: Shares | None = None  # None where the frame does not say, or not readably
    taker_side: Side | None = None


@dataclass(frozen=True, slots=True)
class MarketResolved:
    """Somebody says that this market has its result. Which one it is, is read elsewhere."""

    condition_id: ConditionId


@dataclass(frozen=True, slots=True)
class Other:
    """A known kind that is of no use to a book."""

    kind: str


Event = BookSnapshot | PriceChange | TickChange | LastTrade | MarketResolved | Other


@dataclass(frozen=True, slots=True)
class RefusedEvent:
    """A piece of a frame that is not used, and whose books may have missed something by that."""

    code: str
    reason: str
    assets: tuple[AssetId, ...] | None  # None: it may concern any book


@dataclass(frozen=True, slots=True)
class Frame:
    """What one frame held. A blank frame or `PONG` holds nothing and is not garbage."""

    events: tuple[Event, ...]
    refused: tuple[RefusedEvent, ...]
    pong: bool = False


def parse_frame(frame: str | bytes, now: datetime) -> Frame:
    """Every event of a frame; what is not understood is refused by name and the rest still counts."""
    stripped = frame.strip()
    if stripped in ("PONG", b"PONG"):
        return Frame((), (), pong=True)
    if not stripped:
        return Frame((), ())
    try:
        raw = decode_json(stripped)
    except Refused as refused:
        return Frame((), (RefusedEvent(refused.code, refused.what, None),))
    parts = raw if isinstance(raw, list) else [raw]
    if len(parts) > _MOST_EVENTS:
        return Frame((), (RefusedEvent("malformed", f"a frame of {len(parts)} events", None),))
    return _events(parts, now)


def _events(parts: list[object], now: datetime) -> Frame:
    events: list[Event] = []
    refused: list[RefusedEvent] = []
    for part in parts:
        try:
            events.append(parse_event(part, now))
        except FrameRefused as refusal:
            refused.append(RefusedEvent(refusal.code, refusal.what, _concerned(part, refusal.code)))
    return Frame(tuple(events), tuple(refused))


def _concerned(part: object, code: str) -> tuple[AssetId, ...] | None:
    """Whose news was lost with a refused event. A kind that is new to us and names no asset is no news."""
    if not isinstance(part, dict):
        return None
    inner = part.get("price_changes")
    rows = [part, *(inner if isinstance(inner, list) else ())]
    named = [row.get("asset_id") if isinstance(row, dict) else None for row in rows]
    found = tuple({AssetId(name) for name in named if isinstance(name, str)})
    if code == "unknown_event":
        return found
    return found if found and all(isinstance(name, str) for name in named[1:]) else None


def parse_event(raw: object, now: datetime) -> Event:
    """One event of the market socket.

    Raises:
        FrameRefused: not an object, an unknown kind, or a known kind with impossible content.
    """
    try:
        row = as_object(raw, "the event")
        return _event(row, _kind(row), now)
    except FrameRefused:
        raise
    except Refused as refused:
        raise FrameRefused(refused.code, refused.what) from refused


def _kind(row: Wire) -> str:
    """The named kind. Some initial books carry none; their two sides tell what they are."""
    kind = text(row, "event_type", longest=100)
    if not kind and "bids" in row and "asks" in row:
        return "book"
    if not kind and "price_changes" in row:
        return "price_change"
    return kind


def _event(row: Wire, kind: str, now: datetime) -> Event:
    match kind:
        case "book":
            return BookSnapshot(book_from(row, now))
        case "price_change":
            return _price_change(row)
        case "tick_size_change":
            return TickChange(
                asset_id(row.get("asset_id"), "asset_id"),
                tick_size(row.get("new_tick_size"), "new_tick_size"),
                _time(row),
            )
        case "last_trade_price":
            return _last_trade(row)
        case "market_resolved":
            return _resolved(row)
        case other if other in _OTHER_KINDS:
            return Other(other)
        case "":
            raise FrameRefused("unknown_event", "the event does not say what it is")
        case other:
            raise FrameRefused("unknown_event", f"an event of kind {other!r:.60} is not known here")


def _last_trade(row: Wire) -> LastTrade:
    price = wire_price(_text(row, "price"))
    asset, at = asset_id(row.get("asset_id"), "asset_id"), _time(row)
    try:
        return LastTrade(asset, price, at, wire_size(_text(row, "size")), Side(_text(row, "side")))
    except (Refused, ValueError):
        return LastTrade(asset, price, at)  # the rest is for the record; no book depends on it


def _resolved(row: Wire) -> MarketResolved | Other:
    """No book depends on it, so one that names no market is passed over."""
    try:
        return MarketResolved(condition_id(row.get("market"), "market"))
    except Refused:
        return Other(RESOLVED)


def _price_change(row: Wire) -> PriceChange:
    changes = row.get("price_changes")
    if changes is None and "price" in row:
        # Until September 2025 a frame held one change for one outcome; it lacked the best prices.
        raise FrameRefused("old_schema", "a price change in the form used before September 2025")
    if not isinstance(changes, list) or not 0 < len(changes) <= _MOST_EVENTS:
        raise FrameRefused("malformed", f"price_changes are {describe(changes)} or empty")
    return PriceChange(
        condition_id(row.get("market"), "market"),
        tuple(_change(as_object(change, "a price change")) for change in changes),
        _time(row),
    )


def _change(row: Wire) -> LevelChange:
    side = row.get("side")
    if side not in ("BUY", "SELL"):
        raise FrameRefused("malformed", f"side {side!r:.40} is neither BUY nor SELL")
    states_best = isinstance(row.get("best_bid"), str) and isinstance(row.get("best_ask"), str)
    return LevelChange(
        asset_id=asset_id(row.get("asset_id"), "asset_id"),
        side=Side.BUY if side == "BUY" else Side.SELL,
        price=wire_price(_text(row, "price")),
        size=wire_size(_text(row, "size")),
        hash=text(row, "hash", longest=200),
        best_bid=last_price(text(row, "best_bid", longest=60)),
        best_ask=last_price(text(row, "best_ask", longest=60)),
        states_best=states_best,
    )


def _text(row: Wire, key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str):
        raise FrameRefused("malformed", f"{key} is {describe(value)}, not a decimal text")
    return value


def _time(row: Wire) -> datetime | None:
    return millisecond_instant(row.get("timestamp"), "timestamp")
