"""What others thought, as our own recorder wrote it down: heard in a replay from when it was known here."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from polyb0t.core.clock import from_microseconds
from polyb0t.core.ids import ConditionId
from polyb0t.core.units import from_e6
from polyb0t.data.outside_views import OWN, OutsideView
from polyb0t.research.replay.events import ViewTold
from polyb0t.research.replay.reading import rows
from polyb0t.research.replay.recorded_rows import files_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TABLE: Final = "independent"
_DAY_US: Final = 86_400 * 1_000_000
OLDEST_US: Final = 30 * _DAY_US  # the settings let no older view be used
# Every day of a recording tells all views again; an engine that starts anew reads the same file again.
_VIEWS: Final = """
    SELECT min(at_us) AS known_us, observed_us, condition, source, probability_e6, sd_e6
    FROM read_parquet(?, union_by_name = true)
    WHERE NOT starts_with(source, ?) AND probability_e6 > 0 AND probability_e6 < 1000000
    GROUP BY ALL HAVING known_us >= ? AND known_us < ?
    ORDER BY known_us, condition, source, observed_us, probability_e6, sd_e6
"""
_SOURCES: Final = """
    SELECT DISTINCT source FROM read_parquet(?, union_by_name = true)
    WHERE NOT starts_with(source, ?) ORDER BY source
"""


def views(opened: "DuckDBPyConnection", folder: Path, since_us: int, until_us: int) -> Iterator[ViewTold]:
    """Every view that was known from an instant in [since, until) on, by that instant. What our own
    components said is left out: in a replay they speak themselves."""
    files = files_of(folder, TABLE)
    if not files:
        return
    for row in rows(opened, _VIEWS, (files, OWN, since_us, until_us)):
        known_us, observed_us, condition, source, probability_e6, sd_e6 = row
        view = OutsideView(
            condition_id=ConditionId(condition),
            source=source,
            probability=from_e6(probability_e6),
            sd=None if sd_e6 is None else from_e6(sd_e6),
            observed_at=from_microseconds(observed_us),
            read_at=from_microseconds(known_us),
        )
        yield ViewTold(known_us, view)


def sources(opened: "DuckDBPyConnection", folder: Path) -> tuple[str, ...]:
    """Who was heard, by name."""
    files = files_of(folder, TABLE)
    return tuple(name for (name,) in rows(opened, _SOURCES, (files, OWN))) if files else ()
