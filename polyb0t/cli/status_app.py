"""The live screen of `status --watch`: looks again and again until `q`."""

from collections.abc import Callable
from typing import Final

from polyb0t.cli.board import LiveApp
from polyb0t.cli.status_seen import Seen, screen
from polyb0t.cli.terminal import Terminal
from polyb0t.core.errors import PolybotError

LOOKS_PER_SECOND: Final = 1
_LEAVE: Final = ("q", "escape", "ctrl+c", "ctrl+d")


class StatusApp(LiveApp[Seen]):
    """Nothing can be changed from here."""

    def __init__(
        self, see: Callable[[], Seen], terminal: Terminal, *, first: Seen | None = None, polls: bool = True
    ) -> None:
        super().__init__(see, paint=terminal.paint, polls=polls, per_second=LOOKS_PER_SECOND)
        self._terminal = terminal
        self._seen = first
        self._trouble = ""

    def took(self, seen: Seen) -> None:
        self._seen, self._trouble = seen, ""

    def failed(self, error: PolybotError) -> None:
        self._trouble = str(error)

    def pressed(self, key: str, at: float) -> None:
        del at
        if key in _LEAVE:
            self.exit()

    def lines(self, columns: int, rows: int) -> list[str]:
        if self._seen is None:
            return [self._trouble or "Looking.."]
        shown = screen(self._seen, self.paint, columns, rows, self._trouble)
        return [self._terminal.spell(line) for line in shown]
