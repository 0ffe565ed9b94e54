"""Time that a replay moves. Whoever sleeps on it moves it, and nobody waits."""

from datetime import datetime
from typing import Final

from polyb0t.core.clock import from_microseconds, microseconds

_MILLION: Final = 1_000_000


class SimulatedClock:
    """Implements `core.clock.Clock`; it never goes back. Used by one thread."""

    def __init__(self, start: datetime) -> None:
        self._start_us = self._now_us = microseconds(start)
        self._skipped_us = 0

    @property
    def now_us(self) -> int:
        """Microseconds since 1970 UTC."""
        return self._now_us

    def now(self) -> datetime:
        return from_microseconds(self._now_us)

    def boot_seconds(self) -> float:
        return (self._now_us - self._start_us) / _MILLION

    def awake_seconds(self) -> float:
        """As `boot_seconds` without what was skipped, as if the machine had slept through it."""
        return (self._now_us - self._start_us - self._skipped_us) / _MILLION

    def sleep(self, seconds: float) -> None:
        """Be that much later, at once."""
        self._now_us += round(seconds * _MILLION)

    def move_to(self, instant_us: int) -> None:
        """Be at an instant; one that has passed changes nothing."""
        self._now_us = max(self._now_us, instant_us)

    def skip_to(self, instant_us: int) -> None:
        """As `move_to`, over a time in which no engine ran."""
        self._skipped_us += max(0, instant_us - self._now_us)
        self.move_to(instant_us)
