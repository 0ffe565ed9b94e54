"""`polyb0t account`: what the account is worth, and why."""

import typer

from polyb0t.cli import door

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def account(ctx: typer.Context, as_json: door.AsJson = False) -> None:
    """Equity, peak, today's result, and what moved the wallet besides our orders."""
    from polyb0t.cli import account_read

    account_read.show(door.terminal(ctx, as_json=as_json), door.opened(ctx))
