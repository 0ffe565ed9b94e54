"""When the exchange takes no orders, or not all of them: restart, post-only, cancel-only, disabled.

Only answers to orders are evidence, by status and code before text (vendor, 2026). What a
window means for cancels is not inferred: they are always tried. A 425 on a read says that the read
failed and nothing else, so reads never come here.
"""

import threading
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import structlog

from polyb0t.core.clock import Clock
from polyb0t.data.windows import OPEN, Window, WindowKind
from polyb0t.venue.parsing import Refused, Wire, as_object, decode_json, text

_log = structlog.get_logger(__name__)


# How long each is believed when the exchange names no time: about 90 s for a restart and 120 s for
# what follows it; the others have no known end, so an order tries again once a minute.
_PAUSE_SECONDS: Final = {
    WindowKind.RESTARTING: 90,
    WindowKind.POST_ONLY: 120,
    WindowKind.CANCEL_ONLY: 60,
    WindowKind.DISABLED: 60,
}
_LONGEST_SECONDS: Final = 3_600
_ENGINE_ANSWERS: Final = frozenset({200, 400})  # the matching engine looked at the order


def window_of(status: int, body: bytes) -> WindowKind | None:
    """The window that an answer to an order speaks of, if any."""
    if status == 425:
        return WindowKind.RESTARTING
    if status != 503:
        return None
    said = _json(body)
    if text(said, "code") == "post_only_mode":
        return WindowKind.POST_ONLY
    words = text(said, "error").lower()
    if "cancel-only" in words:
        return WindowKind.CANCEL_ONLY
    return WindowKind.DISABLED if "disabled" in words else None


class VenueWindows:
    """The latest word of the exchange on whether it takes orders. Safe to share between threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._window = OPEN
        self._ends = 0.0  # on the clock that counts suspension

    def current(self) -> Window:
        """Open again once its time is over: then an order may try."""
        with self._lock:
            if not self._window.takes_orders and self._clock.boot_seconds() >= self._ends:
                self._window = OPEN
            return self._window

    def order_answered(
        self, status: int, headers: Mapping[str, str], body: bytes, *, post_only: bool = False
    ) -> None:
        """One answer to an order that was sent; header names in lower case. That a post-only order was looked
        at says nothing of a window that takes those."""
        kind = window_of(status, body)
        if kind is not None:
            self._close(kind, _seconds(kind, headers, body))
        elif status in _ENGINE_ANSWERS:
            with self._lock:
                if not (post_only and self._window.takes(post_only=True)):
                    self._window = OPEN

    def _close(self, kind: WindowKind, seconds: float) -> None:
        now = self._clock.now()
        with self._lock:
            before = self._window
            since = before.since if before.kind is kind else now
            self._window = Window(kind, since, now + timedelta(seconds=seconds))
            self._ends = self._clock.boot_seconds() + seconds
        if before.kind is not kind:
            _log.warning("venue_window", kind=kind, seconds=seconds)


def _seconds(kind: WindowKind, headers: Mapping[str, str], body: bytes) -> float:
    told = _json(body).get("retry_after_seconds")
    for value in (headers.get("retry-after"), told):
        digits = str(value)
        if digits.isascii() and digits.isdigit() and 0 < len(digits) < 6:
            return float(min(max(1, int(digits)), _LONGEST_SECONDS))
    return float(_PAUSE_SECONDS[kind])


def _json(body: bytes) -> Wire:
    """The answer as an object with readable texts; empty when it is anything else."""
    try:
        said = as_object(decode_json(body), "the answer")
        text(said, "code")
        text(said, "error")
    except Refused:
        return {}
    return said
