"""The model that one would have had at an instant of the past: fitted and licensed month by month.

At the beginning of each month (UTC) a model is fitted on what had ended a week before, without events that
are quoted in that month, and it may speak where earlier forecasts had beaten the price by then. What ended
later changes nothing of it.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Generic, TypeVar

import numpy as np

from polyb0t.core.canonical import sha256_hex
from polyb0t.core.clock import from_microseconds, microseconds
from polyb0t.models.calibration import MarketCalibrationModel, parse_coefficients
from polyb0t.models.signals import IdentityModel, ProbabilityModel, Remembering
from polyb0t.research.cards.card import LIFE, ends_told, some_rows
from polyb0t.research.cards.files import Fitted
from polyb0t.research.evaluation.gate import standings
from polyb0t.research.evaluation.observations import HORIZONS, Flags, Observations
from polyb0t.research.evaluation.recalibration import USUAL, Prior, fit
from polyb0t.research.evaluation.walk_forward import EMBARGO_US, Forecasts, refuse_overlap, walk_forward
from polyb0t.research.history.grid import observations
from polyb0t.research.history.past_markets import History

Spoken = TypeVar("Spoken", bound=ProbabilityModel)
_A_MONTH_AND_MORE: Final = timedelta(days=32)


class Months(ABC, Generic[Spoken]):
    """Answers with the model of an instant's month. Every fit is made once, when it is first asked for."""

    def __init__(
        self, history: History, rows: Observations, forecasts: Forecasts, *, venue: str, trials: int
    ) -> None:
        """`forecasts`: what this way of fitting would have said of `rows`, by which it is licensed."""
        self.memory: Remembering | None = None  # of prices, for the models of all months
        self._history, self._rows, self._forecasts = history, rows, forecasts
        self._venue, self._trials = venue, trials
        self._made: dict[datetime, tuple[Spoken | IdentityModel, tuple[str, ...]]] = {}

    @abstractmethod
    def _model(self, month: datetime, seen: Flags, live: Sequence[str]) -> Spoken:
        """Fitted at the beginning of `month` on the rows `seen`; it speaks in `live`."""

    @property
    @abstractmethod
    def way(self) -> str:
        """What of the way of fitting makes it another model."""

    @property
    def version(self) -> str:
        """The same for the same past, way of fitting and count of trials."""
        return sha256_hex(" ".join(self._parts()))[:10]

    def at(self, instant: datetime) -> Spoken | IdentityModel:
        """The model that was in use at `instant`; the identity where none was licensed by then.

        Raises:
            ValueError: `instant` has no time zone.
        """
        return self._of(instant)[0]

    def live(self, instant: datetime) -> tuple[str, ...]:
        """The categories in which the model of that instant may speak."""
        return self._of(instant)[1]

    def licences(self) -> str:
        """Where the models that were asked for could speak, and in which of their months, in words."""
        months = sorted(self._made)
        found = {name: None for month in months for name in self._made[month][1]}
        if not found:
            return "licensed in nothing in that time, so it says that the price is right"
        return "licensed in: " + ", ".join(f"{name} {self._span(name, months)}" for name in sorted(found))

    def _span(self, category: str, months: Sequence[datetime]) -> str:
        live = [category in self._made[month][1] for month in months]
        first = live.index(True)
        if all(live[first:]):
            return f"from {months[first]:%Y-%m}"
        return "in " + " ".join(f"{month:%Y-%m}" for month, may in zip(months, live, strict=True) if may)

    def _of(self, instant: datetime) -> tuple[Spoken | IdentityModel, tuple[str, ...]]:
        if instant.tzinfo is None:
            raise ValueError(f"{instant} has no time zone")
        month = instant.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        if month not in self._made:
            self._made[month] = self._fitted(month)
        return self._made[month]

    def _fitted(self, month: datetime) -> tuple[Spoken | IdentityModel, tuple[str, ...]]:
        start, after = microseconds(month), microseconds((month + _A_MONTH_AND_MORE).replace(day=1))
        rows = self._rows
        ahead: Flags = (rows.at_us >= start) & (rows.at_us < after)
        seen: Flags = (rows.known_us < start - EMBARGO_US) & ~np.isin(rows.event, rows.event[ahead])
        by_category = standings(self._forecasts, start, self._trials)
        live = [name for name in rows.categories if by_category[name].live and ends_told(self._history, name)]
        if not live or not seen.any():
            return IdentityModel(), ()
        refuse_overlap(rows, seen, ahead, start)
        return self._model(month, seen, live), tuple(live)

    def _name(self, month: datetime, prefix: str) -> str:
        return f"{prefix}-{sha256_hex(' '.join((*self._parts(), f'{month:%Y-%m}')))[:10]}-{month:%Y-%m}"

    def _parts(self) -> tuple[str, ...]:
        return (self._venue, self._history.data_hash, self.way, str(self._trials))


class MonthlyModels(Months[MarketCalibrationModel]):
    """Calibrations."""

    def __init__(self, history: History, *, venue: str, trials: int = 1, prior: Prior = USUAL) -> None:
        self._prior = prior
        rows = some_rows(history, observations(history.markets))
        super().__init__(history, rows, walk_forward(rows, prior), venue=venue, trials=trials)

    @property
    def way(self) -> str:
        return repr(self._prior)

    def _model(self, month: datetime, seen: Flags, live: Sequence[str]) -> MarketCalibrationModel:
        learnt = self._rows.take(seen)
        model = fit(learnt, microseconds(month), self._prior)
        fitted = Fitted(
            version=self._name(month, "mc"),
            venue=self._venue,
            expires_at=month + LIFE,
            data_from=from_microseconds(int(learnt.at_us.min())),
            data_until=month - timedelta(microseconds=EMBARGO_US),
            data_hash=self._history.data_hash,
            source=f"{self._history.source}, as of {month:%Y-%m}",
            cells={name: {horizon: model.cell(name, horizon) for horizon in HORIZONS} for name in live},
        )
        return MarketCalibrationModel(parse_coefficients(fitted.text()))


def walk_forward_models(
    history: History, *, venue: str, trials: int = 1, prior: Prior = USUAL
) -> MonthlyModels:
    """The models of every month of `history`, as they would have been at its beginning. `trials`: how many
    models were tried on the venue, of which the luck that is allowed is shared.

    Raises:
        ConfigurationError: it has no market.
    """
    return MonthlyModels(history, venue=venue, trials=trials, prior=prior)
