"""A live screen of lines: drawn by Textual, which knows terminals, keys and sizes, from lines that we make.

Imported only by what is about to draw one: it takes a third of a second.
"""

import asyncio
import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, Final, Generic, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.events import Key, Resize
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from polyb0t.cli.terminal import Paint
from polyb0t.core.errors import PolybotError

POLLS_PER_SECOND: Final = 4
T = TypeVar("T")
R = TypeVar("R")
_PAINTED: Final = re.compile(r"\x1b\[([0-9;]*)m")
_STYLES: Final = {
    "31": Style(color="red"),
    "33": Style(color="yellow"),
    "32": Style(color="green"),
    "2": Style(dim=True),
    "1": Style(bold=True),
    "7": Style(reverse=True),
}
_KEYS: Final = {"question_mark": "?"}


class Board(Widget, can_focus=False):
    """Lines of text with the colours of `Paint`; only those that have changed are drawn anew."""

    DEFAULT_CSS = "Board { width: 100%; height: 100%; background: ansi_default; color: ansi_default; }"

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def put(self, lines: list[str]) -> None:
        """Show these."""
        before, self.lines = self.lines, lines
        for y in range(max(len(before), len(lines))):
            if before[y : y + 1] != lines[y : y + 1]:
                self.refresh(Region(0, y, max(1, self.size.width), 1))

    def render_line(self, y: int) -> Strip:
        line = self.lines[y] if y < len(self.lines) else ""
        return Strip(segments(line)).adjust_cell_length(self.size.width)


def _terminal_is_there() -> bool:
    """A window that was closed need not tell us: nobody looks any more, and no mark may say so."""
    return sys.__stdin__ is not None and sys.__stdin__.isatty()


def segments(line: str) -> list[Segment]:
    """The painted pieces of one line."""
    found: list[Segment] = []
    style = Style()
    parts = _PAINTED.split(line)
    for index, part in enumerate(parts):
        if index % 2:
            style = _STYLES.get(part, Style())
        elif part:
            found.append(Segment(part, style))
    return found


class LiveApp(App[None], Generic[T]):
    """Looks a few times a second in a thread of its own, where it may wait as long as it takes; draws the
    newest look. What is asked for between two looks is done by the same thread, one after the other."""

    ENABLE_COMMAND_PALETTE = False
    CSS = "Screen { background: ansi_default; overflow: hidden; }"
    BINDINGS: ClassVar = []

    def __init__(
        self,
        read: Callable[[], T],
        *,
        paint: Paint,
        polls: bool = True,
        per_second: int = POLLS_PER_SECOND,
    ) -> None:
        """`polls` False: only `look_now` looks, which is what a test wants."""
        super().__init__(ansi_color=True)
        self.board = Board()
        self.paint = paint
        self._read = read
        self._polls = polls
        self._per_second = per_second
        self._looking = False
        self._sight: object = None  # what the board was last drawn of
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="watch")

    def compose(self) -> ComposeResult:
        yield self.board

    async def on_mount(self) -> None:
        if self._polls:
            self.set_interval(1 / self._per_second, self.look_now)
            self.call_later(self.look_now)

    def on_unmount(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def look_now(self) -> None:
        """Look and draw. While a look takes longer than the time between two, none is begun."""
        if self._looking:
            return
        if self._polls and not _terminal_is_there():
            self.exit()
            return
        self._looking = True
        try:
            self.took(await self.in_thread(self._read))
        except PolybotError as error:
            self.failed(error)
        finally:
            self._looking = False
        sight = self.sight()
        if sight is None or sight != self._sight:
            self.draw()

    async def in_thread(self, work: Callable[[], R]) -> R:
        """`work` in the one thread that may wait."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def write_raw(self, sequence: str) -> None:
        """A sequence for the terminal itself, between two frames and never within one."""
        driver = self._driver
        if sequence and driver is not None:
            driver.write(sequence)
            driver.flush()

    def on_key(self, event: Key) -> None:
        event.stop()
        name = event.key
        character = event.character if event.is_printable and event.character != " " else None
        self.pressed(_KEYS.get(name, character or name), event.time)

    def action_help_quit(self) -> None:
        """Ctrl-C."""
        self.exit()

    def on_resize(self, _event: Resize) -> None:
        self.call_later(self.draw)

    def draw(self) -> None:
        """Put the lines of what is known now on the board."""
        self._sight = self.sight()
        width, height = self.size
        self.board.put(self.lines(width, height))

    def sight(self) -> object:
        """Equal for two looks that are drawn alike; None: draw in any case."""
        return None

    def lines(self, columns: int, rows: int) -> list[str]:
        raise NotImplementedError

    def took(self, seen: T) -> None:
        raise NotImplementedError

    def failed(self, error: PolybotError) -> None:
        raise NotImplementedError

    def pressed(self, key: str, at: float) -> None:
        raise NotImplementedError
