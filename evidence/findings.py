"""The experiments: what was asked, what came out, and whether that is what it has to be."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from evidence.trades import HALF_SPREAD, NO_GATE, Bet, bets, far
from evidence.worlds import CALIBRATED, PLANTED, START_US, Bias, World, make_world
from polyb0t.research.evaluation.gate import live_rows
from polyb0t.research.evaluation.observations import DAY_US, HORIZONS, Floats, expit, logit
from polyb0t.research.evaluation.recalibration import Prior, Recalibration, fit
from polyb0t.research.evaluation.scores import Z95, Gain, clustered_error, gain_over_price
from polyb0t.research.evaluation.walk_forward import Forecasts, walk_forward

SEEDS: Final = 20
USUAL_MARKETS: Final = 12_000
MANY: Final = 48_000  # markets of a planted world: so many bring thousands of trades, on which to judge
UNGATED: Final = 5  # of the calibrated worlds are shown without the gates as well
LEAST_CAME: Final = 0.7  # realised over expected
MOST_CAME: Final = 1.3
FEWEST_EVENTS: Final = 10  # fewer have no interval that means anything
SHARPEST: Final = 0.3  # half of its interval: with more it could not be told from none
WORLDS: Final = 40
FURTHEST: Final = 4.0  # standard errors, of some fifty means
END_US: Final = START_US + 730 * DAY_US
LOOSE: Final = Prior((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
WIDE: Final = Prior((5.0, 5.0, 5.0), (5.0, 5.0, 5.0))


@dataclass(frozen=True, slots=True)
class Finding:
    """One experiment. `rows` is a table whose first line is its heading. `ran`: there was something to ask;
    where there was not, it neither holds nor fails."""

    name: str
    question: str
    answer: str
    holds: bool
    rows: tuple[tuple[str, ...], ...] = ()
    ran: bool = True


def null_test(seeds: Collection[int] = range(SEEDS), ungated: int = UNGATED) -> Finding:
    """Calibrated worlds: nothing may be proposed. In the first `ungated` of them without the gates, too."""
    rows: list[tuple[str, ...]] = [
        (
            "seed",
            "rows",
            "skill",
            "rows let through",
            "trades",
            "without the category's gate",
            "without any gate",
            "and with a loose prior",
        )
    ]
    total, loose = 0, []
    for number, seed in enumerate(seeds):
        world, forecasts, truth = _world(CALIBRATED, seed)
        live = live_rows(forecasts)
        found = list(bets(forecasts, truth, live))
        open_to_all = sum(1 for _ in bets(forecasts, truth, ~live & far(forecasts)))
        total += len(found)
        seen, let_through = f"{len(forecasts.q):,}", f"{int(live.sum()):,}"
        free = _without_gates(world, forecasts, truth) if number < ungated else []
        loose += free[1:]
        told = [_told(each) for each in free] or ["", ""]
        skill = f"{_gain(forecasts).skill:+.2%}"
        rows.append((str(seed), seen, skill, let_through, str(len(found)), str(open_to_all), *told))
    each_world = sum(map(len, loose)) / max(len(loose), 1)
    every = [bet for found in loose for bet in found]
    return Finding(
        "Null test",
        f"{len(seeds)} worlds in which every price is right. How many trades are proposed? And how many if "
        "any edge were enough, in every category, with the usual prior and with one that holds nothing back?",
        f"{total} in {len(seeds)} worlds. Without the gates and with a loose prior {each_world:,.0f} in a "
        f"world, each of which claims {_cents(every, 'expected')} cents a share and is worth "
        f"{_cents(every, 'true')}.",
        total == 0,
        tuple(rows),
    )


def _without_gates(world: World, forecasts: Forecasts, truth: Floats) -> list[list[Bet]]:
    """With the usual prior, and with one that holds nothing back."""
    return [_no_gate(said, truth) for said in (forecasts, walk_forward(world.seen, LOOSE))]


def _no_gate(forecasts: Forecasts, truth: Floats) -> list[Bet]:
    return list(bets(forecasts, truth, far(forecasts, float(HALF_SPREAD)), NO_GATE))


def _told(found: list[Bet]) -> str:
    return f"{len(found):,}, worth {_cents(found, 'true')}" if found else "0"


def planted_test(seeds: int = SEEDS) -> Finding:
    """Biased worlds: what is expected has to come true, as it was paid, and on enough of them to tell."""
    rows: list[tuple[str, ...]] = [
        ("seed", "trades", "expected", "true", "realised", "realised over expected (95 %)")
    ]
    every: list[Bet] = []
    for seed in range(seeds):
        _, forecasts, truth = _world(PLANTED, seed, MANY)
        found = list(bets(forecasts, truth, live_rows(forecasts)))
        every += [replace(each, event=each.event + seed * 1_000_000) for each in found]
        means = (_cents(found, name) for name in ("expected", "true", "realised"))
        enough = len({each.event for each in found}) >= FEWEST_EVENTS
        rows.append((str(seed), f"{len(found):,}", *means, _came(found).words if enough else ""))
    expected, true, realised = (_mean(every, each) for each in ("expected", "true", "realised"))
    came = _came(every)
    return Finding(
        "Planted test",
        f"Worlds of {MANY:,} markets with the biases that were published for this venue. Does the expected "
        "edge come true?",
        f"{len(every):,} trades; expected {100 * expected:.2f} cents a share, realised {100 * realised:.2f}, "
        f"true {100 * true:.2f}. Realised over expected: {came.words}, by event; it has to lie in "
        f"{LEAST_CAME} to {MOST_CAME} and be known to {SHARPEST}. True over expected: "
        f"{true / expected if expected else 0.0:.2f}.",
        LEAST_CAME <= came.ratio <= MOST_CAME and came.reach < SHARPEST,
        tuple(rows),
    )


@dataclass(frozen=True, slots=True)
class Came:
    """The realised edge over the expected one, and half of its 95 % interval by event."""

    ratio: float
    reach: float

    @property
    def words(self) -> str:
        return f"{self.ratio:.2f} ({self.ratio - self.reach:.2f} to {self.ratio + self.reach:.2f})"


def _came(found: list[Bet]) -> Came:
    """A ratio of means, whose error is that of realised - ratio x expected (the delta method)."""
    if not found:
        return Came(0.0, float("inf"))
    expected, realised = (
        np.array([getattr(each, name) for each in found]) for name in ("expected", "realised")
    )
    ratio = float(realised.mean() / expected.mean())
    event = np.unique([each.event for each in found], return_inverse=True)[1].astype(np.int64)
    error = clustered_error(realised - ratio * expected, event)
    return Came(ratio, float("inf") if error is None else Z95 * error / float(expected.mean()))


def slope_test(worlds: int = WORLDS) -> Finding:
    """The slopes that were planted, without the prior's pull; and how far the usual prior pulls them."""
    rows: list[tuple[str, ...]] = [("world", "category", "true", *HORIZONS)]
    off: list[float] = []
    for name, biases in (("planted", PLANTED), ("calibrated", CALIBRATED)):
        fits = [fit(make_world(biases, seed, MANY).seen, END_US, WIDE) for seed in range(worlds)]
        for category, bias in biases.items():
            found = [_slopes(fits, category, horizon) for horizon in HORIZONS]
            off += [abs(mean - bias.slope) / error for mean, error in found]
            told = (f"{mean:.2f} ±{error:.2f}" for mean, error in found)
            rows.append((name, category, f"{bias.slope:.2f}", *told))
    held = [fit(make_world(PLANTED, seed).seen, END_US) for seed in range(worlds)]
    for category, bias in PLANTED.items():
        told = (f"{_slopes(held, category, horizon)[0]:.2f}" for horizon in HORIZONS)
        rows.append(("usual prior", category, f"{bias.slope:.2f}", *told))
    return Finding(
        "Slopes",
        "Is the planted slope found at every horizon, and 1 where prices are right? Means of "
        f"{worlds} worlds of {MANY:,} markets with their standard errors, fitted with a prior so wide that "
        f"it pulls at nothing. Below them the same slopes from worlds of {USUAL_MARKETS:,} markets with the "
        "prior in use. It pulls each slope towards those of the other categories and towards 1, the more so "
        "the fewer rows there are, on purpose: the strongest bias is taken for a smaller one than it is.",
        f"Of {len(off)} means the furthest lies {max(off):.1f} standard errors off.",
        max(off) < FURTHEST,
        tuple(rows),
    )


def _slopes(fits: list[Recalibration], category: str, horizon: str) -> tuple[float, float]:
    """Their mean and its standard error."""
    found = np.array([1 + each.cell(category, horizon).slope for each in fits])
    return float(found.mean()), float(found.std(ddof=1) / len(found) ** 0.5)


def hazard_test() -> Finding:
    """Why rows lie on the calendar: a market that can end any day."""
    chance = np.random.default_rng(3)
    rate, weeks, markets = 0.004, 20, 40_000
    ends = chance.exponential(
        1 / rate, markets
    )  # the day on which it happens, if that is before the deadline
    deadline = 7.0 * weeks
    on_grid, before = _hazard_grid(ends, deadline, rate), _hazard_before(ends, deadline, rate)
    rows = (
        ("rows", "mean price", "happened"),
        ("every Monday", *on_grid[1]),
        ("a day before the end", *before[1]),
    )
    return Finding(
        "Calendar grid",
        "A calibrated market that can end on any day. Does the grid show a bias that is not there?",
        f"On Mondays {on_grid[0]:+.2%} between said and happened; a day before the end {before[0]:+.1%}.",
        abs(on_grid[0]) < 0.01 < abs(before[0]),
        rows,
    )


def _hazard_grid(ends: Floats, deadline: float, rate: float) -> tuple[float, tuple[str, str]]:
    said, happened = [], []
    for day in np.arange(0.0, deadline, 7.0):
        there = ends > day
        said.append(np.full(int(there.sum()), 1 - np.exp(-rate * (deadline - day))))
        happened.append(ends[there] <= deadline)
    return _difference(np.concatenate(said), np.concatenate(happened).astype(np.float64))


def _hazard_before(ends: Floats, deadline: float, rate: float) -> tuple[float, tuple[str, str]]:
    over = np.minimum(ends, deadline)
    day = np.maximum(over - 1, 0)
    return _difference(1 - np.exp(-rate * (deadline - day)), (ends <= deadline).astype(np.float64))


def _difference(said: Floats, happened: Floats) -> tuple[float, tuple[str, str]]:
    low = said < np.median(said) if said.std() > 0 else np.ones(len(said), bool)
    a, b = float(said[~low].mean()), float(happened[~low].mean())
    return b - a, (f"{a:.3f}", f"{b:.3f}")


def _world(
    biases: Mapping[str, Bias], seed: int, markets: int = USUAL_MARKETS
) -> tuple[World, Forecasts, Floats]:
    world = make_world(biases, seed, markets)
    forecasts = walk_forward(world.seen)
    slope = np.array([each.slope for each in biases.values()])[forecasts.rows.category]
    intercept = np.array([each.intercept for each in biases.values()])[forecasts.rows.category]
    return world, forecasts, expit(intercept + slope * logit(forecasts.rows.price))


def _gain(forecasts: Forecasts) -> Gain:
    rows = forecasts.rows
    return gain_over_price(rows.price, forecasts.q, rows.outcome, rows.event, draws=1)


def _mean(found: list[Bet], name: str) -> float:
    return float(np.mean([getattr(each, name) for each in found])) if found else 0.0


def _cents(found: list[Bet], name: str) -> str:
    return f"{100 * _mean(found, name):+.2f}" if found else ""
