"""`polyb0t kill-switches`: what holds trading back, and lifting it with a reason."""

from typing import Annotated

import typer

from polyb0t.cli import door

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.callback()
def _group() -> None:
    """See what holds trading back, and lift it."""


@app.command("list")
def list_switches(ctx: typer.Context, as_json: door.AsJson = False) -> None:
    """Every switch: clear or tripped, since when, by whom and why."""
    from polyb0t.cli import switches_read

    switches_read.show(door.terminal(ctx, as_json=as_json), door.opened(ctx))


@app.command("clear")
def clear(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The switch, for example RECONCILIATION.")],
    reason: Annotated[str, typer.Option(help="Why trading may go on; the journal keeps it.")] = "",
    as_json: door.AsJson = False,
) -> None:
    """Lift a tripped switch. While its cause holds, the engine trips it again."""
    from polyb0t.cli import switches_read

    switches_read.clear(door.terminal(ctx, as_json=as_json), door.opened(ctx), name, reason)
