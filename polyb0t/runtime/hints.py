"""Rumours that a held market has its result: reasons to read it at once, and nothing more."""

import threading
from collections.abc import Callable, Iterable
from typing import Final

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.ids import ConditionId

log = structlog.get_logger(__name__)

BELIEVED_SECONDS: Final = 600.0  # the index may be minutes behind the socket


class Hints:
    """Heard by a socket's thread, taken by the cycle's. `wake` has the cycle run now."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._held: frozenset[ConditionId] = frozenset()
        self._heard: dict[ConditionId, float] = {}
        self.wake: Callable[[], None] = lambda: None

    def hold(self, conditions: Iterable[ConditionId]) -> None:
        """Rumours of other markets than these are nobody's business here, however many there are."""
        with self._lock:
            self._held = frozenset(conditions)
            self._heard = {name: at for name, at in self._heard.items() if name in self._held}

    def heard(self, condition: ConditionId) -> None:
        with self._lock:
            if condition not in self._held:
                return
            known = condition in self._heard
            self._heard.setdefault(condition, self._clock.boot_seconds())
        if not known:
            log.info("resolution.hinted", condition_id=condition)
            self.wake()

    def open(self) -> bool:
        """Whether a rumour is neither confirmed nor too old: then results are read in every cycle."""
        oldest = self._clock.boot_seconds() - BELIEVED_SECONDS
        with self._lock:
            self._heard = {name: at for name, at in self._heard.items() if at >= oldest}
            return bool(self._heard)

    def settled(self, condition: ConditionId) -> None:
        """Its result is known."""
        with self._lock:
            self._heard.pop(condition, None)
