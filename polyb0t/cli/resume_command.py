"""`polyb0t resume`: lift a halt, with a reason."""

from typing import Annotated

import typer

from polyb0t.cli import door

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def resume(
    ctx: typer.Context,
    reason: Annotated[str, typer.Option(help="Why trading may go on; the journal keeps it.")] = "",
    as_json: door.AsJson = False,
) -> None:
    """Clear the halt that a person made. Other switches keep their hold."""
    from polyb0t.cli import halting

    halting.resume(door.terminal(ctx, as_json=as_json), door.settings(ctx), reason)
