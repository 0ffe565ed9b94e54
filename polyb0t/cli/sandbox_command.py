"""`polyb0t sandbox`: a Polymarket on this computer."""

import os
from pathlib import Path
from typing import Annotated

import typer

from polyb0t.cli import door

PROJECT = Path(__file__).resolve().parents[2]  # of a checkout, where `make install` puts npm's parts
app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def sandbox(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port to listen on.")] = 8137,
    seed: Annotated[int, typer.Option(min=0, help="A new world's crowd and markets follow from it.")] = 7,
    markets: Annotated[int, typer.Option(min=1, max=5_000, help="Markets of a new world.")] = 60,
    kinds: Annotated[bool, typer.Option(help="A market of every kind besides, in a new world.")] = True,
    past: Annotated[
        int, typer.Option(min=0, max=20_000, help="Markets of a new world that are over.")
    ] = 2_000,
    lag: Annotated[float, typer.Option(min=0, max=600, help="Seconds by which positions are late.")] = 2.0,
    speed: Annotated[float, typer.Option(min=0, max=1_000, help="How busy the crowd is.")] = 1.0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin another world.")] = False,
    import_dir: Annotated[
        Path | None, typer.Option("--import", help="Recorded answers of the real venue as markets.")
    ] = None,
    chain: Annotated[
        bool, typer.Option("--chain", help="Pay over a local chain with real contracts; needs npm's parts.")
    ] = False,
    chain_if_there: Annotated[bool, typer.Option("--chain-if-there", hidden=True)] = False,
    scenario: Annotated[
        Path | None, typer.Option("--scenario", help="Trouble by timetable; see the folder scenarios.")
    ] = None,
) -> None:
    """Serve a pretend exchange: no account, no internet, no money. Ctrl-C saves the world and stops."""
    from polyb0t.runtime.places import data_dir
    from polyb0t.sandbox.chain.anvil import find_anvil
    from polyb0t.sandbox.kinds import KINDS
    from polyb0t.sandbox.server import run

    out = door.terminal(ctx)
    chain = chain or (chain_if_there and find_anvil(os.environ, PROJECT) is not None)
    run(
        host=host,
        port=port,
        seed=seed,
        markets=markets,
        kinds=KINDS if kinds else (),
        past=past,
        lag_ms=round(lag * 1_000),
        speed=speed,
        state_dir=data_dir(door.settings(ctx)) / "sandbox",
        fresh=fresh,
        import_dir=import_dir,
        scenario=scenario,
        chain=PROJECT if chain else None,
        ready=lambda url: out.show([f"Sandbox: {url}   no money, no internet. Ctrl-C saves the world."]),
        notice=out.say,
    )
