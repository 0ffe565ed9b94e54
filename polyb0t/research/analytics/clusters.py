"""Means with an interval that lets results of one event move together.

Bets on one event win and lose together, so a hundred of them are hardly more evidence than one. The
standard error is the sandwich over events; its quantile is Student's with events less one, since few
events make the sandwich itself uncertain (Cameron and Miller, A Practitioner's Guide to Cluster-Robust
Inference, 2015). Under ten events even that is no longer believed, and no interval is given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from polyb0t.research.evaluation.observations import Codes, Floats
from polyb0t.research.evaluation.scores import Z95, clustered_error

FEWEST_EVENTS: Final = 10


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean of `rows` results of `events` events. `low` and `high` bound 95 %; None: too few to say."""

    rows: int
    events: int
    mean: float
    error: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def differs(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def codes(names: Sequence[str]) -> Codes:
    """A number for each event, in the order of their names."""
    _, found = np.unique(np.asarray(names, dtype=str), return_inverse=True)
    return found.astype(np.int64)


def clustered_mean(values: Sequence[float], events: Sequence[str]) -> Mean | None:
    """None without any."""
    if not values:
        return None
    return _mean(np.asarray(values, dtype=np.float64), codes(events))


def clustered_difference(
    left: Sequence[float], left_events: Sequence[str], right: Sequence[float], right_events: Sequence[str]
) -> Mean | None:
    """How much larger the mean of `left` is; an event on both sides moves both. None: one side is empty."""
    if not left or not right:
        return None
    one, other = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    gap = float(one.mean() - other.mean())
    pull = np.concatenate([(one - one.mean()) / len(one), -(other - other.mean()) / len(other)])
    event = codes([*left_events, *right_events])
    sums = np.bincount(event, weights=pull)
    error = float((np.square(sums).sum() * len(sums) / (len(sums) - 1)) ** 0.5) if len(sums) > 1 else None
    return _bounded(len(pull), len(sums), gap, error)


def student95(freedom: int) -> float:
    """The 97.5 % quantile of Student's t, after Cornish and Fisher; exact to 0.001 from 9 on."""
    z, v = Z95, float(freedom)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / v + second / v**2 + third / v**3


def _mean(values: Floats, event: Codes) -> Mean:
    events = len(np.unique(event))
    error = clustered_error(values, event)
    return _bounded(len(values), events, float(values.mean()), error)


def _bounded(rows: int, events: int, mean: float, error: float | None) -> Mean:
    if error is None or events < FEWEST_EVENTS:
        return Mean(rows, events, mean, error)
    reach = student95(events - 1) * error
    return Mean(rows, events, mean, error, mean - reach, mean + reach)
