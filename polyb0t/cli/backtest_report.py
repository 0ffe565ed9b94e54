"""What the commands of `polyb0t backtest` that read results do and print."""

import atexit
import gc
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from polyb0t.cli import words
from polyb0t.cli.decisions_read import fact_lines
from polyb0t.cli.report_flow import write
from polyb0t.cli.report_read import sheet_lines
from polyb0t.cli.terminal import MEDIUM, Terminal
from polyb0t.config.settings import load_settings
from polyb0t.core.errors import UsageError
from polyb0t.core.units import parse_decimal
from polyb0t.research.analytics.analysis import Analysis, analyse
from polyb0t.research.analytics.comparing import differences, differences_sheet, paired, side_by_side, verdict
from polyb0t.research.analytics.files import as_csv, run_page
from polyb0t.research.analytics.line_by_line import line_by_line, lines_sheet
from polyb0t.research.analytics.records import Records
from polyb0t.research.analytics.runs import ASSUMED, Run, caveats, fidelity_words, head, run_sentences
from polyb0t.research.analytics.sides import By
from polyb0t.research.analytics.tables import sheet
from polyb0t.research.report_words import Heading, Sheet, plus
from polyb0t.runtime.analysing import analysis_view, plain_view, read_records
from polyb0t.runtime.opened import open_store
from polyb0t.runtime.replay.backtests import Backtests
from polyb0t.runtime.replay.results import Result, read_result

LIVED: Final = ("live", "paper")
_WORDS: Final = 2  # columns of a trade that are sentences: they stand under its figures
_HINT: Final = "More: --by category, model, horizon, decile, intent     Files: --html FILE, --csv FILE"
_HEADS: Final = (
    *(Heading("RUN", text=True), Heading("GRADE", text=True), Heading("FROM", text=True)),
    *(Heading("TO", text=True), Heading("FILLS"), Heading("RESULT", signed=True), Heading("", text=True)),
    *(Heading("MODEL", text=True), Heading("HISTORY", text=True)),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed of `backtest report`."""

    run: str
    by: By | None = None
    html: Path | None = None
    csv: Path | None = None


def listed(terminal: Terminal, flags: Mapping[str, Any]) -> None:
    """Every replay that was kept, by the time that was replayed."""
    _quiet()
    told = Backtests(flags).all()
    if terminal.json:
        terminal.data(told)
    elif not told:
        terminal.show(["Nothing was replayed here yet: polyb0t backtest run recorded"])
    else:
        found = Sheet(_HEADS, tuple(_row(each) for each in told), None)
        terminal.show(sheet_lines(found, terminal.paint, terminal.columns))


def _row(told: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        told["id"],
        told["fidelity"],
        told["since"][:10],
        told["until"][:10],
        f"{told['counts']['fills']:,}",
        plus(parse_decimal(told["money"]["result_pusd"])),
        "assumed" if Run.of(told).assumed else "",
        words.cut(Run.of(told).model, 40),
        words.cut(told["data"]["name"], 40),
    )


def side(name: str | None) -> By | None:
    """Raises UsageError for what is no side of a report."""
    _quiet()
    if name is None or name in tuple(By):
        return None if name is None else By(name)
    raise UsageError(f"No report was made: {name!r:.40} is no side of it.", do=f"One of: {', '.join(By)}.")


def report(terminal: Terminal, flags: Mapping[str, Any], asked: Asked) -> None:
    """What a replay is worth, and then what it brought.

    Raises:
        NotFoundError: `no_backtest`. ConfigurationError: `backtest_damaged`. UsageError: `file_not_written`.
    """
    _quiet()
    result = read_result(Backtests(flags), asked.run)
    made = analyse(result.records)
    if asked.html is not None:
        write(asked.html, run_page(result.run, made))
    if asked.csv is not None:
        write(asked.csv, as_csv(made, asked.by or By.INTENT))
    if terminal.json:
        terminal.data(
            {"run": dict(result.run.told), "doubts": list(result.run.doubts), **analysis_view(made)}
        )
    elif asked.html is None and asked.csv is None:
        terminal.show(_screen(terminal, result.run, made, asked.by))
    else:
        written = [f"Written: {path}" for path in (asked.html, asked.csv) if path is not None]
        terminal.show([*_in_short(result.run, made, terminal.columns), *written])


def _in_short(run: Run, made: Analysis, columns: int) -> list[str]:
    """What the files say above all: what the result is worth, how sure it is, and the result."""
    said = dict(run_sentences(run, made))
    facts = [("Fidelity", fidelity_words(run))]
    facts += [(name, said[name]) for name in ("Proposals", "Certainty", "Result") if name in said]
    return fact_lines(facts, columns)


def _screen(terminal: Terminal, run: Run, made: Analysis, by: By | None) -> list[str]:
    columns = terminal.columns
    lines = fact_lines(head(run), columns)
    for name, said in caveats(run):
        lines += [f"{name}:", *(line for each in said for line in words.hang(f"- {each}", columns, 2))]
    lines += ["", *fact_lines(run_sentences(run, made), columns)]
    found = sheet(made, by or By.FATE)
    lines += [
        "",
        *(sheet_lines(found, terminal.paint, columns) if found.rows else ["Nothing to show by that."]),
    ]
    return [*lines, *words.fold(_HINT, columns)]


def compare(terminal: Terminal, flags: Mapping[str, Any], first: str, second: str) -> None:
    """Two replays; or, where the first is `live` or `paper`, that account in the time of the replay.

    Raises:
        NotFoundError: `no_backtest`, `no_engine`. ConfigurationError: `backtest_damaged`.
    """
    if second in LIVED:
        raise UsageError(
            f"Nothing was compared: {second} stands second.",
            do=f"Name it first: polyb0t backtest compare {second} {first}",
        )
    _quiet()
    backtests = Backtests(flags)
    other = read_result(backtests, second)
    if first in LIVED:
        _lived(terminal, _account(flags, first, other), other)
    else:
        _runs(terminal, read_result(backtests, first), other)


def _runs(terminal: Terminal, first: Result, second: Result) -> None:
    one, other = analyse(first.records), analyse(second.records)
    differ, pairs = differences(first.run, second.run), paired(one, other)
    said = verdict(first.run, second.run, pairs)
    if terminal.json:
        terminal.data(
            {
                "first": first.run.id,
                "second": second.run.id,
                "differences": [plain_view(each) for each in differ],
                "paired": plain_view(pairs),
                "verdict": said,
            }
        )
        return
    grades = [(f"Fidelity {each.id}", fidelity_words(each)) for each in (first.run, second.run)]
    lines = [line for name, text in grades for line in words.hang(f"{name}  {text}", terminal.columns, 2)]
    parts = (
        differences_sheet(first.run, second.run, differ),
        side_by_side(first.run, one, second.run, other),
    )
    for found in parts:
        told = (
            sheet_lines(found, terminal.paint, terminal.columns)
            if found.rows
            else ["They differ in nothing."]
        )
        lines += ["", *told]
    terminal.show([*lines, "", *words.wrap(said, terminal.columns)])


def _account(flags: Mapping[str, Any], name: str, replayed: Result) -> Records:
    """The account's own records in the time of the replay, judged by all that is known now."""
    opened = open_store(load_settings(**{**flags, "mode": name}))
    records = read_records(opened, None, None)
    run = replayed.run
    return replace(records, since=run.since, asked_until=run.until)


def _lived(terminal: Terminal, lived: Records, other: Result) -> None:
    lines = line_by_line((lived, analyse(lived)), (other.records, analyse(other.records)))
    found = lines_sheet(lines)
    if terminal.json:
        terminal.data(
            [
                dict(zip((each.name.lower() for each in found.headings), row, strict=True))
                for row in found.rows
            ]
        )
        return
    run = other.run
    said = f"{ASSUMED if run.assumed else ''}Fidelity {fidelity_words(run)}"
    shown = _trade_lines(found, terminal)
    nothing = "Neither the account nor the replay traded in that time."
    terminal.show([*words.wrap(said, terminal.columns), "", *(shown if lines else [nothing])])


def _trade_lines(found: Sheet, terminal: Terminal) -> list[str]:
    """Figures in a line; under it why both are not the same, and of which market."""
    if terminal.columns < MEDIUM:
        return sheet_lines(found, terminal.paint, terminal.columns)
    total = None if found.total is None else found.total[:-_WORDS]
    figures = Sheet(found.headings[:-_WORDS], tuple(row[:-_WORDS] for row in found.rows), total)
    heading, *lines = sheet_lines(figures, terminal.paint, terminal.columns)
    shown = [heading]
    for line, row in zip_longest(lines, found.rows):
        shown.append(line)
        if row is not None:
            why, market = row[-_WORDS:]
            shown += words.hang(f"  {why}: {market}", terminal.columns, 4)
    return shown


def _quiet() -> None:
    atexit.unregister(gc.freeze)  # the library that reads histories complains of whatever is left at the end
