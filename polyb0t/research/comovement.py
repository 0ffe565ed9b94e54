"""How far what we hold may move in a day by its prices: a shrunk covariance of what was recorded.

    returns  six-hour changes of the log-odds of the middle, at least 60 of them seen of every market together
    shrunk   = share x m I + (1 - share) x S          Ledoit and Wolf (2004), J. Multivariate Analysis 88

S is the sample covariance, m its mean variance; the share is the one that is nearest to the true matrix in
the mean. A day is four such steps. This is about marks and nothing else: how outcomes hang together is
declared (decision 0028), and nothing that sizes or refuses a trade imports this module.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from polyb0t.research.replay.reading import database, rows

STEP_US: Final = 6 * 3_600 * 1_000_000
LEAST: Final = 60
STEPS_A_DAY: Final = 4
ONE_IN_TWENTY: Final = 1.6449  # standard deviations
_MOST_PAIRS: Final = 5
_SHOWN: Final = 0.3

Floats = NDArray[np.float64]
Mids = Mapping[str, Mapping[int, float]]  # asset -> number of the step -> its last middle


@dataclass(frozen=True, slots=True)
class Lot:
    """Shares of an asset at its present price; `name` as a person reads it."""

    asset: str
    name: str
    shares: float
    price: float


@dataclass(frozen=True, slots=True)
class MarkRisk:
    """`day_loss` in pUSD is exceeded on one day of twenty. `left_out` are lots of which too little was seen;
    `pairs` move together most: both names and their correlation."""

    day_loss: float
    observations: int
    shrinkage: float
    pairs: tuple[tuple[str, str, float], ...]
    left_out: tuple[str, ...]


def shrunk_covariance(returns: Floats) -> tuple[Floats, float]:
    """The covariance of the columns of `returns`, and the share that was taken from the identity.

    Raises:
        ValueError: fewer than two rows, or no column.
    """
    count, width = returns.shape
    if count < 2 or width < 1:
        raise ValueError(f"{count} rows of {width} columns have no covariance")
    centred = returns - returns.mean(axis=0)
    sample = centred.T @ centred / count
    mean = float(np.trace(sample)) / width
    distance = float(((sample - mean * np.eye(width)) ** 2).sum()) / width
    squares = (centred**2).sum(axis=1)
    # Sum over rows of |x x' - S|^2 without building any of the matrices.
    spread = float((squares**2).sum()) - count * float((sample**2).sum())
    error = min(spread / (count * count) / width, distance)
    share = error / distance if distance > 0 else 0.0
    return share * mean * np.eye(width) + (1.0 - share) * sample, share


def mark_risk(lots: Sequence[Lot], mids: Mids) -> MarkRisk | None:
    """What one day may take by prices; None where too little was seen of every lot."""
    kept, returns = _together(lots, mids)
    left_out = tuple(lot.name for lot in lots if lot not in kept)
    if not kept:
        return None
    covariance, share = shrunk_covariance(returns)
    # A step of the log-odds moves a price by p (1 - p) times as much.
    weights = np.array([lot.shares * lot.price * (1.0 - lot.price) for lot in kept])
    variance = float(weights @ covariance @ weights) * STEPS_A_DAY
    loss = ONE_IN_TWENTY * float(np.sqrt(max(0.0, variance)))
    return MarkRisk(loss, len(returns), share, _pairs(kept, covariance), left_out)


def recorded_mids(folder: Path, assets: Sequence[str]) -> Mids:
    """The last middle of each six hours, of days that are written to files; the open hour is not."""
    found: dict[str, dict[int, float]] = {asset: {} for asset in assets}
    parts = sorted(str(path) for path in (folder / "books").glob("????-??-??/*.parquet"))
    if not parts or not assets:
        return found
    with database() as opened:
        for asset, step, bid, ask in rows(opened, _LAST, [parts, list(assets), STEP_US]):
            middle = (bid + ask) / 2e6
            if 0.0 < middle < 1.0:
                found[asset][int(step)] = middle
    return found


_LAST: Final = """
WITH seen AS (
    SELECT asset, at_us, bid_prices_e6[1] AS bid, ask_prices_e6[1] AS ask
    FROM read_parquet(?) WHERE list_contains(?, asset) AND len(bid_prices_e6) > 0 AND len(ask_prices_e6) > 0
)
SELECT asset, at_us // ? AS step, arg_max(bid, at_us), arg_max(ask, at_us)
FROM seen GROUP BY asset, step ORDER BY asset, step
"""


def _together(lots: Sequence[Lot], mids: Mids) -> tuple[list[Lot], Floats]:
    """The lots of which enough was seen at the same times, and their returns; seen least, left out first."""
    kept = sorted((lot for lot in lots if mids.get(lot.asset)), key=lambda lot: -len(mids[lot.asset]))
    while kept:
        common = set.intersection(*(set(mids[lot.asset]) for lot in kept))
        steps = sorted(step for step in common if step + 1 in common)
        if len(steps) >= LEAST:
            logits = [{s: _logit(mids[lot.asset][s]) for s in common} for lot in kept]
            return kept, np.array([[seen[s + 1] - seen[s] for seen in logits] for s in steps])
        kept.pop()
    return [], np.empty((0, 0))


def _logit(price: float) -> float:
    return float(np.log(price / (1.0 - price)))


def _pairs(lots: Sequence[Lot], covariance: Floats) -> tuple[tuple[str, str, float], ...]:
    deviations = np.sqrt(np.diag(covariance))
    found = [
        (one.name, other.name, float(covariance[i, j] / (deviations[i] * deviations[j])))
        for i, one in enumerate(lots)
        for j, other in enumerate(lots)
        if i < j and deviations[i] > 0 and deviations[j] > 0
    ]
    found.sort(key=lambda pair: -abs(pair[2]))
    return tuple(pair for pair in found if abs(pair[2]) >= _SHOWN)[:_MOST_PAIRS]
