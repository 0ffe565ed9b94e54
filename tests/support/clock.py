"""A clock that moves only when told."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Wall and boot time in step, unless a test jumps the wall clock alone."""

    def __init__(self, start: datetime = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)) -> None:
        self._now = start
        self._boot = 1_000.0

    def now(self) -> datetime:
        return self._now

    def boot_seconds(self) -> float:
        return self._boot

    def sleep(self, seconds: float) -> None:
        self.advance(seconds=seconds)

    def advance(self, *, seconds: float = 0, minutes: float = 0) -> None:
        step = seconds + 60 * minutes
        self._now += timedelta(seconds=step)
        self._boot += step

    def jump_wall(self, *, seconds: float) -> None:
        """As when somebody sets the machine's clock."""
        self._now += timedelta(seconds=seconds)
