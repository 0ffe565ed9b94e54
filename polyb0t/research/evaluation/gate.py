"""Where a model may speak: only in categories in which it has beaten the price, and only while it does.

Judged at each refit on earlier forecasts whose markets had ended by then, so that no decision of a month
uses anything of that month. Who looks in many places finds luck somewhere: the 5 % that luck is allowed are
shared by all categories that are judged and by every model that was tried on the same venue. And who looks
every month finds it sometime: a gain has to stand for two months before it counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Final

import numpy as np

from polyb0t.research.evaluation.observations import DAY_US, Codes, Flags
from polyb0t.research.evaluation.scores import clustered_t
from polyb0t.research.evaluation.walk_forward import Forecasts

LEAST_ROWS: Final = 300
LEAST_EVENTS: Final = 100  # with few of them a gain counted by event looks surer than it is
LUCK: Final = 0.05  # one-sided, for all categories and trials together
T_TO_STAY: Final = 0.5
STANDS_US: Final = (62 * DAY_US, 31 * DAY_US)  # so long ago it has to have stood as well
RECENT_US: Final = 183 * DAY_US


@dataclass(frozen=True, slots=True)
class Standing:
    """Why a category is live, or why it is not. `t` and `recent_t` are gains in standard errors, `needed`
    is what `t` has to pass; `stood`: it did so one and two months before, too; `ends_told`: it was known
    beforehand when its markets were to end; `events` of the rows (None: an older card does not say)."""

    live: bool
    rows: int
    t: float
    recent_t: float
    needed: float
    stood: bool = True
    ends_told: bool = True
    events: int | None = None

    @property
    def why(self) -> str:
        """One sentence."""
        if self.rows < LEAST_ROWS:
            return f"{self.rows} resolved rows of the {LEAST_ROWS} that it takes."
        if self.events is not None and self.events < LEAST_EVENTS:
            return (
                f"{self.events} events of the {LEAST_EVENTS} that it takes, with {self.rows} resolved rows."
            )
        if self.t <= self.needed:
            return f"It has not beaten the price: t {self.t:.2f}, and {self.needed:.2f} is needed."
        if not self.ends_told:
            return (
                "When its markets were to end was not told: the time that was left is known afterwards only."
            )
        if self.recent_t < T_TO_STAY:
            return f"It has stopped beating the price: t {self.recent_t:.2f} over the last six months."
        if not self.stood:
            return f"It beats the price, t {self.t:.2f}, and has not done so for two months yet."
        return f"It has beaten the price: t {self.t:.2f} on {self.rows} resolved rows."


def needed_t(judged: int, trials: int) -> float:
    """What a gain has to pass when `judged` categories are judged and this is the `trials`-th model."""
    return NormalDist().inv_cdf(1 - LUCK / (max(judged, 1) * max(trials, 1)))


def standings(forecasts: Forecasts, asof_us: int, trials: int = 1) -> Mapping[str, Standing]:
    """The standing of every category at `asof_us`, by what had ended before it."""
    before = [_at(forecasts, asof_us - back, trials) for back in STANDS_US]
    found = {}
    for name, now in _at(forecasts, asof_us, trials).items():
        stood = all(then[name].live for then in before)
        found[name] = replace(now, live=now.live and stood, stood=stood)
    return found


def _at(forecasts: Forecasts, asof_us: int, trials: int) -> dict[str, Standing]:
    """By that instant alone."""
    rows = forecasts.rows
    known: Flags = (rows.known_us < asof_us) & (rows.at_us < asof_us) & rows.decided
    of_each = [np.flatnonzero(known & (rows.category == code)) for code in range(len(rows.categories))]
    needed = needed_t(sum(len(each) >= LEAST_ROWS for each in of_each), trials)
    return {
        name: _standing(forecasts, chosen, asof_us, needed)
        for name, chosen in zip(rows.categories, of_each, strict=True)
    }


def live_rows(forecasts: Forecasts) -> Flags:
    """The forecasts on which the model would have been allowed to speak, month by month."""
    allowed = np.zeros(len(forecasts.q), bool)
    for refit in np.unique(forecasts.refit_us):
        of_month = forecasts.refit_us == refit
        by_category = standings(forecasts, int(refit))
        live = np.array([by_category[name].live for name in forecasts.rows.categories])
        allowed |= of_month & live[forecasts.rows.category]
    return allowed


def _standing(forecasts: Forecasts, chosen: Codes, asof_us: int, needed: float) -> Standing:
    """Of the rows `chosen`."""
    rows = forecasts.rows
    outcome, event = rows.outcome[chosen], rows.event[chosen]
    difference = np.square(rows.price[chosen] - outcome) - np.square(forecasts.q[chosen] - outcome)
    recent: Flags = rows.at_us[chosen] >= asof_us - RECENT_US
    t = clustered_t(difference, event)
    recent_t = clustered_t(difference[recent], event[recent])
    events = len(np.unique(event))
    live = len(chosen) >= LEAST_ROWS and events >= LEAST_EVENTS and t > needed and recent_t >= T_TO_STAY
    return Standing(live, len(chosen), t, recent_t, needed, events=events)
