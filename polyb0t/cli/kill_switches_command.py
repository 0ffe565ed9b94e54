"""`polyb0t kill-switches`: what holds trading back, and lifting it with a reason."""

from typing import Annotated

import typer

from polyb0t.cli import door

app = typer.Typer(rich_markup_mode=None, add_completion=False)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The switch, for example DAILY_LOSS.")]


@app.callback()
def _group() -> None:
    """See what holds trading back, trip it, lift it."""


@app.command("list")
def list_switches(ctx: typer.Context, as_json: door.AsJson = False) -> None:
    """Every switch: what is measured now, where it trips, and what holds trading back."""
    from polyb0t.cli import switches_read

    switches_read.show(door.terminal(ctx, as_json=as_json), door.opened(ctx))


@app.command("trip", cls=door.Command)
def trip(
    ctx: typer.Context,
    name: Name,
    reason: Annotated[str, typer.Option(help="Why; the journal keeps it.")] = "",
    as_json: door.AsJson = False,
) -> None:
    """Trip a switch by hand: what waits or is approved to open is rejected."""
    from polyb0t.cli import switches_move

    switches_move.trip(door.terminal(ctx, as_json=as_json), door.opened(ctx), name, reason)


@app.command("clear", cls=door.Command)
def clear(
    ctx: typer.Context,
    name: Name,
    reason: Annotated[str, typer.Option(help="Why trading may go on; the journal keeps it.")] = "",
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="DRAWDOWN only: measure from today's equity on. Asks twice.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Practice money: do not ask.")] = False,
    as_json: door.AsJson = False,
) -> None:
    """Lift a tripped switch, once its cause is gone."""
    from polyb0t.cli import switches_move

    request = switches_move.Clearing(name, reason, accept_loss=accept_loss, yes=yes)
    switches_move.clear(door.terminal(ctx, as_json=as_json), door.opened(ctx), request)


@app.command("override", cls=door.Command)
def override(
    ctx: typer.Context,
    name: Name,
    lasting: Annotated[str, typer.Option("--for", help="For how long, like 2h or 90m; at most 24h.")] = "",
    reason: Annotated[str, typer.Option(help="Why trading goes on; the journal keeps it.")] = "",
    as_json: door.AsJson = False,
) -> None:
    """Let trading go on although the cause holds, until an end. Not for RECONCILIATION and MANUAL."""
    from polyb0t.cli import switches_move

    switches_move.override(door.terminal(ctx, as_json=as_json), door.opened(ctx), name, lasting, reason)
