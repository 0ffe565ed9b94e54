"""Which markets are worth looking at, and for each other one the reasons why not.

Pure: markets, books, the time and the rules go in; nothing is read. Each rule is one small function
that returns a named reason or nothing, and every market is judged by all of them, so that the nearest
misses (one reason only, and little short) can be shown.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from polyb0t.core.ids import AssetId
from polyb0t.core.units import ZERO, plain
from polyb0t.data.deny_list import NOTHING_DENIED, DenyList
from polyb0t.data.markets import Market
from polyb0t.data.order_book import OrderBook

_HOUR: Final = 3_600
_UNJUDGED: Final = Decimal(1_000_000)  # the distance of a reason that has no measure: last in any list
QUIET_RESOLUTION: Final = frozenset({"", "inactive"})
# `btc-updown-5m-1787414400`, `eth-updown-15m-...`, `bitcoin-up-or-down-june-8-3pm-et`
_UP_DOWN_SLUG: Final = re.compile(r"(?:^|-)(?:updown|up-or-down)(?:-|$)")
_SHORT_SLUG: Final = re.compile(r"(?:^|-)(?:\d{1,3}m|[1-4]h|\d{1,2}(?:-?\d{2})?(?:am|pm)(?:-et)?)(?:-|$)")
_SHORT_TAGS: Final = frozenset({"5m", "15m", "5-min", "15-min", "1h", "4h", "hourly"})


@dataclass(frozen=True, slots=True)
class UniverseRules:
    """What is let in. None and empty sets let everything pass; the two denials are on by default."""

    least_liquidity_pusd: Decimal | None = Decimal(1_000)
    most_spread: Decimal | None = Decimal("0.03")  # pUSD per share
    least_hours_to_end: Decimal | None = Decimal(72)  # the time exit's two days and one more
    most_days_to_end: Decimal | None = Decimal(180)
    categories: frozenset[str] = frozenset()  # lower case; empty lets all in
    deny: DenyList = NOTHING_DENIED
    deny_short_crypto: bool = True
    deny_in_play: bool = True


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a market stays out. `distance` is how far it is from getting in, as a share of the limit."""

    code: str
    sentence: str
    distance: Decimal = _UNJUDGED


@dataclass(frozen=True, slots=True)
class Excluded:
    """A market with every reason that keeps it out, in the order of the rules."""

    market: Market
    reasons: tuple[Reason, ...]

    @property
    def distance(self) -> Decimal:
        """How near it came: fewer reasons before smaller ones."""
        return sum((reason.distance + _UNJUDGED for reason in self.reasons), ZERO)


@dataclass(frozen=True, slots=True)
class Universe:
    """The decision on every market. `excluded` goes by each market's first reason, nearest first."""

    tradable: tuple[Market, ...]
    excluded: Mapping[str, tuple[Excluded, ...]]
    decided_at: datetime
    sentences: Mapping[str, str] = field(default_factory=dict)  # code -> what the rule asks for

    def nearest_misses(self, count: int = 10) -> tuple[Excluded, ...]:
        """The markets that were closest to getting in."""
        everything = (excluded for group in self.excluded.values() for excluded in group)
        return tuple(sorted(everything, key=_nearness)[:count])

    def counts(self) -> Mapping[str, int]:
        """How many markets each code keeps out, as the first of their reasons."""
        return {code: len(group) for code, group in self.excluded.items()}


@dataclass(frozen=True, slots=True)
class _Case:
    market: Market
    spread: Decimal | None
    now: datetime
    rules: UniverseRules


Rule = Callable[[_Case], Reason | None]


def select(
    markets: Sequence[Market],
    books: Mapping[AssetId, OrderBook],
    now: datetime,
    rules: UniverseRules,
) -> Universe:
    """Judges every market. The spread comes from a book where there is one, else from the catalogue."""
    tradable: list[Market] = []
    excluded: dict[str, list[Excluded]] = {}
    for market in markets:
        case = _Case(market, _spread(market, books), now, rules)
        reasons = tuple(reason for rule in RULES if (reason := rule(case)) is not None)
        if reasons:
            excluded.setdefault(reasons[0].code, []).append(Excluded(market, reasons))
        else:
            tradable.append(market)
    groups = {code: tuple(sorted(group, key=_nearness)) for code, group in excluded.items()}
    return Universe(tuple(tradable), groups, now, ASKED)


def _nearness(excluded: Excluded) -> tuple[int, Decimal, str]:
    return len(excluded.reasons), excluded.distance, excluded.market.slug


def _spread(market: Market, books: Mapping[AssetId, OrderBook]) -> Decimal | None:
    """Both outcomes' books mirror each other, so either tells; a one-sided book has no spread."""
    for outcome in market.outcomes:
        book = books.get(outcome.asset_id)
        if book is not None:
            return book.spread
    if market.best_bid is not None and market.best_ask is not None:
        return market.best_ask - market.best_bid
    return None


def _not_open(case: _Case) -> Reason | None:
    market = case.market
    if market.trade_ready:
        return None
    states = {
        "closed": market.closed,
        "archived": market.archived,
        "not active": not market.active,
        "without an order book": not market.order_book_enabled,
        "not accepting orders": not market.accepting_orders,
    }
    return Reason(
        "not_open", f"The market is {' and '.join(name for name, is_so in states.items() if is_so)}."
    )


def _being_resolved(case: _Case) -> Reason | None:
    status = case.market.resolution_status
    if status in QUIET_RESOLUTION:
        return None
    return Reason("being_resolved", f"Its answer is being decided: the oracle says {status!r}.")


def _terms_unknown(case: _Case) -> Reason | None:
    if case.market.tick is not None and case.market.min_shares is not None:
        return None
    return Reason("terms_unknown", "The catalogue gives no tick or no smallest order.")


def _fee_unknown(case: _Case) -> Reason | None:
    if case.market.fee is not None or case.market.fees_enabled is not True:
        return None
    return Reason("fee_unknown", "It charges fees and gives no schedule for them.")


def _denied(case: _Case) -> Reason | None:
    why = case.rules.deny.why(case.market)
    return Reason("denied", why) if why else None


def _short_crypto(case: _Case) -> Reason | None:
    if not case.rules.deny_short_crypto or not is_short_crypto(case.market):
        return None
    return Reason(
        "short_crypto", "Short up-or-down markets are decided by speed; they are denied by default."
    )


def is_short_crypto(market: Market) -> bool:
    """Whether it asks for up or down over minutes or a few hours."""
    labels = {outcome.label.lower() for outcome in market.outcomes}
    if not (labels == {"up", "down"} or _UP_DOWN_SLUG.search(market.slug)):
        return False
    return _SHORT_SLUG.search(market.slug) is not None or not _SHORT_TAGS.isdisjoint(market.tags)


def _in_play(case: _Case) -> Reason | None:
    start = case.market.game_start
    if not case.rules.deny_in_play or start is None or case.now < start:
        return None
    return Reason("in_play", f"Its game or event began at {start:%Y-%m-%d %H:%M} UTC.")


def _placeholder(case: _Case) -> Reason | None:
    if not case.market.placeholder:
        return None
    return Reason("placeholder", "Its outcome stands for what may be added later; its meaning can change.")


def _category(case: _Case) -> Reason | None:
    allowed, category = case.rules.categories, case.market.category
    if not allowed or category in allowed:
        return None
    return Reason(
        "category", f"Its category, {category or 'unknown'}, is not among {', '.join(sorted(allowed))}."
    )


def _too_soon(case: _Case) -> Reason | None:
    end, least = case.market.end_date, case.rules.least_hours_to_end
    if end is None:
        return Reason("end_unknown", "The catalogue gives no scheduled end.")
    if least is None:
        return None
    hours = _hours_between(case.now, end)
    if hours >= least:
        return None
    if hours < 0:
        return Reason("ended", f"Its scheduled end, {end:%Y-%m-%d %H:%M} UTC, has passed.")
    return Reason(
        "ends_too_soon",
        f"It ends in {hours:.1f} hours; at least {plain(least)} are asked for.",
        1 - hours / least,
    )


def _too_late(case: _Case) -> Reason | None:
    end, most = case.market.end_date, case.rules.most_days_to_end
    if end is None or most is None:
        return None
    days = _hours_between(case.now, end) / 24
    if days <= most:
        return None
    return Reason(
        "ends_too_late", f"It ends in {days:.0f} days; at most {plain(most)} are asked for.", days / most - 1
    )


def _liquidity(case: _Case) -> Reason | None:
    least, liquidity = case.rules.least_liquidity_pusd, case.market.liquidity_pusd
    if least is None:
        return None
    if liquidity is None:
        return Reason("liquidity_unknown", "The catalogue does not say how much liquidity it has.")
    if liquidity >= least:
        return None
    return Reason(
        "liquidity",
        f"Its liquidity is {liquidity:.0f} pUSD; at least {plain(least)} is asked for.",
        1 - liquidity / least,
    )


def _wide(case: _Case) -> Reason | None:
    most, spread = case.rules.most_spread, case.spread
    if most is None:
        return None
    if spread is None:
        return Reason("no_spread", "Its book is empty on one side or has not been seen.")
    if spread <= most:
        return None
    return Reason(
        "spread", f"Its spread is {plain(spread)}; at most {plain(most)} is asked for.", spread / most - 1
    )


def _hours_between(now: datetime, end: datetime) -> Decimal:
    return Decimal(int((end - now).total_seconds())) / _HOUR


# What no setting can change first, what only trading conditions decide last.
RULES: Final[tuple[Rule, ...]] = (
    _not_open,
    _being_resolved,
    _terms_unknown,
    _fee_unknown,
    _denied,
    _short_crypto,
    _in_play,
    _placeholder,
    _category,
    _too_soon,
    _too_late,
    _liquidity,
    _wide,
)

ASKED: Final[Mapping[str, str]] = {
    "not_open": "open, active, with a book that takes orders",
    "being_resolved": "no answer proposed yet",
    "terms_unknown": "tick and smallest order known",
    "fee_unknown": "fees known",
    "denied": "not on the deny list",
    "short_crypto": "no up-or-down market of minutes or hours",
    "in_play": "its game or event has not begun",
    "placeholder": "an outcome with a name of its own",
    "category": "an allowed category",
    "end_unknown": "a scheduled end",
    "ended": "a scheduled end that lies ahead",
    "ends_too_soon": "enough time before the end",
    "ends_too_late": "an end that is near enough",
    "liquidity_unknown": "liquidity known",
    "liquidity": "enough liquidity",
    "no_spread": "a book with two sides",
    "spread": "a narrow enough spread",
}
