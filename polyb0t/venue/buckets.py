"""Our own limits, below the exchange's published ones, and what it says about them.

Published (vendor, 2026): orders and cancels per signer and second with a burst, reads per
address and ten seconds. Ours are half of that or less, because engine, commands and website of one
person share them. A batch that costs more than a burst would never be taken.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from polyb0t.core.clock import Clock

ORDERS: Final = "orders"
CANCELS: Final = "cancels"
RELAYER: Final = "relayer"
CANCELS_AT_ONCE: Final = 60  # a batch costs as much as it has ids; published burst: 120
_LONGEST_BLOCK_SECONDS: Final = 300.0
_WITHOUT_A_TIME_SECONDS: Final = 1.0  # a refusal that does not say how long


@dataclass(frozen=True, slots=True)
class Limit:
    """`rate` tokens per second, `burst` at once."""

    rate: float
    burst: float


# name -> (ours, published). Tests hold the first below the second.
LIMITS: Final[Mapping[str, tuple[Limit, Limit]]] = {
    ORDERS: (Limit(20, 30), Limit(40, 60)),
    CANCELS: (Limit(40, 60), Limit(80, 120)),
    "books": (Limit(20, 40), Limit(50, 500)),
    "listings": (Limit(20, 60), Limit(50, 500)),
    "account rows": (Limit(20, 100), Limit(50, 500)),
    "balance": (Limit(8, 40), Limit(20, 200)),
    "balance update": (Limit(2, 20), Limit(5, 50)),
    "positions": (Limit(8, 40), Limit(20, 200)),
    RELAYER: (Limit(10 / 60, 5), Limit(25 / 60, 25)),
    "other": (Limit(100, 500), Limit(900, 9_000)),
}

# The first that fits: (method or "", end of the path, name).
_RULES: Final[Sequence[tuple[str, str, str]]] = (
    ("POST", "/order", ORDERS),
    ("DELETE", "/orders", CANCELS),
    ("POST", "/submit", RELAYER),
    ("", "/books", "books"),
    ("", "/markets/keyset", "listings"),
    ("", "/data/orders", "account rows"),
    ("", "/data/trades", "account rows"),
    ("", "/balance-allowance/update", "balance update"),
    ("", "/balance-allowance", "balance"),
    ("", "/v2/positions", "positions"),
)


def limit_name(method: str, path: str) -> str:
    """Which limit a call falls under; a sandbox's mount before the path does not matter."""
    for verb, end, name in _RULES:
        if path.endswith(end) and verb in ("", method):
            return name
    return "other"


class TokenBucket:
    """Not safe by itself: `Throttle` locks."""

    def __init__(self, limit: Limit, now: float) -> None:
        self._limit = limit
        self._level = limit.burst
        self._at = now
        self._blocked_until = 0.0

    def take(self, cost: float, now: float) -> float:
        """0 when taken; else the seconds after which to ask again, and nothing was taken."""
        self._fill(now)
        if now < self._blocked_until:
            return self._blocked_until - now
        if self._level >= cost:
            self._level -= cost
            return 0.0
        return (cost - self._level) / self._limit.rate

    def hold(self, seconds: float, now: float) -> None:
        """Nothing for so long; a longer hold in force stays."""
        self._blocked_until = max(self._blocked_until, now + min(seconds, _LONGEST_BLOCK_SECONDS))

    def at_most(self, remaining: float, now: float) -> None:
        """The exchange's own count: ours never stands above it."""
        self._fill(now)
        self._level = min(self._level, remaining)

    def _fill(self, now: float) -> None:
        gained = max(0.0, now - self._at) * self._limit.rate
        self._level = min(self._limit.burst, self._level + gained)
        self._at = now


class Throttle:
    """Every limit of one process. Safe to share between threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        now = clock.boot_seconds()
        self._buckets = {name: TokenBucket(ours, now) for name, (ours, _) in LIMITS.items()}

    def take(self, name: str, cost: float = 1) -> float:
        """0 when the call may be made now; else the seconds to wait before asking again.

        Raises:
            ValueError: it costs more than a burst, so it could never be made.
        """
        if cost > LIMITS[name][0].burst:
            raise ValueError(f"{cost} of {name} at once are more than a burst")
        with self._lock:
            return self._buckets[name].take(cost, self._clock.boot_seconds())

    def wait(self, name: str, cost: float = 1, *, at_most: float) -> bool:
        """Wait until the call may be made; False when that would take longer than `at_most` seconds."""
        until = self._clock.boot_seconds() + at_most
        while seconds := self.take(name, cost):
            if self._clock.boot_seconds() + seconds > until:
                return False
            self._clock.sleep(seconds)
        return True

    def answered(self, name: str, status: int, headers: Mapping[str, str]) -> None:
        """What an answer says of the limit; header names in lower case."""
        now = self._clock.boot_seconds()
        remaining = _number(headers.get("poly-ratelimit-remaining"))
        with self._lock:
            bucket = self._buckets[name]
            if remaining is not None:
                bucket.at_most(max(0.0, remaining), now)
            if status == 429:
                bucket.hold(self._pause(headers), now)

    def _pause(self, headers: Mapping[str, str]) -> float:
        """Seconds: as told, else until the exchange's reset, else a moment."""
        after = _number(headers.get("retry-after"))
        if after is not None:
            return max(after, 0.0)
        reset = _number(headers.get("poly-ratelimit-reset"))  # unix seconds
        if reset is not None:
            return max(reset - self._clock.now().timestamp(), _WITHOUT_A_TIME_SECONDS)
        return _WITHOUT_A_TIME_SECONDS


def _number(header: str | None) -> float | None:
    """A whole number, possibly negative; None for anything else."""
    if header is None or not header.isascii() or len(header) > 12:
        return None
    return float(header) if header.removeprefix("-").isdigit() else None
