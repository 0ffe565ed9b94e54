"""What a model is fitted and judged on: prices on a calendar grid, and how their markets ended.

One row is one market at one grid instant, as it could be known then; the outcome is attached when the
market has ended for good. Columns are arrays of equal length. These are statistics, not money, so they
are floats; what a model says in the end is a `Decimal` again.
"""

from dataclasses import dataclass, fields, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]

DAY_US: Final = 86_400_000_000
HALF_LIFE_US: Final = 180 * DAY_US  # after which a row counts half
HORIZONS: Final = (
    "1-7d",
    "7-30d",
    "30-90d",
    "90d+",
)  # to the scheduled end, as models.calibration
_ENDS_US: Final = np.array([7, 30, 90]) * DAY_US
VOID: Final = 0.5  # a market that paid both outcomes half says nothing about a probability


@dataclass(frozen=True, slots=True)
class Observations:
    """Rows as columns. `price` and `outcome` are those of the first outcome; instants are microseconds
    since 1970 UTC.

    `event` and `category` are positions in `events` and `categories`. `named_sides` marks markets whose
    first outcome has no meaning of its own (two teams), where a bias towards "yes" cannot exist.
    """

    event: Codes
    category: Codes
    at_us: Codes
    ends_us: Codes  # as scheduled at `at_us`
    resolved_us: Codes
    price: Floats
    outcome: Floats
    named_sides: Flags
    events: tuple[str, ...]
    categories: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.price)

    @property
    def horizon(self) -> Codes:
        """The position in `HORIZONS` of the time to the scheduled end."""
        return np.searchsorted(_ENDS_US, self.ends_us - self.at_us, side="left").astype(np.int64)

    @property
    def known_us(self) -> Codes:
        """From when on a row may teach or judge: its market was over, and was to be over.

        Of the markets that still have time only those are over in which it came early. Used before their
        scheduled end they make every right price of "will it happen by then" look too low.
        """
        found: Codes = np.maximum(self.resolved_us, self.ends_us)
        return found

    @property
    def log_odds(self) -> Floats:
        return logit(self.price)

    @property
    def decided(self) -> Flags:
        """Rows whose market had a winner."""
        found: Flags = self.outcome != VOID
        return found

    def take(self, chosen: Flags | Codes) -> Self:
        """Those rows, in their order; the names stay."""
        columns = [each.name for each in fields(self) if each.name not in ("events", "categories")]
        return replace(self, **{name: getattr(self, name)[chosen] for name in columns})

    def weights(self, asof_us: int) -> Floats:
        """One over the event's rows up to the row's own instant, halved with every half-life of age.

        Not over all its rows: how many there will be depends on where the price goes, so that a row of a
        price that soon leaves the range would count for more, and a calibrated market would look biased.
        """
        age = np.maximum(asof_us - self.at_us, 0) / HALF_LIFE_US
        weights: Floats = np.exp2(-age) / self._rows_so_far()
        return weights

    def _rows_so_far(self) -> Codes:
        """How many rows its event has at the row's instant or before."""
        order = np.lexsort((self.at_us, self.event))
        event, at = self.event[order], self.at_us[order]
        ends = np.flatnonzero(np.append((event[1:] != event[:-1]) | (at[1:] != at[:-1]), True))
        last_of_instant = np.repeat(ends, np.diff(ends, prepend=-1))
        counts = np.empty(len(order), np.int64)
        counts[order] = last_of_instant - np.searchsorted(event, event, "left") + 1
        return counts


def logit(probability: Floats) -> Floats:
    """ln(p / (1 - p)) of probabilities inside (0, 1)."""
    found: Floats = np.log(probability) - np.log1p(-probability)
    return found


def expit(log_odds: Floats) -> Floats:
    """The probability of `log_odds`."""
    found: Floats = 1.0 / (1.0 + np.exp(-log_odds))
    return found
