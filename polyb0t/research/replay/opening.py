"""Opens a history of any kind that is known: told by its content, not by its name."""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from polyb0t.core.errors import NotFoundError, UsageError
from polyb0t.research.history.past_markets import FORMAT
from polyb0t.research.history.price_series import COLUMNS as PRICE_COLUMNS
from polyb0t.research.replay.assumptions import Assumptions
from polyb0t.research.replay.mixed import mixed
from polyb0t.research.replay.past_market_tape import past_market_tape
from polyb0t.research.replay.price_tape import price_tape
from polyb0t.research.replay.reading import columns_of, refused
from polyb0t.research.replay.recorder_tape import recorder_tape
from polyb0t.research.replay.tape import Tape
from polyb0t.research.replay.top_of_book_tape import RESULT_COLUMNS, SNAPSHOT_COLUMNS, top_of_book_tape
from polyb0t.research.replay.trade_tape import TRADE_COLUMNS, is_trades, trade_tape
from polyb0t.research.replay.with_ends import with_ends

_KINDS: Final = (
    "the folder record/ of a place; a file of polyb0t model collect;\n"
    f"Parquet of prices with {', '.join(PRICE_COLUMNS)};\n"
    f"Parquet of best prices with {', '.join(SNAPSHOT_COLUMNS[:6])},\n"
    f"{', '.join(SNAPSHOT_COLUMNS[6:])},\n"
    f"and its results with {', '.join(RESULT_COLUMNS)};\n"
    f"trades with {', '.join(TRADE_COLUMNS)}"
)
_ANY_VERSION: Final = FORMAT.rpartition("-")[0].encode()


def open_tape(paths: Sequence[Path], assumed: Assumptions | None = None, *, ends: Path | None = None) -> Tape:
    """One history of one or several files or folders. `ends` is a file of `polyb0t model collect`: it tells
    how the markets of a recording ended.

    Raises:
        NotFoundError: there is no such file. ConfigurationError: a file of no kind that is known, or one that
        cannot be used. UsageError: nothing was given, or results without their best prices.
    """
    assumed = assumed or Assumptions()
    if not paths:
        raise UsageError("No history was given.", do=f"Give one or several of: {_KINDS}.")
    for path in paths:
        if not path.exists():
            raise NotFoundError(f"There is no {path}.", do=f"Give {_KINDS}.", code="no_history")
    results = [path for path in paths if _is(path, RESULT_COLUMNS) and not _is(path, SNAPSHOT_COLUMNS)]
    others = [path for path in paths if path not in results]
    if not others:
        raise UsageError(
            f"{results[0].name} has results alone.", do="Give the best prices that it belongs to as well."
        )
    return mixed([_one(path, assumed, results, ends) for path in others])


def _one(path: Path, assumed: Assumptions, results: Sequence[Path], ends: Path | None) -> Tape:
    if path.is_dir():
        recorded = recorder_tape(path)
        return recorded if ends is None else with_ends(recorded, ends, assumed.payment)
    if _is_collected(path):
        return past_market_tape(path, assumed)
    found = columns_of(path)
    if set(SNAPSHOT_COLUMNS) <= set(found):
        return top_of_book_tape(path, results, assumed)
    if is_trades(found):
        return trade_tape(path, assumed)
    if len(set(PRICE_COLUMNS) & set(found)) >= len(PRICE_COLUMNS) // 2:
        return price_tape(path, assumed)  # which names the column that is missing
    told = f"It has the columns {', '.join(found)}." if found else "It is no table that can be read."
    raise refused(path.name, told, f"Give {_KINDS}.")


def _is(path: Path, columns: Sequence[str]) -> bool:
    return path.is_file() and set(columns) <= set(columns_of(path))


def _is_collected(path: Path) -> bool:
    try:
        with gzip.open(path, "rb") as file:
            return _ANY_VERSION in file.readline(10_000)  # another version is refused by its reader
    except (OSError, EOFError):
        return False
