"""What the trees are given of each row: price, features that a history of prices can have, kind of market."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from polyb0t.research.evaluation.observations import Codes, Flags, Floats, Observations
from polyb0t.research.features.feature import Feature, key
from polyb0t.research.features.look_ahead import Sample, check_feature
from polyb0t.research.features.point_in_time import Record, Schedule
from polyb0t.research.features.registry import FEATURES, named
from polyb0t.research.features.series import Series
from polyb0t.research.history.grid import sights
from polyb0t.research.history.past_markets import UNCATEGORISED, PastMarket

# Without those of books and trades, which a history of prices does not have, and without those of an hour
# or of one price to the next, which depend on how often a history was sampled.
USED: Final = ("logit_change_24h", "logit_change_7d", "days_to_end", "age_days")
PRICE: Final = "logit_price"
SIDES: Final = "named_sides"
_CATEGORY: Final = "category="
_CHECKED: Final = 12  # markets whose features are computed again with another future
_INSTANTS: Final = 3


@dataclass(frozen=True, slots=True)
class Inputs:
    """A column a name, a row a row; what was not known is not a number, which the trees can take."""

    names: tuple[str, ...]
    values: Floats

    def take(self, chosen: Flags | Codes) -> "Inputs":
        return Inputs(self.names, self.values[chosen])


def inputs_of(
    markets: Sequence[PastMarket], rows: Observations, features: Sequence[Feature] | None = None
) -> Inputs:
    """The inputs of `rows`, which are all rows of `markets` in their order.

    Raises:
        LookAheadError: a feature knows what it cannot know; nothing is fitted.
    """
    used = named(USED) if features is None else tuple(features)
    records = [record_of(market) for market in markets]
    seen = [[at for at, _ in sights(market)] for market in markets]
    checked_samples = _samples(records, seen)
    for feature in used:
        check_feature(feature, checked_samples)
    found = [
        [feature.value(record, at) for feature in used]
        for record, instants in zip(records, seen, strict=True)
        for at in instants
    ]
    computed = np.array(found, np.float64).reshape(-1, len(used))  # None becomes not a number
    kinds = [(rows.category == code).astype(np.float64) for code in range(len(rows.categories))]
    columns = [rows.log_odds, *computed.T, rows.named_sides.astype(np.float64), *kinds]
    names = (PRICE, *(key(each) for each in used), SIDES, *(f"{_CATEGORY}{name}" for name in rows.categories))
    return Inputs(names, np.column_stack(columns))


def feature_named(name: str) -> Feature | None:
    """The feature of a column, by name and version; None where this version computes none of that name."""
    return next((each for each in FEATURES if key(each) == name), None)


def category_of(name: str) -> str | None:
    """The category that a column marks; None for a column of another kind."""
    return name.removeprefix(_CATEGORY) if name.startswith(_CATEGORY) else None


def category_name(told: str) -> str:
    """A catalogue's category as a history keeps it."""
    return told.lower() or UNCATEGORISED


def record_of(market: PastMarket) -> Record:
    """A market that is over as a record. A history keeps the end as it was scheduled last; where none was
    told, the last price stands in for it, and that is the future: no end was known."""
    at = market.at_us.tolist()
    return Record(
        market=market.market,
        prices=Series(at, market.price.tolist()),
        opens_us=market.opens_us,
        schedule=(Schedule(min(at[0], market.opens_us), market.ends_us),) if market.end_told else (),
        resolved_us=market.resolved_us,
        outcome=market.outcome,
    )


def _samples(records: Sequence[Record], seen: Sequence[Sequence[int]]) -> list[Sample]:
    """Markets spread over the history, with the first, the middle and the last of their rows."""
    there = [at for at, instants in enumerate(seen) if instants]
    chosen = there[:: max(1, len(there) // _CHECKED)][:_CHECKED]
    return [Sample(records[at], _spread(seen[at])) for at in chosen]


def _spread(instants: Sequence[int]) -> list[int]:
    last = len(instants) - 1
    return sorted({instants[place * last // (_INSTANTS - 1)] for place in range(_INSTANTS)})
