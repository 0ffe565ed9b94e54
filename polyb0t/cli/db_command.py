"""`polyb0t db`: the database's version, a copy of it, and taking over one that was restored."""

from pathlib import Path
from typing import Annotated

import typer

from polyb0t.cli import door

app = typer.Typer(
    help="The database: its version, and bringing it up to date.", rich_markup_mode=None, add_completion=False
)


@app.callback(no_args_is_help=True)
def _db() -> None:
    pass


@app.command()
def upgrade(ctx: typer.Context) -> None:
    """Bring the database to this program's version."""
    from polyb0t.runtime import migrations

    url, revision = migrations.upgrade(door.settings(ctx))
    door.terminal(ctx).show([f"Up to date: {url} is at revision {revision}."])


@app.command()
def current(ctx: typer.Context) -> None:
    """Which version the database has."""
    from polyb0t.runtime import migrations

    url, revision = migrations.current(door.settings(ctx))
    door.terminal(ctx).show([f"{url} is at revision {revision}."])


@app.command()
def backup(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help="The file to make; it must not exist.")],
    as_json: door.AsJson = False,
) -> None:
    """Copy the database while it is in use (SQLite)."""
    from polyb0t.cli import db_restore

    db_restore.backup(door.terminal(ctx, as_json=as_json), door.opened(ctx), path)


@app.command()
def copy(
    ctx: typer.Context,
    to: Annotated[str, typer.Option(help="postgresql://user@host/name, without a password.")],
    as_json: door.AsJson = False,
) -> None:
    """Move an SQLite database to an empty PostgreSQL one: copied, checked row by row, anchored anew."""
    from polyb0t.cli import db_copy

    db_copy.run(door.terminal(ctx, as_json=as_json), door.opened(ctx), to)


@app.command()
def adopt(
    ctx: typer.Context,
    reason: Annotated[str, typer.Option(help="Why, for the journal.")] = "",
    as_json: door.AsJson = False,
) -> None:
    """Take a restored database over: look for every order, expire what waits, trip every switch."""
    from polyb0t.cli import db_restore

    db_restore.adopt(door.terminal(ctx, as_json=as_json), door.opened(ctx), reason)
