"""Which spread is usual, for the universe and for each market: rolling medians over two hours.

Nothing is said before ten minutes were seen: after a start, and after a long sleep of the machine, it
learns anew and trips nothing. The universe's present figure is itself a median, of the last minute and
of three looks at least, so that a restart of the exchange or one empty moment is no anomaly.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from statistics import median
from typing import Final

from polyb0t.core.ids import ConditionId
from polyb0t.models.switch_rules import SpreadLevel

SAMPLE_SECONDS: Final = 60.0
BASELINE_SECONDS: Final = 7_200.0
LEAST_SAMPLES: Final = 10
LEAST_LOOKS: Final = 3
LEAST_MARKETS: Final = 3  # the median of fewer is one market's own business

_Series = deque[tuple[float, Decimal]]


@dataclass
class SpreadHistory:
    """Told by one thread after each reading of the books; `usual` may be read from every other."""

    _looks: _Series = field(default_factory=deque)
    _universe: _Series = field(default_factory=deque)
    _markets: dict[ConditionId, _Series] = field(default_factory=dict)
    _usual: Mapping[ConditionId, Decimal] = field(default_factory=dict)  # replaced, never changed
    _sampled_at: float | None = None

    def observe(self, spreads: Mapping[ConditionId, Decimal], at: float) -> None:
        """Best ask less best bid, of every market that has both; `at` in seconds of the boot clock."""
        seen = {condition: spread for condition, spread in spreads.items() if spread > 0}
        if len(seen) >= LEAST_MARKETS:
            self._looks.append((at, median(seen.values())))
        while len(self._looks) > LEAST_LOOKS and self._looks[0][0] < at - SAMPLE_SECONDS:
            self._looks.popleft()
        if self._sampled_at is None or at - self._sampled_at >= SAMPLE_SECONDS:
            self._sampled_at = at
            self._sample(seen, at)

    def level(self) -> SpreadLevel | None:
        """The universe's; None while it is not known what is usual."""
        usual = _usual(self._universe)
        if usual is None or len(self._looks) < LEAST_LOOKS:
            return None
        return SpreadLevel(_median(self._looks), usual)

    def usual(self, condition_id: ConditionId) -> Decimal | None:
        """One market's usual spread; None while it is not known."""
        return self._usual.get(condition_id)

    def _sample(self, seen: Mapping[ConditionId, Decimal], at: float) -> None:
        oldest = at - BASELINE_SECONDS
        if len(seen) >= LEAST_MARKETS:
            self._universe.append((at, median(seen.values())))
        _forget(self._universe, oldest)
        for condition, spread in seen.items():
            self._markets.setdefault(condition, deque()).append((at, spread))
        for condition in list(self._markets):
            _forget(self._markets[condition], oldest)
            if not self._markets[condition]:
                del self._markets[condition]
        known = ((condition, _usual(series)) for condition, series in self._markets.items())
        self._usual = {condition: usual for condition, usual in known if usual is not None}


def _usual(series: _Series) -> Decimal | None:
    return _median(series) if len(series) >= LEAST_SAMPLES else None


def _median(series: Iterable[tuple[float, Decimal]]) -> Decimal:
    return median(value for _, value in series)


def _forget(series: _Series, oldest: float) -> None:
    while series and series[0][0] < oldest:
        series.popleft()
