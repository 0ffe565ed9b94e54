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
    with_exits: Annotated[
        bool, typer.Option("--with-exits", help="Approve the exits of what it buys as well.")
    ] = False,
    shares: Annotated[str | None, typer.Option(help="Approve less: only so many.")] = None,
    worst_price: Annotated[str | None, typer.Option(help="Approve at a better price, as 58c.")] = None,
    code: door.Code = None,
    as_json: door.AsJson = False,
) -> None:
    """Approve one trade: exactly the content that is shown, or less of it."""
    from polyb0t.cli import approve as deciding
    from polyb0t.core.units import Shares
    from polyb0t.runtime.prices import price_of, size_of

    size = size_of(shares, "number of shares")
    request = deciding.Request(
        intent_id,
        yes=yes,
        digest=digest,
        wait=0.0 if no_wait else wait,
        with_exits=with_exits,
        shares=None if size is None else Shares(size),
        worst_price=None if worst_price is None else price_of(worst_price),
        code=code,
    )
    done = deciding.approve(door.terminal(ctx, as_json=as_json), door.opened(ctx), request)
    if done:
        raise typer.Exit(done)


@app.command(cls=door.Command)
def reject(
    ctx: typer.Context,
    intent_id: IdArgument,
    reason: Annotated[str, typer.Option(help="Why; the journal keeps it.")] = "",
    mute: Annotated[
        str | None, typer.Option(help="And do not ask about its market for so long: 24h, 7d.")
    ] = None,
    as_json: door.AsJson = False,
) -> None:
    """Reject one trade; also an approved one that has not been sent."""
    from polyb0t.cli import intents_end

    intents_end.reject(door.terminal(ctx, as_json=as_json), door.opened(ctx), intent_id, reason, mute)


@app.command(cls=door.Command)
def propose(
    ctx: typer.Context,
    market: Annotated[str, typer.Argument(metavar="MARKET", help="Condition id, or the page's last part.")],
    outcome: Annotated[str, typer.Option(help="YES, NO, or the outcome's name.")],
    worst_price: Annotated[str, typer.Option(help="Not above this, for example 61c.")],
    amount: Annotated[str | None, typer.Option(help="Spend so many pUSD.")] = None,
    shares: Annotated[str | None, typer.Option(help="Or buy so many shares.")] = None,
    with_exits: Annotated[bool, typer.Option("--with-exits", help="Approve its exits as well.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Annotated[float | None, typer.Option(min=0, max=600, help="Wait so many seconds.")] = None,
    code: door.Code = None,
    as_json: door.AsJson = False,
) -> None:
    """Buy by an idea of your own, through the same checks; one y approves it."""
    from polyb0t.cli import by_hand
    from polyb0t.core.units import Pusd, Shares
    from polyb0t.runtime.by_hand import Idea
    from polyb0t.runtime.prices import price_of, size_of

    money, size = size_of(amount, "amount"), size_of(shares, "number of shares")
    idea = Idea(
        market,
        outcome,
        price_of(worst_price),
        None if money is None else Pusd(money),
        None if size is None else Shares(size),
    )
    how = by_hand.How(yes=yes, wait=wait, with_exits=with_exits, code=code)
    done = by_hand.propose(door.terminal(ctx, as_json=as_json), door.opened(ctx), idea, how)
    if done:
        raise typer.Exit(done)


@app.command()
def mutes(ctx: typer.Context, as_json: door.AsJson = False) -> None:
    """The markets that nobody is asked about, and until when."""
    from polyb0t.cli import intents_end

    intents_end.mutes(door.terminal(ctx, as_json=as_json), door.opened(ctx))


@app.command(cls=door.Command)
def unmute(
    ctx: typer.Context,
    market: Annotated[str, typer.Argument(metavar="MARKET", help="Its condition id, or its beginning.")],
    as_json: door.AsJson = False,
) -> None:
    """Be asked about it again."""
    from polyb0t.cli import intents_end

    intents_end.unmute(door.terminal(ctx, as_json=as_json), door.opened(ctx), market)


@app.command(cls=door.Command)
def expire(ctx: typer.Context, intent_id: IdArgument, as_json: door.AsJson = False) -> None:
    """End one trade's time now."""
    from polyb0t.cli import intents_end

    intents_end.expire(door.terminal(ctx, as_json=as_json), door.opened(ctx), intent_id)


@app.command()
def watch(
    ctx: typer.Context,
    url: Annotated[
        str | None, typer.Option(help="Watch over the HTTP API at this address, with POLYBOT_TOKEN.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No bell and no desktop notification.")] = False,
) -> None:
    """Follow the proposals and decide with single keys."""
    terminal = door.terminal(ctx)
    if url is not None:
        from polyb0t.cli import watch_http

        watch_http.watch(terminal, url, quiet=quiet)
        return
    from polyb0t.cli import watch as watching

    watching.watch(terminal, door.opened(ctx), quiet=quiet)
