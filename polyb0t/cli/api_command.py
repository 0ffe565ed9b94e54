"""`polyb0t api`: the same data and decisions over HTTP, for this computer only."""

from typing import Annotated

import typer

from polyb0t.cli import door

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def api(
    ctx: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on; a loopback address.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65_535, help="Port to listen on.")] = None,
    venue: Annotated[str | None, typer.Option(help="sandbox or polymarket.")] = None,
) -> None:
    """Serve HTTP on a loopback address."""
    from polyb0t.api.serving import serve
    from polyb0t.runtime.opened import open_store

    settings = door.settings(ctx, api_host=host, api_port=port, venue=venue)
    serve(open_store(settings), ready=lambda url: door.terminal(ctx).show([f"API: {url}   Ctrl-C stops it."]))
