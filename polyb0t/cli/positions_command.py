"""`polyb0t positions`: what is held, what it cost, what it would bring."""

import typer

from polyb0t.cli import door

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def positions(ctx: typer.Context, as_json: door.AsJson = False) -> None:
    """What is held, what was paid for it, and what the bid would bring."""
    from polyb0t.cli import positions_read

    positions_read.show(door.terminal(ctx, as_json=as_json), door.opened(ctx))
