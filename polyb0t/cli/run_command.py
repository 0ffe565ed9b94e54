"""`polyb0t run`: the engine."""

from pathlib import Path
from typing import Annotated

import typer

from polyb0t.cli import door
from polyb0t.core.errors import UsageError

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def run(
    ctx: typer.Context,
    paper: Annotated[bool, typer.Option("--paper", help="Simulated money, real prices.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Your account; a dry run by default.")] = False,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="On the sandbox that runs here.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before real orders.")] = False,
    cycles: Annotated[int | None, typer.Option(min=1, help="Stop after so many cycles.")] = None,
    dry_run: Annotated[
        bool | None, typer.Option("--dry-run/--no-dry-run", help="Note approved trades, send nothing.")
    ] = None,
    standby: Annotated[
        bool, typer.Option("--standby", help="Wait behind a running engine and take over when it ends.")
    ] = False,
    ready_file: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Watch, propose, and carry out what is approved. Ctrl-C finishes the cycle and stops."""
    if paper and live:
        raise UsageError("Not started: --paper and --live exclude each other.", do="Give one of them.")
    if not (live or paper):
        raise UsageError(
            "Not started: it was not said how.",
            do="polyb0t run --live  follows your account (a dry run unless POLYBOT_DRY_RUN=false)",
        )
    venue = "sandbox" if sandbox else None
    settings = door.settings(ctx, venue=venue, mode="paper" if paper else "live", dry_run=dry_run)
    from polyb0t.cli.engine_screen import EngineScreen
    from polyb0t.runtime.running import RunOptions
    from polyb0t.runtime.service import run_engine

    screen = EngineScreen(door.terminal(ctx), quiet_start=ready_file is not None)
    code = run_engine(
        settings,
        screen,
        RunOptions(
            yes=yes,
            attended=screen.terminal.somebody_sits_here,
            cycles=cycles,
            ready_file=ready_file,
            standby=standby,
        ),
    )
    if code:
        raise typer.Exit(code)
