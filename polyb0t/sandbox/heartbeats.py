"""The venue's dead-man switch: orders of a key that stops beating are cancelled."""

import uuid
from typing import Final

from polyb0t.core.clock import Clock
from polyb0t.sandbox.world import World

SILENCE_S: Final = 10


class WrongHeartbeatError(Exception):
    """The id is not the one given out last."""

    def __init__(self, expected: str) -> None:
        super().__init__(expected)
        self.expected = expected


class Heartbeats:
    """Who beats, with which id, since when."""

    def __init__(self, world: World, clock: Clock) -> None:
        self._world = world
        self._clock = clock
        self._last: dict[str, tuple[str, float]] = {}

    def beat(self, owner: str, given: str) -> str:
        """The id to send next time.

        Raises:
            WrongHeartbeatError: another id is expected; the beat does not count.
        """
        expected = self._last[owner][0] if owner in self._last else ""
        if given != expected and owner in self._last:
            raise WrongHeartbeatError(expected)
        fresh = str(uuid.uuid4())
        self._last[owner] = (fresh, self._clock.boot_seconds())
        return fresh

    def beat_plainly(self, owner: str) -> None:
        """A beat over the route that knows no ids; the id that is expected over the other stays."""
        expected = self._last[owner][0] if owner in self._last else ""
        self._last[owner] = (expected, self._clock.boot_seconds())

    def sweep(self) -> None:
        """Cancel the orders of every key that went silent, and forget it."""
        now = self._clock.boot_seconds()
        for owner in [key for key, (_, at) in self._last.items() if now - at > SILENCE_S]:
            del self._last[owner]
            self._world.cancel_all(owner)
