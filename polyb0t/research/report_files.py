"""A report as a file: comma-separated values for a spreadsheet, and one page of HTML to keep or to print."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import fields
from decimal import Decimal
from html import escape
from typing import Any, Final

from polyb0t.core.units import plain
from polyb0t.models import wording
from polyb0t.research.days import DayRow
from polyb0t.research.groups import By, GroupRow
from polyb0t.research.report_rows import MarketRow
from polyb0t.research.report_words import Heading, Sheet, period, sentences, sheet
from polyb0t.research.reports import Report

_FORMULA: Final = ("=", "+", "@", "-", "\t", "\r")
_POLICY: Final = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
)
_STYLE: Final = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
       color: #1a1a1a; background: #fff; }
h1 { font-size: 1.25rem; margin: 0; } h2 { font-size: 1rem; margin: 2rem 0 .4rem; }
p { margin: .2rem 0; color: #555; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.2rem; }
dt { font-weight: 600; } dd { margin: 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid #ddd; }
th.text, td.text { text-align: left; } tfoot td { font-weight: 600; border-bottom: none; }
.gain { color: #0a6b2d; } .loss { color: #a8201a; }
@media (prefers-color-scheme: dark) {
  body { color: #ddd; background: #161616; } p { color: #aaa; } th, td { border-color: #333; }
  .gain { color: #5ec27c; } .loss { color: #f08a80; } }
@media print { body { margin: 0; max-width: none; } }
"""


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
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            _POLICY,
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            f"<h1>{escape(title)}</h1>\n<p>{escape(period(made.since, made.until))}. Money in pUSD.</p>",
            *_facts(made),
            *(line for by in (By.MARKET, By.CATEGORY, By.MODEL, By.DAY) for line in _section(made, by)),
            "</body>\n</html>\n",
        ]
    )


def _facts(made: Report) -> Iterator[str]:
    yield "<dl>"
    for name, text in sentences(made):
        yield f"<dt>{escape(name)}</dt><dd>{escape(wording.one_line(text))}</dd>"
    yield "</dl>"


def _section(made: Report, by: By) -> Iterator[str]:
    found = sheet(made, by)
    yield f"<h2>By {by.value}</h2>"
    if not found.rows:
        yield "<p>Nothing in this time.</p>"
        return
    yield "<table>\n<thead><tr>" + "".join(_head(each) for each in found.headings) + "</tr></thead>\n<tbody>"
    for row in found.rows:
        yield _line(found, row)
    yield "</tbody>"
    if found.total is not None:
        yield "<tfoot>" + _line(found, found.total) + "</tfoot>"
    yield "</table>"


def _head(heading: Heading) -> str:
    return f'<th scope="col"{_class(heading, "")}>{escape(heading.name)}</th>'


def _line(found: Sheet, cells: Sequence[str]) -> str:
    pairs = zip(found.headings, cells, strict=True)
    return "<tr>" + "".join(f"<td{_class(one, cell)}>{escape(cell)}</td>" for one, cell in pairs) + "</tr>"


def _class(heading: Heading, cell: str) -> str:
    if heading.text:
        return ' class="text"'
    if heading.signed and cell[:1] in ("+", "-") and len(cell) > 1:
        return ' class="gain"' if cell[0] == "+" else ' class="loss"'
    return ""
