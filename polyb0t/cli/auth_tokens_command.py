"""`polyb0t auth token`: who may decide over HTTP and about large trades."""

from typing import Annotated

import typer

from polyb0t.cli import door

app = typer.Typer(
    help="Tokens: make one, see them, take one back.",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Whose it is; decisions are signed so.")]


@app.command(cls=door.Command)
def create(
    ctx: typer.Context,
    name: NameArgument,
    role: Annotated[
        str, typer.Option(help="viewer reads, approver decides and stops, admin also clears switches.")
    ] = "approver",
    days: Annotated[float, typer.Option(min=0.01, max=3_650, help="For how many days.")] = 90,
    as_json: door.AsJson = False,
) -> None:
    """Make a token. It is shown once; only its digest is stored."""
    from polyb0t.cli import auth_tokens

    auth_tokens.create(door.terminal(ctx, as_json=as_json), door.opened(ctx), name, role, days)


@app.command("list")
def list_(
    ctx: typer.Context,
    all_: Annotated[bool, typer.Option("--all", help="Also those that ended.")] = False,
    as_json: door.AsJson = False,
) -> None:
    """Who has one, with which role and until when."""
    from polyb0t.cli import auth_tokens

    auth_tokens.show(door.terminal(ctx, as_json=as_json), door.opened(ctx), every=all_)


@app.command(cls=door.Command)
def revoke(
    ctx: typer.Context,
    name: NameArgument,
    reason: Annotated[str, typer.Option(help="Why; the journal keeps it.")] = "",
    as_json: door.AsJson = False,
) -> None:
    """Take one back, at once; what it approved and is not sent yet is not sent."""
    from polyb0t.cli import auth_tokens

    auth_tokens.revoke(door.terminal(ctx, as_json=as_json), door.opened(ctx), name, reason)


def code(ctx: typer.Context) -> None:
    """Set up one-time codes for your token: a QR code for an authenticator, shown once."""
    from polyb0t.cli import auth_code

    auth_code.set_up(door.terminal(ctx), door.opened(ctx))
