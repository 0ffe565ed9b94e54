"""`polyb0t halt`: stop trading now. Asks nothing, needs no engine, and works when the database does not."""

from typing import Annotated

import typer

from polyb0t.cli import door

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def halt(
    ctx: typer.Context,
    reason: Annotated[str, typer.Option(help="Why; the journal keeps it.")] = "",
    as_json: door.AsJson = False,
) -> None:
    """Stop everything but cancels, until somebody resumes."""
    from polyb0t.cli import halting

    halting.halt(door.terminal(ctx, as_json=as_json), door.settings(ctx), reason)
