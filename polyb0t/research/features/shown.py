"""The newest recorded features of a market, for a person to look at."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from polyb0t.research.quiet_duckdb import in_memory
from polyb0t.research.spool import SUFFIX

_MILLION: Final = 1_000_000
_TABLE: Final = "features"


@dataclass(frozen=True, slots=True)
class Shown:
    """The value of one feature, and when it was computed (microseconds since 1970 UTC)."""

    condition: str
    name: str
    at_us: int
    value: float


def newest(folder: Path, market: str) -> tuple[Shown, ...]:
    """The newest value of every feature of the market whose condition id begins with `market`, by name.

    Reads what lies open in the spool first, and recorded days only where that has nothing: while an
    engine runs, the last hour is there.
    """
    found: dict[tuple[str, str], Shown] = {}
    for rows in (_open_rows(folder), _last_day(folder)):
        for row in rows:
            if row["condition"].startswith(market):
                _keep(found, row)
        if found:
            break
    return tuple(found[each] for each in sorted(found))


def _keep(found: dict[tuple[str, str], Shown], row: dict[str, Any]) -> None:
    each = Shown(row["condition"], row["name"], row["at_us"], row["value_e6"] / _MILLION)
    before = found.get((each.condition, each.name))
    if before is None or before.at_us <= each.at_us:
        found[each.condition, each.name] = each


def _open_rows(folder: Path) -> Iterator[dict[str, Any]]:
    """A torn last line is left out, as when it is converted."""
    for path in sorted((folder / "spool").glob(f"{_TABLE}-*{SUFFIX}")):
        for line in path.read_bytes().splitlines():
            try:
                yield msgspec.json.decode(line, type=dict[str, Any])
            except msgspec.MsgspecError:
                continue


def _last_day(folder: Path) -> Iterator[dict[str, Any]]:
    days = sorted(path for path in (folder / _TABLE).glob("????-??-??") if path.is_dir())
    if not days:
        return
    parts = sorted(str(path) for path in days[-1].glob("*.parquet"))
    with in_memory() as database:
        told = database.read_parquet(parts)
        for row in told.fetchall():
            yield dict(zip(told.columns, row, strict=True))
