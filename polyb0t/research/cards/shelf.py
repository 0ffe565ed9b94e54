"""The folder of models of one venue: every fitted model with its card, and which one is active.

<folder>/<id>/coefficients.json  card.json  card.html       (trees.json, weights.json of other kinds)
<folder>/active                  the id, with the SHA-256 of its file
<folder>/active-weights          the same of the pool's weights
<folder>/trials                  one line for each different fit, never shortened
"""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from polyb0t.core.errors import ConfigurationError, ConflictError, NotFoundError
from polyb0t.core.files import write_durably
from polyb0t.research.cards.active import (
    active_id,
    active_weights_id,
    set_active,
    set_active_weights,
    set_none,
)
from polyb0t.research.cards.card import CALIBRATION, POOL_WEIGHTS, Card
from polyb0t.research.cards.files import card_of, card_text, coefficients_text
from polyb0t.research.cards.page import card_page

_TRIALS: Final = "trials"
Made = tuple[Card, str | None]  # a card, and the file of its kind where that is more than the card


@dataclass(frozen=True, slots=True)
class Shelved:
    """A model on the shelf, as lists show it."""

    id: str
    fitted_at: datetime
    expires_at: datetime
    rows: int
    live: tuple[str, ...]
    active: bool
    kind: str = CALIBRATION


class Shelf:
    """One venue's models. Files are replaced as a whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def trials(self) -> int:
        """How many different models were fitted on this venue so far, kept or not.

        Whatever their histories are called: one that begins on another day, or has another name, tells of
        the same markets, and luck is looked for in them once more.
        """
        return len(self._tried())

    def trial(self, make: Callable[[int], Made]) -> Made:
        """What `make` makes of the number of trials with it; counted. The same fit once more is none."""
        tried = self._tried()
        made = make(len(tried) + 1)
        if made[0].id in tried:
            return make(len(tried))
        self._count(made[0])
        return made

    def holds(self, card: Card) -> bool:
        """Whether a model of the same data, way and day is kept."""
        return (self._folder / card.id / "card.json").exists()

    def _tried(self) -> frozenset[str]:
        """The ids of every fit.

        Raises:
            ConfigurationError: the file is damaged: without it a score would count for more than it is worth.
        """
        try:
            return frozenset(json.loads(line)["id"] for line in self._trial_lines())
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                "How many models were tried here cannot be read.",
                why=f"A line of {self._folder / _TRIALS} is not as it was written.",
                do="Take out that line, or restore the file: each line stands for one model that was tried.",
                code="model_file",
            ) from error

    def _count(self, card: Card) -> None:
        line = json.dumps({"source": card.source, "id": card.id, "fitted_at": card.fitted_at.isoformat()})
        write_durably(self._folder / _TRIALS, "".join(f"{each}\n" for each in [*self._trial_lines(), line]))

    def put(self, card: Card, trees: str | None = None, weights: str | None = None) -> Path:
        """Keep a card with its model; its page. A model of the same data, way and day stays as it is: it may
        be active, and what was activated is one file to the byte."""
        folder = self._folder / card.id
        if self.holds(card):
            return folder / "card.html"
        if weights is not None:
            write_durably(folder / "weights.json", weights)
        elif trees is not None:
            write_durably(folder / "trees.json", trees)
        else:
            write_durably(folder / "coefficients.json", coefficients_text(card))
        write_durably(folder / "card.json", card_text(card))
        write_durably(folder / "card.html", card_page(card))
        return folder / "card.html"

    def all(self) -> list[Shelved]:
        """Every model, the youngest first."""
        active = {active_id(self._folder), active_weights_id(self._folder)}
        found = [_shelved(self.card(path.parent.name), active) for path in self._folder.glob("*/card.json")]
        return sorted(found, key=lambda each: (each.fitted_at, each.id), reverse=True)

    def find(self, prefix: str) -> str:
        """The id that begins with `prefix`.

        Raises:
            NotFoundError: none does, or several do.
        """
        ids = sorted(path.parent.name for path in self._folder.glob("*/card.json"))
        found = [each for each in ids if each.startswith(prefix) or each.partition("-")[2].startswith(prefix)]
        if len(found) != 1:
            what = f"No model begins with {prefix!r:.40}." if not found else f"{len(found)} models begin so."
            raise NotFoundError(what, do="See them: polyb0t model list", code="model_not_found")
        return found[0]

    def card(self, model: str) -> Card:
        """The stored card of a model that is there.

        Raises:
            ConfigurationError: it cannot be read.
        """
        path = self._folder / model / "card.json"
        try:
            return card_of(path.read_text("utf-8"))
        except ConfigurationError as error:
            raise ConfigurationError(
                f"The card of {model} cannot be read.",
                why=f"{error.why} It is {path}.",
                do="Fit it anew (polyb0t model fit), and move the folder of this one away.",
                code=error.code,
            ) from error

    def page(self, model: str) -> Path:
        return self._folder / model / "card.html"

    def may_speak(self, model: str, now: datetime) -> Shelved:
        """The model, if it may speak somewhere at `now`.

        Raises:
            ConflictError: it may speak nowhere, or has expired.
        """
        shelved = _shelved(self.card(model), {active_id(self._folder), active_weights_id(self._folder)})
        if not shelved.live:
            raise ConflictError(
                f"{model} was not activated.",
                why="It has beaten the price in no category, so it would never speak.",
                do=f"Read why: polyb0t model card {model}",
                code="model_not_licensed",
            )
        if shelved.expires_at <= now:
            raise ConflictError(
                f"{model} was not activated.",
                why=f"Its card expired on {shelved.expires_at:%Y-%m-%d}.",
                do="Collect what has ended since, and fit anew: polyb0t model collect, polyb0t model fit",
                code="model_expired",
            )
        return shelved

    def activate(self, model: str, now: datetime) -> Shelved:
        """Let the engine use it from its next start.

        Raises:
            ConflictError: as `may_speak`; the active one stays.
        """
        shelved = self.may_speak(model, now)
        (set_active_weights if shelved.kind == POOL_WEIGHTS else set_active)(self._folder, model)
        return replace(shelved, active=True)

    def deactivate(self) -> str | None:
        """Back to the published coefficients, and to components without a weight; which model was active."""
        gone = active_id(self._folder)
        set_none(self._folder)
        return gone

    def _trial_lines(self) -> list[str]:
        path = self._folder / _TRIALS
        return path.read_text("utf-8").splitlines() if path.exists() else []


def _shelved(card: Card, active: Collection[str | None]) -> Shelved:
    return Shelved(
        card.id, card.fitted_at, card.expires_at, card.rows, card.live, card.id in active, card.kind
    )
