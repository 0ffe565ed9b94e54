"""The report on a screen, as data, and as a file."""

from typing import Final

from polyb0t.cli import words
from polyb0t.cli.report_flow import Asked, deliver
from polyb0t.cli.scene import Scene, context_line, look
from polyb0t.cli.table import Column, table
from polyb0t.cli.terminal import MEDIUM, Paint, Terminal
from polyb0t.execution.scope import mode_words
from polyb0t.research.groups import By
from polyb0t.research.report_files import as_csv, as_html
from polyb0t.research.report_words import IF_TAKEN, Heading, Sheet, period, sentences, sheet
from polyb0t.research.reports import Report
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.reporting import read_report, report_view, span_of

_LABEL: Final = 11
_WIDEST: Final = {"MARKET": 38, "OUTCOME": 12, "CATEGORY": 24, "MODEL": 30, "NOT KNOWN": 40}
HINT: Final = "By market, category, model, day: --by market     Files: --csv, --json, --html"


def show(terminal: Terminal, opened: OpenedStore, asked: Asked[By]) -> None:
    """Print the report, or write it to a file.

    Raises:
        UsageError: `bad_date`, `file_not_written`. DatabaseError: the rows could not be read.
    """
    made = read_report(opened, span_of(asked.since, asked.until, opened.stores.intents.now()))
    deliver(
        terminal,
        asked,
        file=lambda: _file(made, opened, asked),
        data=lambda: report_view(made),
        screen=lambda: report_screen(made, look(opened), terminal.paint, terminal.columns, asked.by),
    )


def _file(made: Report, opened: OpenedStore, asked: Asked[By]) -> str:
    if asked.form == "html":
        where = mode_words(opened.scope, made.regime)
        wallet = "" if opened.scope.is_paper else f", wallet {opened.scope.wallet}"
        return as_html(made, f"polyb0t: {where}{wallet}")
    return as_csv(made, asked.by or By.MARKET)


def report_screen(made: Report, scene: Scene, paint: Paint, columns: int, by: By | None = None) -> list[str]:
    """The whole screen; with `by` its table as well."""
    right = period(made.since, made.until)
    lines = [*context_line(scene, paint, columns, right=right).split("\n")]
    for name, text in sentences(made):
        lines += _fact(name, text, columns)
    if by is not None:
        return [*lines, "", *sheet_lines(sheet(made, by), paint, columns)]
    if not made.markets:
        lines += ["", "Nothing was traded in this time and nothing is held."]
    return [*lines, *words.fold(HINT, columns)]


def _fact(name: str, text: str, columns: int) -> list[str]:
    if name == IF_TAKEN:
        return words.hang(f"{name}    {text}", columns, _LABEL)
    first, *rest = words.fold(text, columns - _LABEL) or [""]
    return [f"{name:<{_LABEL}}{first}", *(" " * _LABEL + line for line in rest)]


def sheet_lines(found: Sheet, paint: Paint, columns: int) -> list[str]:
    """A table as lines; on a narrow screen a few lines a row."""
    if not found.rows:
        return ["Nothing was traded in this time and nothing is held."]
    rows = [*found.rows, *([found.total] if found.total and len(found.rows) > 1 else [])]
    if columns < MEDIUM:
        return [line for row in rows for line in _card(found.headings, row, columns)]
    heads = [Column(each.name, right=not each.text, widest=_WIDEST.get(each.name)) for each in found.headings]
    painted = [[_painted(*pair, paint) for pair in zip(found.headings, row, strict=True)] for row in rows]
    return table(heads, painted, columns)


def _painted(heading: Heading, cell: str, paint: Paint) -> str:
    if not heading.signed or cell[:1] not in ("+", "-") or len(cell) < 2:
        return cell
    return paint.green(cell) if cell[0] == "+" else paint.red(cell)


def _card(headings: tuple[Heading, ...], row: tuple[str, ...], columns: int) -> list[str]:
    """Its name, and beneath it what is there of the rest."""
    rest = [
        f"{each.name.lower()} {cell}"
        for each, cell in list(zip(headings, row, strict=True))[1:]
        if cell not in ("", "-")
    ]
    told = words.fold("  ".join(rest), columns - 2)
    return [words.cut(row[0], columns), *(f"  {line}" for line in told)]
