"""`polyb0t audit`: whether the journal holds, and what became of one intent."""

from typing import Annotated

import typer

from polyb0t.cli import door

app = typer.Typer(
    help="The journal: verify it, or read one trade's whole story.",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
)


@app.command()
def verify(ctx: typer.Context, as_json: door.AsJson = False) -> None:
    """Recompute every hash and digest, replay every transition. Exit 0: all agree; 4: they do not."""
    from polyb0t.cli import audit_read

    code = audit_read.verify(door.terminal(ctx, as_json=as_json), door.opened(ctx))
    if code:
        raise typer.Exit(code)


@app.command()
def show(
    ctx: typer.Context,
    intent_id: Annotated[str, typer.Argument(metavar="ID", help="The beginning of the intent's id.")],
    as_json: door.AsJson = False,
) -> None:
    """Everything that was journalled of an intent, its order and its fills, with times."""
    from polyb0t.cli import audit_read

    audit_read.show(door.terminal(ctx, as_json=as_json), door.opened(ctx), intent_id)
