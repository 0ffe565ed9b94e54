"""Reads what a report is made of. Asks no exchange: prices are the engine's last ones."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from polyb0t.core.errors import UsageError
from polyb0t.core.ids import AssetId
from polyb0t.core.units import ZERO, Price, Pusd, parse_decimal
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import JournalEntry, Stores
from polyb0t.models.gas import Gas, gas_of
from polyb0t.research.report_rows import MarketRow
from polyb0t.research.reports import Report, ReportFacts, report
from polyb0t.runtime.facts import read_facts
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.views import View, value_view

DAY_OPENED: Final = "day.opened"
FEE_DIFFERED: Final = "fee.differed"
MARKET_COLUMNS: Final = tuple(spec.name for spec in fields(MarketRow))
_ENTRIES_AT_ONCE: Final = 1_000
_DAY: Final = timedelta(days=1)
_MOST_DAYS: Final = 3_660  # ten years of looks into the journal


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` until before `until`, both midnights UTC or now. `over`: it has ended."""

    since: datetime
    until: datetime
    over: bool


def span_of(since: str | None, until: str | None, now: datetime) -> Span:
    """From 00:00 UTC of `since` (today's, or `until`'s, if not given) to the end of the day `until`.

    A day `until` that has not ended means until now.

    Raises:
        UsageError: one is no date (YYYY-MM-DD), the first has not begun, or they are the wrong way round.
    """
    last = None if until is None else _midnight(until)
    first = until if since is None and last is not None and last <= now else since
    begun = start_of(first, now)
    if last is None or last + _DAY > now:
        return Span(begun, now, over=False)  # of a day that has not ended there is what was until now
    if last < begun:
        raise UsageError(
            f"No report was made: {until} is before {since}.",
            do="Name the first day with --since and the last with --until.",
            code="bad_date",
        )
    return Span(begun, last + _DAY, over=True)


def start_of(day: str | None, now: datetime) -> datetime:
    """Midnight UTC of `day` (YYYY-MM-DD), or of the day of `now`.

    Raises:
        UsageError: it is no date, or one that has not begun.
    """
    start = _midnight(f"{now.astimezone(UTC):%Y-%m-%d}" if day is None else day)
    if start > now:
        raise UsageError(f"No report was made: {start.date()} has not begun.", code="bad_date")
    return start


def _midnight(day: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(day), time(), UTC)
    except ValueError:
        raise UsageError(
            f"No report was made: {day!r:.40} is no date.",
            do="Write it as 2026-11-23, for example: polyb0t report --since 2026-11-23",
            code="bad_date",
        ) from None


def read_report(opened: OpenedStore, span: Span) -> Report:
    """The report of the engine's regime over a time.

    Raises:
        DatabaseError: the rows could not be read.
    """
    stores, regime = opened.stores, opened.regime()
    known = read_facts(opened.engine())
    opening, marks = stores.books.opening(regime), stores.books.marks(regime)
    health = known.health
    starts = day_starts(stores, span.since, span.until, regime)
    return report(
        ReportFacts(
            regime=regime,
            since=span.since,
            until=span.until,
            opening_pusd=opening.pusd if opening else None,
            opened_at=opening.at if opening else None,
            start_equity_pusd=_start(stores, span, starts),
            intents=[each for each in stores.intents.list(limit=None) if each.intent.regime is regime],
            orders=[each for each in stores.orders.orders(limit=None) if each.regime is regime],
            fills=stores.orders.fills(),
            booked=stores.books.movements(),
            bids=known.marks,
            reserved_pusd=stores.orders.reserved_pusd(),
            peak_pusd=marks.peak_pusd if marks else None,
            unexplained_pusd=health.unexplained_pusd if health else Pusd(ZERO),
            fee_differences_pusd=_fee_differences(stores, span),
            worth=_worth(stores, known.marks),
            day_starts=starts,
            over=span.over,
            gas=_gas(opened, span),
        )
    )


def _gas(opened: OpenedStore, span: Span) -> Gas:
    """Of the transactions that were made in this time; another regime than live makes none."""
    sends = opened.stores.claims.sends() if opened.regime() is Regime.LIVE else ()
    within = [send.gas_cost_wei for send in sends if span.since <= send.created_at < span.until]
    return gas_of(within, opened.settings.pol_price_pusd)


def _worth(stores: Stores, held: Mapping[AssetId, Price]) -> dict[AssetId, Price]:
    """pUSD a share of what was proposed: what a resolved market pays, else the newest bid that is known."""
    known = stores.prices.all()
    seen = {asset: price.worth for asset, price in known.items() if price.worth is not None}
    final = {asset: price.payout for asset, price in known.items() if price.payout is not None}
    return {**seen, **held, **final}


def report_view(made: Report) -> View:
    """The same as data: plain decimals, ISO instants, None for what is not known."""
    return {**_view(made), "change_fraction": value_view(_rounded(made.equity.change_fraction))}


def market_view(row: MarketRow) -> View:
    """One row of it."""
    return _view(row)


def _view(value: object) -> View:
    view: View = {}
    assert is_dataclass(value)
    for spec in fields(value):
        item = getattr(value, spec.name)
        if is_dataclass(item):
            view[spec.name] = _view(item)
        elif isinstance(item, tuple):
            view[spec.name] = [_view(each) for each in item]
        else:
            view[spec.name] = value_view(item)
    return view


def _rounded(fraction: Decimal | None) -> Decimal | None:
    return None if fraction is None else fraction.quantize(Decimal("0.000001"))


def day_starts(stores: Stores, since: datetime, until: datetime, regime: Regime) -> dict[str, Pusd]:
    """Equity at the first look of each day of a period, and of the day after it, that has one."""
    found: dict[str, Pusd] = {}
    for number in range(min((until - since).days + 2, _MOST_DAYS)):
        day = (since + number * _DAY).date().isoformat()
        for entry in _entries(stores, day):
            told = json.loads(entry.payload)
            if entry.kind == DAY_OPENED and told.get("regime", regime) == regime:
                found.setdefault(day, Pusd(parse_decimal(told["equity_pusd"])))
    return found


def _start(stores: Stores, span: Span, starts: Mapping[str, Pusd]) -> Pusd | None:
    """At the first look of the period; None where something had moved before it."""
    inside = sorted(day for day in starts if day < span.until.isoformat())
    if not inside:
        return None
    looked = start_of(inside[0], span.until)
    moved = [fill.matched_at for fill in stores.orders.fills()]
    moved += [entry.movement.at for entry in stores.books.movements()]
    return None if any(span.since <= each < looked for each in moved) else starts[inside[0]]


def _fee_differences(stores: Stores, span: Span) -> Pusd:
    total = ZERO
    for entry in _entries(stores, "account"):
        if entry.kind == FEE_DIFFERED and span.since <= entry.at < span.until:
            told = json.loads(entry.payload)
            total += parse_decimal(told["charged"]) - parse_decimal(told["predicted"])
    return Pusd(total)


def _entries(stores: Stores, subject: str) -> Iterator[JournalEntry]:
    """Every entry about `subject`, the oldest first."""
    after = 0
    while page := stores.engine.journal(after=after, limit=_ENTRIES_AT_ONCE, subject=subject):
        yield from page
        after = page[-1].sequence
