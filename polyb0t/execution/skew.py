"""Whether the clocks can be trusted that deadlines depend on: this machine's, and the exchange's."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import inf
from threading import Lock
from typing import Final

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import VenueUnreachableError

SKEW_SECONDS_MAX: Final = 2.0
FRESH_SECONDS: Final = 5.0  # younger than this, an answer is not asked for anew
KNOWN_SECONDS: Final = 60.0  # older than this, it says nothing of now
WIDEST_SECONDS: Final = 3.0  # answers that took longer leave too much room to say that clocks agree
TRIES: Final = 3  # a difference that stops trading is seen so often in a row: one answer may be a cached one
RETRY_SECONDS: Final = 2.0  # after no answer

log = structlog.get_logger(__name__)


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


@dataclass(frozen=True, slots=True)
class _Told:
    """One answer: the exchange's clock less our boot clock lay between these, in seconds."""

    least: float
    most: float
    at: float  # on the boot clock


class VenueSkew:
    """How far this machine's wall clock is from the exchange's, as far as answers prove it.

    The exchange tells whole seconds, and an answer is under way for a while, so each answer proves a
    range. They are kept against the boot clock, which nobody sets: a wall clock that is set later shows
    at once. Safe to share between threads.
    """

    def __init__(self, clock: Clock, ask: Callable[[], datetime]) -> None:
        """`ask` reads the exchange's clock, whole seconds; it raises VenueUnreachableError."""
        self._clock = clock
        self._ask = ask
        self._answers: deque[_Told] = deque(maxlen=8)
        self._failed_at = -inf
        self._lock = Lock()

    def measure(self) -> float | None:
        """As `known`, after asking where the last answer is old or stops trading."""
        with self._lock:
            for _ in range(TRIES):
                known = self.known()
                wrong = known is None or abs(known) > SKEW_SECONDS_MAX
                if not (wrong or self._age() > FRESH_SECONDS) or not self._asked():
                    break
            return self.known()

    def known(self) -> float | None:
        """The least difference that the answers prove, in seconds; positive: this machine is ahead.

        0 where they prove none. None: no answer, or only old or slow ones.
        """
        boot = self._clock.boot_seconds()
        ours = self._clock.now().timestamp() - boot
        least, most = -inf, inf
        for told in reversed(tuple(self._answers)):
            if boot - told.at > KNOWN_SECONDS or max(least, told.least) > min(most, told.most):
                break  # too old, or a clock was set since: the newer answers count
            least, most = max(least, told.least), min(most, told.most)
        if most - least > WIDEST_SECONDS:
            return None
        return max(ours - most, 0.0) + min(ours - least, 0.0)

    def _asked(self) -> bool:
        """Whether one more answer came."""
        sent = self._clock.boot_seconds()
        if sent - self._failed_at < RETRY_SECONDS:
            return False
        try:
            second = self._ask().timestamp()
        except VenueUnreachableError as error:
            self._failed_at = self._clock.boot_seconds()
            log.warning("clock.not_told", why=str(error))
            return False
        got = self._clock.boot_seconds()
        self._answers.append(_Told(least=second - got, most=second + 1 - sent, at=got))
        return True

    def _age(self) -> float:
        return self._clock.boot_seconds() - self._answers[-1].at if self._answers else inf


class Clocks:
    """Both comparisons in one. Without a `venue` only this machine's own clocks are compared."""

    def __init__(
        self,
        clock: Clock,
        venue: VenueSkew | None = None,
        heard: Callable[[str | None], None] = lambda _problem: None,
    ) -> None:
        """`heard` is told after each measure what is wrong with the clocks, or None."""
        self._watch = ClockWatch(clock)
        self._venue = venue
        self._heard = heard

    def measure(self) -> float | None:
        """The greatest difference in seconds, asking the exchange where that is due; None: not known."""
        if self._venue is not None:
            self._venue.measure()
            self._heard(self.problem())
        return self.known()

    def known(self) -> float | None:
        """As `measure`, by what was told so far."""
        own = self._watch.skew_seconds()
        if self._venue is None:
            return own
        theirs = self._venue.known()
        return None if theirs is None else max(own, theirs, key=abs)

    def problem(self) -> str | None:
        """What keeps orders from being proposed and sent, in one sentence; nobody is asked for it."""
        own = self._watch.problem()
        if own is not None or self._venue is None:
            return own
        theirs = self._venue.known()
        if theirs is None:
            return "The exchange does not tell its time, so nothing is proposed or sent."
        if abs(theirs) <= SKEW_SECONDS_MAX:
            return None
        way = "ahead of" if theirs > 0 else "behind"
        return (
            f"This machine's clock is at least {abs(theirs):.1f} s {way} the exchange's, so nothing is "
            "proposed or sent: set it (NTP)."
        )
