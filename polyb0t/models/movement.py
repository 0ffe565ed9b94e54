"""How much a market's price moves: what is known of it from the middles that were seen.

    variance a day = sum of (x[i+1] - x[i])^2 / time,   x the log-odds of the middle

Measured over steps of five minutes and of an hour. A price that bounces between two ticks looks wilder
over short steps, one that drifts looks wilder over long ones. So a market is calm when the larger figure
is, and only the smaller one is relied on to bring a fill. Nothing is said before two hours were seen: a
market that nobody has watched is not calm, it is unknown.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Final, NamedTuple

from polyb0t.core.ids import ConditionId
from polyb0t.core.units import ZERO
from polyb0t.models.logit import logit

SAMPLE_SECONDS: Final = 300.0
WINDOW_SECONDS: Final = 86_400.0
LEAST_SECONDS: Final = 7_200.0
LEAST_SAMPLES: Final = 25
LONG_STEP: Final = 12  # samples: an hour
_DAY: Final = Decimal(86_400)


class Movement(NamedTuple):
    """Standard deviation of the log-odds over a day, by two measures."""

    most: Decimal  # the larger: has to be small where something is left unattended
    least: Decimal  # the smaller: all that is counted on to bring a fill


class _Seen(NamedTuple):
    at: float
    log_odds: Decimal


@dataclass
class MidHistory:
    """Told and asked by the cycle's thread."""

    _markets: dict[ConditionId, deque[_Seen]] = field(default_factory=dict)
    _sampled_at: float | None = None

    def due(self, at: float) -> bool:
        """Whether a sample is due; `at` in seconds of the boot clock."""
        return self._sampled_at is None or at - self._sampled_at >= SAMPLE_SECONDS

    def observe(self, mids: Mapping[ConditionId, Decimal], at: float) -> None:
        """The middle of each market that has one; what is not due, or outside (0, 1), is left out."""
        if not self.due(at):
            return
        self._sampled_at = at
        for condition, mid in mids.items():
            if 0 < mid < 1:
                self._markets.setdefault(condition, deque()).append(_Seen(at, logit(mid)))
        for condition in list(self._markets):
            series = self._markets[condition]
            while series and series[0].at < at - WINDOW_SECONDS:
                series.popleft()
            if not series:
                del self._markets[condition]

    def movement(self, condition_id: ConditionId) -> Movement | None:
        """One market's; None while too little was seen of it."""
        seen = tuple(self._markets.get(condition_id, ()))
        if len(seen) < LEAST_SAMPLES or seen[-1].at - seen[0].at < LEAST_SECONDS:
            return None
        measures = sorted((_daily(seen), _daily(seen[::-LONG_STEP])))
        return Movement(most=measures[1], least=measures[0])


def _daily(seen: Sequence[_Seen]) -> Decimal:
    """Over neighbours of `seen`; a gap counts with the time that it took."""
    squares = sum(_squares(seen), ZERO)
    seconds = Decimal(str(abs(seen[-1].at - seen[0].at)))
    return (squares * _DAY / seconds).sqrt()


def _squares(seen: Sequence[_Seen]) -> Iterable[Decimal]:
    for before, after in pairwise(seen):
        yield (after.log_odds - before.log_odds) ** 2
