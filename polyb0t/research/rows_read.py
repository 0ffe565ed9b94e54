"""What was recorded, back as the values that it was made of."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from polyb0t.core.clock import from_microseconds
from polyb0t.core.ids import AssetId, ConditionId, EventId
from polyb0t.data.markets import FeeSchedule, Market, Outcome, ProtocolVersion, TradingTerms

_AMOUNTS: Final = frozenset(
    {"tick", "min_shares", "liquidity_pusd", "volume_24h_pusd", "best_bid", "best_ask"}
)
_INSTANTS: Final = frozenset({"end_date", "game_start", "opened_at"})


def market_from(condition: str, at_us: int, content: str, rules_text: str) -> Market:
    """The market of a row of `markets` and its rules.

    Raises:
        ValueError: it was not written by this program, or by a version that told less.
    """
    try:
        told = _told(content)
        outcomes = tuple(Outcome(each["label"], AssetId(each["asset_id"])) for each in told.pop("outcomes"))
        first, second = outcomes
        event = told.pop("event_id")
        return Market(
            condition_id=ConditionId(condition),
            observed_at=from_microseconds(at_us),
            outcomes=(first, second),
            version=ProtocolVersion(told.pop("version")),
            event_id=None if event is None else EventId(event),
            tags=tuple(told.pop("tags")),
            rules_text=rules_text,
            **told,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a market that cannot be read: {error}") from error


def terms_from(condition: str, at_us: int, content: str) -> TradingTerms:
    """The terms of a row of `terms`.

    Raises:
        ValueError: it was not written by this program, or by a version that told less.
    """
    try:
        return TradingTerms(
            condition_id=ConditionId(condition), observed_at=from_microseconds(at_us), **_told(content)
        )
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"terms that cannot be read: {error}") from error


def _told(content: str) -> dict[str, Any]:
    raw = json.loads(content)
    return {name: _value(name, value) for name, value in raw.items()}


def _value(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _AMOUNTS:
        return Decimal(value)
    if name in _INSTANTS:
        return _instant(value)
    if name == "fee":
        return FeeSchedule(Decimal(value["rate"]), Decimal(value["exponent"]), value["taker_only"])
    return value


def _instant(value: int) -> datetime:
    return from_microseconds(value)
