"""What is recorded, as rows: whole millionths, microseconds since 1970 UTC, and text as it came.

Each row says when we saw it (`at_us`), which is not when it happened: a replay may use a row only from
that moment on. A book has its best levels and the depth of all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Final

from polyb0t.core.canonical import canonical_text
from polyb0t.core.clock import microseconds
from polyb0t.core.ids import AssetId
from polyb0t.core.units import E6, ZERO, Price, Shares, to_e6
from polyb0t.data.markets import Market, TradingTerms
from polyb0t.data.order_book import Level, OrderBook
from polyb0t.data.outside_views import OutsideView
from polyb0t.research.observing import FeatureSeen, SeenTrade

LEVELS: Final = 10  # of each side

# Table -> column -> SQL type. Also the contract with whoever reads the files.
TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "books": {
        "at_us": "BIGINT",
        "venue_us": "BIGINT",
        "asset": "VARCHAR",
        "condition": "VARCHAR",
        "hash": "VARCHAR",
        "tick_e6": "INTEGER",
        "last_trade_e6": "INTEGER",
        "bid_prices_e6": "INTEGER[]",
        "bid_shares_e6": "BIGINT[]",
        "ask_prices_e6": "INTEGER[]",
        "ask_shares_e6": "BIGINT[]",
        "bid_depth_e6": "BIGINT",
        "ask_depth_e6": "BIGINT",
    },
    "trades": {
        "at_us": "BIGINT",
        "venue_us": "BIGINT",
        "asset": "VARCHAR",
        "price_e6": "INTEGER",
        "shares_e6": "BIGINT",
        "taker_side": "VARCHAR",
    },
    # That somebody looked, at least once a minute: books that stand as they were written last, and those
    # that nobody looks at any more. Where these rows stop, nothing is known of any book.
    "seen": {"at_us": "BIGINT", "books": "INTEGER", "lost": "VARCHAR[]"},
    "terms": {"at_us": "BIGINT", "condition": "VARCHAR", "content": "VARCHAR"},
    "markets": {"at_us": "BIGINT", "condition": "VARCHAR", "rules_hash": "VARCHAR", "content": "VARCHAR"},
    "rules": {"at_us": "BIGINT", "condition": "VARCHAR", "rules_hash": "VARCHAR", "text": "VARCHAR"},
    "independent": {
        "at_us": "BIGINT",
        "observed_us": "BIGINT",
        "condition": "VARCHAR",
        "source": "VARCHAR",
        "probability_e6": "INTEGER",
        "sd_e6": "INTEGER",
    },
    "features": {
        "at_us": "BIGINT",
        "asset": "VARCHAR",
        "condition": "VARCHAR",
        "name": "VARCHAR",
        "value_e6": "BIGINT",
    },
}

Row = Mapping[str, object]
_IN_OTHER_TABLES: Final = frozenset({"rules_text", "observed_at", "condition_id"})


def book_row(book: OrderBook) -> Row:
    return {
        "at_us": microseconds(book.observed_at),
        "venue_us": _instant(book.venue_time),
        "asset": book.asset_id,
        "condition": book.condition_id,
        "hash": book.hash,
        "tick_e6": _e6(book.tick),
        "last_trade_e6": _e6(book.last_trade_price),
        "bid_prices_e6": [to_e6(level.price) for level in book.bids[:LEVELS]],
        "bid_shares_e6": [to_e6(level.shares) for level in book.bids[:LEVELS]],
        "ask_prices_e6": [to_e6(level.price) for level in book.asks[:LEVELS]],
        "ask_shares_e6": [to_e6(level.shares) for level in book.asks[:LEVELS]],
        "bid_depth_e6": _depth(book.bids),
        "ask_depth_e6": _depth(book.asks),
    }


def trade_row(trade: SeenTrade) -> Row:
    return {
        "at_us": microseconds(trade.observed_at),
        "venue_us": _instant(trade.venue_time),
        "asset": trade.asset_id,
        "price_e6": to_e6(trade.price),
        "shares_e6": _e6(trade.shares),
        "taker_side": trade.taker_side,
    }


def seen_row(at: datetime, books: int, lost: Sequence[AssetId]) -> Row:
    """`books` that were looked at; `lost` are those which were until now."""
    return {"at_us": microseconds(at), "books": books, "lost": list(lost)}


def terms_row(terms: TradingTerms) -> Row:
    """Tick, least size, fee schedule and delay, as one canonical text."""
    return {
        "at_us": microseconds(terms.observed_at),
        "condition": terms.condition_id,
        "content": _content(terms),
    }


def market_row(market: Market) -> Row:
    """Everything of the catalogue but its rules, as one canonical text."""
    return {
        "at_us": microseconds(market.observed_at),
        "condition": market.condition_id,
        "rules_hash": market.rules_hash,
        "content": _content(market),
    }


def rules_row(market: Market) -> Row:
    return {
        "at_us": microseconds(market.observed_at),
        "condition": market.condition_id,
        "rules_hash": market.rules_hash,
        "text": market.rules_text,
    }


def outside_row(view: OutsideView) -> Row:
    """A probability from outside, with the instant from which it may be used and the one it is of."""
    return {
        "at_us": microseconds(view.known_at),
        "observed_us": microseconds(view.observed_at),
        "condition": view.condition_id,
        "source": view.source,
        "probability_e6": to_e6(view.probability.quantize(E6)),
        "sd_e6": None if view.sd is None else to_e6(view.sd.quantize(E6)),
    }


def feature_row(seen: FeatureSeen) -> Row:
    return {
        "at_us": microseconds(seen.at),
        "asset": seen.asset_id,
        "condition": seen.condition_id,
        "name": seen.name,
        "value_e6": round(seen.value * 1_000_000),
    }


def _content(of: Market | TradingTerms) -> str:
    return canonical_text(
        {f.name: _plain(getattr(of, f.name)) for f in fields(of) if f.name not in _IN_OTHER_TABLES}
    )


def _plain(value: object) -> object:
    """Dataclasses as mappings, so that the canonical form knows them."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value


def _depth(levels: Sequence[Level]) -> int:
    return to_e6(sum((level.shares for level in levels), ZERO))


def _e6(value: Price | Shares | None) -> int | None:
    return None if value is None else to_e6(value)


def _instant(value: datetime | None) -> int | None:
    return None if value is None else microseconds(value)
