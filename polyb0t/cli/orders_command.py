"""`polyb0t orders`: what was sent and how it stands."""

from typing import Annotated

import typer

from polyb0t.cli import door

app = typer.Typer(
    help="Orders at the exchange: list, show, cancel.",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
)

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The beginning of the order's id, or of its intent's id.")
]


@app.command("list")
def list_(
    ctx: typer.Context,
    open_: Annotated[bool, typer.Option("--open", help="Only what has no proven end.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
    as_json: door.AsJson = False,
) -> None:
    """Orders, newest first."""
    from polyb0t.cli import orders_read

    orders_read.show_list(door.terminal(ctx, as_json=as_json), door.opened(ctx), only_open=open_, limit=limit)


@app.command(cls=door.Command)
def show(ctx: typer.Context, order_id: IdArgument, as_json: door.AsJson = False) -> None:
    """One order with its fills."""
    from polyb0t.cli import orders_read

    orders_read.show_one(door.terminal(ctx, as_json=as_json), door.opened(ctx), order_id)


@app.command(cls=door.Command)
def cancel(ctx: typer.Context, order_id: IdArgument, as_json: door.AsJson = False) -> None:
    """Take an order back at the exchange. Needs no approval; what has filled stays filled."""
    from polyb0t.cli import orders_cancel

    code = orders_cancel.cancel(door.terminal(ctx, as_json=as_json), door.opened(ctx), order_id)
    if code:
        raise typer.Exit(code)


@app.command("cancel-all", cls=door.Command)
def cancel_all(
    ctx: typer.Context,
    everything: Annotated[
        bool, typer.Option("--everything", help="Also what polyb0t did not place; shown first.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before --everything.")] = False,
    as_json: door.AsJson = False,
) -> None:
    """Take every order of ours back, by id, at once. Works while no engine runs."""
    from polyb0t.cli import orders_cancel

    terminal = door.terminal(ctx, as_json=as_json)
    code = orders_cancel.cancel_all(terminal, door.opened(ctx), everything=everything, yes=yes)
    if code:
        raise typer.Exit(code)
