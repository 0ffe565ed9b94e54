"""`polyb0t init`: three questions, a file `.env`, and a look at whether it holds."""

from typing import Annotated

import typer

from polyb0t.cli import door

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def init(
    ctx: typer.Context,
    wallet: Annotated[str | None, typer.Option(help="The wallet's public address.")] = None,
    kind: Annotated[str | None, typer.Option(help="0 plain EOA, 1 proxy, 2 Safe, 3 deposit wallet.")] = None,
    budget: Annotated[str | None, typer.Option(help="The most pUSD of it that may be used.")] = None,
) -> None:
    """Write .env for your account, as a dry run, and check it. Never asks for a key."""
    from polyb0t.cli import init_wizard

    code = init_wizard.run(
        door.terminal(ctx), init_wizard.Given(wallet, kind, budget), lambda: door.settings(ctx, mode="live")
    )
    if code:
        raise typer.Exit(code)
