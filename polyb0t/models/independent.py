"""What others think of a market: a consensus, a forecaster, a mood, as far as somebody supplies it.

One component for each source that has earned a weight, and one that speaks for all the others, is shown, and
counts for nothing. A file alone never makes a trade.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from polyb0t.core.clock import utc
from polyb0t.data.outside_views import OWN, OutsideView
from polyb0t.models.calibration import anchor_of
from polyb0t.models.logit import rounded
from polyb0t.models.signals import BOOK, OUTSIDE, Abstain, Answer, LoneModel, MarketState
from polyb0t.models.wording import one_line, percent

PREFIX: Final = "independent"
UNSURE: Final = Decimal("0.10")  # the standard deviation of a source that does not tell its own


def component_name(source: str) -> str:
    """Under which name a source earns its weight; a component of our own under its own."""
    return source.removeprefix(OWN) if source.startswith(OWN) else f"{PREFIX}:{source}"


def source_of(component: str) -> str | None:
    """The source whose component that is; None for every other component."""
    kind, mark, source = component.partition(":")
    return source if kind == PREFIX and mark else None


class IndependentModel(LoneModel):
    """The newest view of one source, or of all but those that speak for themselves."""

    version: Final = "1"
    validated: Final = False
    requires: Final = frozenset({BOOK, OUTSIDE})

    def __init__(self, source: str | None = None, without: Iterable[str] = ()) -> None:
        """Of `source` alone; without one, of every source that is not in `without`."""
        self._source = source
        self._without = frozenset(without)

    @property
    def name(self) -> str:
        return PREFIX if self._source is None else component_name(self._source)

    def predict(self, state: MarketState) -> Answer:
        view = self._view(state)
        if view is None:
            return Abstain("no_view", "Nobody outside has said anything about it that may be used now.")
        anchor = anchor_of(state.books[0])
        if isinstance(anchor, Abstain):
            return anchor
        q, sd = rounded(view.probability), view.sd if view.sd is not None else UNSURE
        because = f"{one_line(view.source)} said {percent(q)} at {_minute(view)} UTC."
        return anchor.moved(q, sd, by=self, independent=True, because=because)

    def _view(self, state: MarketState) -> OutsideView | None:
        """The newest that is known at the state's instant; the first source's at a tie."""
        mine = [
            view
            for view in state.outside
            if view.known_at <= state.now
            and (
                view.source == self._source if self._source is not None else view.source not in self._without
            )
        ]
        return max(mine, key=lambda view: (view.observed_at, view.source), default=None)


def _minute(view: OutsideView) -> str:
    return f"{utc(view.observed_at):%Y-%m-%d %H:%M}"
