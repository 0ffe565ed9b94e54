"""The only reader of the wall clock and of the clock that counts suspension."""

import sys
import time
from datetime import UTC, datetime
from typing import Final, Protocol


class Clock(Protocol):
    """Time as an argument: tests move it, the system clock reads it."""

    def now(self) -> datetime:
        """The wall clock, aware and in UTC."""
        ...

    def boot_seconds(self) -> float:
        """Seconds on a clock that never goes back and that counts the time the machine sleeps."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


_BOOT_CLOCK: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", None)


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - this is the one reader

    def boot_seconds(self) -> float:
        if sys.platform != "win32" and _BOOT_CLOCK is not None:
            return time.clock_gettime(_BOOT_CLOCK)
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)  # noqa: TID251 - this is the one sleeper


def awake_seconds() -> float:
    """Seconds on a clock that never goes back and that stands still while the machine sleeps."""
    return time.monotonic()


def utc(instant: datetime) -> datetime:
    """The same instant in UTC.

    Raises:
        ValueError: `instant` has no zone; a guess would be wrong on somebody's machine.
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone")
    return instant.astimezone(UTC)


def iso(instant: datetime) -> str:
    """ISO 8601 in UTC with microseconds and `Z`, the one form on every wire of ours."""
    return utc(instant).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_iso(text: str) -> datetime:
    """The aware UTC instant of an ISO 8601 text.

    Raises:
        ValueError: the text is not ISO 8601 or has no zone.
    """
    return utc(datetime.fromisoformat(text))


def microseconds(instant: datetime) -> int:
    """Whole microseconds since 1970, exact."""
    delta = utc(instant) - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_microseconds(value: int) -> datetime:
    """The instant of a whole count of microseconds since 1970."""
    seconds, rest = divmod(value, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


def milliseconds(instant: datetime) -> int:
    """Whole milliseconds since 1970, cut down."""
    return microseconds(instant) // 1_000
