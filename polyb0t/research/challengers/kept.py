"""Fitted trees as the file that is kept of them: where they may speak, and what they said when fitted."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np

from polyb0t.core.canonical import sha256_hex
from polyb0t.core.errors import ConfigurationError
from polyb0t.models.calibration import Expiry
from polyb0t.models.model_files import DataWindow, data_window, unknown_format
from polyb0t.research.challengers.inputs import PRICE, SIDES, Inputs, category_of, feature_named
from polyb0t.research.challengers.trees import DRAWS, LIBRARY, Trees, library
from polyb0t.research.evaluation.observations import Floats

FORMAT: Final = "polyb0t-boosted-trees-2"  # the first one kept no doubt, and is refused
_WITNESSES: Final = 8
_SAME: Final = 1e-5  # in logits; the library counts in single precision


@dataclass(frozen=True, slots=True)
class KeptTrees:
    """Trees with what stands in their file: `live` are the categories in which they have beaten the price."""

    version: str
    venue: str
    expiry: Expiry
    live: tuple[str, ...]
    data: DataWindow | None
    trees: Trees


def kept_text(trees: Trees, rows: Inputs, about: Mapping[str, object]) -> str:
    """The file of a fit: format, library, inputs by name and version, the trees and those of the events drawn
    anew with their SHA-256, and what they say of a few of their `rows`."""
    count = len(rows.values)
    some = rows.take(np.unique(np.linspace(0, count - 1, _WITNESSES).astype(np.int64))) if count else rows
    content = {
        "format": FORMAT,
        "library": f"{LIBRARY} {library().__version__}",
        **about,
        "inputs": list(trees.names),
        "sha256": _digest(trees.model, trees.drawn),
        "witnesses": _plain(some.values),
        "moves": trees.moves(some).tolist(),
        "model": trees.model,
        "drawn": list(trees.drawn),
    }
    return json.dumps(content, indent=1) + "\n"


def read_kept(text: str) -> KeptTrees:
    """The trees of a file. They are asked what they said when they were fitted: another version of the
    library, or another computer, that makes something else of them is found here and not in a trade.

    Raises:
        ConfigurationError: another format, other inputs than this version computes, changed trees, or the
        library is not installed.
    """
    try:
        content = json.loads(text)
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise unknown_format(content.get("format") if isinstance(content, dict) else None, (FORMAT,))
        trees = _trees(content)
        expires_at = datetime.fromisoformat(content["expires_at"])
        if expires_at.tzinfo is None:
            raise ValueError("its expiry has no time zone")
        version = str(content["version"])
        kept = KeptTrees(
            version=version,
            venue=str(content["venue"]),
            expiry=Expiry(version, expires_at),
            live=tuple(str(each) for each in content["live"]),
            data=data_window(content),
            trees=trees,
        )
        if kept.live and len(trees.drawn) < DRAWS:
            raise ValueError(f"its doubt takes {DRAWS} fits on events drawn anew; it has {len(trees.drawn)}")
        _ask(trees, content)
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            "The trees cannot be used.",
            why=f"The file is not as expected: {error}.",
            do="Fit them anew: polyb0t model fit --kind boosted",
            code="model_file",
        ) from error
    return kept


def _trees(content: Mapping[str, Any]) -> Trees:
    names = tuple(str(each) for each in content["inputs"])
    if not names or names[0] != PRICE:
        raise ValueError(f"its first input is not {PRICE}")
    for name in names[1:]:
        if name != SIDES and category_of(name) is None and feature_named(name) is None:
            raise ValueError(f"its input {name:.60} is none that this version computes")
    model, drawn = str(content["model"]), tuple(str(each) for each in content["drawn"])
    if _digest(model, drawn) != content["sha256"]:
        raise ValueError("its trees are not those that were fitted: their SHA-256 differs")
    return Trees(names, model, drawn)


def _ask(trees: Trees, content: Mapping[str, Any]) -> None:
    rows = np.array(content["witnesses"], np.float64).reshape(-1, len(trees.names))  # None: not a number
    said = np.array(content["moves"], np.float64).reshape(1 + len(trees.drawn), -1)
    if not len(rows):
        raise ValueError("it does not say what its trees said of any row")
    now = trees.moves(Inputs(trees.names, rows))
    if now.shape != said.shape or not np.abs(now - said).max() <= _SAME:
        raise ValueError("its trees say something else here than where they were fitted")


def _digest(model: str, drawn: Sequence[str]) -> str:
    return sha256_hex(json.dumps([model, *drawn]))


def _plain(values: Floats) -> list[list[float | None]]:
    """Rows for JSON, which knows no "not a number"."""
    return [[None if np.isnan(each) else float(each) for each in row] for row in values]
