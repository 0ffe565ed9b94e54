"""What else a model has to be better than, judged on the same rows in the same months."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from polyb0t.research.evaluation.observations import Flags, Floats, Observations
from polyb0t.research.evaluation.recalibration import Prior
from polyb0t.research.evaluation.scores import CLIP, log_loss
from polyb0t.research.evaluation.walk_forward import Forecasts, walk_forward, walk_forward_with

_NONE: Final = 1e-4  # so narrow a prior leaves nothing of a coefficient
ONE_SLOPE: Final = Prior((_NONE, _NONE, _NONE), (0.15, _NONE, _NONE))
LIKE_ROWS: Final = 20.0  # a category's rate counts as if so much weight of the overall rate were in it


@dataclass(frozen=True, slots=True)
class Baseline:
    """How good something simpler was."""

    name: str
    brier: float
    log_loss: float


def baselines(rows: Observations) -> tuple[Baseline, ...]:
    """One slope for all categories and horizons, and how often each category's markets ended so."""
    return (
        _judged("price with one slope", walk_forward(rows, ONE_SLOPE)),
        _judged("category base rate", walk_forward_with(rows, _BaseRates(rows))),
    )


class _BaseRates:
    """Says of every row how often "yes" happened in its category."""

    def __init__(self, rows: Observations) -> None:
        self._rows = rows

    def __call__(self, seen: Flags, ahead: Flags, start: int) -> tuple[Floats, Floats]:
        learnt = self._rows.take(seen & self._rows.decided)
        weight, count = learnt.weights(start), len(learnt.categories)
        total = np.bincount(learnt.category, weight, count)
        happened = np.bincount(learnt.category, weight * learnt.outcome, count)
        overall = happened.sum() / total.sum() if total.sum() else 0.5
        rate = np.clip((happened + LIKE_ROWS * overall) / (total + LIKE_ROWS), CLIP, 1 - CLIP)
        q: Floats = rate[self._rows.category[ahead]]
        return q, np.zeros(len(q))


def _judged(name: str, forecasts: Forecasts) -> Baseline:
    decided = forecasts.take(forecasts.rows.decided)
    outcome = decided.rows.outcome
    brier = float(np.square(decided.q - outcome).mean()) if len(outcome) else 0.0
    return Baseline(name, brier, log_loss(decided.q, outcome))
