"""Prices of the past that nobody lived through: invented, exact at any instant, and cheap to ask for.

The truth is P(outcome) while a Brownian motion X runs from `start` to its end at 1, where the first
outcome wins if X is above 0: at time u that is the normal CDF of X / sqrt(1 - u), which is a martingale
and ends at 0 or 1. The crowd compresses its logit by the market's bias, as it does in the living
markets (crowd.py), so a model fitted on prices and outcomes finds that bias again. X is refined by
midpoints, each drawn from its own place in the tree: any window gives the same points as any other.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from polyb0t.sandbox.crowd import WALK_PER_ROOT_SECOND, logit, sigmoid
from polyb0t.sandbox.randomness import Random64
from polyb0t.sandbox.types import MILLION

CLIP: Final = 0.005
GRID_E6: Final = 5_000  # midpoints of a one-cent grid
LOGIT_PER_MS: Final = WALK_PER_ROOT_SECOND**2 / 1_000  # variance
_Piece = tuple[float, float, float, float]  # an interval and X at both of its ends
_ODD: Final = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class Path:
    """One market's life from `begin_ms` to `end_ms`; `start` is X at its beginning."""

    seed: int
    begin_ms: int
    end_ms: int
    start: float
    bias_e3: int

    def end(self) -> float:
        """X at the end; above 0 the first outcome won."""
        return self.start + self._gauss(0, 0)

    def price_e6(self, at_ms: int, x: float) -> int:
        """The crowd's price of the first outcome."""
        left = 1 - (at_ms - self.begin_ms) / (self.end_ms - self.begin_ms)
        if left <= 0:
            return MILLION if x > 0 else 0
        truth = 0.5 * math.erfc(-x / math.sqrt(2 * left))
        price = sigmoid(logit(min(max(truth, 1e-9), 1 - 1e-9)) * 1_000 / self.bias_e3)
        return round(min(max(price, CLIP), 1 - CLIP) * MILLION / GRID_E6) * GRID_E6

    def points(self, since_ms: int, until_ms: int, step_ms: int) -> Iterator[tuple[int, int]]:
        """(at_ms, price_e6) at most `step_ms` apart, oldest first."""
        whole = (self.begin_ms, self.start, self.end_ms, self.end())
        rate = 1 / (self.end_ms - self.begin_ms)
        for at, x in _walk(self.seed, whole, rate, (since_ms, until_ms, step_ms)):
            yield at, self.price_e6(at, x)

    def _gauss(self, level: int, index: int) -> float:
        return _gauss(self.seed, level, index)


@dataclass(frozen=True, slots=True)
class Past:
    """What a living market's price did before this world began: it ends where the crowd began."""

    seed: int
    begin_ms: int
    end_ms: int
    price_e6: int

    def points(self, since_ms: int, until_ms: int, step_ms: int) -> Iterator[tuple[int, int]]:
        """(at_ms, price_e6) at most `step_ms` apart, oldest first."""
        if self.end_ms <= self.begin_ms:
            return
        last = logit(min(max(self.price_e6 / MILLION, CLIP), 1 - CLIP))
        drift = math.sqrt(LOGIT_PER_MS * (self.end_ms - self.begin_ms))
        whole = (self.begin_ms, last + drift * _gauss(self.seed, 0, 0), self.end_ms, last)
        for at, x in _walk(self.seed, whole, LOGIT_PER_MS, (since_ms, until_ms, step_ms)):
            price = min(max(sigmoid(x), CLIP), 1 - CLIP)
            yield at, round(price * MILLION / GRID_E6) * GRID_E6


def _gauss(seed: int, level: int, index: int) -> float:
    """The draw of one place in the tree; three states of the generator belong to each."""
    return Random64(seed + _ODD * ((1 << level) + index) * 3).gauss()


def _walk(
    seed: int, whole: tuple[int, float, int, float], rate: float, window: tuple[int, int, int]
) -> Iterator[tuple[int, float]]:
    """A motion of variance `rate` per millisecond between two known ends, in (since, until, step)."""
    since_ms, until_ms, step_ms = window
    begin, first, end, last = whole
    since_ms, until_ms = max(since_ms, begin), min(until_ms, end - 1)

    def refined(piece: _Piece, level: int, index: int) -> Iterator[tuple[float, float]]:
        left, x_left, right, x_right = piece
        if right < since_ms or left > until_ms:
            return
        if right - left <= step_ms:
            yield left, x_left
            return
        deviation = math.sqrt((right - left) * rate / 4)
        middle, x = (left + right) / 2, (x_left + x_right) / 2 + deviation * _gauss(seed, level, index)
        yield from refined((left, x_left, middle, x), level + 1, 2 * index)
        yield from refined((middle, x, right, x_right), level + 1, 2 * index + 1)

    for at, x in refined((begin, first, end, last), 1, 0):
        if since_ms <= at <= until_ms:
            yield int(at), x
