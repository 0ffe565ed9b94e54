"""Boosted trees that speak: the kept fit, asked with what is known of a market now.

Each input is computed by the very code that computed it for the fit, from a record of the market that is cut
at this instant. Where one that a market of its age has is not known, the trees are silent: they have learnt
what it means that a market is young, and nothing of what an engine has not seen yet.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

import numpy as np

from polyb0t.core.clock import microseconds
from polyb0t.data.markets import Market
from polyb0t.models.calibration import Anchor, anchor_of, time_left
from polyb0t.models.logit import rounded
from polyb0t.models.signals import BOOK, END, Abstain, Answer, MarketState, ProbEstimate
from polyb0t.models.wording import sentence
from polyb0t.research.cards.active import BOOSTED
from polyb0t.research.challengers.inputs import (
    PRICE,
    SIDES,
    Inputs,
    category_name,
    category_of,
    feature_named,
)
from polyb0t.research.challengers.kept import KeptTrees
from polyb0t.research.evaluation.observations import Floats, logit
from polyb0t.research.features.feature import PRICES, Feature
from polyb0t.research.features.point_in_time import Record, Schedule
from polyb0t.research.features.price_memory import PriceMemory
from polyb0t.research.features.series import Series

_NO_PAST: Final = Abstain(
    "past_unknown", "Where its price has come from in the last eight days is not known in full yet."
)
_NO_OPENING: Final = Abstain("no_opening", "When it opened is not known, which the trees take into account.")


@dataclass(frozen=True, slots=True)
class _Row:
    """One market of which everything is known that the trees ask."""

    state: MarketState
    anchor: Anchor
    values: tuple[float, ...]


class BoostedModel:
    """Kept trees as a model. `observe` and `estimate_all` are called by the cycle's thread."""

    name: Final = BOOSTED
    validated: Final = True  # it speaks only where the gate of its card was open
    requires: Final = frozenset({BOOK, END})

    def __init__(self, kept: KeptTrees, memory: PriceMemory | None = None) -> None:
        """`memory` where several models share what was seen."""
        self._kept = kept
        self._features = {
            name: each for name in kept.trees.names if (each := feature_named(name)) is not None
        }
        window_us = max((each.window_us for each in self._features.values()), default=0)
        self._memory = PriceMemory(window_us) if memory is None else memory

    @property
    def version(self) -> str:
        return self._kept.version

    @property
    def expires_at(self) -> datetime:
        """From when on it is silent."""
        return self._kept.expiry.at

    # -- where prices have come from -------------------------------------------------------------

    def observe(self, states: Sequence[MarketState]) -> None:
        """Remember the prices of markets of which it may speak."""
        self._memory.observe([each for each in states if self._may_speak_of(each.market)])

    def unread(self, now: datetime) -> tuple[Market, ...]:
        """Markets whose past the exchange has to be asked for."""
        return self._memory.unread(now)

    def wanted_since(self, now: datetime) -> datetime:
        """From when on."""
        return self._memory.wanted_since(now)

    def told(
        self, market: Market, points: Iterable[tuple[int, int]], since: datetime, read_at: datetime
    ) -> None:
        """What the exchange answered; see `PriceMemory.told`."""
        self._memory.told(market, points, since, read_at)

    # -- what it says ----------------------------------------------------------------------------

    def estimate_all(self, states: Sequence[MarketState]) -> list[Answer]:
        """One answer for each state; all rows are put to the trees at once."""
        looked = [self._look(state) for state in states]
        said = iter(self._say([each for each in looked if isinstance(each, _Row)]))
        return [each if isinstance(each, Abstain) else next(said) for each in looked]

    def _look(self, state: MarketState) -> _Row | Abstain:
        kept, market = self._kept, state.market
        if kept.expiry.at <= state.now:
            return Abstain("model_expired", f"The model {kept.version} expired on {kept.expiry.at:%Y-%m-%d}.")
        left = time_left(state)
        if isinstance(left, Abstain):
            return left
        if not self._may_speak_of(market):
            named = category_name(market.category)
            return Abstain("no_figure", f"The trees have not beaten the price in {named}.")
        anchor = anchor_of(state.books[0])
        if isinstance(anchor, Abstain):
            return anchor
        values = self.inputs(state, float(anchor.mid))
        return values if isinstance(values, Abstain) else _Row(state, anchor, values)

    def inputs(self, state: MarketState, mid: float) -> tuple[float, ...] | Abstain:
        """What the trees are given of a market whose price is `mid`, in the order of their columns; or why
        not everything is known."""
        market = state.market
        if market.opened_at is None or market.opened_at > state.now:
            return _NO_OPENING
        past = self._memory.of(market, state.now)
        if past is None:
            return _NO_PAST
        record, now_us = _record(state, past, mid), microseconds(state.now)
        found = []
        for name in self._kept.trees.names:
            feature = self._features.get(name)
            value = _plain(name, market, mid) if feature is None else feature.value(record, now_us)
            if value is None and feature is not None and _should_be_known(feature, state):
                return _NO_PAST
            found.append(np.nan if value is None else value)
        return tuple(found)

    def _may_speak_of(self, market: Market) -> bool:
        return category_name(market.category) in self._kept.live

    def _say(self, rows: Sequence[_Row]) -> list[ProbEstimate]:
        if not rows:
            return []
        trees = self._kept.trees
        values: Floats = np.array([each.values for each in rows], np.float64)
        q, sd = trees.predict(Inputs(trees.names, values))
        return [
            row.anchor.moved(
                rounded(Decimal(repr(float(q[at])))),
                rounded(Decimal(repr(float(sd[at])))),
                by=self,
                independent=False,
                because=self._because(row),
            )
            for at, row in enumerate(rows)
        ]

    def _because(self, row: _Row) -> str:
        """What the trees looked at, for the person who approves."""
        seen = dict(zip(self._kept.trees.names, row.values, strict=True))
        told = [
            f"{feature.says} {seen[name]:{'+.1f' if PRICES in feature.requires else '.0f'}}"
            for name, feature in self._features.items()
            if not np.isnan(seen[name])
        ]
        category = sentence(category_name(row.state.market.category))
        return f"{category}: trees fitted on markets that are over, by its price and {', '.join(told)}."


def _plain(name: str, market: Market, mid: float) -> float:
    """An input that is no feature."""
    if name == PRICE:
        return float(logit(np.array([mid]))[0])
    if name == SIDES:
        return float(market.named_sides)
    return float(category_of(name) == category_name(market.category))


def _record(state: MarketState, past: Series, mid: float) -> Record:
    """The market as a record that ends now; the price of now is the one that the estimate starts from."""
    now_us, market = microseconds(state.now), state.market
    before = past.cut(0, now_us - 1)
    ends_us = None if market.end_date is None else microseconds(market.end_date)
    return Record(
        market=market.condition_id,
        prices=Series([*before.at, now_us], [*before.values, mid]),
        opens_us=None if market.opened_at is None else microseconds(market.opened_at),
        schedule=(Schedule(now_us, ends_us),),
    )


def _should_be_known(feature: Feature, state: MarketState) -> bool:
    """Whether a market of this age has what the feature looks back to."""
    opened = state.market.opened_at
    return opened is None or microseconds(state.now) - microseconds(opened) >= feature.window_us
