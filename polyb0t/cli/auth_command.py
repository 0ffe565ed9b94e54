"""`polyb0t auth`: signing keys in the encrypted keystore, and API credentials."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from polyb0t.cli import auth_tokens_command, door

if TYPE_CHECKING:
    from polyb0t.config.settings import Settings

app = typer.Typer(
    help="Keys and API credentials: store, look, get, replace.", rich_markup_mode=None, add_completion=False
)
app.add_typer(auth_tokens_command.app, name="token")
app.command("code")(auth_tokens_command.code)


class For(StrEnum):
    """Which process a key is for."""

    ENGINE = "engine"
    CLAIMS = "claims"
    RELAYER = "relayer"


@app.callback(no_args_is_help=True)
def _auth() -> None:
    pass


@app.command("import")
def import_(
    ctx: typer.Context,
    purpose: Annotated[
        For, typer.Option("--for", help="engine signs orders; claims and relayer are for claims run.")
    ] = For.ENGINE,
    new: Annotated[
        bool, typer.Option("--new", help="Make a key here, to be authorised as a session key.")
    ] = False,
    file: Annotated[Path | None, typer.Option(help="A key file of another wallet (JSON, version 3).")] = None,
    key_fd: Annotated[
        int | None, typer.Option(help="Read the key from this file descriptor; else it is asked for, unseen.")
    ] = None,
    password_fd: Annotated[
        int | None, typer.Option(help="Read the password from this file descriptor; else it is asked for.")
    ] = None,
    address: Annotated[str | None, typer.Option(help="Of a relayer's key: the owner's address.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put it in the place of one that is there.")
    ] = False,
    as_json: door.AsJson = False,
) -> None:
    """Encrypt a key into the keystore. It is never an argument, and never shown."""
    from polyb0t.cli import auth_import

    asked = auth_import.Asked(
        purpose.value,
        new=new,
        file=file,
        key_fd=key_fd,
        password_fd=password_fd,
        address=address,
        replace=replace,
    )
    auth_import.run(door.terminal(ctx, as_json=as_json), door.settings(ctx), asked)


@app.command()
def check(ctx: typer.Context, as_json: door.AsJson = False) -> None:
    """Which keys and credentials there are, and whether the exchange takes them. Reads only."""
    from polyb0t.cli import auth_read
    from polyb0t.runtime.logging import keep_quiet

    keep_quiet()
    code = auth_read.check(door.terminal(ctx, as_json=as_json), _settings(ctx))
    if code:
        raise typer.Exit(code)


@app.command()
def derive(ctx: typer.Context, as_json: door.AsJson = False) -> None:
    """Get the API credentials of the signing key and store them: cancels need nothing else."""
    from polyb0t.cli import auth_read
    from polyb0t.runtime.logging import keep_quiet

    keep_quiet()
    auth_read.derive(door.terminal(ctx, as_json=as_json), _settings(ctx))


@app.command()
def rotate(ctx: typer.Context, as_json: door.AsJson = False) -> None:
    """Replace the API credentials, without a restart; refused while orders are open."""
    from polyb0t.cli import auth_read
    from polyb0t.runtime.logging import keep_quiet

    keep_quiet()
    auth_read.rotate(door.terminal(ctx, as_json=as_json), _settings(ctx))


def _settings(ctx: typer.Context) -> "Settings":
    """Of the account whose engine ran here, unless another is named."""
    from polyb0t.runtime.doctor_place import place_of

    given = door.settings(ctx)
    return door.settings(ctx, **place_of(given).flags)
