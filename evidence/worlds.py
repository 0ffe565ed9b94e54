"""Synthetic prediction markets whose truth is known: calibrated ones, and ones with a planted bias.

A market's hidden score is a random walk that ends above or below zero; its true probability at any time
is that of a normal with the variance that is left, which is a martingale: prices at it are calibrated at
every horizon. A planted world shows `expit((logit(truth) - intercept) / slope)` in its place, so that
`intercept + slope x logit(price)` is the truth again. Markets of one event share half of their walk.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import NormalDist
from typing import Final

import numpy as np

from polyb0t.core.clock import microseconds
from polyb0t.research.evaluation.observations import (
    DAY_US,
    Codes,
    Flags,
    Floats,
    Observations,
    expit,
    logit,
)

START_US: Final = microseconds(datetime(2024, 1, 1, tzinfo=UTC))  # a Monday
MONTHS: Final = 24
WEEK_US: Final = 7 * DAY_US
MOST_SNAPSHOTS: Final = 3
SPREAD_AT_START: Final = 0.9  # of the hidden score, in standard deviations of what is to come
LOWEST: Final = 0.03
HIGHEST: Final = 0.97


@dataclass(frozen=True, slots=True)
class Bias:
    """How the truth follows from the price: intercept + slope x logit(price)."""

    slope: float = 1.0
    intercept: float = 0.0


CALIBRATED: Final[Mapping[str, Bias]] = {
    name: Bias() for name in ("politics", "sports", "crypto", "weather", "culture", "economics")
}
# Sizes as published for this venue in 2026: strong in politics, slight elsewhere, the other way in two.
PLANTED: Final[Mapping[str, Bias]] = {
    "politics": Bias(1.31),
    "sports": Bias(1.08),
    "crypto": Bias(1.08),
    "weather": Bias(0.97),
    "culture": Bias(0.97),
    "economics": Bias(1.15),
}


@dataclass(frozen=True, slots=True)
class World:
    """What anybody could see, the probability that nobody could, and the number of each row's market."""

    seen: Observations
    truth: Floats
    market: Codes


def make_world(biases: Mapping[str, Bias], seed: int, markets: int = 12_000) -> World:
    """`markets` markets over two years, each seen on up to three Mondays before it ends."""
    chance = np.random.default_rng(seed)
    lives = _Lives(markets, len(biases), chance)
    sights = [lives.sight(at) for at in range(MOST_SNAPSHOTS)]
    outcome = lives.outcome()
    slope = np.array([each.slope for each in biases.values()])[lives.category]
    intercept = np.array([each.intercept for each in biases.values()])[lives.category]
    chosen, times, prices = [], [], []
    for there, when, truth in sights:
        price = np.round(expit((logit(np.clip(truth, 1e-6, 1 - 1e-6)) - intercept) / slope), 3)
        quoted = np.flatnonzero(there & (price >= LOWEST) & (price <= HIGHEST))
        chosen.append(quoted)
        times.append(when[quoted])
        prices.append(price[quoted])
    rows, price = np.concatenate(chosen), np.concatenate(prices)
    seen = Observations(
        event=lives.event[rows],
        category=lives.category[rows],
        at_us=np.concatenate(times),
        ends_us=lives.ends[rows],
        resolved_us=lives.ends[rows] + DAY_US,
        price=price,
        outcome=outcome[rows],
        named_sides=np.zeros(len(rows), bool),
        events=tuple(f"event {at}" for at in range(int(lives.event.max()) + 1)),
        categories=tuple(biases),
    )
    return World(seen, expit(intercept[rows] + slope[rows] * logit(price)), rows)


class _Lives:
    """When markets open and end, and the walk that decides each of them."""

    def __init__(self, markets: int, categories: int, chance: np.random.Generator) -> None:
        self._chance = chance
        number = np.arange(markets)
        self._shared: Flags = number < markets // 3 // 3 * 3  # a third of them, three to an event
        leader = np.where(self._shared, number - number % 3, number)
        self.event: Codes = np.unique(leader, return_inverse=True)[1].astype(np.int64)
        self.category: Codes = chance.integers(0, categories, markets)[leader]
        self._opens = START_US + (chance.uniform(0, MONTHS * 30.4, markets) * DAY_US).astype(np.int64)
        life_days = np.exp(chance.uniform(np.log(4), np.log(160), markets))
        self.ends: Codes = self._opens + (life_days * DAY_US).astype(np.int64)
        self._monday = START_US - (START_US - self._opens) // WEEK_US * WEEK_US
        self._position = chance.normal(0, SPREAD_AT_START, markets)
        self._now = self._opens

    def sight(self, number: int) -> tuple[Flags, Codes, Floats]:
        """Who is open on the next Monday of its calendar, when that is, and how likely "yes" is then."""
        weeks = np.maximum((self.ends - self._monday) // (MOST_SNAPSHOTS * WEEK_US), 1)
        when = self._monday + number * weeks * WEEK_US
        there: Flags = when < self.ends - DAY_US
        self._walk(np.where(there, when, self._now))
        return there, when, _likely(self._position / np.sqrt(self._share(self._now, self.ends)))

    def outcome(self) -> Floats:
        """Every walk to its end: 1 above zero, 0 below."""
        self._walk(self.ends)
        return (self._position > 0).astype(np.float64)

    def _walk(self, until: Codes) -> None:
        own = self._chance.normal(size=len(until))
        common = self._chance.normal(size=int(self.event.max()) + 1)[self.event]
        step = np.where(self._shared, np.sqrt(0.5) * (own + common), own)
        self._position = self._position + np.sqrt(self._share(self._now, until)) * step
        self._now = until

    def _share(self, start: Codes, end: Codes) -> Floats:
        """Which part of a market's life lies between two instants."""
        part: Floats = (end - start) / (self.ends - self._opens)
        return part


_AT: Final = np.linspace(-8, 8, 16_001)
_NORMAL: Final = np.array([NormalDist().cdf(x) for x in _AT])


def _likely(score: Floats) -> Floats:
    """The standard normal distribution function, from a table that is exact to a millionth."""
    found: Floats = np.interp(score, _AT, _NORMAL)
    return found
