"""What `db copy` does and says."""

from polyb0t.cli import door
from polyb0t.cli.terminal import Terminal
from polyb0t.runtime.copying import move_database
from polyb0t.runtime.opened import OpenedStore


def run(terminal: Terminal, opened: OpenedStore, target: str) -> None:
    """Copy, check, anchor; say what comes next. Raises as `move_database`."""
    moved = move_database(opened, target, actor=door.actor())
    copied, tables = moved.copied, {name: n for name, n in moved.copied.rows.items() if n}
    if terminal.json:
        terminal.data(
            {
                "from": moved.source,
                "to": moved.target,
                "database_id": copied.database_id,
                "journal": copied.sequence,
                "rows": copied.rows,
                "again": copied.again,
            }
        )
        return
    was = "It was there already; checked" if copied.again else "Copied"
    terminal.show(
        [
            f"{was}: {sum(tables.values()):,} rows of {len(tables)} tables, journal to {copied.sequence}.",
            "Every table was read back and compared, and the journal audited there.",
            f"The same database in another place: its id {copied.database_id} went along, the anchor too.",
            "From now on, for engine, claims, API and every command (in .env, for example):",
            f"    POLYBOT_DATABASE_URL={moved.target}",
            f"The old file stays as it is, and an engine with money refuses it: {moved.source}",
        ]
    )
