"""`polyb0t universe`: which markets are watched, and why not the others."""

from typing import Annotated

import typer

from polyb0t.cli import door

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def universe(
    ctx: typer.Context,
    why: Annotated[bool, typer.Option("--why", help="Reasons with counts, and the nearest misses.")] = False,
    as_json: door.AsJson = False,
) -> None:
    """How many markets are watched and tradable, and why nothing is proposed."""
    from polyb0t.cli import universe_read

    universe_read.show(door.terminal(ctx, as_json=as_json), door.opened(ctx), why=why)
