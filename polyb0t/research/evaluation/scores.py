"""How good probabilities were, beside the market price, and how sure that is.

Markets of one event end together, so uncertainty is counted by event ("clustered"), never by row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from polyb0t.research.evaluation.observations import Codes, Flags, Floats

CLIP: Final = 0.005  # log loss: nobody may be more certain than this
DRAWS: Final = 1_000
Z95: Final = 1.959964


@dataclass(frozen=True, slots=True)
class Gain:
    """How much less squared error a model had than the price, per row; `t` is its mean in standard errors.

    `low` and `high` bound the central 95 % of a bootstrap over events.
    """

    rows: int
    events: int
    price_brier: float
    model_brier: float
    price_log_loss: float
    model_log_loss: float
    t: float
    low: float
    high: float

    @property
    def brier(self) -> float:
        return self.price_brier - self.model_brier

    @property
    def skill(self) -> float:
        """The Brier skill score against the price; 0 is as good as the price."""
        return self.brier / self.price_brier if self.price_brier else 0.0


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows of about equal number with near probabilities: what was said, and how often it happened.

    `low` and `high` bound 95 %, by event.
    """

    said: float
    happened: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True, slots=True)
class Murphy:
    """The Brier score taken apart: reliability (less is better), resolution (more is), uncertainty."""

    reliability: float
    resolution: float
    uncertainty: float


def gain_over_price(
    price: Floats, model: Floats, outcome: Floats, event: Codes, *, draws: int = DRAWS, seed: int = 0
) -> Gain:
    """The model's squared error beside the price's, on rows with a winner."""
    difference = np.square(price - outcome) - np.square(model - outcome)
    sums, counts = _by_event(difference, event)
    low, high = _bootstrap(sums, counts, draws, seed)
    return Gain(
        rows=len(price),
        events=len(sums),
        price_brier=_mean(np.square(price - outcome)),
        model_brier=_mean(np.square(model - outcome)),
        price_log_loss=log_loss(price, outcome),
        model_log_loss=log_loss(model, outcome),
        t=clustered_t(difference, event),
        low=low,
        high=high,
    )


def clustered_t(difference: Floats, event: Codes) -> float:
    """The mean of `difference` in standard errors that let rows of an event move together; 0 when unknown."""
    error = clustered_error(difference, event)
    return _mean(difference) / error if error else 0.0


def clustered_error(values: Floats, event: Codes) -> float | None:
    """The standard error of the mean when rows of an event move together; None with fewer than two events."""
    sums, counts = _by_event(values, event)
    if len(sums) < 2:
        return None
    off = sums - float(sums.sum() / counts.sum()) * counts
    variance = float(np.square(off).sum()) * len(sums) / (len(sums) - 1) / float(counts.sum()) ** 2
    return float(variance**0.5)


def log_loss(said: Floats, outcome: Floats) -> float:
    """Mean log loss with probabilities kept `CLIP` away from 0 and 1."""
    kept = np.clip(said, CLIP, 1 - CLIP)
    return _mean(-(outcome * np.log(kept) + (1 - outcome) * np.log1p(-kept)))


def reliability(said: Floats, outcome: Floats, event: Codes, bins: int = 10) -> tuple[Bin, ...]:
    """Equal-mass bins with Wilson's 95 % interval for how often it happened, on as many independent rows
    as would know it as well as these do."""
    order = np.argsort(said, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return tuple(_bin(said[part], outcome[part], event[part]) for part in parts)


def murphy(found: Sequence[Bin]) -> Murphy:
    """The three parts, of the bins of `reliability`."""
    total = sum(each.rows for each in found)
    if not total:
        return Murphy(0.0, 0.0, 0.0)
    rate = sum(each.rows * each.happened for each in found) / total
    return Murphy(
        reliability=sum(each.rows * (each.said - each.happened) ** 2 for each in found) / total,
        resolution=sum(each.rows * (each.happened - rate) ** 2 for each in found) / total,
        uncertainty=rate * (1 - rate),
    )


def events_needed(q: float, difference: float) -> int:
    """Independent events that show a probability error of `difference` at about two standard errors."""
    return int(np.ceil(round(16 * q * (1 - q) / difference**2, 6)))


def _bin(said: Floats, outcome: Floats, event: Codes) -> Bin:
    rate = _mean(outcome)
    low, high = wilson(rate, effective_rows(outcome, event))
    return Bin(_mean(said), rate, low, high, len(said))


def effective_rows(outcome: Floats, event: Codes) -> float:
    """Independent rows that know the share of `outcome` as well: the rows over the design effect (Kish 1965).

    Between the number of events and that of rows; where all ended alike nothing tells, and events count.
    """
    rows, events = len(outcome), len(np.unique(event))
    rate, error = _mean(outcome), clustered_error(outcome, event)
    if not error:
        return float(events)
    return float(np.clip(rate * (1 - rate) / error**2, events, rows))


def wilson(rate: float, rows: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share seen in `rows` independent rows."""
    z2 = Z95**2
    middle = (rate + z2 / (2 * rows)) / (1 + z2 / rows)
    reach = Z95 / (1 + z2 / rows) * (rate * (1 - rate) / rows + z2 / (4 * rows**2)) ** 0.5
    return middle - reach, middle + reach


def _by_event(values: Floats, event: Codes) -> tuple[Floats, Floats]:
    """Sum and number of rows of each event that has any."""
    sums: Floats = np.bincount(event, weights=values).astype(np.float64)
    counts: Floats = np.bincount(event).astype(np.float64)
    there: Flags = counts > 0
    return sums[there], counts[there]


def _bootstrap(sums: Floats, counts: Floats, draws: int, seed: int) -> tuple[float, float]:
    """The central 95 % of the mean when events are drawn anew with replacement."""
    if len(sums) == 0:
        return 0.0, 0.0
    chance = np.random.default_rng(seed)
    means = np.empty(draws)
    for at in range(draws):
        drawn = np.bincount(chance.integers(0, len(sums), len(sums)), minlength=len(sums))
        means[at] = (drawn @ sums) / (drawn @ counts)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else 0.0
