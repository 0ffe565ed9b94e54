"""`status --watch`: the status as one live screen."""

import shutil
import sys

from polyb0t.cli.status_seen import screen, see
from polyb0t.cli.terminal import Terminal
from polyb0t.cli.watch import SCREEN_OFF, SCREEN_ON, require_terminal
from polyb0t.runtime.opened import OpenedStore


def watch(terminal: Terminal, opened: OpenedStore) -> None:
    """Show it until `q`.

    Raises:
        UsageError: this is no terminal.
    """
    require_terminal("polyb0t status")
    first = see(opened)
    size = shutil.get_terminal_size((100, 30))
    lines = screen(first, terminal.paint, size.columns, size.lines)
    sys.stderr.write(SCREEN_ON + "\r\n".join(terminal.spell(line) for line in lines))
    sys.stderr.flush()
    try:
        from polyb0t.cli.status_app import StatusApp

        StatusApp(lambda: see(opened), terminal, first=first).run(mouse=False)
    finally:
        sys.stderr.write(SCREEN_OFF)
        sys.stderr.flush()
