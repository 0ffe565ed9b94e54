"""How often somebody may ask, and how often show a wrong token. Counted in this process alone."""

import math
from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, SlidingWindowCounterRateLimiter

from polyb0t.core.clock import SystemClock

WRONG_PER_MINUTE: Final = 10


class Rates:
    """The two limits. `requests` of one token, or of one address without a token; `wrong` tokens of one
    address. A right token is answered however many wrong ones came from its address: nobody locks another
    out of stopping."""

    def __init__(self, requests_per_minute: int) -> None:
        storage = MemoryStorage()
        self._counter = SlidingWindowCounterRateLimiter(storage)
        self._window = FixedWindowRateLimiter(storage)
        self._requests = RateLimitItemPerMinute(requests_per_minute, namespace="requests")
        self._wrong = RateLimitItemPerMinute(WRONG_PER_MINUTE, namespace="wrong")

    def request(self, who: str) -> int | None:
        """Count one; None, or after how many seconds to ask again."""
        if self._counter.hit(self._requests, who):
            return None
        return _seconds(self._counter.get_window_stats(self._requests, who).reset_time)

    def wrong(self, address: str) -> int | None:
        """Count a wrong token; None, or after how many seconds to try again."""
        if self._window.hit(self._wrong, address):
            return None
        return _seconds(self._window.get_window_stats(self._wrong, address).reset_time)


def _seconds(until: float) -> int:
    return max(1, math.ceil(until - SystemClock().now().timestamp()))
