"""Market calibration fitted on our own resolved markets, shrunk towards "the price is right".

    logit(q) = L + a0 + a_cat + a_cat,h + (b0 + b_cat + b_cat,h) x L         L = logit(market price)

Every a and b has a normal prior around zero, so a category with little data keeps the market price.
The most probable coefficients are found by Newton's method (the problem is convex). Their covariance gives
each probability its standard deviation: the inverse of the curvature there (Laplace), or what the events
disagree about among themselves (`doubt`), whichever is larger in a cell.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from polyb0t.research.evaluation.doubt import larger, meat, sandwich
from polyb0t.research.evaluation.observations import HORIZONS, Codes, Floats, Observations, expit

MOST_STEPS: Final = 50
CLOSE_ENOUGH: Final = 1e-10
_H: Final = len(HORIZONS)


@dataclass(frozen=True, slots=True)
class Prior:
    """Standard deviations of the deviations from the price: over all, by category, by horizon in it."""

    intercept: tuple[float, float, float] = (0.08, 0.08, 0.05)
    slope: tuple[float, float, float] = (0.15, 0.12, 0.08)


USUAL: Final = Prior()


@dataclass(frozen=True, slots=True)
class CellFit:
    """What is added to a logit in one category and horizon, and how sure that is (variances)."""

    intercept: float
    slope: float  # deviation from 1
    var_intercept: float
    var_slope: float
    covariance: float


@dataclass(frozen=True, slots=True)
class Recalibration:
    """A fitted model: coefficients by cell, where a cell is category x horizon."""

    categories: tuple[str, ...]
    rows: int
    intercept: Floats  # by cell
    slope: Floats  # by cell, deviation from 1
    covariance: Floats  # by cell: the 2 x 2 of (intercept, slope)

    def predict(self, rows: Observations) -> tuple[Floats, Floats]:
        """The probability of the first outcome, and its standard deviation, for each row.

        Raises:
            ValueError: the rows' categories are not those of the fit.
        """
        if rows.categories != self.categories:
            raise ValueError("the rows' categories are not those that the model was fitted on")
        cell, level = _cells(rows), rows.log_odds
        meaning = _meaning(rows)
        q = expit(level + meaning * self.intercept[cell] + self.slope[cell] * level)
        spread = self.covariance[cell]
        variance = (
            meaning * spread[:, 0, 0]
            + 2 * meaning * level * spread[:, 0, 1]
            + level * level * spread[:, 1, 1]
        )
        sd: Floats = q * (1 - q) * np.sqrt(variance)
        return q, sd

    def cell(self, category: str, horizon: str) -> CellFit:
        """What the model says of one category and horizon."""
        at = self.categories.index(category) * _H + HORIZONS.index(horizon)
        spread = self.covariance[at]
        return CellFit(
            float(self.intercept[at]),
            float(self.slope[at]),
            float(spread[0, 0]),
            float(spread[1, 1]),
            float(spread[0, 1]),
        )


def fit(rows: Observations, asof_us: int, prior: Prior = USUAL) -> Recalibration:
    """The most probable coefficients for `rows`, whose weights are as of `asof_us`.

    Markets that paid both outcomes are left out; they are counted where the rows are read.
    """
    rows = rows.take(rows.decided)
    count = len(rows.categories)
    shape, penalty = _shape(count), _penalty(prior, count)
    found = np.zeros(shape.shape[1])
    evidence = _Evidence(rows, asof_us)
    for _ in range(MOST_STEPS):
        gradient, curvature = evidence.at(shape @ found)
        step = np.linalg.solve(
            shape.T @ curvature @ shape + np.diag(penalty), shape.T @ gradient - penalty * found
        )
        found = found + step
        if float(np.max(np.abs(step))) < CLOSE_ENOUGH:
            break
    by_cell = (shape @ found).reshape(count * _H, 2)
    spread = _spread(evidence, shape, penalty, found)
    return Recalibration(rows.categories, len(rows), by_cell[:, 0].copy(), by_cell[:, 1].copy(), spread)


def _spread(evidence: "_Evidence", shape: Floats, penalty: Floats, found: Floats) -> Floats:
    """The 2 x 2 covariance of (intercept, slope) of each cell."""
    _, curvature = evidence.at(shape @ found)
    inverse: Floats = np.linalg.inv(shape.T @ curvature @ shape + np.diag(penalty)).astype(np.float64)
    between = shape.T @ evidence.between_events(shape @ found) @ shape
    by_event = sandwich(inverse, penalty, between, evidence.events)
    return larger(_of_each_cell(shape @ inverse @ shape.T), _of_each_cell(shape @ by_event @ shape.T))


def _of_each_cell(covariance: Floats) -> Floats:
    """The 2 x 2 blocks on the diagonal."""
    return np.stack([covariance[at : at + 2, at : at + 2] for at in range(0, len(covariance), 2)])


class _Evidence:
    """Gradient and curvature of the log likelihood in (intercept, slope) of each cell.

    Rows meet only inside their cell, so a pass costs one walk over the rows however many cells there are.
    """

    def __init__(self, rows: Observations, asof_us: int) -> None:
        self._cell, self._level = _cells(rows), rows.log_odds
        self._outcome, self._meaning = rows.outcome, _meaning(rows)
        self._weight = rows.weights(asof_us)
        self._cells = len(rows.categories) * _H
        self._event, self.events = rows.event, len(np.unique(rows.event))

    def between_events(self, coefficients: Floats) -> Floats:
        """The sum over events of each one's gradient times itself."""
        intercept, slope = coefficients.reshape(self._cells, 2).T
        cell, level, meaning = self._cell, self._level, self._meaning
        off = self._weight * (self._outcome - expit(level + meaning * intercept[cell] + slope[cell] * level))
        scores = np.stack([off * meaning, off * level], axis=1)
        return meat(self._event, cell, scores, self._cells)

    def at(self, coefficients: Floats) -> tuple[Floats, Floats]:
        intercept, slope = coefficients.reshape(self._cells, 2).T
        cell, level, meaning = self._cell, self._level, self._meaning
        q = expit(level + meaning * intercept[cell] + slope[cell] * level)
        off = self._weight * (self._outcome - q)
        bend = self._weight * q * (1 - q)
        gradient = np.stack([self._sum(off * meaning), self._sum(off * level)], axis=1).reshape(-1)
        curvature = np.zeros((2 * self._cells, 2 * self._cells))
        even, odd = np.arange(0, 2 * self._cells, 2), np.arange(1, 2 * self._cells, 2)
        curvature[even, even] = self._sum(bend * meaning)
        curvature[odd, odd] = self._sum(bend * level * level)
        curvature[even, odd] = curvature[odd, even] = self._sum(bend * level * meaning)
        return gradient, curvature

    def _sum(self, values: Floats) -> Floats:
        return np.bincount(self._cell, weights=values, minlength=self._cells).astype(np.float64)


def _cells(rows: Observations) -> Codes:
    return rows.category * _H + rows.horizon


def _meaning(rows: Observations) -> Floats:
    """1 where the first outcome means "yes"; where sides are names no intercept can exist."""
    return (~rows.named_sides).astype(np.float64)


def _shape(count: int) -> Floats:
    """Which coefficients add up in which cell: (intercept, slope) of every cell x coefficients."""
    cells = count * _H
    shape = np.zeros((2 * cells, 2 * (1 + count + cells)))
    for at in range(cells):
        for kind in (0, 1):  # intercept, slope
            for column in (0, 1 + at // _H, 1 + count + at):
                shape[2 * at + kind, 2 * column + kind] = 1.0
    return shape


def _penalty(prior: Prior, count: int) -> Floats:
    """One over the prior variance of each coefficient, in the order of `_shape`'s columns."""
    levels = (1, count, count * _H)
    pairs = [(a, b) for a, b, n in zip(prior.intercept, prior.slope, levels, strict=True) for _ in range(n)]
    penalty: Floats = 1.0 / np.square(np.array(pairs).reshape(-1))
    return penalty
