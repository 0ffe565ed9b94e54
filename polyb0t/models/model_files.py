"""What the files of models have in common: formats that are known, and the data behind a fit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class DataWindow:
    """What a model was fitted on: rows from `since` on, and nothing, neither a price nor a result, that
    became known at `until` or later. `hash` is the SHA-256 of the history."""

    since: datetime
    until: datetime
    hash: str


def data_window(content: Mapping[str, Any]) -> DataWindow | None:
    """The window that a model's file tells; None for a file from before windows were kept.

    Raises:
        ValueError: its instants have no time zone, or it ends before it begins.
    """
    if content.get("data_from") is None or content.get("data_until") is None:
        return None
    window = DataWindow(
        datetime.fromisoformat(content["data_from"]),
        datetime.fromisoformat(content["data_until"]),
        str(content.get("data_hash", "")),
    )
    if window.since.tzinfo is None or window.until.tzinfo is None:
        raise ValueError("its data window has no time zone")
    if window.until < window.since:
        raise ValueError("its data window ends before it begins")
    return window


def unknown_format(found: object, known: Sequence[str]) -> ValueError:
    """Why a file of another version is refused: which it is, and which are known here."""
    told = repr(found) if isinstance(found, str) and found else "not told"
    return ValueError(f"its format is {told:.60}, and this version knows {' and '.join(known)}")
