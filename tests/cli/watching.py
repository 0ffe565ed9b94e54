"""A watch under test: the real application over a real source, with keys pressed by Textual's pilot."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from typing import Any

from polyb0t.cli import door
from polyb0t.cli.terminal import PLAIN, Terminal
from polyb0t.cli.watch_app import WatchApp
from polyb0t.cli.watch_source import Source, StoreSource
from polyb0t.config.settings import load_settings
from polyb0t.runtime.opened import open_store
from polyb0t.runtime.watch_look import Watcher


class Hand:
    """Presses keys and reads the screen. `seconds` is the clock that the keys are told by."""

    def __init__(self, app: WatchApp, pilot: Any) -> None:
        self.app, self._pilot = app, pilot
        self.raw: list[str] = []
        app.write_raw = self._written  # type: ignore[method-assign]  # what would go to the terminal

    def _written(self, sequence: str) -> None:
        self.raw.append(sequence)

    async def look(self) -> None:
        """One look, and everything that it set off."""
        await self.app.look_now()
        await self.settled()

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self._pilot.press(key)
            await self.settled()

    async def resize(self, columns: int, rows: int) -> None:
        await self._pilot.resize_terminal(columns, rows)
        await self.settled()

    async def settled(self) -> None:
        await self.app.workers.wait_for_complete()
        await self._pilot.pause()

    @property
    def lines(self) -> list[str]:
        return self.app.board.lines

    @property
    def text(self) -> str:
        """The screen as one text, so that a sentence is found however it was wrapped."""
        return " ".join(" ".join(self.lines).split())

    def rested(self) -> None:
        """A moment has passed: keys are alive again."""
        self.app.state._dead_until = float("-inf")


Steps = Callable[[Hand], Awaitable[None]]


def store_source() -> StoreSource:
    """The database that the environment names."""
    opened = open_store(load_settings())
    return StoreSource(opened, Watcher(opened))


def watch(
    steps: Steps,
    source: Source | None = None,
    *,
    size: tuple[int, int] = (100, 30),
    me: str = "",
    **more: Any,
) -> None:
    """Open it on a pretended terminal of that size, take the steps, close it."""

    async def act() -> None:
        terminal = Terminal(io.StringIO(), io.StringIO(), columns=size[0], paint=PLAIN)
        app = WatchApp(
            source or store_source(),
            terminal,
            viewer="0123456789abcdef",
            me=me or door.actor(),
            polls=False,
            **more,
        )
        async with app.run_test(size=size) as pilot:
            hand = Hand(app, pilot)
            await hand.look()
            await steps(hand)

    asyncio.run(act())
