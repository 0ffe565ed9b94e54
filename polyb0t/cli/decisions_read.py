"""How proposals did, on a screen, as data, and as a file: `report --decisions` and a replay's report."""

import atexit
import gc
from collections.abc import Iterable
from typing import Final

from polyb0t.cli import words
from polyb0t.cli.report_flow import Asked, deliver
from polyb0t.cli.report_read import sheet_lines
from polyb0t.cli.scene import context_line, look
from polyb0t.cli.terminal import Paint, Terminal
from polyb0t.execution.scope import mode_words
from polyb0t.research.analytics.analysis import Analysis
from polyb0t.research.analytics.files import as_csv, as_html
from polyb0t.research.analytics.sides import By
from polyb0t.research.analytics.tables import sheet
from polyb0t.research.analytics.words import sentences
from polyb0t.research.report_words import period
from polyb0t.runtime.analysing import analysis_view, read_analysis
from polyb0t.runtime.opened import OpenedStore

_LABEL: Final = 11
HINT: Final = "More: --by fate, category, model, horizon, decile, intent     Files: --csv, --json, --html"


def show(terminal: Terminal, opened: OpenedStore, asked: Asked[By]) -> None:
    """Print how proposals did, or write it to a file.

    Raises:
        UsageError: `bad_date`, `file_not_written`. DatabaseError: the rows could not be read.
    """
    atexit.unregister(gc.freeze)  # the library that reads recordings complains of whatever is left at the end
    made = read_analysis(opened, asked.since, asked.until)
    deliver(
        terminal,
        asked,
        file=lambda: _file(made, opened, asked),
        data=lambda: analysis_view(made),
        screen=lambda: [
            *_head(made, opened, terminal),
            *screen(made, terminal.paint, terminal.columns, asked.by),
        ],
    )


def _head(made: Analysis, opened: OpenedStore, terminal: Terminal) -> list[str]:
    right = period(made.since, made.until)
    return context_line(look(opened), terminal.paint, terminal.columns, right=right).split("\n")


def _file(made: Analysis, opened: OpenedStore, asked: Asked[By]) -> str:
    """A page, or a line for each proposal."""
    if asked.form == "html":
        wallet = "" if opened.scope.is_paper else f", wallet {opened.scope.wallet}"
        return as_html(made, f"polyb0t, decisions: {mode_words(opened.scope, made.regime)}{wallet}")
    return as_csv(made, asked.by or By.INTENT)


def screen(made: Analysis, paint: Paint, columns: int, by: By | None = None) -> list[str]:
    """Sentences, and the table that was asked for; if none was, the one by what became of them."""
    lines = fact_lines(sentences(made), columns)
    if not made.all.proposals and by is None:
        return lines
    found = sheet(made, by or By.FATE)
    lines += ["", *(sheet_lines(found, paint, columns) if found.rows else ["Nothing to show by that."])]
    return [*lines, *words.fold(HINT, columns)]


def fact_lines(facts: Iterable[tuple[str, str]], columns: int) -> list[str]:
    """Labels in a column of their own."""
    lines: list[str] = []
    for name, text in facts:
        first, *rest = words.fold(text, columns - _LABEL) or [""]
        lines += [f"{name:<{_LABEL}}{first}", *(" " * _LABEL + line for line in rest)]
    return lines
