"""`polyb0t claims`: winnings of resolved markets, from the proposal to the money in the wallet."""

from typing import Annotated

import typer

from polyb0t.cli import door

app = typer.Typer(
    help="Winnings of resolved markets: list, show, run.",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
)

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The beginning of the claim's id, or of its transaction's.")
]


@app.command("list")
def list_(ctx: typer.Context, as_json: door.AsJson = False) -> None:
    """Claims, newest first, and what you have to claim on the website."""
    from polyb0t.cli import claims_read

    claims_read.show_list(door.terminal(ctx, as_json=as_json), door.opened(ctx))


@app.command(cls=door.Command)
def show(ctx: typer.Context, claim_id: IdArgument, as_json: door.AsJson = False) -> None:
    """One claim: what is called, its transactions, what was paid."""
    from polyb0t.cli import claims_read

    claims_read.show_one(door.terminal(ctx, as_json=as_json), door.opened(ctx), claim_id)


@app.command()
def run(
    ctx: typer.Context,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="On the sandbox that runs here.")] = False,
    steps: Annotated[int | None, typer.Option(min=1, help="Stop after so many looks.")] = None,
) -> None:
    """Carry approved claims out. A process of its own, the only one that reads the relayer's key."""
    venue = "sandbox" if sandbox else None
    settings = door.settings(ctx, venue=venue, mode="live", dry_run=False if sandbox else None)
    from polyb0t.runtime.claims_service import run_claims

    terminal = door.terminal(ctx)
    code = run_claims(settings, terminal.say, steps=steps)
    if code:
        raise typer.Exit(code)
