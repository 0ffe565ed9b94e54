"""`polyb0t api`: the same data and decisions over HTTP."""

from pathlib import Path
from typing import Annotated

import typer

from polyb0t.cli import door

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def api(
    ctx: typer.Context,
    host: Annotated[
        str | None, typer.Option("--bind", "--host", help="Address to listen on; 127.0.0.1 if not named.")
    ] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65_535, help="Port to listen on.")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate, PEM, with its chain.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key, PEM.")] = None,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A proxy that does TLS stands before it.")
    ] = False,
    venue: Annotated[str | None, typer.Option(help="sandbox or polymarket.")] = None,
) -> None:
    """Serve HTTP: on this computer alone, or elsewhere with tokens and TLS."""
    from polyb0t.api.serving import serve
    from polyb0t.runtime.opened import open_store

    settings = door.settings(
        ctx,
        api_host=host,
        api_port=port,
        api_tls_cert=tls_cert,
        api_tls_key=tls_key,
        api_behind_proxy=behind_proxy or None,
        venue=venue,
    )
    serve(open_store(settings), ready=lambda url: door.terminal(ctx).show([f"API: {url}   Ctrl-C stops it."]))
