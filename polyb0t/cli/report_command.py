"""`polyb0t report`: what a period brought, and how its proposals were decided."""

from pathlib import Path
from typing import Annotated

import typer

from polyb0t.cli import door
from polyb0t.core.errors import UsageError

app = typer.Typer(rich_markup_mode=None, add_completion=False)
SIDES = ("market", "category", "model", "day")


@app.command()
def report(
    ctx: typer.Context,
    today: Annotated[bool, typer.Option("--today", help="Since 00:00 UTC; so without any option.")] = False,
    since: Annotated[str | None, typer.Option(help="Since 00:00 UTC of a day: 2026-11-23.")] = None,
    until: Annotated[str | None, typer.Option(help="To the end of a day, UTC: 2026-11-24.")] = None,
    by: Annotated[str | None, typer.Option(help="A table by market, category, model or day.")] = None,
    as_json: door.AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="The table as comma-separated values.")] = False,
    as_html: Annotated[bool, typer.Option("--html", help="Everything as one page of HTML.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write it to this file.")] = None,
) -> None:
    """What a period brought: equity, results, fees, slippage, decisions, and what the others would have."""
    _refuse(today=today, since=since, until=until, by=by, forms=(as_json, as_csv, as_html), out=out)
    from polyb0t.cli import report_read
    from polyb0t.research.groups import By

    asked = report_read.Asked(
        since=since,
        until=until,
        by=None if by is None else By(by),
        form="html" if as_html else "csv" if as_csv else "text",
        out=out,
    )
    report_read.show(door.terminal(ctx, as_json=as_json), door.opened(ctx), asked)


def _refuse(
    *,
    today: bool,
    since: str | None,
    until: str | None,
    by: str | None,
    forms: tuple[bool, bool, bool],
    out: Path | None,
) -> None:
    """Raises UsageError for what cannot be meant."""
    if today and (since is not None or until is not None):
        raise UsageError("No report was made: --today excludes --since and --until.", do="Give one.")
    if sum(forms) > 1:
        raise UsageError("No report was made: --json, --csv and --html exclude each other.", do="Give one.")
    if by is not None and by not in SIDES:
        raise UsageError(
            f"No report was made: {by!r:.40} is no side of it.", do=f"One of: {', '.join(SIDES)}."
        )
    if out is not None and not any(forms[1:]):
        raise UsageError(
            "No report was made: --out needs a form of file.",
            do="polyb0t report --html --out report.html, or --csv.",
        )
