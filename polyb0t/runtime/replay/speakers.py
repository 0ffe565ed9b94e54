"""Which model speaks in a replay, and whether it may: one that has seen what is replayed is refused."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

from polyb0t.config.settings import Settings
from polyb0t.core.errors import UsageError
from polyb0t.data.markets import Market
from polyb0t.models.calibration import (
    Coefficients,
    MarketCalibrationModel,
    packaged_coefficients,
    parse_coefficients,
)
from polyb0t.models.pooling import UNEARNED, Weights
from polyb0t.models.signals import (
    Answer,
    IdentityModel,
    MarketState,
    ProbabilityModel,
    ProbEstimate,
    Remembering,
)
from polyb0t.research.cards.active import coefficients_of, holds_trees, trees_of
from polyb0t.research.cards.shelf import Shelf
from polyb0t.research.challengers.kept import KeptTrees
from polyb0t.research.replay.overlap import refuse_overlap, weights_too_young
from polyb0t.runtime.choices import (
    active_kept,
    boosted,
    calibration_coefficients,
    kept_trees,
    pool_weights,
    probability_model,
)
from polyb0t.runtime.places import models_folder

ENGINES: Final = "engine"
IDENTITY: Final = "identity"
PUBLISHED: Final = "published"
TREES: Final = "boosted"  # with a history to fit on, month by month
MONTHLY: Final = "walk-forward"
EACH_MONTH: Final = "by month"  # of its version: each month's has its own, and they are told in words


@dataclass(frozen=True, slots=True)
class Speaker:
    """A model for a replay and what has to be said of it beside every result.

    `told`: what it was, in words, once the replay is over; its name and version where nobody says more.
    """

    model: ProbabilityModel
    said: tuple[str, ...] = ()
    told: Callable[[], str] | None = None

    def words(self) -> str:
        """What people read in place of its name."""
        return f"{self.model.name} {self.model.version}".strip() if self.told is None else self.told()


class ByMonth(Protocol):
    """The model that one would have had at an instant."""

    @property
    def version(self) -> str: ...

    @property
    def memory(self) -> Remembering | None: ...  # of prices, for all months, where the models need one

    def at(self, instant: datetime) -> ProbabilityModel: ...


class MonthlyModel:
    """Speaks with the model of the month of what it is asked about, under one name and version: to the
    controls it is one model, as an engine's that is restarted with each new fit."""

    name: Final = MONTHLY
    validated: Final = True  # each month's speaks only where it had beaten the price by then
    requires: Final[frozenset[str]] = frozenset()

    def __init__(self, months: ByMonth, version: str) -> None:
        self._months = months
        self.version = version

    def estimate_all(self, states: Sequence[MarketState]) -> list[Answer]:
        if not states:
            return []
        answers = self._months.at(states[0].now).estimate_all(states)
        return [self._in_our_name(answer) for answer in answers]

    def _in_our_name(self, answer: Answer) -> Answer:
        if not isinstance(answer, ProbEstimate):
            return answer
        return replace(answer, model=self.name, version=self.version)


class RememberingMonths(MonthlyModel):
    """The same of models that have to know where prices have come from; what was seen is seen for all."""

    def __init__(self, months: ByMonth, memory: Remembering, version: str) -> None:
        super().__init__(months, version)
        self._memory = memory

    def observe(self, states: Sequence[MarketState]) -> None:
        self._memory.observe(states)

    def unread(self, now: datetime) -> Sequence[Market]:
        return self._memory.unread(now)

    def wanted_since(self, now: datetime) -> datetime:
        return self._memory.wanted_since(now)

    def told(
        self, market: Market, points: Iterable[tuple[int, int]], since: datetime, read_at: datetime
    ) -> None:
        self._memory.told(market, points, since, read_at)


def speaker(
    settings: Settings, name: str, since: datetime, months: ByMonth | None = None, *, hears: bool = False
) -> Speaker:
    """The model called `name`: the engine's own, the identity, the published figures, the one of each month,
    or a fitted one by the beginning of its id. With `hears` it is told what others think, as far as the
    history tells it; that counts for what its sources had earned before `since`.

    Raises:
        ConflictError: it was fitted on what is replayed.
        NotFoundError: no fitted model begins with `name`.
        ConfigurationError: its file cannot be used.
        UsageError: it is a way of fitting, and nothing was given to fit on.
    """
    base, said = _base(settings, name, since, months)
    weights, young = _weights(settings, since)
    model = probability_model(settings, base, weights=weights, hears=hears)
    return Speaker(model, tuple(each for each in (said, young) if each is not None))


def _base(
    settings: Settings, name: str, since: datetime, months: ByMonth | None
) -> tuple[ProbabilityModel, str | None]:
    """Who speaks, and what has to be said of it."""
    if months is not None:
        version = f"{EACH_MONTH} {months.version}"
        if months.memory is not None:
            return RememberingMonths(months, months.memory, version), None
        return MonthlyModel(months, version), None
    if name == TREES:
        raise UsageError(
            "Nothing was replayed: boosted is a way of fitting, and no model.",
            do="Say on what to fit it, month by month: --walk-forward FILE. Or name a model: --model bt-4f2a",
        )
    if name == IDENTITY or (name == ENGINES and settings.model == IDENTITY):
        return IdentityModel(), None
    kept = _trees(settings, name)
    if kept is not None:
        return boosted(kept), refuse_overlap(kept, since)
    coefficients = _coefficients(settings, name)
    return MarketCalibrationModel(coefficients), refuse_overlap(coefficients, since)


def _weights(settings: Settings, since: datetime) -> tuple[Weights, str | None]:
    """What the components had earned before `since`; else nothing, and why."""
    weights = pool_weights(settings)
    young = weights_too_young(weights, since)
    return (weights, None) if young is None else (UNEARNED, young)


def _trees(settings: Settings, name: str) -> KeptTrees | None:
    """The trees of that name; None where it names a calibration."""
    if name == ENGINES:
        return active_kept(settings)
    if name == PUBLISHED:
        return None
    folder = models_folder(settings, settings.venue)
    model = Shelf(folder).find(name)
    return kept_trees(trees_of(folder, model), settings.venue) if holds_trees(folder, model) else None


def _coefficients(settings: Settings, name: str) -> Coefficients:
    if name == ENGINES:
        return calibration_coefficients(settings)
    if name == PUBLISHED:
        return packaged_coefficients()
    folder = models_folder(settings, settings.venue)
    return parse_coefficients(coefficients_of(folder, Shelf(folder).find(name)))
