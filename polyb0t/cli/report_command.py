"""`polyb0t report`: what a period brought, and how its proposals were decided."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from polyb0t.cli import door
from polyb0t.cli.terminal import Terminal
from polyb0t.core.errors import UsageError

if TYPE_CHECKING:
    from polyb0t.runtime.opened import OpenedStore

app = typer.Typer(rich_markup_mode=None, add_completion=False)
SIDES = ("market", "category", "model", "day")
DECISION_SIDES = ("fate", "category", "model", "horizon", "decile", "intent")


@app.command()
def report(
    ctx: typer.Context,
    today: Annotated[bool, typer.Option("--today", help="Since 00:00 UTC; so without any option.")] = False,
    since: Annotated[str | None, typer.Option(help="Since 00:00 UTC of a day: 2026-11-23.")] = None,
    until: Annotated[str | None, typer.Option(help="To the end of a day, UTC: 2026-11-24.")] = None,
    decisions: Annotated[
        bool, typer.Option("--decisions", help="How every proposal did, taken or not.")
    ] = False,
    by: Annotated[str | None, typer.Option(help="A table by market, category, model or day.")] = None,
    as_json: door.AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="The table as comma-separated values.")] = False,
    as_html: Annotated[bool, typer.Option("--html", help="Everything as one page of HTML.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write it to this file.")] = None,
) -> None:
    """What a period brought: equity, results, fees, slippage, decisions, and what the others would have.

    With --decisions: how every proposal did since the first one, by what became of it, with how sure it is.
    """
    sides = DECISION_SIDES if decisions else SIDES
    _refuse(
        today=today, since=since, until=until, by=by, sides=sides, forms=(as_json, as_csv, as_html), out=out
    )
    form = "html" if as_html else "csv" if as_csv else "text"
    if decisions:
        _decisions(
            door.terminal(ctx, as_json=as_json), door.opened(ctx), (today, since, until), by, form, out
        )
        return
    from polyb0t.cli import report_read
    from polyb0t.cli.report_flow import Asked
    from polyb0t.research.groups import By

    asked = Asked(
        since=since,
        until=until,
        by=None if by is None else By(by),
        form=form,
        out=out,
    )
    report_read.show(door.terminal(ctx, as_json=as_json), door.opened(ctx), asked)


def _decisions(
    terminal: Terminal,
    opened: "OpenedStore",
    when: tuple[bool, str | None, str | None],
    by: str | None,
    form: str,
    out: Path | None,
) -> None:
    from polyb0t.cli import decisions_read
    from polyb0t.cli.report_flow import Asked
    from polyb0t.research.analytics.sides import By

    today, since, until = when
    asked = Asked(
        since=f"{opened.stores.intents.now():%Y-%m-%d}" if today else since,
        until=until,
        by=None if by is None else By(by),
        form=form,
        out=out,
    )
    decisions_read.show(terminal, opened, asked)


def _refuse(
    *,
    today: bool,
    since: str | None,
    until: str | None,
    by: str | None,
    sides: tuple[str, ...],
    forms: tuple[bool, bool, bool],
    out: Path | None,
) -> None:
    """Raises UsageError for what cannot be meant."""
    if today and (since is not None or until is not None):
        raise UsageError("No report was made: --today excludes --since and --until.", do="Give one.")
    if sum(forms) > 1:
        raise UsageError("No report was made: --json, --csv and --html exclude each other.", do="Give one.")
    if by is not None and by not in sides:
        raise UsageError(
            f"No report was made: {by!r:.40} is no side of it.", do=f"One of: {', '.join(sides)}."
        )
    if out is not None and not any(forms[1:]):
        raise UsageError(
            "No report was made: --out needs a form of file.",
            do="polyb0t report --html --out report.html, or --csv.",
        )
