"""`polyb0t intents`: see what waits, look closer, decide."""

from typing import Annotated

import typer

from polyb0t.cli import door

app = typer.Typer(
    help="Proposed trades: list, show, approve, reject.",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The id, or enough of its beginning.")]


@app.command("list")
def list_(
    ctx: typer.Context,
    all_: Annotated[bool, typer.Option("--all", help="Also what has ended.")] = False,
    status: Annotated[str | None, typer.Option(help="Only this status, for example PENDING.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
    as_json: door.AsJson = False,
) -> None:
    """What waits for a decision."""
    from polyb0t.cli import intents_read

    intents_read.show_list(
        door.terminal(ctx, as_json=as_json), door.opened(ctx), every=all_, status=status, limit=limit
    )


@app.command(cls=door.Command)
def show(
    ctx: typer.Context,
    intent_id: IdArgument,
    checks: Annotated[bool, typer.Option("--checks", help="Every check with value and limit.")] = False,
    rules: Annotated[bool, typer.Option("--rules", help="The market's rules in full.")] = False,
    as_json: door.AsJson = False,
) -> None:
    """One trade, with all that a decision needs."""
    from polyb0t.cli import intents_read
    from polyb0t.cli.render_show import ShowOptions

    options = ShowOptions(checks=checks, rules=rules)
    intents_read.show_one(door.terminal(ctx, as_json=as_json), door.opened(ctx), intent_id, options)


@app.command(cls=door.Command)
def approve(
    ctx: typer.Context,
    intent_id: IdArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    digest: Annotated[str | None, typer.Option(help="Approve only exactly this content.")] = None,
    wait: Annotated[
        float | None, typer.Option(min=0, max=600, help="Wait so many seconds for the result.")
    ] = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not wait for the result.")] = False,
    as_json: door.AsJson = False,
) -> None:
    """Approve one trade: exactly the content that is shown."""
    from polyb0t.cli import approve as deciding

    request = deciding.Request(intent_id, yes=yes, digest=digest, wait=0.0 if no_wait else wait)
    code = deciding.approve(door.terminal(ctx, as_json=as_json), door.opened(ctx), request)
    if code:
        raise typer.Exit(code)


@app.command(cls=door.Command)
def reject(
    ctx: typer.Context,
    intent_id: IdArgument,
    reason: Annotated[str, typer.Option(help="Why; the journal keeps it.")] = "",
    as_json: door.AsJson = False,
) -> None:
    """Reject one trade; also an approved one that has not been sent."""
    from polyb0t.cli import intents_end

    intents_end.reject(door.terminal(ctx, as_json=as_json), door.opened(ctx), intent_id, reason)


@app.command(cls=door.Command)
def expire(ctx: typer.Context, intent_id: IdArgument, as_json: door.AsJson = False) -> None:
    """End one trade's time now."""
    from polyb0t.cli import intents_end

    intents_end.expire(door.terminal(ctx, as_json=as_json), door.opened(ctx), intent_id)


@app.command()
def watch(ctx: typer.Context) -> None:
    """Follow the proposals and decide with single keys."""
    from polyb0t.cli import watch as watching

    watching.watch(door.terminal(ctx), door.opened(ctx))
