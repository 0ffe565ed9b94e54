"""`intents watch`: the first screen at once, then the library that keeps it alive."""

import secrets
import shutil
import sys

from polyb0t.cli import door
from polyb0t.cli.render_watch import View, waiting_rows, watch_screen
from polyb0t.cli.scene import disagreement
from polyb0t.cli.terminal import Terminal
from polyb0t.cli.watch_source import Source, StoreSource, scene_of
from polyb0t.cli.watch_state import WatchState
from polyb0t.core.clock import awake_seconds
from polyb0t.core.errors import UsageError
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.watch_look import Watcher, WatchLook

SCREEN_ON = "\x1b[?1049h\x1b[?25l\x1b[H\x1b[2J"  # the alternate screen, without a cursor, empty
SCREEN_OFF = "\x1b[?25h\x1b[?1049l"


def watch(terminal: Terminal, opened: OpenedStore, *, quiet: bool) -> None:
    """Follow and decide on this computer's database until `q`.

    Raises:
        UsageError: this is no terminal.
    """
    require_terminal("polyb0t intents list")
    source = StoreSource(opened, Watcher(opened))
    note = disagreement(scene_of(source.look()), opened)
    watch_source(terminal, source, me=door.actor(), quiet=quiet, note=note)


def watch_source(terminal: Terminal, source: Source, *, me: str, quiet: bool, note: str = "") -> None:
    """The same on whatever can be looked at; `note` stands at the top all the time."""
    first = source.look()
    sys.stderr.write(SCREEN_ON + first_screen(terminal, first, note))
    sys.stderr.flush()
    try:
        from polyb0t.cli.watch_app import WatchApp

        viewer = secrets.token_hex(8)
        app = WatchApp(source, terminal, viewer=viewer, me=me, first=first, note=note, quiet=quiet)
        app.run(mouse=False)
        source.leave(viewer)
    finally:
        sys.stderr.write(SCREEN_OFF)
        sys.stderr.flush()


def first_screen(terminal: Terminal, look: WatchLook, note: str = "") -> str:
    """What stands there while the library loads: the list, with no key alive yet."""
    size = shutil.get_terminal_size((100, 30))
    state = WatchState()
    state.look([row.record.id for row in waiting_rows(look)], awake_seconds())
    known = {row.record.id: row for row in look.rows}
    view = View(look, state, size.columns, size.lines, awake_seconds(), known=known, note=note)
    return "\r\n".join(terminal.spell(line) for line in watch_screen(view, terminal.paint))


def require_terminal(instead: str) -> None:
    """Raises UsageError: keys, screen or what draws it is not a terminal. `instead` is what works there."""
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise UsageError(
            "Not watching: this is not a terminal.",
            why="Input, output or error output leads to a file or another program.",
            do=f"See it once: {instead}",
            code="no_terminal",
        )
