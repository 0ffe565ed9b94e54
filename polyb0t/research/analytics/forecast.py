"""Were the model's probabilities better than the market's middle at the proposal? On markets that ended.

Each outcome of a market counts once, at its first proposal: proposing it again every minute is no further
evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from polyb0t.core.units import ONE, ZERO
from polyb0t.research.analytics.clusters import FEWEST_EVENTS, codes
from polyb0t.research.analytics.fates import Scored
from polyb0t.research.analytics.markouts import middle_of
from polyb0t.research.evaluation.scores import Bin, Gain, events_needed, gain_over_price, reliability


@dataclass(frozen=True, slots=True)
class Forecast:
    """`gain` None: nothing has ended yet. `enough`: of at least ten events, so that its interval means
    something. `events_to_see` independent events show an error as large as the mean difference."""

    rows: int
    events: int
    gain: Gain | None
    model_bins: tuple[Bin, ...]
    price_bins: tuple[Bin, ...]
    events_to_see: int | None
    void: int

    @property
    def enough(self) -> bool:
        return self.events >= FEWEST_EVENTS


def forecast(scored: Sequence[Scored]) -> Forecast:
    """Of the openings among them."""
    first: dict[str, Scored] = {}
    for each in scored:
        spoke = each.intent.model_probability is not None and middle_of(each.intent) is not None
        if each.opening and each.over and spoke:
            first.setdefault(each.intent.asset_id, each)
    ended = list(first.values())
    told = [each for each in ended if each.value in (ZERO, ONE)]
    void = len(ended) - len(told)
    if not told:
        return Forecast(0, 0, None, (), (), None, void)
    model = np.array([float(each.intent.model_probability or 0) for each in told])
    price = np.array([float(middle_of(each.intent) or 0) for each in told])
    outcome = np.array([float(each.value or 0) for each in told])
    event = codes([each.event for each in told])
    difference = float(np.abs(model - price).mean())
    return Forecast(
        rows=len(told),
        events=len(np.unique(event)),
        gain=gain_over_price(price, model, outcome, event),
        model_bins=reliability(model, outcome, event),
        price_bins=reliability(price, outcome, event),
        events_to_see=events_needed(float(price.mean()), difference) if difference else None,
        void=void,
    )
