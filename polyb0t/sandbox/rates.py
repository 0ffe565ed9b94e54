"""Rate limits of a signer: one token bucket for orders and one for cancels, over all of its keys.

The venue counts and announces since 2026-07-24; whether it refuses yet is not known. So there are
three dispositions: off, warning (headers only) and enforced (headers and 429).
"""

from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Final

from polyb0t.core.clock import Clock
from polyb0t.sandbox.wire import WireError

Headers = tuple[tuple[str, str], ...]
TOO_MANY: Final = "Too many requests"

# Orders per second, cancels per second; the burst is one and a half seconds' worth of each.
TIERS: Final[dict[str, tuple[int, int]]] = {
    "standard": (40, 80),
    "copper": (60, 120),
    "bronze": (80, 160),
    "silver": (200, 400),
    "gold": (400, 800),
    "platinum": (450, 900),
    "diamond": (525, 1_050),
    "elite": (600, 1_200),
}
_MAY_OWE: Final = ("standard", "copper", "bronze", "silver", "gold")


class Enforcement(StrEnum):
    """What becomes of an empty bucket."""

    OFF = "off"
    WARNING = "warning"
    ENFORCED = "enforced"


class What(StrEnum):
    """Which bucket."""

    ORDERS = "orders"
    CANCELS = "cancels"


@dataclass
class _Bucket:
    tokens: float
    at: float


class Rates:
    """The buckets of every signer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.enforcement = Enforcement.OFF
        self.tier = "standard"
        self._buckets: dict[tuple[str, What], _Bucket] = {}

    def dispose(self, enforcement: Enforcement, tier: str) -> None:
        """Begin anew, with full buckets."""
        self.enforcement, self.tier = enforcement, tier
        self._buckets.clear()

    def charge(self, signer: str, what: What, cost: int) -> Headers:
        """Take `cost` tokens, all or nothing; the headers that say what is left.

        Raises:
            WireError: 429, when limits are enforced and there are not so many.
        """
        if self.enforcement is Enforcement.OFF:
            return ()
        bucket, rate = self._filled(signer, what)
        if bucket.tokens >= cost:
            bucket.tokens -= cost
            return self._headers(bucket, rate)
        if self.enforcement is Enforcement.WARNING:
            bucket.tokens = 0.0
            return (*self._headers(bucket, rate), ("Poly-RateLimit-Warning", "true"))
        wait = ceil((cost - bucket.tokens) / rate)
        raise WireError(
            429, TOO_MANY, headers=(*self._headers(bucket, rate), ("Retry-After", str(max(1, wait))))
        )

    def owe(self, signer: str, what: What, cost: int) -> None:
        """Take what a request turned out to cost; the lower tiers may go below nothing."""
        if self.enforcement is Enforcement.OFF or cost == 0:
            return
        bucket, _ = self._filled(signer, what)
        bucket.tokens -= cost
        if self.tier not in _MAY_OWE:
            bucket.tokens = max(0.0, bucket.tokens)

    def _filled(self, signer: str, what: What) -> tuple[_Bucket, int]:
        rate = TIERS[self.tier][0 if what is What.ORDERS else 1]
        now, full = self._clock.boot_seconds(), float(rate + rate // 2)
        bucket = self._buckets.setdefault((signer.lower(), what), _Bucket(full, now))
        bucket.tokens = min(full, bucket.tokens + (now - bucket.at) * rate)
        bucket.at = now
        return bucket, rate

    def _headers(self, bucket: _Bucket, rate: int) -> Headers:
        missing = rate + rate // 2 - bucket.tokens
        reset = ceil(self._clock.now().timestamp() + missing / rate)
        return (
            ("Poly-RateLimit-Remaining", str(max(0, int(bucket.tokens)))),
            ("Poly-RateLimit-Reset", str(reset)),
            ("Poly-RateLimit-Tier", self.tier),
        )
