"""Price series in Parquet as others publish them: one row an instant, the outcome on the last row.

Columns: `timestamp` (with its zone), `market_slug`, `question`, `price` (of "yes"), `outcome` (1 or 0 on
each market's last row, else nothing), `category`. Such a file does not say when a market was to end.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from polyb0t.core.errors import ConfigurationError
from polyb0t.research.evaluation.observations import Floats
from polyb0t.research.history.past_markets import (
    MILLION,
    History,
    PastMarket,
    checked_market,
    refuse_no_file,
)
from polyb0t.research.history.problems import Problems
from polyb0t.research.quiet_duckdb import in_memory

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COLUMNS: Final = ("timestamp", "market_slug", "question", "price", "outcome", "category")
_READ: Final = """
    SELECT market_slug, first(question), first(category),
           list(epoch_us("timestamp") ORDER BY file_row_number),
           list(CAST(price AS DOUBLE) ORDER BY file_row_number),
           list(CAST(outcome AS DOUBLE)) FILTER (outcome IS NOT NULL AND NOT isnan(CAST(outcome AS DOUBLE)))
    FROM read_parquet(?, file_row_number = true)
    GROUP BY market_slug ORDER BY market_slug
"""


def read_price_series(path: Path) -> History:
    """Every market of the file whose outcome is told.

    Raises:
        NotFoundError: there is no such file.
        ConfigurationError: it cannot be read, a column is missing, or its times have no zone.
    """
    import duckdb  # noqa: PLC0415 - slow to load, and needed for this one kind of file

    refuse_no_file(path)
    problems = Problems()
    try:
        with in_memory() as database:
            _check(database, path)
            rows = database.execute(_READ, [str(path)]).fetchall()
        data_hash = hashlib.sha256(path.read_bytes()).hexdigest()
    except (duckdb.Error, OSError, ValueError) as error:
        raise ConfigurationError(
            f"{path.name} was not used.",
            why=f"It is no price series: {str(error).splitlines()[0]:.200}",
            do=f"Give a Parquet file with the columns {', '.join(COLUMNS)}.",
            code="history_file",
        ) from error
    return History(tuple(_markets(rows, problems)), path.name, data_hash, problems)


def _check(database: "DuckDBPyConnection", path: Path) -> None:
    told = database.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    types = {str(name): str(kind) for name, kind, *_ in told}
    missing = [name for name in COLUMNS if name not in types]
    if missing:
        raise ValueError(f"the column {missing[0]} is missing")
    if "TIME ZONE" not in types["timestamp"]:
        raise ValueError("its timestamps have no time zone")


def _markets(rows: Sequence[Sequence[Any]], problems: Problems) -> Iterator[PastMarket]:
    for slug, question, category, times, prices, outcomes in rows:
        if not slug:
            problems.note("no_market", f"a price of {prices[0]}", len(times))
            continue
        ended = set(outcomes or ())
        if len(ended) > 1:
            problems.note("two_results", f"{slug}: {' and '.join(f'{each:g}' for each in sorted(ended))}")
            continue
        if not ended:
            problems.note("no_outcome", str(slug))
            continue
        outcome = float(ended.pop())
        if outcome not in {0.0, 0.5, 1.0}:
            problems.note("impossible_payout", f"{slug} pays {outcome}")
            continue
        points = np.column_stack([_numbers(times), MILLION * _numbers(prices)])
        known = [each for each in times if each is not None]
        if not known:
            problems.note("impossible_time", str(slug), len(times))
            continue
        found = checked_market(
            problems,
            market=str(slug),
            event=str(slug),
            category=str(category or ""),
            question=str(question or slug),
            named_sides=False,
            opens_us=int(min(known)),
            ends_us=None,
            resolved_us=int(max(known)),
            outcome=outcome,
            points=points,
        )
        if found is not None:
            yield found


def _numbers(values: Sequence[float | None]) -> Floats:
    """A missing one is no number, and is counted with those that cannot be used."""
    return np.array([float("nan") if each is None else each for each in values], np.float64)
