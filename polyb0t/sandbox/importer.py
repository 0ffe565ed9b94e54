"""Recorded answers of the real venue as markets of the sandbox.

A folder of JSON files is read; what a file is, its content says: Gamma events and markets (single, in
lists, in keyset pages), lists of books, lists of `/clob-markets`. Ids, texts, ticks, fees and first
books stay the recorded ones. Two things change, and nothing else: a market recorded before the venue
sent `version` gets `"v1"`, the only generation there was; and when a recorded end lies in the past of
the sandbox's clock, every date of that event moves by the same whole number of days, so that the
recording's moment becomes today (and a market whose end had passed even then ends tomorrow).
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from polyb0t.core.clock import milliseconds
from polyb0t.core.errors import UsageError
from polyb0t.core.units import parse_decimal, to_e6
from polyb0t.sandbox.types import MILLION, MarketSpec

DAY_MS: Final = 86_400_000
SHARE_STEP: Final = 10_000  # recorded sizes are cut to two decimals, as orders are
TICKS: Final = (100_000, 10_000, 5_000, 2_500, 1_000, 100)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?")
Json = Mapping[str, Any]
Levels = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """The markets, and what was left out and why."""

    specs: tuple[MarketSpec, ...]
    skipped: tuple[tuple[str, str], ...]  # (file or market, reason)


@dataclass(slots=True)
class _Found:
    markets: list[tuple[Json, Json | None]] = field(default_factory=list)  # market, its event
    books: dict[str, Json] = field(default_factory=dict)  # by token
    clob: dict[str, Json] = field(default_factory=dict)  # by condition
    skipped: list[tuple[str, str]] = field(default_factory=list)


def import_directory(folder: Path, *, now_ms: int) -> Imported:
    """Every market in the folder's recordings, in a stable order.

    Raises:
        UsageError: the folder is not there or holds no market that can be used.
    """
    if not folder.exists():
        raise UsageError(f"There is no {folder} to import.", do="Name a folder of recorded answers.")
    found = _Found()
    for path in sorted([folder] if folder.is_file() else folder.rglob("*.json")):
        _read(path, found)
    shifts = _shifts(found, now_ms)
    specs: dict[str, MarketSpec] = {}
    for market, event in found.markets:
        name = str(market.get("slug") or market.get("id") or "a market")
        shift = shifts[_group(market, event)]
        try:
            spec = _spec(_shifted(market, shift), event and _shifted(event, shift), found)
        except (ValueError, TypeError, KeyError) as error:
            found.skipped.append((name, f"{error}"))
            continue
        specs.setdefault(spec.condition_id, spec)
    if not specs:
        reasons = "; ".join(f"{name}: {why}" for name, why in found.skipped[:5])
        raise UsageError(f"{folder} holds no market that the sandbox can open.", why=reasons)
    return Imported(tuple(specs.values()), tuple(found.skipped))


# --- recognising ----------------------------------------------------------------------------------


def _read(path: Path, found: _Found) -> None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        found.skipped.append((path.name, f"not JSON: {error}"))
        return
    before = len(found.markets) + len(found.books) + len(found.clob)
    for item in _items(content):
        _sort(item, found)
    if before == len(found.markets) + len(found.books) + len(found.clob):
        found.skipped.append((path.name, "no event, market, book or /clob-markets answer in it"))


def _items(content: object) -> Iterator[Json]:
    """The objects of an answer: itself, its list, or a page's list."""
    if isinstance(content, list):
        for entry in content:
            yield from _items(entry)
    elif isinstance(content, dict):
        page = next((content[k] for k in ("events", "data") if isinstance(content.get(k), list)), None)
        is_keyset = isinstance(content.get("markets"), list) and "id" not in content
        if is_keyset:
            yield from _items(content["markets"])
        elif page is not None and "conditionId" not in content and "id" not in content:
            yield from _items(page)
        else:
            yield content


def _sort(item: Json, found: _Found) -> None:
    if isinstance(item.get("markets"), list) and "slug" in item:
        event = {key: value for key, value in item.items() if key != "markets"}
        found.markets += [(market, event) for market in item["markets"] if isinstance(market, dict)]
    elif "conditionId" in item and "question" in item:
        events = item.get("events")
        found.markets.append((item, events[0] if events and isinstance(events[0], dict) else None))
    elif "asset_id" in item and "bids" in item and "asks" in item:
        found.books[str(item["asset_id"])] = item
    elif "mts" in item and "t" in item and "c" in item:
        found.clob[str(item["c"])] = item


# --- dates ----------------------------------------------------------------------------------------


def _instant(text: object) -> datetime | None:
    if not isinstance(text, str) or not _DATE.fullmatch(text):
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _group(market: Json, event: Json | None) -> str:
    """Markets of one event move together."""
    return str((event or {}).get("id") or market.get("id"))


def _shifts(found: _Found, now_ms: int) -> dict[str, int]:
    """For each event the whole days to move its dates by; 0 when it ends in the future anyway."""
    groups: dict[str, list[Json]] = {}
    for market, event in found.markets:
        groups.setdefault(_group(market, event), []).append(market)
    return {name: _shift_days(markets, now_ms) for name, markets in groups.items()}


def _shift_days(markets: list[Json], now_ms: int) -> int:
    still_open = [market for market in markets if market.get("closed") is not True]
    ends = [milliseconds(end) for market in still_open if (end := _instant(market.get("endDate")))]
    if not ends or min(ends) > now_ms:
        return 0
    seen = [milliseconds(at) for market in still_open if (at := _instant(market.get("updatedAt")))]
    recorded = min(max(seen, default=now_ms), min(ends) - DAY_MS)
    return -(-(now_ms - recorded) // DAY_MS)


def _shifted(value: Any, days: int) -> Any:
    """A copy of an answer with every date moved."""
    if isinstance(value, Mapping):
        return {key: _shifted(item, days) for key, item in value.items()}
    if isinstance(value, list):
        return [_shifted(item, days) for item in value]
    if days and isinstance(value, str) and (instant := _instant(value)) is not None:
        moved = instant + timedelta(days=days)
        return moved.strftime("%Y-%m-%d") + value[10:]
    return value


# --- one market -----------------------------------------------------------------------------------


def _spec(market: Json, event: Json | None, found: _Found) -> MarketSpec:
    """Raises ValueError with the reason when the market cannot be traded here."""
    if market.get("closed") is True:
        raise ValueError("it was closed when it was recorded")
    if market.get("acceptingOrders") is False:
        raise ValueError("it took no orders when it was recorded")
    version = str(market.get("version") or "v1")
    if version != "v1":
        raise ValueError(f"protocol version {version} is not settled here")
    condition = _hex(market.get("conditionId"))
    outcomes, tokens = _two(market, "outcomes"), _two(market, "clobTokenIds")
    clob = found.clob.get(condition)
    tick = _tick(market, clob)
    bids, asks = _first_book(tokens, tick, found)
    event = event or {}
    return MarketSpec(
        gamma_id=str(market["id"]),
        condition_id=condition,
        question_id=str(market.get("questionID") or ""),
        slug=str(market["slug"]),
        question=str(market["question"]),
        description=str(market.get("description") or ""),
        category=_category(market, event),
        tags=_tags(market, event),
        event_id=str(event.get("id") or market["id"]),
        event_slug=str(event.get("slug") or market["slug"]),
        event_title=str(event.get("title") or market["question"]),
        outcomes=outcomes,
        token_ids=tokens,
        start_ms=_milliseconds(market, "startDate", default=0),
        end_ms=_milliseconds(market, "endDate"),
        neg_risk=market.get("negRisk") is True or bool(clob and clob.get("nr")),
        neg_risk_market_id=str(market.get("negRiskMarketID") or ""),
        group_item_title=str(market.get("groupItemTitle") or ""),
        tick_e6=tick,
        min_size_e6=_e6((clob or {}).get("mos", market.get("orderMinSize", 5))),
        seconds_delay=int(market.get("secondsDelay") or 0),
        resolution_source=str(market.get("resolutionSource") or ""),
        game_start_ms=_milliseconds(market, "gameStartTime", default=0) or None,
        raw={**market, "version": version},
        raw_event={**event, "version": version} if event else None,
        raw_clob=clob,
        first_bids=bids,
        first_asks=asks,
        first_price_e6=_first_price(market),
        last_price_e6=_money(market.get("lastTradePrice")) or None,
        volume_e6=_money(market.get("volumeNum")),
        volume_24h_e6=_money(market.get("volume24hr")),
        **_fees(market, clob),
    )


def _first_price(market: Json) -> int | None:
    """Gamma's own price of the first outcome: half-way between its best prices, or the indicative one."""
    bid, ask = _money(market.get("bestBid")), _money(market.get("bestAsk"))
    if 0 < bid < ask < MILLION:
        return (bid + ask) // 2
    text = market.get("outcomePrices")
    prices = json.loads(text) if isinstance(text, str) else None
    return _money(prices[0]) if prices else None


def _money(value: object) -> int:
    """Recorded pUSD cut down to millionths; nothing means none."""
    return 0 if value is None else int(_decimal(value) * MILLION)


def _fees(market: Json, clob: Json | None) -> dict[str, Any]:
    """The schedule of `/clob-markets` if it is there, else Gamma's; none means free."""
    schedule = market.get("feeSchedule") if market.get("feesEnabled") is True else None
    short = clob.get("fd") if clob else None
    if short:
        rate, exponent, taker_only = short["r"], short["e"], short.get("to", True)
    elif schedule:
        rate, exponent, taker_only = schedule["rate"], schedule["exponent"], schedule.get("takerOnly", True)
    else:
        return {"fees_enabled": False, "fee_rate": "0"}
    return {
        "fees_enabled": True,
        "fee_rate": format(_decimal(rate), "f"),
        "fee_exponent": int(exponent),
        "taker_only": bool(taker_only),
        "fee_type": str(market.get("feeType") or ""),
    }


def _first_book(tokens: tuple[str, str], tick: int, found: _Found) -> tuple[Levels, Levels]:
    """The recorded book of the first outcome, or the mirror of the second's; empty without one."""
    first, second = found.books.get(tokens[0]), found.books.get(tokens[1])
    if first is not None:
        bids, asks = _levels(first["bids"], tick), _levels(first["asks"], tick)
    elif second is not None:
        bids = [(MILLION - price, size) for price, size in _levels(second["asks"], tick)]
        asks = [(MILLION - price, size) for price, size in _levels(second["bids"], tick)]
    else:
        return (), ()
    bids, asks = sorted(bids), sorted(asks, reverse=True)
    if bids and asks and bids[-1][0] >= asks[-1][0]:
        raise ValueError("its recorded book is crossed")
    return tuple(bids), tuple(asks)


def _levels(rows: Sequence[Json], tick: int) -> list[tuple[int, int]]:
    levels = [(_e6(row["price"]), _e6(row["size"]) // SHARE_STEP * SHARE_STEP) for row in rows]
    for price, _ in levels:
        if price % tick or not 0 < price < MILLION:
            raise ValueError(f"a recorded price of {price} millionths is off its grid")
    return [(price, size) for price, size in levels if size > 0]


def _tick(market: Json, clob: Json | None) -> int:
    tick = _e6((clob or {}).get("mts", market.get("orderPriceMinTickSize", "0.01")))
    if tick not in TICKS:
        raise ValueError(f"a tick of {tick} millionths is unknown")
    return tick


def _two(market: Json, key: str) -> tuple[str, str]:
    """The two entries of a list that the venue sends as JSON inside a string."""
    value = market.get(key)
    entries = json.loads(value) if isinstance(value, str) else value
    if not isinstance(entries, list) or len(entries) != 2:
        raise ValueError(f"{key} does not name two")
    return str(entries[0]), str(entries[1])


def _hex(value: object) -> str:
    text = str(value or "")
    if not re.fullmatch(r"0x[0-9a-fA-F]{64}", text):
        raise ValueError("it has no condition id")
    return text


def _decimal(value: object) -> Decimal:
    """A recorded number; JSON's doubles are read through their shortest text."""
    return parse_decimal(repr(value) if isinstance(value, float) else value)


def _e6(value: object) -> int:
    return to_e6(_decimal(value))


def _milliseconds(market: Json, key: str, *, default: int | None = None) -> int:
    instant = _instant(market.get(key))
    if instant is not None:
        return milliseconds(instant)
    if default is None:
        raise ValueError(f"it has no {key}")
    return default


def _tags(market: Json, event: Json) -> tuple[str, ...]:
    rows = market.get("tags") or event.get("tags") or []
    return tuple(str(row["label"]) for row in rows if isinstance(row, dict) and row.get("label"))


def _category(market: Json, event: Json) -> str:
    """Gamma's category, else what the fee type names (`economics_fees`), else the first tag."""
    named = market.get("category") or event.get("category")
    if named:
        return str(named)
    kind = str(market.get("feeType") or "").partition("_fees")[0].partition("_")[0]
    tags = _tags(market, event)
    return kind.capitalize() if kind else (tags[0] if tags else "Other")
