"""Fitting and judging market calibration on 100,000 rows: this process's CPU and its greatest memory."""

import resource
import time
from collections.abc import Callable

import numpy as np

from bench.figures import Section
from evidence.worlds import PLANTED, START_US, make_world
from polyb0t.research.evaluation.observations import DAY_US, HORIZONS, Observations
from polyb0t.research.evaluation.recalibration import fit
from polyb0t.research.evaluation.walk_forward import walk_forward

ROWS = 100_000
ROUNDS = 5
TARGET_S = 5.0
END_US = START_US + 730 * DAY_US


def measure() -> Section:
    section = Section(
        f"market calibration on {ROWS:,} rows",
        rival="one least-squares solution of the same rows and coefficients as one dense matrix",
    )
    seen = make_world(PLANTED, 1, markets=58_000).seen
    rows = seen.take(np.arange(ROWS))
    dense = _dense(rows)
    rival = _best(lambda: np.linalg.lstsq(dense, rows.outcome, rcond=None))
    section.add("fit, CPU", _best(lambda: fit(rows, END_US)), "s", target=TARGET_S, rival=rival)
    section.add("walk-forward over two years, CPU", _best(lambda: walk_forward(rows)), "s", rival=rival)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    section.notes.append(f"peak of the whole process, world and rival included: {peak:.0f} MB")
    return section


def _dense(rows: Observations) -> np.ndarray:
    """Intercept and slope of all, of each category and of each cell: what the fit never writes out."""
    cells = len(rows.categories) * len(HORIZONS)
    cell = rows.category * len(HORIZONS) + rows.horizon
    parts = [np.zeros(len(rows), np.int64), 1 + rows.category, 1 + len(rows.categories) + cell]
    matrix = np.zeros((len(rows), 2 * (1 + len(rows.categories) + cells)))
    for part in parts:
        matrix[np.arange(len(rows)), 2 * part] = 1
        matrix[np.arange(len(rows)), 2 * part + 1] = rows.log_odds
    return matrix


def _best(step: Callable[[], object]) -> float:
    """The least CPU of several rounds: what others do to this machine only ever adds."""
    spent = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        step()
        spent.append(time.process_time() - begun)
    return min(spent)
