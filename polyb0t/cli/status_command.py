"""`polyb0t status`: may it trade, does it run, what is at stake."""

import typer

from polyb0t.cli import door

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def status(ctx: typer.Context, as_json: door.AsJson = False) -> None:
    """Whether trading is allowed and the engine runs. Exit 0: allowed; 4: not; 1: no engine runs."""
    from polyb0t.cli import status_read

    code = status_read.show(door.terminal(ctx, as_json=as_json), door.opened(ctx))
    if code:
        raise typer.Exit(code)
