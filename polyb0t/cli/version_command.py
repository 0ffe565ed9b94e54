"""`polyb0t version`."""

import typer

from polyb0t import __version__

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def version() -> None:
    """Which version this is."""
    typer.echo(f"polyb0t {__version__}")
