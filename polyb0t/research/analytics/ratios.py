"""Return against its own unrest, from daily marks at the bid, never without how much it can be believed.

Sharpe: mean over standard deviation of daily returns, the deviation after Newey and West (1987) with
Bartlett weights and 4 (n / 100)^(2/9) lags, so that a smoothed or trending curve does not look calm.
PSR: the probability that the true ratio is above zero, given the number of days and how skewed and how
heavy-tailed they were (Bailey and Lopez de Prado, The Sharpe Ratio Efficient Frontier, 2012).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from polyb0t.research.evaluation.observations import Floats

DAYS_A_YEAR: Final = 365  # these markets have no week-end
FEWEST_DAYS: Final = 20


@dataclass(frozen=True, slots=True)
class Ratios:
    """Of `days` daily returns. `sharpe` and `sortino` are per year; `chance` is the PSR, from 0 to 1. None:
    too few days, or none that differed."""

    days: int
    mean: float | None = None  # a day
    sharpe: float | None = None
    sortino: float | None = None  # None as well where no day lost
    chance: float | None = None


def ratios(returns: Sequence[float]) -> Ratios:
    """Of daily returns, oldest first."""
    found = np.asarray(returns, dtype=np.float64)
    if len(found) < FEWEST_DAYS:
        return Ratios(len(found))
    mean, unrest = float(found.mean()), long_run_deviation(found)
    if not unrest:
        return Ratios(len(found), mean)
    year, fall = DAYS_A_YEAR**0.5, float(np.sqrt(np.square(np.minimum(found, 0)).mean()))
    return Ratios(
        days=len(found),
        mean=mean,
        sharpe=mean / unrest * year,
        sortino=mean / fall * year if fall else None,
        chance=probabilistic_sharpe(found, mean / unrest),
    )


def long_run_deviation(returns: Floats) -> float:
    """After Newey and West; the plain deviation (n - 1) where the weighted sum is not positive."""
    n = len(returns)
    off = returns - returns.mean()
    lags = int(4 * (n / 100) ** (2 / 9))
    variance = float(off @ off) / n
    for lag in range(1, lags + 1):
        variance += 2 * (1 - lag / (lags + 1)) * float(off[lag:] @ off[:-lag]) / n
    if variance <= 0:
        return float(returns.std(ddof=1))
    return float((variance * n / (n - 1)) ** 0.5)


def probabilistic_sharpe(returns: Floats, ratio: float, above: float = 0.0) -> float | None:
    """The probability that the true ratio a day is higher than `above`; None where moments give no answer."""
    n, off = len(returns), returns - returns.mean()
    spread = float(np.sqrt(np.square(off).mean()))
    if not spread or n < 2:
        return None
    skew, tails = float((off**3).mean()) / spread**3, float((off**4).mean()) / spread**4
    inside = 1 - skew * ratio + (tails - 1) / 4 * ratio**2
    if inside <= 0:
        return None
    return NormalDist().cdf((ratio - above) * (n - 1) ** 0.5 / inside**0.5)
