"""The exchange's taker fees by category and day, for histories that tell no terms of their own.

Fee in pUSD = shares x rate x (p x (1 - p)) ** exponent, takers only. Until 6 January 2026 there was none.
Sources: news of 6 January 2026 on the first fees (The Block, BlockBeats; examples from the exchange's page:
$0.20, $1.56 and $0.0025 for 100 shares at 10, 50 and 99 cents); Odaily on the announcement for NCAAB and
Serie A; docs.polymarket.com trading/fees and its changelog (copies of April to August 2026); the Nautilus
guide to the exchange of 2 July 2026. Where a source leaves a day or a scope open, the dearest schedule that
could have applied is taken. What a recording says of a market always goes before this table.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, NamedTuple

from polyb0t.data.markets import FeeSchedule
from polyb0t.models.fees import NO_FEE, per_share

KNOWN_UNTIL: Final = datetime(2026, 9, 1, tzinfo=UTC)  # nothing later was read
_HALF: Final = Decimal("0.5")


def _linear(rate: str) -> FeeSchedule:
    return FeeSchedule(Decimal(rate), Decimal(1))


class _Change(NamedTuple):
    since: datetime
    category: str
    schedule: FeeSchedule
    new_markets_only: bool = False


_GENERAL: Final = datetime(2026, 3, 30, tzinfo=UTC)
_SINCE_MARCH: Final = {
    "crypto": "0.072",
    "sports": "0.03",
    "politics": "0.04",
    "finance": "0.04",
    "tech": "0.04",
    "mentions": "0.04",
    "economics": "0.05",
    "culture": "0.05",
    "weather": "0.05",
    "other": "0.05",
    "geopolitics": "0",
}
# By day. The first was for crypto markets of 15 minutes, the second for two leagues: of a market that is
# only known to be of that category it could have been the fee.
_CHANGES: Final = (
    _Change(datetime(2026, 1, 6, tzinfo=UTC), "crypto", FeeSchedule(Decimal("0.25"), Decimal(2))),
    _Change(datetime(2026, 2, 18, tzinfo=UTC), "sports", _linear("0.0175"), new_markets_only=True),
    *(_Change(_GENERAL, category, _linear(rate)) for category, rate in _SINCE_MARCH.items()),
    _Change(
        datetime(2026, 6, 8, tzinfo=UTC), "crypto", _linear("0.07")
    ),  # catalogue rows of that day have it
    _Change(datetime(2026, 7, 2, tzinfo=UTC), "sports", _linear("0.05")),  # by the 17th at the latest
)
_SAME: Final = {
    "pop-culture": "culture",
    "entertainment": "culture",
    "technology": "tech",
    "economy": "economics",
    "business": "finance",
    "world": "other",  # not all of it is geopolitics, and those alone are free
}
CATEGORIES: Final = frozenset(_SINCE_MARCH)


def is_known(category: str) -> bool:
    """Whether the table speaks of this category; of others the dearest fee of the day is taken."""
    return _named(category) in CATEGORIES


def fee_at(category: str, at: datetime, opened: datetime | None = None) -> FeeSchedule:
    """What a taker in a market of `category` paid at `at`; `opened` is when the market was, where known.

    An unknown category, and any day after `KNOWN_UNTIL`, gets the dearest that could apply.
    """
    named = _named(category)
    asked = (named,) if named in CATEGORIES else tuple(sorted(CATEGORIES))
    return max((_of_one(each, at, opened) for each in asked), key=_peak)


def fee_changes(
    category: str, since: datetime, until: datetime, opened: datetime | None = None
) -> Iterator[tuple[datetime, FeeSchedule]]:
    """The days inside (since, until) on which the fee of such a market became another one."""
    last = fee_at(category, since, opened)
    for day in sorted({change.since for change in _CHANGES} | {KNOWN_UNTIL}):
        if since < day < until and (now := fee_at(category, day, opened)) != last:
            yield day, now
            last = now


def _of_one(category: str, at: datetime, opened: datetime | None) -> FeeSchedule:
    told = [
        change
        for change in _CHANGES
        if change.category == category
        and change.since <= at
        and not (change.new_markets_only and opened is not None and opened < change.since)
    ]
    if at >= KNOWN_UNTIL:
        return max((change.schedule for change in told if change.since >= _GENERAL), key=_peak)
    return told[-1].schedule if told else NO_FEE


def _named(category: str) -> str:
    plain = category.strip().lower()
    return _SAME.get(plain, plain)


def _peak(schedule: FeeSchedule) -> Decimal:
    return per_share(_HALF, schedule)
