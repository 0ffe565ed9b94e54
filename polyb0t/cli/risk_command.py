"""`polyb0t risk`: each limit, and how much of it is used."""

from typing import Annotated

import typer

from polyb0t.cli import door

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def risk(
    ctx: typer.Context,
    marks: Annotated[
        bool,
        typer.Option("--marks", help="What one day may take by prices alone; decides nothing."),
    ] = False,
    as_json: door.AsJson = False,
) -> None:
    """Every limit with its present use: orders, money at risk, pace, and where most is at risk."""
    from polyb0t.cli import risk_read

    if marks:
        risk_read.show_marks(door.terminal(ctx, as_json=as_json), door.opened(ctx))
        return
    risk_read.show(door.terminal(ctx, as_json=as_json), door.opened(ctx))
