"""Features beside the cycle: computed and recorded. What is computed here reaches no decision."""

from dataclasses import replace

from polyb0t.core.clock import Clock
from polyb0t.research.features.live import LiveFeatures
from polyb0t.research.observing import SeenTrade
from polyb0t.research.recorder import Recorder
from polyb0t.runtime.own_voices import OwnVoices
from polyb0t.runtime.watching import MarketWatch
from polyb0t.venue.frames import LastTrade


class FeatureWatch:
    """Hands what was seen and what follows from it to the recorder. Answers nothing: a feature has no
    weight until a model that uses it has beaten the price."""

    def __init__(
        self, watch: MarketWatch, recorder: Recorder, clock: Clock, said: OwnVoices | None = None
    ) -> None:
        self._watch, self._recorder, self._clock = watch, recorder, clock
        self._features = LiveFeatures()
        self._said = said

    def traded(self, trade: LastTrade) -> None:
        """A trade on the market socket."""
        seen = SeenTrade(
            trade.asset_id,
            trade.price,
            trade.shares,
            trade.taker_side,
            trade.venue_time,
            self._clock.now(),
        )
        self._recorder.traded(seen)
        self._features.traded(seen)

    def record(self) -> None:
        """What this cycle saw, with its share of the features."""
        observed = self._watch.observation()
        states = self._watch.states(self._clock.now())
        features = self._features.observe(states)
        said = self._said.of(states, self._clock.now()) if self._said is not None else ()
        self._recorder.observe(replace(observed, features=features, outside=(*observed.outside, *said)))
