"""`polyb0t positions`: what is held, and what a person does with it."""

from typing import Annotated

import typer

from polyb0t.cli import door

app = typer.Typer(rich_markup_mode=None, add_completion=False, invoke_without_command=True)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The position, as `positions` names it.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.callback()
def positions(ctx: typer.Context, as_json: door.AsJson = False) -> None:
    """What is held, what was paid for it, and what the bid would bring."""
    if ctx.invoked_subcommand is not None:
        return
    from polyb0t.cli import positions_read

    positions_read.show(door.terminal(ctx, as_json=as_json), door.opened(ctx))


@app.command(cls=door.Command)
def close(
    ctx: typer.Context,
    position_id: IdArgument,
    shares: Annotated[str | None, typer.Option(help="Only so many.")] = None,
    worst_price: Annotated[str | None, typer.Option(help="Not under this, for example 58c.")] = None,
    yes: Yes = False,
    wait: Annotated[float | None, typer.Option(min=0, max=600, help="Wait so many seconds.")] = None,
    code: door.Code = None,
    as_json: door.AsJson = False,
) -> None:
    """Sell now, at a floor that is shown; one y approves it."""
    from polyb0t.cli import by_hand
    from polyb0t.core.units import Shares
    from polyb0t.runtime.prices import price_of, size_of

    size = size_of(shares, "number of shares")
    done = by_hand.close(
        door.terminal(ctx, as_json=as_json),
        door.opened(ctx),
        position_id,
        None if size is None else Shares(size),
        None if worst_price is None else price_of(worst_price),
        by_hand.How(yes=yes, wait=wait, code=code),
    )
    if done:
        raise typer.Exit(done)


@app.command(cls=door.Command)
def protect(
    ctx: typer.Context,
    position_id: IdArgument,
    triggers: Annotated[str | None, typer.Option(help="Which exits, for example stop_loss,time.")] = None,
    worst_price: Annotated[str | None, typer.Option(help="Not under this, for example 50c.")] = None,
    hours: Annotated[float | None, typer.Option("--for-hours", help="For so long.")] = None,
    yes: Yes = False,
    code: door.Code = None,
    as_json: door.AsJson = False,
) -> None:
    """Approve its exits in advance: they run while you sleep."""
    from polyb0t.cli import by_hand
    from polyb0t.runtime.prices import price_of
    from polyb0t.runtime.standing_terms import Terms

    named = None if triggers is None else tuple(part.strip() for part in triggers.split(",") if part.strip())
    terms = Terms(named, None if worst_price is None else price_of(worst_price), hours)
    terminal, opened = door.terminal(ctx, as_json=as_json), door.opened(ctx)
    done = by_hand.protect(terminal, opened, position_id, terms, by_hand.How(yes=yes, code=code))
    if done:
        raise typer.Exit(done)


@app.command(cls=door.Command)
def unprotect(
    ctx: typer.Context,
    position_id: IdArgument,
    reason: Annotated[str, typer.Option(help="Why; the journal keeps it.")] = "",
    as_json: door.AsJson = False,
) -> None:
    """Take that approval back, at once."""
    from polyb0t.cli import by_hand

    by_hand.unprotect(door.terminal(ctx, as_json=as_json), door.opened(ctx), position_id, reason)
