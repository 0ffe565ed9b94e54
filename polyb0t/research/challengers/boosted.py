"""Boosted trees on a history: fitted, judged month by month like every other model, and carded."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from polyb0t.core.clock import microseconds
from polyb0t.research.cards.active import BOOSTED
from polyb0t.research.cards.card import Card, Work, card_of_work, known_rows, some_rows
from polyb0t.research.challengers.inputs import USED, Inputs, inputs_of
from polyb0t.research.challengers.kept import kept_text
from polyb0t.research.challengers.trees import DRAWS, SHAPE, WIDER, Trees, fit_trees
from polyb0t.research.evaluation.observations import HORIZONS, Flags, Floats, Observations
from polyb0t.research.evaluation.recalibration import CellFit
from polyb0t.research.evaluation.walk_forward import Forecasts, walk_forward_with
from polyb0t.research.history.grid import observations
from polyb0t.research.history.past_markets import History

CODE: Final = "boosted-trees-fit-2"  # the first one kept no doubt


@dataclass(frozen=True, slots=True)
class Fit:
    """The card and the file of one fit."""

    card: Card
    text: str


def make_boosted(history: History, *, venue: str, now: datetime, trials: int, draws: int = DRAWS) -> Fit:
    """Fit on all of `history` that had ended by `now`, and judge the same way of fitting month by month.

    Raises:
        ConfigurationError: the library is not installed, or `history` has no market.
        LookAheadError: a feature knows what it cannot know.
    """
    everything = observations(history.markets)
    known = known_rows(everything, now)
    rows = some_rows(history, everything.take(known))
    inputs = inputs_of(history.markets, everything).take(known)
    forecasts = walk_boosted(rows, inputs, draws=draws)
    trees = fitted_trees(rows, inputs, np.ones(len(rows), bool), microseconds(now), draws)
    cells = _Cells(rows, inputs, trees)
    shape = ", ".join(f"{name} {value:g}" for name, value in SHAPE)
    columns = inputs.values[:, 1 : 1 + len(USED)].T if len(rows) else ()
    known_share = ", ".join(
        f"{name} {1 - np.isnan(column).mean():.0%}"
        for name, column in zip(USED, columns, strict=len(rows) > 0)
    )
    work = Work(
        way=CODE,
        kind=BOOSTED,
        prefix="bt",
        settings=f"{shape}, draws {draws} x {WIDER}, {' '.join(USED)}",
        facts=(
            ("Trees", f"{shape}; monotone in the price, on the offset logit(price)"),
            (
                "Inputs",
                f"price, category, sides; known in so many rows: {known_share or 'none'}",
            ),
        ),
        forecasts=forecasts,
        cell=cells.of,
    )
    card = card_of_work(history, rows, work, venue=venue, now=now, trials=trials)
    about: dict[str, object] = {
        "version": card.id,
        "venue": card.venue,
        "expires_at": card.expires_at.isoformat(),
        "data_from": card.first_row.isoformat() if card.first_row else None,
        "data_until": card.data_until.isoformat() if card.data_until else None,
        "data_hash": card.data_hash,
        "live": list(card.live),
    }
    return Fit(card, kept_text(trees, inputs, about))


def walk_boosted(rows: Observations, inputs: Inputs, *, draws: int = DRAWS) -> Forecasts:
    """Every row from the second month on, predicted by trees fitted at the start of its month."""

    def say(seen: Flags, ahead: Flags, start: int) -> tuple[Floats, Floats]:
        return fitted_trees(rows, inputs, seen, start, draws).predict(inputs.take(ahead))

    return walk_forward_with(rows, say)


def fitted_trees(rows: Observations, inputs: Inputs, seen: Flags, asof_us: int, draws: int) -> Trees:
    """Trees of the rows `seen` that had a winner; without such a row they leave the price as it is."""
    chosen: Flags = seen & rows.decided
    learnt = rows.take(chosen)
    return fit_trees(inputs.take(chosen), learnt.outcome, learnt.weights(asof_us), learnt.event, draws=draws)


class _Cells:
    """Slope and intercept that the trees amount to in a category and horizon: a line through what they say
    of its rows; its variance is that over the draws."""

    def __init__(self, rows: Observations, inputs: Inputs, trees: Trees) -> None:
        self._rows, self._level = rows, inputs.values[:, 0]
        self._moves = trees.moves(inputs)

    def of(self, category: str, horizon: str) -> CellFit:
        rows = self._rows
        inside = (rows.category == rows.categories.index(category)) & (
            rows.horizon == HORIZONS.index(horizon)
        )
        level = self._level[inside]
        if len(np.unique(level)) < 3:
            return CellFit(0.0, 0.0, 0.0, 0.0, 0.0)
        shape = np.column_stack([np.ones(len(level)), level])
        lines = np.linalg.lstsq(shape, self._moves[:, inside].T, rcond=None)[0].T
        spread = np.cov(lines[1:].T) if len(lines) > 2 else np.zeros((2, 2))
        return CellFit(
            float(lines[0, 0]), float(lines[0, 1]),
            float(spread[0, 0]), float(spread[1, 1]), float(spread[0, 1]),
        )  # fmt: skip
