"""What our own components say, recorded like probabilities from outside, so that they can earn a weight."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from polyb0t.data.outside_views import OWN, OutsideView
from polyb0t.models.signals import MarketState, ProbabilityModel, ProbEstimate

EVERY: Final = timedelta(hours=1)


class OwnVoices:
    """Asked once a cycle, answers once an hour. Used by one thread."""

    def __init__(self, *components: ProbabilityModel) -> None:
        self._components = components
        self._at: datetime | None = None

    def of(self, states: Sequence[MarketState], now: datetime) -> tuple[OutsideView, ...]:
        """What each component says of each market at this moment; nothing where it abstains."""
        if not states or (self._at is not None and now - self._at < EVERY):
            return ()
        self._at = now
        return tuple(
            OutsideView(state.market.condition_id, OWN + component.name, said.q, said.sd or None, now, now)
            for component in self._components
            for state, said in zip(states, component.estimate_all(states), strict=True)
            if isinstance(said, ProbEstimate)
        )
