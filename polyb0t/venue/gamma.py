"""Markets as Gamma, the exchange's catalogue, describes them.

A row that is not understood is refused with its reason, never guessed at. Field meanings: the
vendor's "market details" page and Gamma OpenAPI as of October 2026.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from urllib.parse import quote

from polyb0t.core.canonical import sha256_hex
from polyb0t.core.ids import AssetId, EventId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.markets import FeeSchedule, Market, Outcome, ProtocolVersion, SkippedMarket
from polyb0t.venue.parsing import (
    MarketRefused,
    Refused,
    Wire,
    as_object,
    asset_id,
    condition_id,
    decimal,
    exact_decimal,
    flag,
    instant,
    is_position_id,
    line,
    share_count,
    text,
    texts,
    tick_size,
    whole,
)

_PAGE_SITE: Final = "https://polymarket.com"
_LONGEST_RULES: Final = 100_000
_LONGEST_DELAY_SECONDS: Final = 3_600
# Tags that name a category, the narrower before the wider: a market carries several.
_CATEGORY_TAGS: Final = (
    "esports",
    "sports",
    "crypto",
    "weather",
    "mentions",
    "economics",
    "economy",
    "finance",
    "tech",
    "geopolitics",
    "politics",
    "culture",
    "pop-culture",
    "entertainment",
    "world",
)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one answer: markets, what was skipped and why, and where the next page starts."""

    markets: tuple[Market, ...]
    skipped: tuple[SkippedMarket, ...]
    next_cursor: str = ""


def parse_market(raw: object, now: datetime, event: Wire | None = None) -> Market:
    """The market of one catalogue row. `event` is the row's own event where the row lies inside one.

    Flags that are absent take the value that can not be traded. `version` is judged last, so a
    market refused for its version has no other fault.

    Raises:
        MarketRefused: the row is malformed, has not two outcomes, or no version that is known.
    """
    try:
        row = as_object(raw, "the market")
        return _market(row, now, event if event is not None else _first_event(row))
    except MarketRefused:
        raise
    except Refused as refused:
        raise MarketRefused(refused.code, refused.what) from refused


def parse_markets(raw: object, now: datetime) -> Page:
    """Every market of an answer, whichever of the catalogue's shapes it has.

    One market or event, a plain list of either, a page of `/markets/keyset` or `/events/keyset`, or
    the result of a search. Markets inside an event take title, tags and page from it.

    Raises:
        MarketRefused: the answer is none of these, for example a refusal of the exchange.
    """
    try:
        rows, cursor = _rows(raw)
    except MarketRefused:
        raise
    except Refused as refused:
        raise MarketRefused(refused.code, refused.what) from refused
    markets: list[Market] = []
    skipped: list[SkippedMarket] = []
    for name, row, event in _unfolded(rows):
        try:
            markets.append(parse_market(row, now, event))
        except MarketRefused as refused:
            skipped.append(SkippedMarket(name, f"{refused.code}: {refused.what}"))
    return Page(tuple(markets), tuple(skipped), cursor)


def _rows(raw: object) -> tuple[list[object], str]:
    """The rows of an answer and the cursor of the next page, "" at the end."""
    if isinstance(raw, list):
        return raw, ""
    answer = as_object(raw, "the answer")
    if "conditionId" in answer or ("slug" in answer and "markets" in answer):
        return [answer], ""
    for key in ("markets", "events"):
        rows = answer.get(key)
        if isinstance(rows, list):
            return rows, text(answer, "next_cursor", longest=4_000)
    words = line(answer, "error")
    if words:
        raise MarketRefused("error_answer", f"the catalogue refused: {words:.200}")
    raise MarketRefused("not_markets", "the answer has no list of markets")


def _unfolded(rows: list[object]) -> Iterator[tuple[str, object, Wire | None]]:
    """Rows with their names; an event's markets one by one, each with its event."""
    for position, row in enumerate(rows, 1):
        inner = row.get("markets") if isinstance(row, dict) and "conditionId" not in row else None
        if isinstance(row, dict) and isinstance(inner, list):
            for place, market in enumerate(inner, 1):
                yield _name(market, f"{_name(row, f'event {position}')} row {place}"), market, row
        else:
            yield _name(row, f"row {position}"), row, None


def _name(row: object, otherwise: str) -> str:
    """A slug or id for the list of skipped rows, or the row's place."""
    if isinstance(row, dict):
        for key in ("slug", "id"):
            value = row.get(key)
            if isinstance(value, str) and value.isprintable() and value:
                return value[:200]
    return otherwise


def _market(row: Wire, now: datetime, event: Wire) -> Market:
    labels, version = _labels(row), row.get("version")
    slug, event_slug = line(row, "slug", longest=300), line(event, "slug", longest=300)
    rules = text(row, "description", longest=_LONGEST_RULES)
    negative_risk, books = flag(row, "negRisk"), flag(row, "enableOrderBook")
    tags = tuple(dict.fromkeys((*_tags(row), *_tags(event))))
    known = version if version in ("v1", "v2") else "v1"  # the rest is judged first, see below
    market = Market(
        market_id=_required(row, "id"),
        condition_id=condition_id(row.get("conditionId"), "conditionId"),
        question=_required(row, "question"),
        slug=slug,
        page_url=_page_url(slug, event_slug),
        category=_category(row, event, tags),
        tags=tags,
        event_id=EventId(line(event, "id")) if line(event, "id") else None,
        event_title=line(event, "title"),
        outcomes=_outcomes(row, labels, ProtocolVersion(known)),
        version=ProtocolVersion(known),
        neg_risk=negative_risk is True,
        active=flag(row, "active") is True,
        closed=flag(row, "closed") is not False,
        archived=flag(row, "archived") is not False,
        accepting_orders=flag(row, "acceptingOrders") is True,
        # Which contract an order is signed for hangs on negRisk: without it there is no book for us.
        order_book_enabled=books is True and negative_risk is not None,
        end_date=instant(row, "endDate"),
        game_start=_game_start(row, event),
        tick=_optional_tick(row),
        min_shares=_optional_shares(row, "orderMinSize"),
        fees_enabled=flag(row, "feesEnabled"),
        fee=_fee(row),
        taker_delay_seconds=whole(row, "secondsDelay", largest=_LONGEST_DELAY_SECONDS),
        liquidity_pusd=_money(row, "liquidityNum", "liquidity"),
        volume_24h_pusd=_money(row, "volume24hr", "volume24hrClob"),
        best_bid=_indicative(row, "bestBid"),
        best_ask=_indicative(row, "bestAsk"),
        resolution_source=line(row, "resolutionSource") or line(event, "resolutionSource"),
        resolution_status=_resolution_status(row),
        rules_text=rules,
        rules_hash=sha256_hex(rules),
        observed_at=now,
    )
    _check_version(version)
    return market


def _check_version(version: object) -> None:
    if version is None:
        raise MarketRefused("version_missing", "the market does not say which protocol version it trades on")
    if version not in ("v1", "v2"):
        raise MarketRefused("version_unknown", f"protocol version {version!r:.40} is not known here")


def _required(row: Wire, key: str) -> str:
    value = line(row, key)
    if not value:
        raise MarketRefused("malformed", f"{key} is missing")
    return value


def _labels(row: Wire) -> tuple[str, str]:
    labels = texts(row, "outcomes", most=1_000)
    if labels is None:
        raise MarketRefused("malformed", "outcomes are missing")
    if len(labels) != 2:
        raise MarketRefused("not_two_outcomes", f"the market has {len(labels)} outcomes, not two")
    first, second = (line({"outcome": label}, "outcome", longest=200) for label in labels)
    if not first or not second or first == second:
        raise MarketRefused("malformed", "the two outcomes have no different names")
    return first, second


def _outcomes(row: Wire, labels: tuple[str, str], version: ProtocolVersion) -> tuple[Outcome, Outcome]:
    """Ids by the market's version, also when both kinds are present."""
    key = "clobTokenIds" if version is ProtocolVersion.V1 else "positionIds"
    ids = texts(row, key, most=1_000)
    if not ids:
        raise MarketRefused(
            "no_asset_ids", f"{key} is empty: the exchange may not have deployed the market yet"
        )
    if len(ids) != 2 or ids[0] == ids[1]:
        raise MarketRefused("malformed", f"{key} does not hold two different ids")
    first, second = (_checked_id(value, key, version) for value in ids)
    return Outcome(labels[0], first), Outcome(labels[1], second)


def _checked_id(value: str, key: str, version: ProtocolVersion) -> AssetId:
    asset = asset_id(value, key)
    if is_position_id(asset) is not (version is ProtocolVersion.V2):
        # Signing follows the version and the vendor's tools follow the id: they must agree.
        raise MarketRefused("version_contradicted", f"an id in {key} belongs to another protocol version")
    return asset


def _first_event(row: Wire) -> Wire:
    events = row.get("events")
    if isinstance(events, list) and events and isinstance(events[0], dict):
        return events[0]
    return {}


def _tags(raw: Wire) -> Iterator[str]:
    tags = raw.get("tags")
    for tag in tags if isinstance(tags, list) else ():
        if isinstance(tag, dict):
            slug = line(tag, "slug", longest=300).lower()
            if slug:
                yield slug


def _category(row: Wire, event: Wire, tags: tuple[str, ...]) -> str:
    """The catalogue's own word, else the fee class, else the first tag that names a category.

    New rows have no `category`; their `feeType` reads like `politics_fees` or `crypto_fees_v2`.
    """
    own = line(row, "category", longest=200) or line(event, "category", longest=200)
    if own:
        return own.lower()
    if isinstance(row.get("cryptoMarketConfig"), dict):
        return "crypto"
    fee_class = line(row, "feeType", longest=200).lower().partition("_fees")[0]
    if fee_class and fee_class != "general":
        if fee_class == "sports" and "esports" in tags:
            return "esports"
        return fee_class
    return next((name for name in _CATEGORY_TAGS if name in tags), "")


def _page_url(slug: str, event_slug: str) -> str:
    if event_slug:
        return f"{_PAGE_SITE}/event/{quote(event_slug, safe='')}/{quote(slug, safe='')}"
    return f"{_PAGE_SITE}/market/{quote(slug, safe='')}" if slug else _PAGE_SITE


def _game_start(row: Wire, event: Wire) -> datetime | None:
    own = instant(row, "gameStartTime")
    if own is not None or event.get("gameId") is None:
        return own
    return instant(event, "startTime")


def _optional_tick(row: Wire) -> Price | None:
    value = row.get("orderPriceMinTickSize")
    return None if value is None else tick_size(value, "orderPriceMinTickSize")


def _optional_shares(row: Wire, key: str) -> Shares | None:
    value = row.get(key)
    return None if value is None else share_count(value, key)


def _money(row: Wire, *keys: str) -> Pusd | None:
    for key in keys:
        amount = decimal(row, key)
        if amount is not None:
            return Pusd(amount)
    return None


def _indicative(row: Wire, key: str) -> Price | None:
    """A cached quote; 0 and 1 stand for an empty side."""
    value = decimal(row, key)
    if value is None or value in (0, 1):
        return None
    if not 0 < value < 1:
        raise MarketRefused("malformed", f"{key} is not a price: {value:f}")
    return Price(value)


def _fee(row: Wire) -> FeeSchedule | None:
    schedule = row.get("feeSchedule")
    if schedule is None:
        return None
    return fee_schedule(
        as_object(schedule, "feeSchedule"), rate="rate", exponent="exponent", taker="takerOnly"
    )


def fee_schedule(raw: Mapping[str, object], *, rate: str, exponent: str, taker: str) -> FeeSchedule:
    """A fee schedule under the names that this endpoint gives its fields.

    Raises:
        Refused: a rate outside 0 to 1, an exponent outside 0 to 10, or one of them missing.
    """
    rate_value = exact_decimal(raw.get(rate), f"fee {rate}")
    exponent_value = exact_decimal(raw.get(exponent), f"fee {exponent}")
    if not 0 <= rate_value <= 1 or not 0 <= exponent_value <= Decimal(10):
        raise Refused("malformed", f"the fee schedule is not possible: {rate_value:f}, {exponent_value:f}")
    return FeeSchedule(rate_value, exponent_value, taker_only=flag(raw, taker) is not False)


def _resolution_status(row: Wire) -> str:
    """How far the answer is: the older protocol's oracle state, else the newer one's."""
    own = line(row, "umaResolutionStatus", longest=100) or line(row, "resolutionStatus", longest=100)
    return own.lower()
