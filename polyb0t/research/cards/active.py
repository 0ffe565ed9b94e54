"""Which fitted model the engine is to use. No arrays here: every start of an engine reads this."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from polyb0t.core.canonical import sha256_hex
from polyb0t.core.errors import ConfigurationError
from polyb0t.core.files import write_durably

BOOSTED: Final = "boosted trees"  # the kind
_ACTIVE: Final = "active"
_WEIGHTS: Final = "active-weights"
_COEFFICIENTS: Final = "coefficients.json"
_TREES: Final = "trees.json"


def active_id(folder: Path) -> str | None:
    """Which model of this folder is active; None: none of our own.

    Raises:
        ConfigurationError: the note that says so cannot be read.
    """
    noted = _noted(folder, _ACTIVE)
    return None if noted is None else noted[0]


def active_coefficients(folder: Path) -> str | None:
    """The text that `models.calibration` reads; None when no model of our own is active, or trees are.

    Raises:
        ConfigurationError: it is not what was activated, or cannot be read.
    """
    if _active_file(folder) != _COEFFICIENTS:
        return None
    return _as_activated(_noted(folder, _ACTIVE), partial(coefficients_of, folder), "coefficients")


def active_trees(folder: Path) -> str | None:
    """The text that `research.challengers` reads; None where no trees are active.

    Raises:
        ConfigurationError: as `active_coefficients`.
    """
    if _active_file(folder) != _TREES:
        return None
    return _as_activated(_noted(folder, _ACTIVE), partial(trees_of, folder), "trees")


def active_weights(folder: Path) -> str | None:
    """The text that `models.pool_weights` reads; None when no component has earned anything.

    Raises:
        ConfigurationError: as `active_coefficients`.
    """
    return _as_activated(_noted(folder, _WEIGHTS), partial(weights_of, folder), "weights")


def active_weights_id(folder: Path) -> str | None:
    """Which weights are active; raises as `active_id`."""
    noted = _noted(folder, _WEIGHTS)
    return None if noted is None else noted[0]


def _as_activated(noted: tuple[str, str] | None, read: Callable[[str], str], what: str) -> str | None:
    if noted is None:
        return None
    model, digest = noted
    try:
        text = read(model)
    except OSError as error:
        raise unusable_model(f"Its file cannot be read: {error.strerror}") from error
    if sha256_hex(text) != digest:
        raise unusable_model(f"The {what} of {model} are not those that were activated")
    return text


def set_active(folder: Path, model: str) -> None:
    """From its next start the engine uses `model` as it is now."""
    trees = holds_trees(folder, model)
    text = (trees_of if trees else coefficients_of)(folder, model)
    noted = {"id": model, "sha256": sha256_hex(text), "file": _TREES if trees else _COEFFICIENTS}
    write_durably(folder / _ACTIVE, json.dumps(noted) + "\n")


def set_active_weights(folder: Path, model: str) -> None:
    """From its next start the engine lets components count for what `model` says as it is now."""
    noted = {"id": model, "sha256": sha256_hex(weights_of(folder, model))}
    write_durably(folder / _WEIGHTS, json.dumps(noted) + "\n")


def set_none(folder: Path) -> None:
    """Back to the published coefficients, and to components that count for nothing."""
    (folder / _ACTIVE).unlink(missing_ok=True)
    (folder / _WEIGHTS).unlink(missing_ok=True)


def weights_of(folder: Path, model: str) -> str:
    return (folder / model / "weights.json").read_text("utf-8")


def coefficients_of(folder: Path, model: str) -> str:
    return (folder / model / _COEFFICIENTS).read_text("utf-8")


def trees_of(folder: Path, model: str) -> str:
    return (folder / model / _TREES).read_text("utf-8")


def holds_trees(folder: Path, model: str) -> bool:
    """Whether a kept model is one of trees."""
    return (folder / model / _TREES).exists()


def _active_file(folder: Path) -> str | None:
    """The file of the active model. A note of an earlier version, which knew one kind, names none."""
    told = _note(folder, _ACTIVE)
    return None if told is None else str(told.get("file", _COEFFICIENTS))


def _noted(folder: Path, name: str) -> tuple[str, str] | None:
    told = _note(folder, name)
    return None if told is None else (str(told["id"]), str(told["sha256"]))


def _note(folder: Path, name: str) -> dict[str, Any] | None:
    path = folder / name
    try:
        told = json.loads(path.read_text("utf-8"))
        if not isinstance(told, dict) or not {"id", "sha256"} <= told.keys():
            raise ValueError("it does not say which model")
        return told
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise unusable_model(f"{path} cannot be read") from error


def unusable_model(why: str) -> ConfigurationError:
    """The refusal; `why` is a sentence without its full stop."""
    return ConfigurationError(
        "The active model cannot be used.",
        why=f"{why}.",
        do="Activate one again: polyb0t model list, or go without: polyb0t model deactivate",
        code="model_file",
    )
