"""Markets as Gamma, the exchange's catalogue, describes them.

A row that is not understood is refused with its reason, never guessed at. Field meanings: the
vendor's "market details" page and Gamma OpenAPI as of October 2026.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from polyb0t.core.canonical import sha256_hex
from polyb0t.core.ids import AssetId, EventId
from polyb0t.data.markets import Market, Outcome, ProtocolVersion, SkippedMarket
from polyb0t.venue.gamma_fields import (
    category_of,
    fee_of,
    first_event,
    game_start,
    indicative_price,
    is_placeholder,
    money,
    optional_shares,
    optional_tick,
    page_url,
    resolution_status,
    tag_slugs,
)
from polyb0t.venue.parsing import (
    MarketRefused,
    Refused,
    Wire,
    as_object,
    asset_id,
    condition_id,
    flag,
    instant,
    is_position_id,
    line,
    text,
    texts,
    whole,
)

_LONGEST_RULES: Final = 100_000
_LONGEST_DELAY_SECONDS: Final = 3_600


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
        return _market(row, now, event if event is not None else first_event(row))
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
    tags = tuple(dict.fromkeys((*tag_slugs(row), *tag_slugs(event))))
    known = version if version in ("v1", "v2") else "v1"  # the rest is judged first, see below
    market = Market(
        market_id=_required(row, "id"),
        condition_id=condition_id(row.get("conditionId"), "conditionId"),
        question=_required(row, "question"),
        slug=slug,
        page_url=page_url(slug, event_slug),
        category=category_of(row, event, tags),
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
        game_start=game_start(row, event),
        tick=optional_tick(row),
        min_shares=optional_shares(row, "orderMinSize"),
        fees_enabled=flag(row, "feesEnabled"),
        fee=fee_of(row),
        taker_delay_seconds=whole(row, "secondsDelay", largest=_LONGEST_DELAY_SECONDS),
        liquidity_pusd=money(row, "liquidityNum", "liquidity"),
        volume_24h_pusd=money(row, "volume24hr", "volume24hrClob"),
        best_bid=indicative_price(row, "bestBid"),
        best_ask=indicative_price(row, "bestAsk"),
        placeholder=is_placeholder(row, event),
        opened_at=instant(row, "startDate"),
        resolution_source=line(row, "resolutionSource") or line(event, "resolutionSource"),
        resolution_status=resolution_status(row),
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
