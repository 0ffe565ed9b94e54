"""Order books as the exchange's public endpoints and its market socket send them.

On the wire bids rise and asks fall (the best level is the last of each); here the best is first,
whatever the order was. Prices and sizes are decimal texts; a JSON number there is refused.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from itertools import pairwise
from operator import attrgetter, gt, lt
from typing import Final, TypeVar

import msgspec

from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price, Shares
from polyb0t.data.order_book import Level, OrderBook
from polyb0t.venue.parsing import (
    BookRefused,
    Refused,
    asset_id,
    condition_id,
    decode_json,
    describe,
    exact_decimal,
    millisecond_instant,
    share_count,
    tick_size,
)

_MOST_LEVELS: Final = 20_000
_MOST_KNOWN_PRICES: Final = 20_000
_LONGEST_DELAY_SECONDS: Final = 3_600


class WireLevel(msgspec.Struct, gc=False):
    """One level as texts."""

    price: str
    size: str


class WireBook(msgspec.Struct):
    """A book of `/book`, `/books` or a `book` frame. Books from before 2025 lack the market's terms."""

    market: str
    asset_id: str
    bids: list[WireLevel]
    asks: list[WireLevel]
    timestamp: str | int | None = None
    hash: str | None = None
    tick_size: str | None = None
    min_order_size: str | None = None
    neg_risk: bool | None = None
    last_trade_price: str | None = None


@dataclass(frozen=True, slots=True)
class RefusedBook:
    """A book of a batch that is not used."""

    name: str  # asset id, or the place in the answer
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class BookBatch:
    """What a batch of books brought."""

    books: tuple[OrderBook, ...]
    refused: tuple[RefusedBook, ...]


_BATCH: Final = msgspec.json.Decoder(list[WireBook])
_PARTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_ONE: Final = msgspec.json.Decoder(WireBook)
_PRICE_OF: Final = attrgetter("price")
_SHARES_OF: Final = attrgetter("shares")
_LEVEL: Final = partial(tuple.__new__, Level)
_PLAIN_SIZES: Final = re.compile(r"(?:[0-9]{1,20}(?:\.[0-9]{1,20})?(?: |\Z))*")
_Part = TypeVar("_Part")
_KNOWN_PRICES: dict[str, Price] = {}  # a grid has at most 9,999 prices: each text is read once


def parse_books(body: bytes, now: datetime) -> BookBatch:
    """All books of a `/books` answer; a bad one is refused alone.

    Raises:
        BookRefused: the answer is no list.
    """
    try:
        wires: list[WireBook] = _BATCH.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _each(_raw_parts(body), lambda part: parse_book(bytes(part), now))
    return _each(wires, lambda wire: build_book(wire, now))


def parse_book(body: bytes, now: datetime) -> OrderBook:
    """The book of a `/book` answer.

    Raises:
        BookRefused: it is no book; the sentence says which part is wrong.
    """
    try:
        return build_book(_ONE.decode(body), now)
    except msgspec.ValidationError as error:
        raise BookRefused(*_why_not(body, error)) from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise BookRefused(*_why_not(body, error)) from error


def book_from(raw: object, now: datetime) -> OrderBook:
    """The book of an already decoded object, such as a `book` frame.

    Raises:
        BookRefused: it is no book.
    """
    try:
        wire = msgspec.convert(raw, WireBook, strict=True)
    except (msgspec.ValidationError, RecursionError) as error:
        raise BookRefused("malformed", f"not a book: {error!s:.160}") from error
    return build_book(wire, now)


def build_book(wire: WireBook, now: datetime) -> OrderBook:
    """The value of a typed book.

    Raises:
        BookRefused: an id, price, size or time that can not be; or a best bid at or above the best ask.
    """
    try:
        book = OrderBook(
            asset_id=asset_id(wire.asset_id, "asset_id"),
            condition_id=condition_id(wire.market, "market"),
            bids=_levels(wire.bids, "bid", rising=False),
            asks=_levels(wire.asks, "ask", rising=True),
            tick=tick_size(wire.tick_size, "tick_size") if wire.tick_size else None,
            min_shares=share_count(wire.min_order_size, "min_order_size") if wire.min_order_size else None,
            neg_risk=wire.neg_risk,
            last_trade_price=last_price(wire.last_trade_price),
            hash=(wire.hash or "")[:200],
            venue_time=millisecond_instant(wire.timestamp, "timestamp"),
            observed_at=now,
        )
    except BookRefused:
        raise
    except Refused as refused:
        raise BookRefused(refused.code, refused.what) from refused
    check_uncrossed(book.bids, book.asks)
    return book


def check_uncrossed(bids: tuple[Level, ...], asks: tuple[Level, ...]) -> None:
    """A matching engine leaves no bid at or above an ask; a book that shows one is not believed.

    Raises:
        BookRefused: with code `crossed`.
    """
    if bids and asks and bids[0].price >= asks[0].price:
        raise BookRefused(
            "crossed", f"the best bid {bids[0].price:f} is not below the best ask {asks[0].price:f}"
        )


def _levels(wires: list[WireLevel], side: str, *, rising: bool) -> tuple[Level, ...]:
    """Levels with the best first, empty ones left out.

    The hot path of a cycle, which reads 100,000 levels: loops run inside `map`, and only what is
    unusual (odd spelling, odd order, twice the same price) takes the careful way.
    """
    if len(wires) > _MOST_LEVELS:
        raise BookRefused("malformed", f"{len(wires)} {side} levels are more than any grid has")
    prices = [_KNOWN_PRICES.get(wire.price) or wire_price(wire.price) for wire in wires]
    levels = list(map(_LEVEL, zip(prices, _sizes([wire.size for wire in wires]), strict=True)))
    if all(map(gt if rising else lt, prices, prices[1:])):
        levels.reverse()  # the exchange sends the best last
    else:
        levels.sort(key=_PRICE_OF, reverse=not rising)
        for better, worse in pairwise(levels):
            if better.price == worse.price:
                raise BookRefused("malformed", f"the {side} at {worse.price:f} is there twice")
    return tuple(filter(_SHARES_OF, levels))


def _sizes(sizes: list[str]) -> list[Decimal]:
    joined = " ".join(sizes)
    if joined.count(" ") == len(sizes) - 1 and _PLAIN_SIZES.fullmatch(joined):
        return list(map(Decimal, sizes))
    return [wire_size(size) for size in sizes]


def wire_price(value: str) -> Price:
    """A price text inside the open interval (0, 1).

    Raises:
        BookRefused: anything else.
    """
    known = _KNOWN_PRICES.get(value)
    if known is not None:
        return known
    price = _exact(value, "a price")
    if not 0 < price < 1:
        raise BookRefused("malformed", f"{price:f} is not a price between 0 and 1")
    if len(_KNOWN_PRICES) < _MOST_KNOWN_PRICES and len(value) < 12:
        _KNOWN_PRICES[value] = Price(price)
    return Price(price)


def wire_size(value: str) -> Shares:
    """A size text: shares, not negative.

    Raises:
        BookRefused: anything else.
    """
    size = _exact(value, "a size")
    if size < 0:
        raise BookRefused("malformed", f"a size is negative: {size:f}")
    return Shares(size)


def last_price(value: str | None) -> Price | None:
    """The last traded price; "" and 0 mean that nothing has traded yet, and 0 or 1 are no trade prices."""
    if not value:
        return None
    price = _exact(value, "last_trade_price")
    if not 0 <= price <= 1:
        raise BookRefused("malformed", f"last_trade_price {price:f} is not between 0 and 1")
    return Price(price) if 0 < price < 1 else None


def _exact(value: str, name: str) -> Decimal:
    try:
        return exact_decimal(value, name)
    except Refused as refused:
        raise BookRefused(refused.code, refused.what) from refused


def _raw_parts(body: bytes) -> list[msgspec.Raw]:
    try:
        return _PARTS.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        code, reason = _why_not(body, error)
        raise BookRefused(code, f"the answer is no list of books: {reason}") from error


def _each(parts: Iterable[_Part], parse: Callable[[_Part], OrderBook]) -> BookBatch:
    books: dict[AssetId, OrderBook] = {}
    refused: list[RefusedBook] = []
    for position, part in enumerate(parts):
        try:
            book = parse(part)
        except BookRefused as refusal:
            refused.append(RefusedBook(_name(part, position), refusal.code, refusal.what))
            continue
        if book.asset_id in books:
            refused.append(RefusedBook(book.asset_id, "duplicate", "the answer holds this book twice"))
            continue
        books[book.asset_id] = book
    return BookBatch(tuple(books.values()), tuple(refused))


def _name(part: object, position: int) -> str:
    if isinstance(part, WireBook) and part.asset_id.isascii() and part.asset_id.isalnum():
        return part.asset_id[:80]
    return f"book {position + 1}"


def _why_not(body: bytes, error: Exception) -> tuple[str, str]:
    """Code and sentence for bytes that the typed decoder did not take."""
    try:
        raw = decode_json(body)
    except Refused as refused:
        return refused.code, refused.what
    if isinstance(raw, dict) and isinstance(raw.get("error"), str):
        return "error_answer", f"the exchange refused: {' '.join(str(raw['error']).split()):.200}"
    return "malformed", f"not a book ({describe(raw)}): {error!s:.160}"
