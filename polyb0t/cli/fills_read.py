"""Fills on a screen, as data, and as comma-separated values."""

import csv
import io
from collections.abc import Sequence

from polyb0t.cli import words
from polyb0t.cli.scene import context_line, look
from polyb0t.cli.table import Column, table
from polyb0t.cli.terminal import MEDIUM, Terminal
from polyb0t.data.fills import FillStatus
from polyb0t.models import wording
from polyb0t.research.report_files import cell
from polyb0t.runtime.fills_view import FILL_COLUMNS, NamedFill, fill_views, named_fills, page_of
from polyb0t.runtime.opened import OpenedStore

SHOWN = 100
_COLUMNS = (
    Column("TIME (UTC)"),
    Column("TRADE"),
    Column("PRICE", right=True),
    Column("pUSD", right=True),
    Column("FEE", right=True),
    Column("STATUS"),
    Column("MARKET"),
)


def show(
    terminal: Terminal, opened: OpenedStore, *, order: str | None, limit: int | None, as_csv: bool
) -> None:
    """Print the fills.

    Raises:
        NotFoundError, AmbiguousError: no such order, or the beginning of several.
    """
    most = None if as_csv and limit is None else limit or SHOWN
    page = page_of(opened.stores, order=order, limit=most)
    fills = named_fills(opened.stores, page.fills)
    if terminal.json:
        terminal.data(fill_views(fills))
    elif as_csv:
        terminal.out.write(as_values(fills))
    else:
        head = context_line(look(opened), terminal.paint, terminal.columns).split("\n")
        terminal.show([*head, "", *fills_screen(fills, terminal.columns, more=bool(page.next))])


def as_values(fills: Sequence[NamedFill]) -> str:
    """One line for each fill, after a heading; decimals are exact."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FILL_COLUMNS)
    for view in fill_views(fills):
        writer.writerow([cell(view[name]) for name in FILL_COLUMNS])
    return text.getvalue()


def fills_screen(fills: Sequence[NamedFill], columns: int, *, more: bool = False) -> list[str]:
    """The table, or cards where it does not fit."""
    if not fills:
        return words.wrap("Nothing was traded yet. A fill comes from an approved trade.", columns)
    rows = [_row(each) for each in fills]
    if columns < MEDIUM:
        lines = [line for row in rows for line in _card(row, columns)]
    else:
        lines = table(_COLUMNS, rows, columns)
    end = "Final once CONFIRMED. For a spreadsheet: polyb0t fills list --csv"
    older = [f"Older ones: polyb0t fills list --limit {2 * len(fills)}"] if more else []
    return [*lines, "", *older, *words.wrap(end, columns)]


def _row(each: NamedFill) -> list[str]:
    fill = each.fill
    what = f"{fill.side.value} {wording.outcome(each.intent.outcome_label)} {wording.shares(fill.shares)}"
    final = fill.status is FillStatus.CONFIRMED
    return [
        f"{fill.matched_at:%Y-%m-%d %H:%M:%S}",
        what,
        wording.average(fill.price, each.intent.tick),
        wording.money(fill.notional),
        wording.money(fill.fee) if fill.fee else "-",
        fill.status.value if final else f"{fill.status.value}, provisional",
        wording.one_line(each.intent.question),
    ]


def _card(row: Sequence[str], columns: int) -> list[str]:
    time, what, price, money, fee, status, market = row
    return [
        words.cut(f"{time}  {what}", columns),
        words.cut(f"  at {price}, {money} pUSD, fee {fee}, {status}", columns),
        words.cut(f"  {market}", columns),
    ]
