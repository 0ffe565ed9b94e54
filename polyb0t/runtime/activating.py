"""Letting a kept model speak: what was judged is what will speak, or nothing is changed."""

from datetime import datetime

from polyb0t.research.cards.active import holds_trees, trees_of
from polyb0t.research.cards.shelf import Shelf, Shelved
from polyb0t.runtime.choices import kept_trees
from polyb0t.runtime.modelling import ModelPlace


def activate(place: ModelPlace, model: str, now: datetime) -> Shelved:
    """Let engines of this venue use a kept model from their next start.

    Raises:
        ConflictError: it may speak nowhere, or has expired.
        ConfigurationError: its trees cannot be used on this computer; the active model stays.
    """
    shelf = Shelf(place.folder)
    shelf.may_speak(model, now)
    if holds_trees(place.folder, model):
        kept_trees(trees_of(place.folder, model), place.venue)
    return shelf.activate(model, now)
