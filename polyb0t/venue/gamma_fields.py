"""Single fields of a catalogue row that need more than reading: where they hide, what stands in for them."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final
from urllib.parse import quote

from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.markets import FeeSchedule
from polyb0t.venue.parsing import (
    MarketRefused,
    Refused,
    Wire,
    as_object,
    decimal,
    exact_decimal,
    flag,
    instant,
    line,
    share_count,
    tick_size,
)

_PAGE_SITE: Final = "https://polymarket.com"
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
# `Person A`, `Player BC`, `Other`: names that an augmented event keeps free for outcomes to come.
_PLACEHOLDER: Final = re.compile(
    r"other|(?:person|player|candidate|party|team|country|company|movie|option)\s+[a-z]{1,2}", re.IGNORECASE
)


def first_event(row: Wire) -> Wire:
    events = row.get("events")
    if isinstance(events, list) and events and isinstance(events[0], dict):
        return events[0]
    return {}


def tag_slugs(raw: Wire) -> Iterator[str]:
    tags = raw.get("tags")
    for tag in tags if isinstance(tags, list) else ():
        if isinstance(tag, dict):
            slug = line(tag, "slug", longest=300).lower()
            if slug:
                yield slug


def category_of(row: Wire, event: Wire, tags: tuple[str, ...]) -> str:
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


def is_placeholder(row: Wire, event: Wire) -> bool:
    """Whether the market stands for nobody in particular: its event may still grow, and then what it
    means changes (vendor's documentation of augmented neg-risk events, 2026)."""
    grows = flag(event, "negRiskAugmented") is True or flag(row, "negRiskAugmented") is True
    return grows and _PLACEHOLDER.fullmatch(line(row, "groupItemTitle").strip()) is not None


def page_url(slug: str, event_slug: str) -> str:
    if event_slug:
        return f"{_PAGE_SITE}/event/{quote(event_slug, safe='')}/{quote(slug, safe='')}"
    return f"{_PAGE_SITE}/market/{quote(slug, safe='')}" if slug else _PAGE_SITE


def game_start(row: Wire, event: Wire) -> datetime | None:
    own = instant(row, "gameStartTime")
    if own is not None or event.get("gameId") is None:
        return own
    return instant(event, "startTime")


def optional_tick(row: Wire) -> Price | None:
    value = row.get("orderPriceMinTickSize")
    return None if value is None else tick_size(value, "orderPriceMinTickSize")


def optional_shares(row: Wire, key: str) -> Shares | None:
    value = row.get(key)
    return None if value is None else share_count(value, key)


def money(row: Wire, *keys: str) -> Pusd | None:
    for key in keys:
        amount = decimal(row, key)
        if amount is not None:
            return Pusd(amount)
    return None


def indicative_price(row: Wire, key: str) -> Price | None:
    """A cached quote; 0 and 1 stand for an empty side."""
    value = decimal(row, key)
    if value is None or value in (0, 1):
        return None
    if not 0 < value < 1:
        raise MarketRefused("malformed", f"{key} is not a price: {value:f}")
    return Price(value)


def fee_of(row: Wire) -> FeeSchedule | None:
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


def resolution_status(row: Wire) -> str:
    """How far the answer is: the older protocol's oracle state, else the newer one's."""
    own = line(row, "umaResolutionStatus", longest=100) or line(row, "resolutionStatus", longest=100)
    return own.lower()
