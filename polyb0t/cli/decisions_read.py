"""How proposals did, on a screen, as data, and as a file: `report --decisions` and a replay's report."""

import atexit
import gc
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from polyb0t.cli import words
from polyb0t.cli.report_read import sheet_lines, write
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


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed. `form` is text, csv or html; `out` a file in place of the screen."""

    since: str | None = None
    until: str | None = None
    by: By | None = None
    form: str = "text"
    out: Path | None = None


def show(terminal: Terminal, opened: OpenedStore, asked: Asked) -> None:
    """Print how proposals did, or write it to a file.

    Raises:
        UsageError: `bad_date`, `file_not_written`. DatabaseError: the rows could not be read.
    """
    atexit.unregister(gc.freeze)  # the library that reads recordings complains of whatever is left at the end
    made = read_analysis(opened, asked.since, asked.until)
    wallet = "" if opened.scope.is_paper else f", wallet {opened.scope.wallet}"
    title = f"polyb0t, decisions: {mode_words(opened.scope, made.regime)}{wallet}"
    if asked.out is not None:
        write(asked.out, file_of(made, asked, title))
        terminal.show([f"Written: {asked.out}"])
    elif terminal.json:
        terminal.data(analysis_view(made))
    elif asked.form != "text":
        terminal.out.write(file_of(made, asked, title))
    else:
        right = period(made.since, made.until)
        head = context_line(look(opened), terminal.paint, terminal.columns, right=right).split("\n")
        terminal.show([*head, *screen(made, terminal.paint, terminal.columns, asked.by)])


def file_of(made: Analysis, asked: Asked, title: str, before: Sequence[str] = ()) -> str:
    """A page, or a line for each proposal."""
    if asked.form == "html":
        return as_html(made, title, before)
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
