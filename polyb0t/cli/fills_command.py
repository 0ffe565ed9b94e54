"""`polyb0t fills`: what was traded, piece by piece."""

from typing import Annotated

import typer

from polyb0t.cli import door
from polyb0t.core.errors import UsageError

app = typer.Typer(
    help="What was traded, piece by piece: list.",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
)


@app.callback()
def _group() -> None:
    """A group, although it has one command: without this the library leaves the name `list` out."""


@app.command("list")
def list_(
    ctx: typer.Context,
    order: Annotated[
        str | None, typer.Option(metavar="ID", help="Only of this order; the beginning of its id is enough.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many; without it 100, and all of them with --csv.")
    ] = None,
    as_json: door.AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated values, for a spreadsheet.")] = False,
) -> None:
    """Fills, newest first."""
    if as_json and as_csv:
        raise UsageError("Nothing was listed: --json and --csv exclude each other.", do="Give one.")
    from polyb0t.cli import fills_read

    terminal, opened = door.terminal(ctx, as_json=as_json), door.opened(ctx)
    fills_read.show(terminal, opened, order=order, limit=limit, as_csv=as_csv)
