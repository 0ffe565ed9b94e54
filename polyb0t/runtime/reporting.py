"""Reads what a report is made of. Asks no exchange: prices are the engine's last ones."""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Final

from polyb0t.core.errors import UsageError
from polyb0t.core.units import ZERO, Pusd, parse_decimal
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import JournalEntry, Stores
from polyb0t.research.report_rows import MarketRow
from polyb0t.research.reports import Report, ReportFacts, report
from polyb0t.runtime.facts import read_facts
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.views import View, value_view

DAY_OPENED: Final = "day.opened"
FEE_DIFFERED: Final = "fee.differed"
MARKET_COLUMNS: Final = tuple(spec.name for spec in fields(MarketRow))
_ENTRIES_AT_ONCE: Final = 1_000


def start_of(day: str | None, now: datetime) -> datetime:
    """Midnight UTC of `day` (YYYY-MM-DD), or of the day of `now`.

    Raises:
        UsageError: it is no date, or one that has not begun.
    """
    try:
        begun = now.astimezone(UTC).date() if day is None else date.fromisoformat(day)
    except ValueError:
        raise UsageError(
            f"No report was made: {day!r:.40} is no date.",
            do="Write it as 2026-11-23, for example: polyb0t report --since 2026-11-23",
            code="bad_date",
        ) from None
    start = datetime.combine(begun, time(), UTC)
    if start > now:
        raise UsageError(f"No report was made: {begun} has not begun.", code="bad_date")
    return start


def read_report(opened: OpenedStore, since: datetime) -> Report:
    """The report of the engine's regime from `since` until now.

    Raises:
        DatabaseError: the rows could not be read.
    """
    stores, regime = opened.stores, opened.regime()
    known = read_facts(opened.engine())
    opening, marks = stores.books.opening(regime), stores.books.marks(regime)
    health = known.health
    return report(
        ReportFacts(
            regime=regime,
            since=since,
            until=stores.intents.now(),
            opening_pusd=opening.pusd if opening else None,
            opened_at=opening.at if opening else None,
            start_equity_pusd=_equity_at(stores, since, regime),
            intents=[each for each in stores.intents.list(limit=None) if each.intent.regime is regime],
            orders=[each for each in stores.orders.orders(limit=None) if each.regime is regime],
            fills=stores.orders.fills(),
            booked=stores.books.movements(),
            bids=known.marks,
            reserved_pusd=stores.orders.reserved_pusd(),
            peak_pusd=marks.peak_pusd if marks else None,
            unexplained_pusd=health.unexplained_pusd if health else Pusd(ZERO),
            fee_differences_pusd=_fee_differences(stores, since),
        )
    )


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


def _equity_at(stores: Stores, since: datetime, regime: Regime) -> Pusd | None:
    """Equity at the first look of the first day of the period that has one."""
    for entry in _entries(stores, since.date().isoformat()):
        told = json.loads(entry.payload)
        if entry.kind == DAY_OPENED and told.get("regime", regime) == regime:
            return Pusd(parse_decimal(told["equity_pusd"]))
    return None


def _fee_differences(stores: Stores, since: datetime) -> Pusd:
    total = ZERO
    for entry in _entries(stores, "account"):
        if entry.kind == FEE_DIFFERED and entry.at >= since:
            told = json.loads(entry.payload)
            total += parse_decimal(told["charged"]) - parse_decimal(told["predicted"])
    return Pusd(total)


def _entries(stores: Stores, subject: str) -> Iterator[JournalEntry]:
    """Every entry about `subject`, the oldest first."""
    after = 0
    while page := stores.engine.journal(after=after, limit=_ENTRIES_AT_ONCE, subject=subject):
        yield from page
        after = page[-1].sequence
