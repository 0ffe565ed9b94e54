"""`polyb0t doctor`: what is wrong here, and what to do about it."""

from typing import Annotated

import typer

from polyb0t.cli import door

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def doctor(
    ctx: typer.Context,
    live: Annotated[bool, typer.Option("--live", help="Also what real orders need.")] = False,
    test_order: Annotated[
        bool, typer.Option("--test-order", help="Rest the smallest order far from the market, and cancel it.")
    ] = False,
    market: Annotated[
        str | None, typer.Option(help="Where to test: a condition id or a slug. Chosen if not named.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before the test order.")] = False,
    as_json: door.AsJson = False,
) -> None:
    """Look at settings, database, clock, network, region and wallet of the engine that runs here, or of the
    venue that is named. Exit 1: something failed."""
    from polyb0t.runtime.logging import keep_quiet

    keep_quiet()
    terminal = door.terminal(ctx, as_json=as_json)
    if test_order:
        from polyb0t.cli import doctor_test_order

        code = doctor_test_order.run(terminal, door.opened(ctx), market, yes=yes)
    else:
        from polyb0t.cli import doctor_read

        code = doctor_read.run(terminal, lambda **more: door.settings(ctx, mode="live", **more), live=live)
    if code:
        raise typer.Exit(code)
