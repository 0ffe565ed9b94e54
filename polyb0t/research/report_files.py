"""A report as a file: comma-separated values for a spreadsheet, and one page of HTML to keep or to print."""

import csv
import io
from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any, Final

from polyb0t.core.units import plain
from polyb0t.research import pages
from polyb0t.research.days import DayRow
from polyb0t.research.groups import By, GroupRow
from polyb0t.research.report_rows import MarketRow
from polyb0t.research.report_words import period, sentences, sheet
from polyb0t.research.reports import Report

_FORMULA: Final = ("=", "+", "@", "-", "\t", "\r")


def as_csv(made: Report, by: By) -> str:
    """One line a row after a heading. Decimals are exact; what is not known is empty."""
    rows: Sequence[Any] = {
        By.MARKET: made.markets,
        By.CATEGORY: made.by_category,
        By.MODEL: made.by_model,
        By.DAY: made.days,
    }[by]
    names = [spec.name for spec in fields(_KINDS[by])]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([cell(getattr(row, name)) for name in names] for row in rows)
    return text.getvalue()


_KINDS: Final[dict[By, Any]] = {
    By.MARKET: MarketRow,
    By.CATEGORY: GroupRow,
    By.MODEL: GroupRow,
    By.DAY: DayRow,
}


def cell(value: object) -> str:
    """Text that a spreadsheet would take for a formula is told as text."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return plain(value)
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def as_html(made: Report, title: str) -> str:
    """One page that needs nothing else: no script, no picture, no address. `title` says where and whose."""
    tables = (
        line
        for by in (By.MARKET, By.CATEGORY, By.MODEL, By.DAY)
        for line in pages.section(f"By {by.value}", sheet(made, by))
    )
    when = pages.paragraph(f"{period(made.since, made.until)}. Money in pUSD.")
    return pages.page(title, [when, *pages.facts(sentences(made)), *tables])
