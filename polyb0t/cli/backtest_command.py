"""`polyb0t backtest`: what the engine would have done in a past, with its limits, delays and costs."""

from pathlib import Path
from typing import Annotated

import typer

from polyb0t.cli import door

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    help="Backtests: replay a history with the engine itself, on simulated time and simulated money.",
)


@app.command(cls=door.Command)
def run(
    ctx: typer.Context,
    tapes: Annotated[
        list[str] | None,
        typer.Argument(metavar="HISTORY...", help="Files or folders; or `recorded`, what was recorded here."),
    ] = None,
    again: Annotated[
        str | None, typer.Option(metavar="RUN", help="Repeat a run, and say whether it is the same.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="From then on, UTC: 2026-09-01, or 2026-09-01T12:00Z.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Until then, UTC.")] = None,
    seed: Annotated[int, typer.Option(help="Of everything that chance decides.")] = 1,
    human: Annotated[
        str,
        typer.Option(
            help="approves, at-once, nobody, journal (as you did here), or the fraction approved: 0.7."
        ),
    ] = "approves",
    model: Annotated[
        str,
        typer.Option(
            help="engine (the one in use), identity, published, or a fitted model's id; "
            "boosted with --walk-forward."
        ),
    ] = "engine",
    walk_forward: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Fit month by month on this history, as one would have."),
    ] = None,
    ends: Annotated[
        str | None, typer.Option(metavar="FILE", help="How the markets of a recording ended.")
    ] = None,
    bankroll: Annotated[str | None, typer.Option(help="What the account is opened with, in pUSD.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting for this run: MIN_EDGE=0.02."),
    ] = None,
    sweep: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=A,B,C", help="Run each value; several sweeps: every combination."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Runs of a sweep at a time.")] = 1,
    assume: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="What the history does not say: zone=UTC, ends=last-price."),
    ] = None,
    every: Annotated[
        float | None, typer.Option(min=1, max=604_800, help="Seconds from one cycle to the next.")
    ] = None,
    as_json: door.AsJson = False,
) -> None:
    """Replay a history: the same decisions, limits and fills as on paper, and a person who takes his time."""
    from polyb0t.cli import backtest_read

    asked = backtest_read.Asked(
        tapes=tuple(tapes or ()),
        again=again,
        since=since,
        until=until,
        seed=seed,
        human=human,
        model=model,
        walk_forward=walk_forward,
        ends=ends,
        bankroll=bankroll,
        changed=tuple(set_ or ()),
        sweeps=tuple(sweep or ()),
        jobs=jobs,
        every_seconds=every,
        assume=tuple(assume or ()),
    )
    backtest_read.run(door.terminal(ctx, as_json=as_json), door.root(ctx).flags, asked)


@app.command(cls=door.Command)
def look(
    ctx: typer.Context,
    tapes: Annotated[list[str], typer.Argument(metavar="HISTORY...", help="Files or folders.")],
    ends: Annotated[
        str | None, typer.Option(metavar="FILE", help="How the markets of a recording ended.")
    ] = None,
    assume: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="What the history does not say: zone=UTC, ends=last-price."),
    ] = None,
    as_json: door.AsJson = False,
) -> None:
    """What a history is before it is used: its kind and grade, what is assumed, what is wrong with it."""
    from polyb0t.cli import backtest_look

    backtest_look.look(door.terminal(ctx, as_json=as_json), tapes, ends, assume or ())


@app.command("list", cls=door.Command)
def list_(ctx: typer.Context, as_json: door.AsJson = False) -> None:
    """Every replay that is kept, with its fidelity."""
    from polyb0t.cli import backtest_report

    backtest_report.listed(door.terminal(ctx, as_json=as_json), door.root(ctx).flags)


@app.command(cls=door.Command)
def report(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(help="Its id, or the beginning of it.")],
    by: Annotated[
        str | None, typer.Option(help="A table by fate, category, model, horizon, decile or intent.")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="As one page with charts.")] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="A line for each proposal.")] = None,
    as_json: door.AsJson = False,
) -> None:
    """What a replay is worth, and then what it brought and how sure that is."""
    from polyb0t.cli import backtest_report

    asked = backtest_report.Asked(run, backtest_report.side(by), html, csv)
    backtest_report.report(door.terminal(ctx, as_json=as_json), door.root(ctx).flags, asked)


@app.command(cls=door.Command)
def compare(
    ctx: typer.Context,
    first: Annotated[str, typer.Argument(help="A run; or `live` or `paper`: this account then.")],
    second: Annotated[str, typer.Argument(help="The other run.")],
    as_json: door.AsJson = False,
) -> None:
    """Two replays, paired by event; or the same time lived and replayed, trade by trade."""
    from polyb0t.cli import backtest_report

    terminal, flags = door.terminal(ctx, as_json=as_json), door.root(ctx).flags
    backtest_report.compare(terminal, flags, first, second)
