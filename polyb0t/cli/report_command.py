"""`polyb0t report`: what a period brought, and how its proposals were decided."""

from typing import Annotated

import typer

from polyb0t.cli import door
from polyb0t.core.errors import UsageError

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def report(
    ctx: typer.Context,
    today: Annotated[bool, typer.Option("--today", help="Since 00:00 UTC; so without any option.")] = False,
    since: Annotated[str | None, typer.Option(help="Since 00:00 UTC of a day: 2026-11-23.")] = None,
    as_json: door.AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="The markets as comma-separated values.")] = False,
) -> None:
    """What a period brought: equity, results, fees, decisions, and each market."""
    if today and since is not None:
        raise UsageError("No report was made: --today and --since exclude each other.", do="Give one.")
    if as_json and as_csv:
        raise UsageError("No report was made: --json and --csv exclude each other.", do="Give one.")
    from polyb0t.cli import report_read

    report_read.show(door.terminal(ctx, as_json=as_json), door.opened(ctx), since, as_csv=as_csv)
