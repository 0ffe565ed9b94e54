"""What is assumed where a history does not tell: the book around a price, the payment, the scheduled end.

Every one of these is said to whoever opens the history (`About.assumed`).
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

from polyb0t.core.clock import iso

MILLION: Final = 1_000_000
LevelsE6 = tuple[tuple[int, int], ...]

_DAY_US: Final = 86_400 * MILLION
KEPT_US: Final = _DAY_US  # a price of longer ago is nobody's price any more
_COARSE_E6, _FINE_E6 = 10_000, 1_000
_COARSE_FROM_E6, _COARSE_TO_E6 = 40_000, 960_000  # beyond these the exchange goes to the fine tick
_STEPS: Final = 10  # the depth lies in as many parts, each half a tick further out


@dataclass(frozen=True, slots=True)
class AssumedSpread:
    """The book around a price: half a spread by how cheap the cheaper side is, and one tick more.

    Below ten cents half a spread is a share of the price: 650 to 900 basis points in the lowest decile
    (Dubach 2026, arXiv 2604.24366). Above it is half of the smallest usual spread. The tick on top and the
    depth, of which each tenth lies half a tick further out, are caution and not measured.
    """

    cheap_share_e6: int = 80_000
    half_e6: int = 5_000
    depth_e6: int = 2_000 * MILLION  # shares on each side

    @property
    def sentence(self) -> str:
        return (
            f"Books are assumed: half a spread of {self.half_e6 / 10_000:g} cents (below ten cents "
            f"{self.cheap_share_e6 / 10_000:g} % of the price) and one tick around the price, "
            f"{self.depth_e6 // MILLION:,} shares a side, each tenth half a tick further out."
        )


def half_spread_e6(mid_e6: int, spread: AssumedSpread) -> int:
    """Half a spread with its tick, in whole thousandths of a pUSD."""
    cheaper = min(mid_e6, MILLION - mid_e6)
    if cheaper >= 100_000:
        return spread.half_e6 + _COARSE_E6
    share = -(-cheaper * spread.cheap_share_e6 // (MILLION * _FINE_E6)) * _FINE_E6
    return max(share, _FINE_E6) + _tick(mid_e6)


@lru_cache(maxsize=4_096)
def book_around(price_e6: int, spread: AssumedSpread) -> tuple[LevelsE6, LevelsE6]:
    """(bids, asks) around a price. Levels that would not lie inside 0 and 1 are not there: near the ends
    a book has one side."""
    mid = min(max((price_e6 + _FINE_E6 // 2) // _FINE_E6 * _FINE_E6, _FINE_E6), MILLION - _FINE_E6)
    half = half_spread_e6(mid, spread)
    step = max(_tick(mid) // 2, _FINE_E6)
    part = spread.depth_e6 // _STEPS
    bids = tuple((mid - half - n * step, part) for n in range(_STEPS) if mid - half - n * step > 0)
    asks = tuple((mid + half + n * step, part) for n in range(_STEPS) if mid + half + n * step < MILLION)
    return bids, asks


@lru_cache(maxsize=4_096)
def mirrored(bids: LevelsE6, asks: LevelsE6) -> tuple[LevelsE6, LevelsE6]:
    """The other outcome's book: who bids for one side at p offers the other at 1 - p."""
    return (
        tuple((MILLION - price, shares) for price, shares in asks),
        tuple((MILLION - price, shares) for price, shares in bids),
    )


def _tick(mid_e6: int) -> int:
    return _COARSE_E6 if _COARSE_FROM_E6 <= mid_e6 <= _COARSE_TO_E6 else _FINE_E6


@dataclass(frozen=True, slots=True)
class Payment:
    """When the money of a market that is over can be used.

    Without a dispute a result stands after a challenge period of about two hours; a vote takes 48 to 72
    hours more, and a first dispute asks anew before that (Polymarket/uma-ctf-adapter, README;
    docs.polymarket.com concepts/resolution). About one result in a hundred was disputed. Which ones are is
    drawn from the market's name and `seed`, so that it is the same in every run.
    """

    challenge: timedelta = timedelta(hours=2)
    disputed_e6: int = 10_000  # of a million markets
    seed: int = 0

    def paid_us(self, condition: str, resolved_us: int) -> int:
        """Microseconds since 1970."""
        drawn = hashlib.sha256(f"{self.seed}:{condition}".encode()).digest()
        wait = self.challenge // timedelta(microseconds=1)
        if int.from_bytes(drawn[:8], "big") % MILLION < self.disputed_e6:
            wait += 2 * _DAY_US + int.from_bytes(drawn[8:16], "big") % (2 * _DAY_US)
        return resolved_us + wait

    @property
    def sentence(self) -> str:
        hours = self.challenge / timedelta(hours=1)
        return (
            f"Money is paid {hours:g} hours after the end; of {MILLION // self.disputed_e6:,} markets one is "
            f"disputed and pays two to four days later."
            if self.disputed_e6
            else f"Money is paid {hours:g} hours after the end; no result is disputed."
        )


class Ends(StrEnum):
    """What stands in for a scheduled end that a history does not tell."""

    IN_WORDS = "words"  # a date in the question or the name, which could be read at the time
    LAST_PRICE = "last-price"  # the last price of the file. Looks ahead


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Everything that may be assumed of one history.

    `stated_end` goes before `ends`: a person says when all of its markets were to end. `zone` is that of
    times which do not say theirs ("UTC"); while it is empty they are refused.
    """

    spread: AssumedSpread = field(default_factory=AssumedSpread)
    payment: Payment = field(default_factory=Payment)
    ends: Ends = Ends.IN_WORDS
    stated_end: datetime | None = None
    zone: str = ""

    @property
    def end_sentence(self) -> str:
        if self.stated_end is not None:
            return (
                f"Every market is taken to be scheduled to end at {iso(self.stated_end)}: somebody said so."
            )
        if self.ends is Ends.LAST_PRICE:
            return "A market's last price stands in for its scheduled end."
        return (
            "A scheduled end is the date in the question or the name of a market; in those without one "
            "nothing is opened."
        )

    @property
    def looks_ahead(self) -> tuple[str, ...]:
        """Of histories that tell no scheduled end."""
        if self.stated_end is None and self.ends is Ends.LAST_PRICE:
            return ("When a market was to end is read from its last price, which nobody knew at the time.",)
        return ()
