"""`polyb0t model`: fit a model on markets that are over, judge it, and let it speak where it has won."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from polyb0t.cli import door

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    help="Models: collect what is over, fit, judge, read the card, activate.",
)
History = Annotated[
    Path | None,
    typer.Argument(help="A history, or price series in Parquet; else what was collected."),
]


class Way(StrEnum):
    """Ways of fitting."""

    CALIBRATION = "calibration"
    BOOSTED = "boosted"


Kind = Annotated[
    Way, typer.Option(help="boosted: trees on what the price leaves (pip install 'polyb0t[boosted]').")
]


@app.command(cls=door.Command)
def collect(
    ctx: typer.Context,
    since: Annotated[str, typer.Option(help="Markets that ended since then: 2025-01-01.")] = "2024-01-01",
    most: Annotated[int, typer.Option(min=1, max=200_000, help="At most so many, the latest.")] = 5_000,
    as_json: door.AsJson = False,
) -> None:
    """Read markets that are over, with their prices, from the venue into the history file."""
    from polyb0t.cli import model_read

    model_read.collect(door.terminal(ctx, as_json=as_json), door.settings(ctx), since, most)


@app.command(cls=door.Command)
def fit(
    ctx: typer.Context, history: History = None, kind: Kind = Way.CALIBRATION, as_json: door.AsJson = False
) -> None:
    """Fit a model on the history, judge it month by month, keep it with its card. Activates nothing."""
    from polyb0t.cli import model_read

    terminal = door.terminal(ctx, as_json=as_json)
    model_read.fit(terminal, door.settings(ctx), history, boosted=kind is Way.BOOSTED, keep=True)


@app.command(cls=door.Command)
def evaluate(
    ctx: typer.Context, history: History = None, kind: Kind = Way.CALIBRATION, as_json: door.AsJson = False
) -> None:
    """The same judgement without keeping a model; a new one counts as a trial."""
    from polyb0t.cli import model_read

    terminal = door.terminal(ctx, as_json=as_json)
    model_read.fit(terminal, door.settings(ctx), history, boosted=kind is Way.BOOSTED, keep=False)


@app.command(cls=door.Command)
def weigh(
    ctx: typer.Context,
    views: Annotated[
        Path | None,
        typer.Argument(help="Views as JSON lines or CSV: judged only. Without it, what was recorded."),
    ] = None,
    as_json: door.AsJson = False,
) -> None:
    """What probabilities from outside have been worth beside the price. Activates nothing."""
    from polyb0t.cli import model_weigh

    model_weigh.weigh(door.terminal(ctx, as_json=as_json), door.settings(ctx), views)


@app.command("list", cls=door.Command)
def list_(ctx: typer.Context, as_json: door.AsJson = False) -> None:
    """What speaks now and with which weight, and every kept model: its licence and when it expires."""
    from polyb0t.cli import model_read

    model_read.listed(door.terminal(ctx, as_json=as_json), door.settings(ctx))


@app.command(cls=door.Command)
def card(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(help="Its id, or the beginning of it.")],
    as_json: door.AsJson = False,
) -> None:
    """The evidence behind a model, and where its page with the plot lies."""
    from polyb0t.cli import model_read

    model_read.card(door.terminal(ctx, as_json=as_json), door.settings(ctx), model)


@app.command(cls=door.Command)
def activate(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(help="Its id, or the beginning of it.")],
    as_json: door.AsJson = False,
) -> None:
    """Let a model that has beaten the price speak, from the engine's next start."""
    from polyb0t.cli import model_read

    model_read.activate(door.terminal(ctx, as_json=as_json), door.settings(ctx), model)


@app.command(cls=door.Command)
def deactivate(ctx: typer.Context, as_json: door.AsJson = False) -> None:
    """Go back to the published coefficients, from the engine's next start."""
    from polyb0t.cli import model_read

    model_read.deactivate(door.terminal(ctx, as_json=as_json), door.settings(ctx))


@app.command(cls=door.Command)
def features(
    ctx: typer.Context,
    market: Annotated[
        str | None, typer.Argument(metavar="MARKET", help="Its condition id, or its beginning.")
    ] = None,
    as_json: door.AsJson = False,
) -> None:
    """Statistics that are computed and recorded, with their weight; of MARKET as they are now."""
    from polyb0t.cli import features_read

    features_read.features(door.terminal(ctx, as_json=as_json), door.settings(ctx), market)
