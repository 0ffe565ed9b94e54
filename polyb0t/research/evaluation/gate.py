"""Where a model may speak: only in categories in which it has beaten the price, and only while it does.

Judged at each refit on earlier forecasts whose markets had ended by then, so that no decision of a month
uses anything of that month.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from polyb0t.research.evaluation.observations import DAY_US, Flags
from polyb0t.research.evaluation.scores import clustered_t
from polyb0t.research.evaluation.walk_forward import Forecasts

LEAST_ROWS: Final = 300
T_TO_OPEN: Final = 1.64  # one-sided 5 %
T_TO_STAY: Final = 0.5
RECENT_US: Final = 183 * DAY_US


@dataclass(frozen=True, slots=True)
class Standing:
    """Why a category is live, or why it is not. `t` and `recent_t` are gains in standard errors."""

    live: bool
    rows: int
    t: float
    recent_t: float

    @property
    def why(self) -> str:
        """One sentence."""
        if self.rows < LEAST_ROWS:
            return f"{self.rows} resolved rows of the {LEAST_ROWS} that it takes."
        if self.t <= T_TO_OPEN:
            return f"It has not beaten the price: t {self.t:.2f}, and {T_TO_OPEN} is needed."
        if self.recent_t < T_TO_STAY:
            return f"It has stopped beating the price: t {self.recent_t:.2f} over the last six months."
        return f"It has beaten the price: t {self.t:.2f} on {self.rows} resolved rows."


def standings(forecasts: Forecasts, asof_us: int) -> Mapping[str, Standing]:
    """The standing of every category at `asof_us`, by what had ended before it."""
    rows = forecasts.rows
    known: Flags = (rows.resolved_us < asof_us) & (rows.at_us < asof_us) & rows.decided
    found = {}
    for code, name in enumerate(rows.categories):
        of_it = forecasts.take(known & (rows.category == code))
        found[name] = _standing(of_it, asof_us)
    return found


def live_rows(forecasts: Forecasts) -> Flags:
    """The forecasts on which the model would have been allowed to speak, month by month."""
    allowed = np.zeros(len(forecasts.q), bool)
    for refit in np.unique(forecasts.refit_us):
        of_month = forecasts.refit_us == refit
        by_category = standings(forecasts, int(refit))
        live = np.array([by_category[name].live for name in forecasts.rows.categories])
        allowed |= of_month & live[forecasts.rows.category]
    return allowed


def _standing(forecasts: Forecasts, asof_us: int) -> Standing:
    rows = forecasts.rows
    difference = np.square(rows.price - rows.outcome) - np.square(forecasts.q - rows.outcome)
    recent: Flags = rows.at_us >= asof_us - RECENT_US
    t = clustered_t(difference, rows.event)
    recent_t = clustered_t(difference[recent], rows.event[recent])
    enough = len(rows) >= LEAST_ROWS
    return Standing(enough and t > T_TO_OPEN and recent_t >= T_TO_STAY, len(rows), t, recent_t)
