"""The experiments: what was asked, what came out, and whether that is what it has to be."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from evidence.trades import Bet, bets, far
from evidence.worlds import CALIBRATED, PLANTED, START_US, Bias, World, make_world
from polyb0t.research.evaluation.gate import live_rows
from polyb0t.research.evaluation.observations import DAY_US, HORIZONS, Floats, expit, logit
from polyb0t.research.evaluation.recalibration import Prior, fit
from polyb0t.research.evaluation.scores import Gain, clustered_t, gain_over_price
from polyb0t.research.evaluation.walk_forward import Forecasts, walk_forward

SEEDS: Final = 20
WORLDS: Final = 8
FURTHEST: Final = 4.0  # standard errors, of some fifty means
END_US: Final = START_US + 730 * DAY_US
WIDE: Final = Prior((5.0, 5.0, 5.0), (5.0, 5.0, 5.0))


@dataclass(frozen=True, slots=True)
class Finding:
    """One experiment. `rows` is a table whose first line is its heading."""

    name: str
    question: str
    answer: str
    holds: bool
    rows: tuple[tuple[str, ...], ...] = ()


def null_test(seeds: Collection[int] = range(SEEDS)) -> Finding:
    """Calibrated worlds: nothing may be proposed."""
    rows: list[tuple[str, ...]] = [
        ("seed", "rows", "skill", "rows let through", "trades", "without the gates")
    ]
    total = 0
    for seed in seeds:
        _, forecasts, truth = _world(CALIBRATED, seed)
        live = live_rows(forecasts)
        found = list(bets(forecasts, truth, live))
        loose = sum(1 for _ in bets(forecasts, truth, ~live & far(forecasts)))
        gain = _gain(forecasts)
        total += len(found)
        seen, let_through = f"{len(forecasts.q):,}", f"{int(live.sum()):,}"
        rows.append((str(seed), seen, f"{gain.skill:+.2%}", let_through, str(len(found)), str(loose)))
    return Finding(
        "Null test",
        f"{len(seeds)} worlds in which every price is right. How many trades are proposed?",
        f"{total} in {len(seeds)} worlds.",
        total == 0,
        tuple(rows),
    )


def planted_test(seeds: int = SEEDS) -> Finding:
    """Biased worlds: what is expected has to come true."""
    rows: list[tuple[str, ...]] = [("seed", "trades", "expected", "true", "realised")]
    every: list[Bet] = []
    for seed in range(seeds):
        _, forecasts, truth = _world(PLANTED, seed)
        found = list(bets(forecasts, truth, live_rows(forecasts)))
        every += [replace(each, event=each.event + seed * 1_000_000) for each in found]
        means = (_cents(found, name) for name in ("expected", "true", "realised"))
        rows.append((str(seed), str(len(found)), *means))
    expected, true = (_mean(every, each) for each in ("expected", "true"))
    realised, t = _mean(every, "realised"), _t(every)
    ratio = true / expected if expected else 0.0
    return Finding(
        "Planted test",
        "Worlds with the biases that were published for this venue. Does the expected edge come true?",
        f"{len(every):,} trades; expected {100 * expected:.2f} cents a share, true {100 * true:.2f}, "
        f"realised {100 * realised:.2f} (t {t:.1f} by event). True over expected: {ratio:.2f}.",
        0.7 <= ratio <= 1.3 and len(every) > 100,
        tuple(rows),
    )


def slope_test() -> Finding:
    """The slopes that were planted, without the prior's pull."""
    rows: list[tuple[str, ...]] = [("world", "category", "true", *HORIZONS)]
    off: list[float] = []
    for name, biases in (("planted", PLANTED), ("calibrated", CALIBRATED)):
        fits = [fit(make_world(biases, seed).seen, END_US, WIDE) for seed in range(WORLDS)]
        for category, bias in biases.items():
            found = [[1 + each.cell(category, horizon).slope for each in fits] for horizon in HORIZONS]
            off += [float(abs(np.mean(each) - bias.slope) / (np.std(each) / WORLDS**0.5)) for each in found]
            rows.append((name, category, f"{bias.slope:.2f}", *(f"{np.mean(each):.2f}" for each in found)))
    return Finding(
        "Slopes",
        "Is the planted slope found at every horizon, and 1 where prices are right?",
        f"Of {len(off)} means over {WORLDS} worlds the furthest lies {max(off):.1f} standard errors off.",
        max(off) < FURTHEST,
        tuple(rows),
    )


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


def _world(biases: Mapping[str, Bias], seed: int) -> tuple[World, Forecasts, Floats]:
    world = make_world(biases, seed)
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


def _t(found: list[Bet]) -> float:
    values = np.array([each.realised for each in found])
    return clustered_t(values, np.array([each.event for each in found], np.int64)) if found else 0.0
