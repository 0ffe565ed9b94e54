"""Features that look ahead, for checks that have to find them."""

from collections.abc import Callable
from dataclasses import dataclass

from polyb0t.research.features.feature import PRICES
from polyb0t.research.features.point_in_time import Record
from polyb0t.research.features.registry import WINDOW_US


@dataclass(frozen=True, slots=True)
class Cheat:
    """A feature of the whole record, as one computes them over a table of the past."""

    name: str
    of: Callable[[Record, int], float | None]
    window_us: int = WINDOW_US
    version: int = 1
    requires: frozenset[str] = frozenset({PRICES})
    says: str = "what nobody knew"

    def value(self, record: Record, at_us: int) -> float | None:
        return self.of(record, at_us)
