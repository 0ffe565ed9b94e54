"""One market and one event as Gamma spells them. Numbers are exact: no float is involved."""

import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from polyb0t.sandbox.identifiers import event_of_position, short
from polyb0t.sandbox.text import e6_text
from polyb0t.sandbox.types import MILLION, MarketSpec, MarketView


def number(millionths: int) -> msgspec.Raw:
    """A JSON number with exactly these digits."""
    return msgspec.Raw(e6_text(millionths).encode())


def iso_ms(at_ms: int) -> str:
    """Gamma's spelling of an instant, to the second."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def market_json(view: MarketView, *, with_tags: bool, listed: bool = True) -> dict[str, object]:
    """A market; one that the exchange does not know yet (`listed`) has no ids to trade.

    One that was imported keeps every field of its recording that does not move.

    Like the venue's newer rows it says its category only through `feeType` and its tags, and the
    tags only to those who ask for them.
    """
    spec = view.spec
    still = {"marketMakerAddress": ""} | dict(spec.raw) if spec.raw is not None else _invented(spec)
    tags = still.pop("tags", None) or tags_json(spec.tags)
    ids = _outcome_ids(spec) if listed else {}
    return (
        still | _identity(spec) | ids | _v2_ids(spec) | _moving(view) | ({"tags": tags} if with_tags else {})
    )


def event_json(views: Sequence[MarketView]) -> dict[str, object]:
    """An event without its markets."""
    spec = views[0].spec
    still: dict[str, object] = dict(spec.raw_event) if spec.raw_event is not None else {}
    still.pop("markets", None)
    volume, liquidity = sum(v.volume_e6 for v in views), sum(v.liquidity_e6 for v in views)
    return still | {
        "id": spec.event_id,
        "version": spec.version,
        "ticker": spec.event_slug,
        "slug": spec.event_slug,
        "title": spec.event_title,
        "description": still.get("description", spec.description),
        "startDate": iso_ms(min(view.spec.start_ms for view in views)),
        "endDate": iso_ms(max(view.spec.end_ms for view in views)),
        "active": True,
        "closed": all(view.closed for view in views),
        "archived": False,
        "enableOrderBook": True,
        "negRisk": spec.neg_risk,
        "enableNegRisk": spec.neg_risk,
        "negRiskMarketID": spec.neg_risk_market_id,
        "negRiskAugmented": still.get("negRiskAugmented", spec.augmented),
        "volume": number(volume),
        "volume24hr": number(sum(view.volume_24h_e6 for view in views)),
        "liquidity": number(liquidity),
        "openInterest": number(0),
        "tags": tags_json(spec.tags),
    }


def tags_json(tags: Sequence[str]) -> list[dict[str, object]]:
    """Tags with slugs and ids that follow from their labels."""
    return [{"id": tag_id(label), "slug": tag_slug(label), "label": label} for label in tags]


def tag_slug(label: str) -> str:
    """`World affairs` is `world-affairs`."""
    return "-".join(label.lower().split())


def tag_id(label: str) -> str:
    """A decimal id, the same in every world."""
    return str(100_000 + zlib.crc32(tag_slug(label).encode()) % 900_000)


def _identity(spec: MarketSpec) -> dict[str, object]:
    return {
        "id": spec.gamma_id,
        "version": spec.version,
        "conditionId": short(spec.condition_id) if spec.version == "v2" else spec.condition_id,
        "slug": spec.slug,
        "question": spec.question,
        "outcomes": json.dumps(list(spec.outcomes)),
        "clobTokenIds": None if spec.version == "v2" else "[]",
        "positionIds": None,
        "negRisk": spec.neg_risk,
        "startDate": iso_ms(spec.start_ms),
        "endDate": iso_ms(spec.end_ms),
        "endDateIso": iso_ms(spec.end_ms)[:10],
        "feesEnabled": spec.fees_enabled,
        "feeSchedule": fee_schedule(spec),
        "orderMinSize": number(spec.min_size_e6),
        "secondsDelay": spec.seconds_delay,
    }


def fee_schedule(spec: MarketSpec) -> dict[str, object] | None:
    """What takers pay, or nothing."""
    if not spec.fees_enabled:
        return None
    return {
        "exponent": spec.fee_exponent,
        "rate": msgspec.Raw(spec.fee_rate.encode()),
        "takerOnly": spec.taker_only,
        "rebateRate": msgspec.Raw(b"0.25"),
    }


def _outcome_ids(spec: MarketSpec) -> dict[str, object]:
    """What to trade: text in v1, an array in v2; the other one is null."""
    if spec.version == "v2":
        return {"clobTokenIds": None, "positionIds": list(spec.token_ids)}
    return {"clobTokenIds": json.dumps(list(spec.token_ids)), "positionIds": None}


def _v2_ids(spec: MarketSpec) -> dict[str, object]:
    """The oracle's ids, padded to 32 bytes."""
    if spec.version != "v2":
        return {}
    return {
        "requestId": spec.condition_id,
        "onchainEventId": event_of_position(int(spec.token_ids[0])),
    }


def _invented(spec: MarketSpec) -> dict[str, object]:
    return {
        "questionID": spec.question_id,
        "description": spec.description,
        "groupItemTitle": spec.group_item_title,
        "resolutionSource": spec.resolution_source,
        "image": "",
        "icon": "",
        "createdAt": iso_ms(spec.start_ms),
        "acceptingOrdersTimestamp": iso_ms(spec.start_ms),
        "feeType": spec.fee_type,
        "makerBaseFee": 1000,
        "takerBaseFee": 1000,
        "marketMakerAddress": "",
        "restricted": False,
        "rfqEnabled": False,
        "negRiskMarketID": spec.neg_risk_market_id,
        "negRiskOther": spec.augmented and spec.group_item_title == "Other",
        "rewardsMinSize": 0,
        "rewardsMaxSpread": 0,
        "events": [_event_stub(spec)],
    } | ({} if spec.game_start_ms is None else {"gameStartTime": iso_ms(spec.game_start_ms)})


def _event_stub(spec: MarketSpec) -> dict[str, object]:
    return {
        "id": spec.event_id,
        "ticker": spec.event_slug,
        "slug": spec.event_slug,
        "title": spec.event_title,
        "active": True,
        "closed": False,
        "archived": False,
        "negRisk": spec.neg_risk,
        "negRiskAugmented": spec.augmented,
        "endDate": iso_ms(spec.end_ms),
        "version": spec.version,
    }


def _moving(view: MarketView) -> dict[str, object]:
    spec = view.spec
    moving: dict[str, object] = {
        "active": True,
        "closed": view.closed,
        "archived": False,
        "acceptingOrders": view.accepting,
        "enableOrderBook": True,
        "orderPriceMinTickSize": number(view.tick_e6),
        "volume": e6_text(view.volume_e6),
        "volumeNum": number(view.volume_e6),
        "volumeClob": number(view.volume_e6),
        "volume24hr": number(view.volume_24h_e6),
        "liquidity": e6_text(view.liquidity_e6),
        "liquidityNum": number(view.liquidity_e6),
        "liquidityClob": number(view.liquidity_e6),
        "outcomePrices": json.dumps([e6_text(price) for price in outcome_prices(view)]),
        "updatedAt": iso_ms(view.updated_ms),
    }
    if spec.version == "v2":
        moving["resolutionStatus"] = "resolved" if view.closed else "inactive"
    else:
        moving["umaResolutionStatus"] = _uma_status(view)
    moving |= _prices(view)
    if view.closed_ms is not None:
        moving["closedTime"] = iso_ms(view.closed_ms)
    if spec.raw is not None and "events" not in spec.raw:
        moving["events"] = [_event_stub(spec)]
    return moving


def _uma_status(view: MarketView) -> str:
    """In the catalogue's words, which know no second proposal; empty while nothing is proposed."""
    status = view.oracle_status
    return {"initialized": "", "reproposed": "proposed"}.get(status, status)


def _prices(view: MarketView) -> Mapping[str, object]:
    bid = 0 if view.best_bid_e6 is None else view.best_bid_e6
    ask = MILLION if view.best_ask_e6 is None else view.best_ask_e6
    last = view.last_price_e6
    return {
        "bestBid": number(bid),
        "bestAsk": number(ask),
        "spread": number(ask - bid),
        "lastTradePrice": number(last if last is not None else 0),
    }


def outcome_prices(view: MarketView) -> tuple[int, int]:
    """Indicative prices: payouts once resolved, else midpoint, else the last trade, else a half."""
    if view.payouts_e6 is not None:
        return view.payouts_e6
    if view.best_bid_e6 is not None and view.best_ask_e6 is not None:
        first = (view.best_bid_e6 + view.best_ask_e6) // 2
    else:
        first = MILLION // 2 if view.last_price_e6 is None else view.last_price_e6
    return first, MILLION - first
