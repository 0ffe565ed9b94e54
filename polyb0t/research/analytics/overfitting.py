"""How much of the best of several runs is only that it was chosen.

Two answers. The deflated Sharpe ratio: the chance that the best run's true ratio is above what the best
of so many runs without any skill would show (Bailey and Lopez de Prado, The Deflated Sharpe Ratio, 2014).
And the probability of backtest overfitting by combinatorially symmetric cross-validation: the days are
cut into blocks, the best is chosen on one half of them, and its place among all is looked up on the other
half, for every way to halve them (Bailey, Borwein, Lopez de Prado and Zhu, 2017).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import e
from statistics import NormalDist
from typing import Final

import numpy as np

from polyb0t.research.analytics.ratios import DAYS_A_YEAR, long_run_deviation, probabilistic_sharpe
from polyb0t.research.evaluation.observations import Floats

MOST_BLOCKS: Final = 16  # 12,870 ways to halve them
FEWEST_BLOCKS: Final = 6
DAYS_A_BLOCK: Final = 5
FEWEST_DAYS: Final = FEWEST_BLOCKS * DAYS_A_BLOCK
_EULER: Final = float(np.euler_gamma)


@dataclass(frozen=True, slots=True)
class Choice:
    """The best of `runs`, judged over `days` daily returns that all of them have.

    `best` is its place among them; `sharpe` its ratio a year and `by_luck` the one that the best of `trials`
    runs without skill would show; `chance` (0 to 1) that its true ratio is above that. `overfitted` is the
    share of the `halvings` in which what was best on one half was among the worse on the other; `lost` the
    share in which it lost money there. None: too few days, or no run that differed from another.
    """

    runs: int
    trials: int
    days: int
    best: int | None = None
    sharpe: float | None = None
    by_luck: float | None = None
    chance: float | None = None
    halvings: int = 0
    overfitted: float | None = None
    lost: float | None = None


def choice(returns: Sequence[Sequence[float]], trials: int) -> Choice:
    """Of the daily returns of each run over the same days, oldest first; `trials` were made on this history
    in all, these among them.

    Raises:
        ValueError: runs of different lengths.
    """
    table = np.asarray([list(run) for run in returns], dtype=np.float64)
    runs, days = len(returns), table.shape[1] if table.ndim == 2 else 0
    tried = max(trials, runs)
    if runs < 2 or days < FEWEST_DAYS:
        return Choice(runs, tried, days)
    daily = np.array([_daily_ratio(run) for run in table])
    spread = float(daily.std(ddof=1))
    if not spread:
        return Choice(runs, tried, days)
    best, by_luck = int(daily.argmax()), highest_by_luck(spread, tried)
    worse, lost = _halved(table)
    return Choice(
        runs=runs,
        trials=tried,
        days=days,
        best=best,
        sharpe=float(daily[best]) * DAYS_A_YEAR**0.5,
        by_luck=by_luck * DAYS_A_YEAR**0.5,
        chance=probabilistic_sharpe(table[best], float(daily[best]), above=by_luck),
        halvings=len(worse),
        overfitted=float(worse.mean()),
        lost=float(lost.mean()),
    )


def _daily_ratio(run: Floats) -> float:
    unrest = long_run_deviation(run)
    return float(run.mean()) / unrest if unrest else 0.0


def highest_by_luck(spread: float, trials: int) -> float:
    """The ratio that the best of `trials` runs without skill is expected to show, where their ratios differ
    with the standard deviation `spread`; in its unit."""
    draw = NormalDist(0, spread).inv_cdf
    return (1 - _EULER) * draw(1 - 1 / trials) + _EULER * draw(1 - 1 / (trials * e))


def _halved(table: Floats) -> tuple[Floats, Floats]:
    """By way to halve the days: whether what was best on one half was among the worse on the other (a half
    where it stood in the middle), and whether it lost there."""
    blocks = min(MOST_BLOCKS, 2 * (table.shape[1] // (2 * DAYS_A_BLOCK)))
    cut = np.array_split(table, blocks, axis=1)
    days = np.array([part.shape[1] for part in cut], dtype=np.float64)
    sums = np.array([part.sum(axis=1) for part in cut])
    squares = np.array([np.square(part).sum(axis=1) for part in cut])
    ways = _ways(blocks)
    chosen = _ratios(ways, days, sums, squares).argmax(axis=1)
    there = _ratios(1 - ways, days, sums, squares)
    own = np.take_along_axis(there, chosen[:, None], axis=1)
    below, equal = (there < own).sum(axis=1), (there == own).sum(axis=1)
    middle = (table.shape[0] + 1) / 2
    place = below + (equal + 1) / 2
    worse = np.where(place < middle, 1.0, np.where(place == middle, 0.5, 0.0))
    return worse, (own[:, 0] < 0).astype(np.float64)


def _ways(blocks: int) -> Floats:
    """One row for each way to take half of the blocks."""
    taken = list(combinations(range(blocks), blocks // 2))
    ways = np.zeros((len(taken), blocks))
    np.put_along_axis(ways, np.array(taken), 1.0, axis=1)
    return ways


def _ratios(ways: Floats, days: Floats, sums: Floats, squares: Floats) -> Floats:
    """Mean over deviation of each run on the blocks that each way takes; 0 where nothing moved."""
    count = (ways @ days)[:, None]
    mean = (ways @ sums) / count
    variance = np.maximum((ways @ squares) / count - np.square(mean), 0.0)
    still = variance < 1e-18
    return np.where(still, 0.0, mean / np.sqrt(np.where(still, 1.0, variance)))
