"""`polyb0t status`: may it trade, does it run, what is at stake."""

from typing import Annotated

import typer

from polyb0t.cli import door

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def status(
    ctx: typer.Context,
    watch: Annotated[bool, typer.Option("--watch", help="As one live screen, until q.")] = False,
    as_json: door.AsJson = False,
) -> None:
    """Whether trading is allowed and the engine runs. Exit 0: allowed; 4: not; 1: no engine runs."""
    from polyb0t.cli import status_read

    if watch and not as_json:
        from polyb0t.cli import status_watch

        status_watch.watch(door.terminal(ctx), door.opened(ctx))
        return

    code = status_read.show(door.terminal(ctx, as_json=as_json), door.opened(ctx))
    if code:
        raise typer.Exit(code)
