"""Letting a kept model speak: what was judged is what will speak, or nothing is changed."""

from datetime import datetime

from polyb0t.core.errors import ConfigurationError
from polyb0t.models.calibration import parse_coefficients
from polyb0t.research.cards.active import coefficients_of, holds_trees, trees_of
from polyb0t.research.cards.card import CALIBRATION
from polyb0t.research.cards.shelf import Shelf, Shelved
from polyb0t.runtime.choices import kept_trees
from polyb0t.runtime.modelling import ModelPlace


def activate(place: ModelPlace, model: str, now: datetime) -> Shelved:
    """Let engines of this venue use a kept model from their next start.

    Raises:
        ConflictError: it may speak nowhere, or has expired.
        ConfigurationError: its trees cannot be used on this computer, or its coefficients are those of
        another version; the active model stays.
    """
    shelf = Shelf(place.folder)
    shelf.may_speak(model, now)
    if holds_trees(place.folder, model):
        kept_trees(trees_of(place.folder, model), place.venue)
    elif shelf.card(model).kind == CALIBRATION:
        _refuse_unreadable(place, model)
    return shelf.activate(model, now)


def _refuse_unreadable(place: ModelPlace, model: str) -> None:
    try:
        parse_coefficients(coefficients_of(place.folder, model))
    except ConfigurationError as error:
        raise ConfigurationError(
            f"{model} was not activated: its coefficients cannot be used.",
            why=error.why,
            do="Fit it anew: polyb0t model fit",
            code=error.code,
        ) from error
