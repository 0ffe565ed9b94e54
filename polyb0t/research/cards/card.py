"""One fitted model with everything that was found out about it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from polyb0t.core.canonical import sha256_hex
from polyb0t.core.clock import from_microseconds, microseconds
from polyb0t.core.errors import ConfigurationError
from polyb0t.models.calibration import Expiry
from polyb0t.research.evaluation.baselines import Baseline, baselines
from polyb0t.research.evaluation.gate import Standing, standings
from polyb0t.research.evaluation.observations import HORIZONS, Flags, Observations
from polyb0t.research.evaluation.recalibration import USUAL, CellFit, Prior, fit
from polyb0t.research.evaluation.scores import Bin, Gain, gain_over_price, reliability
from polyb0t.research.evaluation.walk_forward import Forecasts, walk_forward
from polyb0t.research.history.grid import observations
from polyb0t.research.history.past_markets import History
from polyb0t.research.history.problems import Problems

MOST_UNTOLD: Final = 0.05  # of a category's markets
LIFE: Final = timedelta(days=45)
CODE: Final = "market-calibration-fit-3"  # a part of the id: another way to fit is another model
CALIBRATION: Final = "market calibration"
POOL_WEIGHTS: Final = "weights of outside sources"


@dataclass(frozen=True, slots=True)
class CellLine:
    """One category and horizon: the fit, and the gain over the price on rows that it had not seen."""

    category: str
    horizon: str
    cell: CellFit
    gain: Gain | None  # None: no such row


@dataclass(frozen=True, slots=True)
class Card:
    """The evidence behind one model. Probabilities and scores are floats: nothing here is money.

    `trials` counts the different models that were fitted on this venue before and with this one: the more
    there were, the less a good score means.
    """

    id: str
    venue: str
    fitted_at: datetime
    source: str
    data_hash: str
    first_row: datetime | None
    last_row: datetime | None
    markets: int
    events: int
    rows: int
    void_rows: int
    problems: tuple[str, ...]
    trials: int
    prior: Prior
    overall: Gain | None
    lines: tuple[CellLine, ...]
    standings: tuple[tuple[str, Standing], ...]
    model_bins: tuple[Bin, ...]
    price_bins: tuple[Bin, ...]
    data_until: datetime | None = None  # nothing that became known then or later was learnt
    kind: str = CALIBRATION
    more: tuple[tuple[str, str], ...] = ()  # facts of this way of fitting, by name
    baselines: tuple[Baseline, ...] = ()

    @property
    def expires_at(self) -> datetime:
        return self.fitted_at + LIFE

    @property
    def expiry(self) -> Expiry:
        return Expiry(self.id, self.expires_at)

    @property
    def live(self) -> tuple[str, ...]:
        """The categories in which it may speak."""
        return tuple(name for name, standing in self.standings if standing.live)


@dataclass(frozen=True, slots=True)
class Work:
    """What a way of fitting made of a history. `way` and `settings` are parts of the id; `cell` tells what
    the model of now adds to a logit in a category and horizon."""

    way: str
    kind: str
    prefix: str
    settings: str
    facts: tuple[tuple[str, str], ...]
    forecasts: Forecasts
    cell: Callable[[str, str], CellFit]


def make_card(history: History, *, venue: str, now: datetime, trials: int, prior: Prior = USUAL) -> Card:
    """Fit on all of `history` that had ended by `now`, and judge the same way of fitting month by month.

    The same data, way of fitting and day give the same id.

    Raises:
        ConfigurationError: it has no market.
    """
    rows = observations(history.markets)
    rows = some_rows(history, rows.take(known_rows(rows, now)))
    model = fit(rows, microseconds(now), prior)
    work = Work(CODE, CALIBRATION, "mc", repr(prior), (), walk_forward(rows, prior), model.cell)
    return card_of_work(history, rows, work, venue=venue, now=now, trials=trials, prior=prior)


def some_rows(history: History, rows: Observations) -> Observations:
    """The rows of a history that has markets.

    Raises:
        ConfigurationError: it has none, so there is nothing to say of anything.
    """
    if history.markets:
        return rows
    raise nothing_to_learn(history)


def nothing_to_learn(history: History, now: datetime | None = None) -> ConfigurationError:
    """The refusal of a history without a row at `now`, with what is wrong with it."""
    wrong = history.problems.sentences() if now is None else problems_at(history, now)
    why = "It has no market that can be used."
    if history.markets:
        why = f"None of its {len(history.markets):,} markets had a usable price on a Monday before its end."
    return ConfigurationError(
        f"{history.source or 'The history'} was not used.",
        why=" ".join([why, *wrong]),
        do="Give a history of markets that are over, with prices of weeks: polyb0t model collect",
        code="history_file",
    )


def problems_at(history: History, now: datetime) -> list[str]:
    """What is wrong with a history, with the markets in it that say nothing before a day to come."""
    at = microseconds(now)
    early = [each.market for each in history.markets if each.resolved_us < at <= each.ends_us]
    waiting = Problems()
    waiting.note("ended_early", early[0] if early else "", len(early))
    return [*history.problems.sentences(), *waiting.sentences()]


def known_rows(rows: Observations, now: datetime) -> Flags:
    """The rows whose price and result were known before `now`, as those of all markets like theirs were."""
    known: Flags = (rows.known_us < microseconds(now)) & (rows.at_us < microseconds(now))
    return known


def card_of_work(
    history: History,
    rows: Observations,
    work: Work,
    *,
    venue: str,
    now: datetime,
    trials: int,
    prior: Prior = USUAL,
) -> Card:
    """The card of any way of fitting: the same scores and the same gate."""
    decided = work.forecasts.take(work.forecasts.rows.decided)
    by_category = standings(work.forecasts, microseconds(now), trials)
    return Card(
        id=_name(history, venue, now, work),
        venue=venue,
        fitted_at=now,
        source=history.source,
        data_hash=history.data_hash,
        first_row=_instant(rows, "min"),
        last_row=_instant(rows, "max"),
        markets=len(history.markets),
        events=len(np.unique(rows.event)),
        rows=len(rows),
        void_rows=int((~rows.decided).sum()),
        problems=tuple(problems_at(history, now)),
        trials=trials,
        prior=prior,
        overall=_gain(decided),
        lines=tuple(
            CellLine(category, horizon, work.cell(category, horizon), _gain_in(decided, category, horizon))
            for category in rows.categories
            for horizon in HORIZONS
        ),
        standings=tuple((name, _if_told(by_category[name], name, history)) for name in rows.categories),
        model_bins=reliability(decided.q, decided.rows.outcome, decided.rows.event),
        price_bins=reliability(decided.rows.price, decided.rows.outcome, decided.rows.event),
        data_until=_learnt_until(rows),
        kind=work.kind,
        more=work.facts,
        baselines=baselines(rows) if len(decided.q) else (),
    )


def _gain_in(forecasts: Forecasts, category: str, horizon: str) -> Gain | None:
    rows = forecasts.rows
    inside = (rows.category == rows.categories.index(category)) & (rows.horizon == HORIZONS.index(horizon))
    return _gain(forecasts.take(inside))


def _gain(forecasts: Forecasts) -> Gain | None:
    rows = forecasts.rows
    return gain_over_price(rows.price, forecasts.q, rows.outcome, rows.event) if len(rows) else None


def ends_told(history: History, category: str) -> bool:
    """Whether it was known beforehand when the markets of `category` were to end, but for a few. A horizon
    that was found out afterwards looks like an edge where there is none."""
    told = [market.end_told for market in history.markets if market.category == category]
    return told.count(False) <= MOST_UNTOLD * len(told)


def _if_told(standing: Standing, category: str, history: History) -> Standing:
    return standing if ends_told(history, category) else replace(standing, live=False, ends_told=False)


def _name(history: History, venue: str, now: datetime, work: Work) -> str:
    parts = (work.way, venue, history.data_hash, f"{now:%Y-%m-%d}", work.settings)
    return f"{work.prefix}-{sha256_hex(' '.join(parts))[:10]}"


def _learnt_until(rows: Observations) -> datetime | None:
    """The instant after the last price or result in it."""
    return from_microseconds(int(max(rows.at_us.max(), rows.resolved_us.max())) + 1) if len(rows) else None


def _instant(rows: Observations, which: str) -> datetime | None:
    return from_microseconds(int(getattr(rows.at_us, which)())) if len(rows) else None
