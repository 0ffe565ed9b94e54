"""One open socket: what waits to be sent, and what it listens to."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any, Final

from polyb0t.sandbox.socket_faults import SocketFaults

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MOST_WAITING: Final = 20_000  # texts; a reader that is this far behind is cut off


class Connection:
    """One open socket: what waits to be sent, and what it listens to."""

    def __init__(
        self, send: Send, cut: Callable[[], None] | None, channel: str, faults: SocketFaults
    ) -> None:
        self._send = send
        self.cut = cut
        self.channel = channel
        self._faults = faults
        self._waiting: list[str] = []
        self._wake = asyncio.Event()
        self.tokens: set[str] = set()
        self.custom = False
        self.owner = ""
        self.markets: set[str] | None = None  # of a user socket; None: all

    def put(self, text: str) -> None:
        """Send one JSON text, unless a fault is in force that has other ideas."""
        if self._faults.armed:
            self._faults.send(self.channel, id(self), text, self.queue, _later)
        else:
            self.queue(text)

    def queue(self, text: str) -> None:
        """Queue one JSON text; a reader that does not read is cut off rather than waited for."""
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.clear()
            if self.cut is not None:
                self.cut()
            return
        self._waiting.append(text)
        self._wake.set()

    async def say(self, text: str) -> None:
        """Send one text at once, beside the queue."""
        await self._send({"type": "websocket.send", "text": text})

    async def close(self, code: int) -> None:
        """Say goodbye."""
        await self._send({"type": "websocket.close", "code": code})

    async def pump(self) -> None:
        """Send what waits, for as long as the socket is open."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            texts, self._waiting = self._waiting, []
            for frame in frames_of(texts):
                await self.say(frame)


def _later(seconds: float, put: Callable[[str], None], text: str) -> object:
    return asyncio.get_running_loop().call_later(seconds, put, text)


def frames_of(texts: list[str]) -> Iterator[str]:
    """Texts as frames: objects that wait together share an array, anything else goes alone."""
    together: list[str] = []
    for text in texts:
        if text[0] == "{":
            together.append(text)
            continue
        yield from _joined(together)
        together = []
        yield text
    yield from _joined(together)


def _joined(objects: list[str]) -> Iterator[str]:
    if objects:
        yield objects[0] if len(objects) == 1 else f"[{','.join(objects)}]"
