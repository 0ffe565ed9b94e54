"""`polyb0t db`: the database's version."""

import typer

from polyb0t.cli import door

app = typer.Typer(help="The database: its version, and bringing it up to date.", rich_markup_mode=None)


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
