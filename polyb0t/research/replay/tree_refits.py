"""Boosted trees as one would have had them at an instant of the past: fitted and licensed month by month."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from polyb0t.core.clock import from_microseconds, microseconds
from polyb0t.models.calibration import Expiry
from polyb0t.models.model_files import DataWindow
from polyb0t.research.cards.card import LIFE, some_rows
from polyb0t.research.challengers.boosted import CODE, fitted_trees, walk_boosted
from polyb0t.research.challengers.inputs import USED, inputs_of
from polyb0t.research.challengers.kept import KeptTrees
from polyb0t.research.challengers.speaking import BoostedModel
from polyb0t.research.challengers.trees import DRAWS
from polyb0t.research.evaluation.observations import Flags
from polyb0t.research.evaluation.walk_forward import EMBARGO_US
from polyb0t.research.features.price_memory import PriceMemory
from polyb0t.research.features.registry import named
from polyb0t.research.history.grid import observations
from polyb0t.research.history.past_markets import History
from polyb0t.research.replay.refits import Months


class MonthlyTrees(Months[BoostedModel]):
    """Trees of each month, with one memory of prices: a new fit forgets nothing of what was seen.

    Raises, when it is made:
        ConfigurationError: the history has no market, or the library is not installed.
        LookAheadError: a feature knows what it cannot know.
    """

    def __init__(self, history: History, *, venue: str, trials: int = 1, draws: int = DRAWS) -> None:
        rows = some_rows(history, observations(history.markets))
        self._inputs, self._draws = inputs_of(history.markets, rows), draws
        forecasts = walk_boosted(rows, self._inputs, draws=0)  # their doubt licenses nothing
        super().__init__(history, rows, forecasts, venue=venue, trials=trials)
        self.memory: PriceMemory = PriceMemory(max(each.window_us for each in named(USED)))

    @property
    def way(self) -> str:
        return f"{CODE} {self._draws}"

    def _model(self, month: datetime, seen: Flags, live: Sequence[str]) -> BoostedModel:
        rows, version = self._rows, self._name(month, "bt")
        kept = KeptTrees(
            version=version,
            venue=self._venue,
            expiry=Expiry(version, month + LIFE),
            live=tuple(live),
            data=DataWindow(
                from_microseconds(int(rows.at_us[seen].min())),
                month - timedelta(microseconds=EMBARGO_US),
                self._history.data_hash,
            ),
            trees=fitted_trees(rows, self._inputs, seen, microseconds(month), self._draws),
        )
        return BoostedModel(kept, self.memory)
