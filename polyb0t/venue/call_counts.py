"""How many calls to each host brought a useful answer, over the last minutes."""

from collections import deque
from threading import Lock
from typing import Final

from polyb0t.core.clock import Clock
from polyb0t.models.switch_rules import HostCalls
from polyb0t.venue.http import Call

# Everything else below 500 is an answer: a book that does not exist, an order that found nothing.
_REFUSING: Final = frozenset({401, 403, 408, 429})


class CallCounts:
    """Counts of every reader and sender that is given `counted`. Safe to share between threads."""

    def __init__(self, clock: Clock, window_seconds: float) -> None:
        self._clock = clock
        self._window = window_seconds
        self._calls: dict[str, deque[tuple[float, bool]]] = {}
        self._lock = Lock()

    def counted(self, call: Call) -> None:
        """One call came to its end. One that `amends` turns out bad after it was counted as good."""
        now = self._clock.boot_seconds()
        with self._lock:
            calls = self._calls.setdefault(call.host, deque())
            if call.amends and calls and not calls[-1][1]:
                calls.pop()
            calls.append((now, is_error(call)))
            _forget(calls, now - self._window)

    def hosts(self) -> tuple[HostCalls, ...]:
        """Each host that was called within the window, by name."""
        oldest = self._clock.boot_seconds() - self._window
        with self._lock:
            for calls in self._calls.values():
                _forget(calls, oldest)
            return tuple(_summed(host, calls) for host, calls in sorted(self._calls.items()) if calls)


def is_error(call: Call) -> bool:
    """Whether the host gave no useful answer: none at all, one that cannot be read, 5xx, or a refusal
    of the caller himself. That an order finds nothing or a book does not exist is an answer."""
    if call.ok:
        return False
    return call.status is None or call.status >= 500 or call.status in _REFUSING


def _summed(host: str, calls: deque[tuple[float, bool]]) -> HostCalls:
    errors = [at for at, error in calls if error]
    lasted = errors[-1] - errors[0] if errors else 0.0
    return HostCalls(host, len(calls), len(errors), lasted)


def _forget(calls: deque[tuple[float, bool]], oldest: float) -> None:
    while calls and calls[0][0] < oldest:
        calls.popleft()
