"""What our readers make of a recorded answer, in a form that a table can hold.

`python -m tests.venue.recorded` prints the table anew; read the difference before checking it in.
"""

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from polyb0t.core.canonical import sha256_hex
from polyb0t.core.clock import iso
from polyb0t.core.units import plain
from polyb0t.data.markets import Market, TradingTerms
from polyb0t.data.order_book import OrderBook
from polyb0t.venue.account_parsing import parse_order, parse_positions_v2
from polyb0t.venue.answers import parse_post_order
from polyb0t.venue.book_parsing import parse_book, parse_books
from polyb0t.venue.frames import BookSnapshot, LastTrade, PriceChange, TickChange, parse_frame
from polyb0t.venue.gamma import parse_markets
from polyb0t.venue.parsing import Refused, decode_json
from polyb0t.venue.terms import parse_terms
from polyb0t.venue.trade_parsing import UserTradeFrame, VenueTrade, parse_trades, parse_user_frame

TABLE: Final = Path(__file__).with_name("recorded_expectations.json")
NOW: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
KINDS: Final = {
    "clob_auth": "account",
    "data_api": "account",
    "ws_user": "account",
    "errors": "markets",
    "gamma": "markets",
    "ws_market": "frames",
    "relayer": "other",
    "rtds": "other",
    "shape_only": "shape_only",
}


def kind_of(relative: str) -> str:
    """Which reader is offered a file, by its folder and, among the exchange's answers, its endpoint."""
    folder, _, name = relative.partition("/")
    if folder != "clob_rest":
        return KINDS[folder]
    if "clob-markets" in name:
        return "terms"
    if "books" in name:
        return "books"
    return "book" if "_book_" in name else "other"


def outcome(relative: str, path: Path) -> dict[str, Any]:
    """Values or the reason of refusal, under the kind of the file."""
    kind = kind_of(relative)
    return {"kind": kind, **READERS[kind](path)}


def _markets(path: Path) -> dict[str, Any]:
    raw = decode_json(path.read_bytes())
    found = _read_markets(raw)
    versions = [row for row in rows_of(raw) if row.get("version") is None]
    if not versions:
        return found
    for row in versions:
        row["version"] = "v1"
    return {**found, "with_version": _read_markets(raw)}


def _read_markets(raw: object) -> dict[str, Any]:
    try:
        page = parse_markets(raw, NOW)
    except Refused as refused:
        return {"refused": refused.code}
    return {
        "markets": [_market(market) for market in page.markets],
        "skipped": [[skipped.name, skipped.reason.partition(":")[0]] for skipped in page.skipped],
    }


def rows_of(raw: object) -> Iterator[dict[str, Any]]:
    """Every market row anywhere in a decoded answer."""
    if isinstance(raw, dict):
        if "conditionId" in raw and "outcomes" in raw:
            yield raw
        for value in list(raw.values()):
            yield from rows_of(value)
    elif isinstance(raw, list):
        for value in raw:
            yield from rows_of(value)


def _market(market: Market) -> dict[str, Any]:
    return {
        "id": market.market_id,
        "condition": market.condition_id[:18],
        "question": _digest(market.question),
        "labels": [outcome.label for outcome in market.outcomes],
        "assets": _digest(",".join(outcome.asset_id for outcome in market.outcomes)),
        "version": market.version,
        "category": market.category,
        "event": market.event_id,
        "page": _digest(market.page_url),
        "ready": market.trade_ready,
        "closed": market.closed,
        "neg_risk": market.neg_risk,
        "end": market.end_date and iso(market.end_date),
        "game": market.game_start and iso(market.game_start),
        "tick": _plain(market.tick),
        "min": _plain(market.min_shares),
        "fee": market.fee and [plain(market.fee.rate), plain(market.fee.exponent), market.fee.taker_only],
        "delay": market.taker_delay_seconds,
        "liquidity": _plain(market.liquidity_pusd),
        "volume": _plain(market.volume_24h_pusd),
        "quote": [_plain(market.best_bid), _plain(market.best_ask)],
        "resolution": market.resolution_status,
        "rules": market.rules_hash[:16],
    }


def _book(book: OrderBook) -> dict[str, Any]:
    levels = ";".join(f"{plain(p)}x{plain(s)}" for p, s in (*book.bids, *book.asks))
    return {
        "condition": book.condition_id[:18],
        "asset": _digest(book.asset_id),
        "best": [_plain(book.best_bid), _plain(book.best_ask)],
        "levels": [len(book.bids), len(book.asks)],
        "content": _digest(levels),
        "tick": _plain(book.tick),
        "min": _plain(book.min_shares),
        "neg_risk": book.neg_risk,
        "last": _plain(book.last_trade_price),
        "at": book.venue_time and iso(book.venue_time),
    }


def _one_book(path: Path) -> dict[str, Any]:
    try:
        return {"book": _book(parse_book(path.read_bytes(), NOW))}
    except Refused as refused:
        return {"refused": refused.code}


def _books(path: Path) -> dict[str, Any]:
    try:
        batch = parse_books(path.read_bytes(), NOW)
    except Refused as refused:
        return {"refused": refused.code}
    return {
        "books": [_book(book) for book in batch.books],
        "refused_books": [refused.code for refused in batch.refused],
    }


def _terms(path: Path) -> dict[str, Any]:
    raw = decode_json(path.read_bytes())
    rows = raw if isinstance(raw, list) else [raw]
    try:
        return {"terms": [_trading_terms(parse_terms(row, NOW)) for row in rows]}
    except Refused as refused:
        return {"refused": refused.code}


def _trading_terms(terms: TradingTerms) -> dict[str, Any]:
    return {
        "condition": terms.condition_id[:18],
        "tick": plain(terms.tick),
        "min": plain(terms.min_shares),
        "fee": terms.fee and [plain(terms.fee.rate), plain(terms.fee.exponent), terms.fee.taker_only],
        "delay": terms.taker_delay_seconds,
        "neg_risk": terms.neg_risk,
    }


def _frames(path: Path) -> dict[str, Any]:
    frames = [parse_frame(text, NOW) for text in frame_texts(path)]
    return {
        "events": [_event(event) for frame in frames for event in frame.events],
        "refused_events": [refused.code for frame in frames for refused in frame.refused],
    }


def frame_texts(path: Path) -> list[str]:
    """The frames of a recording: one a line in `.ndjson`, else the whole file is one."""
    text = path.read_text(encoding="utf-8")
    return text.split("\n") if path.suffix == ".ndjson" else [text]


def _event(event: object) -> list[Any]:
    match event:
        case BookSnapshot(book):
            return ["book", _book(book)]
        case PriceChange(_, changes, _):
            return [
                "price_change",
                [
                    [c.side, plain(c.price), plain(c.size), _plain(c.best_bid), _plain(c.best_ask)]
                    for c in changes
                ],
            ]
        case TickChange(_, tick, _):
            return ["tick_size_change", plain(tick)]
        case LastTrade(_, price, _):
            return ["last_trade_price", plain(price)]
        case _:
            return ["other"]


def nobody_reads(path: Path) -> dict[str, Any]:
    """For kinds that no reader of market data may mistake for its own: each of them refuses."""
    body = path.read_bytes()
    refusals: dict[str, Any] = {}
    for name, reader in _REFUSERS.items():
        try:
            refusals[name] = reader(body)
        except Refused as refused:
            refusals[name] = refused.code
    return {"refused_by": refusals}


def _no_markets(body: bytes) -> str:
    page = parse_markets(decode_json(body), NOW)
    return "taken" if page.markets else "no market in it"


def _no_events(body: bytes) -> str:
    frame = parse_frame(body, NOW)
    return "taken" if frame.events else "/".join(sorted({refused.code for refused in frame.refused}))


def _no_books(body: bytes) -> str:
    return "taken" if parse_books(body, NOW).books else "no book in it"


def _no_book(body: bytes) -> str:
    return f"taken: {parse_book(body, NOW).asset_id}"


def _no_terms(body: bytes) -> str:
    return f"taken: {parse_terms(decode_json(body), NOW).condition_id}"


_REFUSERS: Final[dict[str, Callable[[bytes], str]]] = {
    "markets": _no_markets,
    "books": _no_books,
    "book": _no_book,
    "terms": _no_terms,
    "frames": _no_events,
}


def _shape(path: Path) -> dict[str, Any]:
    """Not recordings but hand-written shapes: what the reader of their kind makes of them."""
    name = path.name
    if name.startswith(("ws_market", "ws_book", "ws_quotes", "ws_tick", "ws_last", "price_change")):
        return {"as": "frames", **_frames(path)}
    if "book" in name:
        return {"as": "book", **_one_book(path)}
    return {"as": "nothing of ours", **nobody_reads(path)}


def _account(path: Path) -> dict[str, Any]:
    """By its reader; what belongs to the retired data API has none, and the newer one's refuses it."""
    body, folder = path.read_bytes(), path.parent.name
    try:
        if folder == "clob_auth":
            return {"account": _order_answer(path.name, body)}
        if folder == "ws_user":
            return {"account": _user_frame(path.name, decode_json(body))}
        positions, _ = parse_positions_v2(decode_json(body))
        return {"account": [_digest(position.asset_id) for position in positions]}
    except Refused as refused:
        return {"refused": refused.code}


def _order_answer(name: str, body: bytes) -> dict[str, Any]:
    """A whole exchange of request and answer holds the answer's own text under `body_raw`."""
    raw = decode_json(body)
    assert isinstance(raw, dict)
    response = raw.get("response")
    text = response["body_raw"] if isinstance(response, dict) else body
    if "order_status" in name:
        order = parse_order(decode_json(text))
        sizes = [plain(order.original_size), plain(order.matched_shares)]
        return {"order": order.order_id[:18], "status": order.status, "side": order.side, "sizes": sizes}
    answer = parse_post_order(text)
    return {
        "order": answer.order_id[:18],
        "success": answer.success,
        "status": answer.status,
        "amounts": [_plain(answer.making), _plain(answer.taking)],
    }


def _user_frame(name: str, raw: object) -> dict[str, Any]:
    if "_trades_" in name:
        (trade,) = parse_trades(raw if isinstance(raw, list) else [raw])
        return _trade(trade)
    frame = parse_user_frame(raw)
    if isinstance(frame, UserTradeFrame):
        return _trade(frame.trade)
    return {
        "order": frame.order_id[:18],
        "kind": frame.kind,
        "status": frame.status,
        "matched": _plain(frame.matched_shares),
    }


def _trade(trade: VenueTrade) -> dict[str, Any]:
    return {
        "trade": trade.trade_id,
        "status": trade.status,
        "taker": trade.taker_order_id[:18],
        "side": trade.side,
        "price": plain(trade.price),
        "makers": [[maker.order_id[:18], plain(maker.price), plain(maker.shares)] for maker in trade.makers],
    }


READERS: Final[dict[str, Callable[[Path], dict[str, Any]]]] = {
    "markets": _markets,
    "terms": _terms,
    "book": _one_book,
    "books": _books,
    "frames": _frames,
    "account": lambda path: {**_account(path), **nobody_reads(path)},
    "other": nobody_reads,
    "shape_only": _shape,
}


def _digest(text: str) -> str:
    return sha256_hex(text)[:16]


def _plain(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)


def table(root: Path) -> dict[str, Any]:
    """The outcome of every file below `root`, by its path from there."""
    files = sorted(path for path in root.rglob("*") if path.is_file() and path.name != "MANIFEST.md")
    relatives = [path.relative_to(root).as_posix() for path in files]
    return {relative: outcome(relative, root / relative) for relative in relatives}


if __name__ == "__main__":
    json.dump(table(Path(sys.argv[1])), sys.stdout, indent=1, ensure_ascii=False, sort_keys=True)
    sys.stdout.write("\n")
