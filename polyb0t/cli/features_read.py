"""What `polyb0t model features` prints: every feature with its weight, and its newest value for a market."""

import atexit
import gc
from pathlib import Path
from typing import Any, Final

from polyb0t.cli.table import Column, table
from polyb0t.cli.terminal import Terminal
from polyb0t.config.settings import Settings
from polyb0t.core.clock import from_microseconds, iso
from polyb0t.core.errors import AmbiguousError, NotFoundError
from polyb0t.research.features.feature import Feature, key
from polyb0t.research.features.registry import FEATURES
from polyb0t.research.features.series import HOUR_US
from polyb0t.research.features.shown import Shown, newest
from polyb0t.runtime.modelling import record_folder

NO_WEIGHT: Final = "0, not licensed"
_ALL: Final = (
    Column("FEATURE"),
    Column("LOOKS BACK", right=True),
    Column("NEEDS"),
    Column("WEIGHT"),
    Column("WHAT IT IS"),
)
_OF_ONE: Final = (Column("FEATURE"), Column("VALUE", right=True), Column("WEIGHT"), Column("WHAT IT IS"))


def features(terminal: Terminal, settings: Settings, market: str | None) -> None:
    """List every feature, or show those of one market as they were computed last.

    Raises:
        NotFoundError: nothing was recorded of such a market. AmbiguousError: several begin so.
    """
    if market is None:
        _list(terminal)
        return
    found = {each.name: each for each in _of(record_folder(settings), market)}
    rows = [(feature, found.get(key(feature))) for feature in FEATURES]
    if terminal.json:
        terminal.data([_data(feature, shown) for feature, shown in rows])
        return
    newest_us = max(each.at_us for each in found.values())
    lines = [
        [feature.name, "not known" if shown is None else f"{shown.value:,.4g}", NO_WEIGHT, feature.says]
        for feature, shown in rows
    ]
    terminal.show(table(_OF_ONE, lines, terminal.columns))
    terminal.show(["", f"Computed {iso(from_microseconds(newest_us))}. None of them moves a probability."])


def _of(folder: Path | None, market: str) -> tuple[Shown, ...]:
    atexit.unregister(gc.freeze)  # the library behind it complains of whatever is left at the end
    found = () if folder is None else newest(folder, market)
    if not found:
        raise NotFoundError(
            f"No features are known of a market that begins with {market!r:.70}.",
            why="An engine that records computes them every five minutes for the markets that it watches.",
            do="Give its condition id as polyb0t intents show has it, or its beginning.",
            code="no_features",
        )
    if len({each.condition for each in found}) > 1:
        raise AmbiguousError(
            f"Several markets begin with {market!r:.70}.", do="Give more of the condition id."
        )
    return found


def _list(terminal: Terminal) -> None:
    if terminal.json:
        terminal.data([_data(feature, None) for feature in FEATURES])
        return
    rows = [
        [key(each), _hours(each.window_us), ", ".join(sorted(each.requires)), NO_WEIGHT, each.says]
        for each in FEATURES
    ]
    terminal.show(table(_ALL, rows, terminal.columns))
    terminal.show(["", "A feature moves a probability once a model that uses it has beaten the price."])


def _hours(window_us: int) -> str:
    hours = window_us / HOUR_US
    if hours < 1:
        return f"{60 * hours:g} min" if hours else "now"
    return f"{hours:g} h" if hours < 48 else f"{hours / 24:.3g} d"


def _data(feature: Feature, shown: Shown | None) -> dict[str, Any]:
    return {
        "feature": feature.name,
        "version": feature.version,
        "window_seconds": feature.window_us // 1_000_000,
        "requires": sorted(feature.requires),
        "says": feature.says,
        "weight": 0,
        "licensed": False,
        "value": None if shown is None else shown.value,
        "at": None if shown is None else iso(from_microseconds(shown.at_us)),
    }
