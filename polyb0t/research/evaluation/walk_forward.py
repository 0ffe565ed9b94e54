"""What a model would have said, month after month, fitted only on what had ended by then.

At each refit the model sees markets that ended, and were to end, a week or more before (the embargo); an
event with rows in the month to come is not learnt from at all (the purge).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from polyb0t.core.clock import from_microseconds, microseconds
from polyb0t.core.errors import ConflictError
from polyb0t.research.evaluation.observations import DAY_US, Codes, Flags, Floats, Observations
from polyb0t.research.evaluation.recalibration import USUAL, Prior, fit

EMBARGO_US: Final = 7 * DAY_US


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Rows that a model had not seen, with what it said of them and when it was fitted."""

    rows: Observations
    q: Floats
    sd: Floats
    refit_us: Codes

    def take(self, chosen: Flags) -> "Forecasts":
        return Forecasts(self.rows.take(chosen), self.q[chosen], self.sd[chosen], self.refit_us[chosen])


# What a way of fitting says of the rows `ahead` when it has learnt from the rows `seen` at an instant in
# microseconds: probabilities and their standard deviations.
Saying = Callable[[Flags, Flags, int], tuple[Floats, Floats]]


def walk_forward(rows: Observations, prior: Prior = USUAL) -> Forecasts:
    """Every row from the second month on, predicted by the calibration fitted at the start of its month."""

    def say(seen: Flags, ahead: Flags, start: int) -> tuple[Floats, Floats]:
        return fit(rows.take(seen), start, prior).predict(rows.take(ahead))

    return walk_forward_with(rows, say)


def walk_forward_with(rows: Observations, say: Saying) -> Forecasts:
    """The same for any way of fitting.

    Raises:
        ConflictError: a window overlaps what it is judged on.
    """
    q, sd, refit = np.zeros(len(rows)), np.zeros(len(rows)), np.zeros(len(rows), np.int64)
    for start, seen, ahead in windows(rows):
        refuse_overlap(rows, seen, ahead, start)
        q[ahead], sd[ahead] = say(seen, ahead, start)
        refit[ahead] = start
    return Forecasts(rows, q, sd, refit).take(refit > 0)


def refuse_overlap(rows: Observations, seen: Flags, ahead: Flags, start_us: int) -> None:
    """Refuses to learn from `seen` at `start_us` where that knows anything of what it is judged on.

    Raises:
        ConflictError: a result is younger than the embargo allows, or an event is on both sides.
    """
    late = seen & (rows.known_us >= start_us - EMBARGO_US)
    if late.any():
        raise _overlap(
            f"The event {rows.events[rows.event[late][0]]:.80} ended, or was to end, less than a week before "
            f"{from_microseconds(start_us):%Y-%m-%d}, when the model was to be fitted"
        )
    early = ahead & (rows.at_us < start_us)
    if early.any():
        raise _overlap(
            f"A row of {rows.events[rows.event[early][0]]:.80} lies before "
            f"{from_microseconds(start_us):%Y-%m-%d}, when the model was to be fitted"
        )
    shared = np.intersect1d(rows.event[seen], rows.event[ahead])
    if len(shared):
        raise _overlap(f"The event {rows.events[shared[0]]:.80} is both learnt from and predicted")


def _overlap(why: str) -> ConflictError:
    return ConflictError(
        "Not judged: the data overlap the test window.",
        why=f"{why}.",
        do="Leave out of what is learnt from what its test shares.",
        code="data_overlap",
    )


def windows(rows: Observations) -> Iterator[tuple[int, Flags, Flags]]:
    """Start of each month in microseconds, the rows to learn from, the rows to predict."""
    for start, end in _months(rows.at_us):
        ahead: Flags = (rows.at_us >= start) & (rows.at_us < end)
        known: Flags = rows.known_us < start - EMBARGO_US
        purged = np.isin(rows.event, rows.event[ahead])
        seen: Flags = known & ~purged
        if seen.any() and ahead.any():
            yield start, seen, ahead


def _months(at_us: Codes) -> Iterator[tuple[int, int]]:
    """Calendar months in UTC from the first row to the last."""
    if not len(at_us):
        return
    moment, last = from_microseconds(int(at_us.min())), int(at_us.max())
    start = datetime(moment.year, moment.month, 1, tzinfo=UTC)
    while microseconds(start) <= last:
        after = datetime(start.year + start.month // 12, start.month % 12 + 1, 1, tzinfo=UTC)
        yield microseconds(start), microseconds(after)
        start = after
