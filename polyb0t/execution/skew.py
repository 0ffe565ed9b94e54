"""Whether somebody has set the machine's clock while we ran."""

from typing import Final

from polyb0t.core.clock import Clock

SKEW_SECONDS_MAX: Final = 2.0


class ClockWatch:
    """Compares how far wall and boot clock have come since the start: apart means that one was set."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall = clock.now()
        self._boot = clock.boot_seconds()

    def skew_seconds(self) -> float:
        """Wall time gone less boot time gone, in seconds; sleep of the machine counts in both."""
        wall = (self._clock.now() - self._wall).total_seconds()
        return wall - (self._clock.boot_seconds() - self._boot)

    def problem(self) -> str | None:
        """One sentence if deadlines cannot be trusted now."""
        skew = self.skew_seconds()
        if abs(skew) <= SKEW_SECONDS_MAX:
            return None
        way = "forward" if skew > 0 else "back"
        return f"The machine's clock was set {way} by {abs(skew):.1f} s while the engine ran; restart it."
