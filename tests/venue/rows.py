"""Wire rows for tests: complete and legal, invented, changed only where a test says so."""

import json
from typing import Any

CONDITION = "0x" + "5f" * 32
YES = "71320000000000000000000000000000000000000000000000000000000000000000000002563"
NO = "52110000000000000000000000000000000000000000000000000000000000000000000009426"
# The layout of the newer protocol: 64 zero bits above the lowest 40.
POSITION_YES = str((1 << 248) | (7 << 120) | (2 << 104))
POSITION_NO = str((1 << 248) | (7 << 120) | (2 << 104) | 1)


def a_market_row(**changes: Any) -> dict[str, Any]:
    """One row of `/markets/keyset`; a change to `...` leaves the key out."""
    row = {
        "id": "512345",
        "version": "v1",
        "slug": "will-the-ferry-run",
        "question": "Will the ferry to Lindholm run on time?",
        "conditionId": CONDITION,
        "outcomes": '["Yes", "No"]',
        "outcomePrices": '["0.45", "0.55"]',
        "clobTokenIds": json.dumps([YES, NO]),
        "positionIds": None,
        "active": True,
        "closed": False,
        "archived": False,
        "acceptingOrders": True,
        "enableOrderBook": True,
        "negRisk": False,
        "endDate": "2026-12-31T12:00:00Z",
        "orderPriceMinTickSize": 0.01,
        "orderMinSize": 5,
        "feesEnabled": True,
        "feeType": "culture_fees",
        "feeSchedule": {"exponent": 1, "rate": 0.05, "takerOnly": True, "rebateRate": 0.25},
        "liquidity": "30211.9",
        "liquidityNum": 30211.9,
        "volume24hr": 9120.4,
        "bestBid": 0.44,
        "bestAsk": 0.46,
        "description": "Resolves to Yes if the ferry runs on time.",
        "resolutionSource": "the ferry's timetable",
        "umaResolutionStatus": "",
        "events": [{"id": "90123", "slug": "ferries", "title": "Ferries in December"}],
        "tags": [{"id": "1", "slug": "Culture"}, {"id": "2", "slug": "transport"}],
    }
    return _changed(row, changes)


def a_book_row(asset_id: str = YES, **changes: Any) -> dict[str, Any]:
    """One book as `/book` sends it: the best level last on both sides."""
    row = {
        "market": CONDITION,
        "asset_id": asset_id,
        "timestamp": "1795348800000",
        "hash": "0aef",
        "bids": [{"price": "0.01", "size": "500"}, {"price": "0.44", "size": "120.5"}],
        "asks": [{"price": "0.99", "size": "900"}, {"price": "0.46", "size": "80"}],
        "min_order_size": "5",
        "tick_size": "0.01",
        "neg_risk": False,
        "last_trade_price": "0.45",
    }
    return _changed(row, changes)


def a_terms_row(condition_id: str = CONDITION, **changes: Any) -> dict[str, Any]:
    """One answer of `/clob-markets/{condition}`."""
    row = {
        "c": condition_id,
        "t": [{"t": YES, "o": "Yes"}, {"t": NO, "o": "No"}],
        "mts": 0.01,
        "mos": 5,
        "mbf": 1000,
        "tbf": 1000,
        "fd": {"r": 0.05, "e": 1, "to": True},
    }
    return _changed(row, changes)


def a_change(asset_id: str = YES, **changes: Any) -> dict[str, Any]:
    """One entry of a `price_change` frame."""
    row = {
        "asset_id": asset_id,
        "price": "0.44",
        "size": "150",
        "side": "BUY",
        "hash": "9f",
        "best_bid": "0.44",
        "best_ask": "0.46",
    }
    return _changed(row, changes)


def a_price_change(*changes: dict[str, Any], timestamp: str = "1795348801000") -> str:
    """A `price_change` frame."""
    frame = {"event_type": "price_change", "market": CONDITION, "timestamp": timestamp}
    return json.dumps({**frame, "price_changes": list(changes)})


def a_book_frame(asset_id: str = YES, **changes: Any) -> str:
    """A `book` frame."""
    return json.dumps({"event_type": "book", **a_book_row(asset_id, **changes)})


def _changed(row: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = {**row, **changes}
    return {key: value for key, value in merged.items() if value is not ...}
