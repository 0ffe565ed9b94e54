"""What a feature is: a named, versioned number about a market at an instant."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from polyb0t.research.features.point_in_time import PointInTime, Record

# What a feature may need to be known.
PRICES: Final = "prices"
BOOK: Final = "book"
TRADES: Final = "trades"
EVENT: Final = "event"
THEME: Final = "theme"
SCHEDULE: Final = "schedule"
OPENING: Final = "opening"


class Feature(Protocol):
    """A number for `record` at `at_us`, None where what it `requires` was not known then.

    It looks `window_us` back and never ahead; `check_feature` holds it to both. `version` changes with
    what it computes, so that values of two versions never stand in one column.
    """

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def requires(self) -> frozenset[str]: ...

    @property
    def window_us(self) -> int: ...

    @property
    def says(self) -> str: ...

    def value(self, record: Record, at_us: int) -> float | None: ...


@dataclass(frozen=True, slots=True)
class PointFeature:
    """A feature of the view alone: it is handed what was known inside its window, and nothing else."""

    name: str
    version: int
    requires: frozenset[str]
    window_us: int
    says: str
    of: Callable[[PointInTime], float | None]

    def value(self, record: Record, at_us: int) -> float | None:
        return self.of(record.known_at(at_us, self.window_us))


def key(feature: Feature) -> str:
    """How a feature is named where its values are kept."""
    return f"{feature.name}.{feature.version}"
