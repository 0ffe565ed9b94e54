"""`polyb0t config`: every setting, its value, and where the value comes from. Secrets never."""

import typer

from polyb0t.cli import door

app = typer.Typer(help="The settings.", rich_markup_mode=None, add_completion=False)


@app.callback(no_args_is_help=True)
def _config() -> None:
    pass


@app.command()
def show(ctx: typer.Context, as_json: door.AsJson = False) -> None:
    """Name, value and source of every setting."""
    from polyb0t.cli import config_read

    config_read.show(door.terminal(ctx, as_json=as_json), door.settings(ctx), door.root(ctx).flags)
