"""What `db backup` and `db adopt` do and say."""

from pathlib import Path

from polyb0t.cli import door
from polyb0t.cli.terminal import Terminal
from polyb0t.core.errors import UsageError
from polyb0t.models import wording
from polyb0t.runtime.adopting import adopt as take_over
from polyb0t.runtime.migrations import backup as copy
from polyb0t.runtime.opened import OpenedStore


def backup(terminal: Terminal, opened: OpenedStore, path: Path) -> None:
    """Copy and say where to.

    Raises:
        ConflictError: the file exists. ConfigurationError: it is PostgreSQL. DatabaseError: it failed.
    """
    target = path.expanduser().resolve()
    size = copy(opened.database_url, target)
    told = {"path": str(target), "bytes": size}  # what `polyb0t doctor` tells the age of
    opened.stores.engine.note(
        None, kind="database.copied", subject="database", payload=told, actor=door.actor()
    )
    if terminal.json:
        terminal.data(told)
        return
    terminal.show(
        [
            f"Copied: {target}, {size:,} bytes.",
            'After restoring it the engine asks for: polyb0t db adopt --reason "..."',
        ]
    )


def adopt(terminal: Terminal, opened: OpenedStore, reason: str) -> None:
    """Take the database over and say what came of it.

    Raises:
        UsageError: no reason. ConflictError: it was not restored, or an engine runs on it.
        VenueUnreachableError: not every order could be asked about; nothing was changed.
    """
    if not reason.strip():
        raise UsageError(
            "Nothing taken over: no reason was given.",
            why="The journal keeps why, and who says so.",
            do='Give it: polyb0t db adopt --reason "..."',
            code="reason_missing",
        )
    done = take_over(opened, actor=door.actor(), reason=reason.strip())
    adoption = done.adoption
    if terminal.json:
        terminal.data(
            {
                "why": done.why,
                "asked": done.asked,
                "recovered": list(adoption.recovered),
                "expired": list(adoption.expired),
                "database_id": adoption.point.database_id,
            }
        )
        return
    found = ", ".join(wording.short_hex(order_id) for order_id in adoption.recovered)
    terminal.show(
        [
            f"Taken over. {done.why}",
            f"Orders looked for: {done.asked}. Found or doubtful: {len(adoption.recovered)}"
            + (f" ({found})." if found else "."),
            f"Expired: {len(adoption.expired)}. Every kill switch is tripped.",
            "Start the engine, look at its orders, then clear the switches: polyb0t status",
        ]
    )
