"""`polyb0t events`: the journal as it is written."""

from typing import Annotated

import typer

from polyb0t.cli import door

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def events(
    ctx: typer.Context,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Stay, and print what comes.")] = False,
    after: Annotated[
        int | None, typer.Option(min=0, help="Begin behind this number of the journal; 0 is everything.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Without --after: so many of the newest.")] = 20,
    kind: Annotated[
        list[str] | None, typer.Option(help="Only such: intent.approved, or intent for all of them.")
    ] = None,
    subject: Annotated[str | None, typer.Option(metavar="ID", help="Only about this id.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Only data: an array, with --follow an object a line.")
    ] = False,
) -> None:
    """What was journalled: proposals, decisions, orders, fills, switches."""
    from polyb0t.cli import events_read
    from polyb0t.runtime.journal_tail import Wanted

    wanted = Wanted(frozenset(kind or ()), subject)
    terminal, opened = door.terminal(ctx, as_json=as_json), door.opened(ctx)
    events_read.show(terminal, opened, wanted, follow=follow, after=after, limit=limit)
