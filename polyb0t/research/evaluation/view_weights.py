"""What probabilities from outside are worth beside the price, fitted on markets that are over.

    logit(q) = L + a + b x L + sum of w_k x (z_k - L)       by category; z_k: the newest view known at the row

Every w has a normal prior around zero. What a and b could do alone is no merit of a source: one that says
90 % of everything is a constant and a slope. So the gain is judged against the same fit without the sources,
and against the price; a category counts only where both are beaten.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

import numpy as np

from polyb0t.data.outside_views import OWN
from polyb0t.research.evaluation.gate import Standing, standings
from polyb0t.research.evaluation.observations import DAY_US, Codes, Flags, Floats, Observations, expit, logit
from polyb0t.research.evaluation.walk_forward import Forecasts, windows

PRIOR_WEIGHT: Final = 0.10
PRIOR_PRICE: Final = 0.50  # of a and b: wide, so that nothing is left to a source that a constant could say
OLDEST_US: Final = DAY_US  # an older view is not used in a trade either
OLDEST_OWN_US: Final = 2 * 3_600_000_000  # of a component of ours, which is recorded every hour
_STEPS: Final = 50
_CLOSE: Final = 1e-10


@dataclass(frozen=True, slots=True)
class PastView:
    """One view as it was recorded: usable from `known_us` on, made at `observed_us`."""

    market: str
    source: str
    known_us: int
    observed_us: int
    probability: float  # of the first outcome


@dataclass(frozen=True, slots=True)
class ViewRows:
    """Rows of which at least one source had something to say; `z` is its log-odds by source and row, not a
    number where it was silent."""

    rows: Observations
    sources: tuple[str, ...]
    z: Floats  # sources x rows

    def take(self, chosen: Flags | Codes) -> "ViewRows":
        return ViewRows(self.rows.take(chosen), self.sources, self.z[:, chosen])

    @property
    def off(self) -> Floats:
        """How far each source is from the price, in logits; 0 where it was silent."""
        found: Floats = np.nan_to_num(self.z - self.rows.log_odds, nan=0.0)
        return found


@dataclass(frozen=True, slots=True)
class Worth:
    """The weight of one source in one category, and how sure that is."""

    value: float
    sd: float


@dataclass(frozen=True, slots=True)
class Weighing:
    """What came of it: weights as of now, forecasts month by month, and where they stand."""

    worth: Mapping[tuple[str, str], Worth]  # source, category
    forecasts: Forecasts
    standings: Mapping[str, Standing]


def view_rows(rows: Observations, markets: Sequence[str], views: Sequence[PastView]) -> ViewRows:
    """`rows` with what was known from outside at their instants. `markets` names the market of each row."""
    sources = tuple(sorted({view.source for view in views}))
    by_market: dict[tuple[str, str], list[PastView]] = {}
    for view in views:
        by_market.setdefault((view.market.lower(), view.source), []).append(view)
    told = {name: _Told.of(found) for name, found in by_market.items()}
    z = np.full((len(sources), len(rows)), np.nan)
    for at, (market, instant) in enumerate(zip(markets, rows.at_us.tolist(), strict=True)):
        for place, source in enumerate(sources):
            oldest = OLDEST_OWN_US if source.startswith(OWN) else OLDEST_US
            views_of_it = told.get((market.lower(), source))
            said = views_of_it.at(instant, oldest) if views_of_it is not None else None
            if said is not None:
                z[place, at] = logit(np.array([said]))[0]
    heard: Flags = ~np.isnan(z).all(axis=0) if sources else np.zeros(len(rows), bool)
    return ViewRows(rows, sources, z).take(heard)


@dataclass(frozen=True, slots=True)
class _Told:
    """The views of one source on one market, in the order in which they could be used."""

    usable_us: tuple[int, ...]
    newest: tuple[PastView, ...]  # of all that could be used by then, the one that was made last

    @classmethod
    def of(cls, views: Sequence[PastView]) -> "_Told":
        """Of any order."""
        by_use = sorted(views, key=_usable_us)
        newest = accumulate(by_use, _later)
        return cls(tuple(_usable_us(view) for view in by_use), tuple(newest))

    def at(self, instant: int, oldest: int) -> float | None:
        """The last one that was made and read by then, if it is young enough."""
        place = bisect_right(self.usable_us, instant)
        if not place or instant - self.newest[place - 1].observed_us > oldest:
            return None
        return self.newest[place - 1].probability


def _usable_us(view: PastView) -> int:
    return max(view.known_us, view.observed_us)


def _later(one: PastView, other: PastView) -> PastView:
    """The one that was made later, then the one that was known later, then `other`."""
    first = (one.observed_us, one.known_us) > (other.observed_us, other.known_us)
    return one if first else other


def weigh(seen: ViewRows, asof_us: int, trials: int = 1) -> Weighing:
    """Fit on everything that had ended by `asof_us`; judge month by month as models are judged."""
    with_views, without = _forecasts(seen), _forecasts(_without_sources(seen))
    rows = with_views.rows
    against_price = standings(with_views, asof_us, trials)
    own = Forecasts(replace(rows, price=without.q), with_views.q, with_views.sd, with_views.refit_us)
    against_fit = standings(own, asof_us, trials)
    known: Flags = (seen.rows.known_us < asof_us) & (seen.rows.at_us < asof_us)
    return Weighing(
        _worth(seen.take(known), asof_us),
        with_views,
        {name: _worse(against_price[name], against_fit[name]) for name in rows.categories},
    )


def _without_sources(seen: ViewRows) -> ViewRows:
    """The same rows as if nobody had said anything."""
    return ViewRows(seen.rows, (), np.empty((0, len(seen.rows))))


def _worse(one: Standing, other: Standing) -> Standing:
    """Both have to be beaten: what stands in the way is told."""
    if one.live != other.live:
        return other if one.live else one
    return one if one.t <= other.t else other


def _forecasts(seen: ViewRows) -> Forecasts:
    rows = seen.rows
    q, sd, refit = np.zeros(len(rows)), np.zeros(len(rows)), np.zeros(len(rows), np.int64)
    for start, known, ahead in windows(rows):
        for code in range(len(rows.categories)):
            mine: Flags = rows.category == code
            found, doubt = _fit(seen.take(known & mine), start)
            of = seen.take(ahead & mine)
            x = _columns(of)
            q[ahead & mine] = expit(of.rows.log_odds + x @ found)
            part = q[ahead & mine]
            sd[ahead & mine] = part * (1 - part) * np.sqrt(np.einsum("ij,jk,ik->i", x, doubt, x))
        refit[ahead] = start
    return Forecasts(rows, q, sd, refit).take(refit > 0)


def _worth(seen: ViewRows, asof_us: int) -> dict[tuple[str, str], Worth]:
    found = {}
    for code, category in enumerate(seen.rows.categories):
        values, doubt = _fit(seen.take(seen.rows.category == code), asof_us)
        for place, source in enumerate(seen.sources):
            at = 2 + place
            found[source, category] = Worth(float(values[at]), float(np.sqrt(doubt[at, at])))
    return found


def _columns(seen: ViewRows) -> Floats:
    """What a, b and each weight are multiplied by, row by row."""
    meaning = (~seen.rows.named_sides).astype(np.float64)
    columns: Floats = np.column_stack([meaning, seen.rows.log_odds, seen.off.T])
    return columns


def _fit(seen: ViewRows, asof_us: int) -> tuple[Floats, Floats]:
    """The most probable (a, b, w...) of one category by Newton's method, with their covariance (Laplace)."""
    seen = seen.take(seen.rows.decided)
    rows, x = seen.rows, _columns(seen)
    spread = np.array([PRIOR_PRICE, PRIOR_PRICE, *[PRIOR_WEIGHT] * len(seen.sources)])
    penalty = np.diag(1.0 / np.square(spread))
    weight, found = rows.weights(asof_us), np.zeros(len(spread))
    for _ in range(_STEPS):
        gradient, curvature = _evidence(rows, x, weight, found)
        step = np.linalg.solve(curvature + penalty, gradient - penalty @ found)
        found = found + step
        if float(np.max(np.abs(step))) < _CLOSE:
            break
    _, curvature = _evidence(rows, x, weight, found)
    covariance: Floats = np.linalg.inv(curvature + penalty).astype(np.float64)
    return found, covariance


def _evidence(rows: Observations, x: Floats, weight: Floats, found: Floats) -> tuple[Floats, Floats]:
    q = expit(rows.log_odds + x @ found)
    gradient: Floats = x.T @ (weight * (rows.outcome - q))
    curvature: Floats = (x * (weight * q * (1 - q))[:, None]).T @ x
    return gradient, curvature
