"""What our own recorder saw, for judging decisions of the past."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from polyb0t.core.ids import ConditionId
from polyb0t.models.themes import themes
from polyb0t.research.analytics.records import NoBooks
from polyb0t.research.replay.reading import database, listed
from polyb0t.research.replay.recorded_books import recorded_books
from polyb0t.research.replay.recorded_rows import files_of
from polyb0t.research.replay.tape import PastBooks
from polyb0t.research.rows_read import market_from


class Recorded(NamedTuple):
    """`watched` tells of an instant whether there is a recording at all. Where it was silent, and of books
    that nobody looked at any more, `books` knows nothing."""

    books: PastBooks
    watched: Callable[[datetime], bool]


def recorded(folder: Path) -> Recorded:
    """Of a recorder's folder; of one that is not there: nothing, and nobody ever looked."""
    if not folder.is_dir():
        return Recorded(NoBooks(), lambda _at: False)
    return Recorded(recorded_books(folder), lambda _at: True)


def recorded_themes(folder: Path, wanted: Collection[ConditionId]) -> Mapping[ConditionId, tuple[str, ...]]:
    """The themes of markets as they were recorded last; what cannot be read is missing."""
    files = files_of(folder, "markets")
    if not files or not wanted:
        return {}
    query = (
        "SELECT condition, max(at_us), arg_max(content, at_us) "  # noqa: S608 - the paths are quoted
        f"FROM read_parquet({listed(files)}, union_by_name = true) "
        "WHERE condition = ANY(?) GROUP BY condition"
    )
    found: dict[ConditionId, tuple[str, ...]] = {}
    with database() as opened:
        for condition, at_us, content in opened.execute(query, [list(wanted)]).fetchall():
            try:
                market = market_from(condition, at_us, content, "")
            except ValueError:
                continue
            found[ConditionId(condition)] = themes(market)
    return found
