"""Markets of "will it happen by then", which end on the day on which it happens: a history that is taken
today holds those of the youngest in which it has happened, and not the others, which still run."""

from dataclasses import fields
from typing import Final

import numpy as np

from evidence.findings import Finding
from evidence.worlds import HIGHEST, LOWEST, MONTHS, START_US, WEEK_US
from polyb0t.research.evaluation.gate import live_rows
from polyb0t.research.evaluation.observations import DAY_US, Codes, Flags, Floats, Observations
from polyb0t.research.evaluation.walk_forward import walk_forward

SEEDS: Final = 8
MARKETS: Final = 9_000
CATEGORIES: Final = 6
SPAN_US: Final = int(MONTHS * 30.4) * DAY_US
LIFE_DAYS: Final = (20, 300)


def early_ends_test(seeds: int = SEEDS) -> Finding:
    """Calibrated worlds, cut where they are read: with the scheduled end respected, and without."""
    rows: list[tuple[str, ...]] = [
        ("seed", "rows", "said less price", "let through", "said less price without", "let through without")
    ]
    kept, unkept = [], []
    for seed in range(seeds):
        seen = make_early(seed)
        kept.append(_said(seen))
        unkept.append(_said(hasty(seen)))
        found = [text for off, through in (kept[-1], unkept[-1]) for text in (f"{off:+.2f}", f"{through:,}")]
        rows.append((str(seed), f"{len(seen):,}", *found))
    through, before = (sum(each for _, each in some) for some in (kept, unkept))
    return Finding(
        "Early ends",
        "Right prices of things that happen on any day before a deadline, or not. Of the markets that still "
        "have time only those are over in which it happened. Does a model take that for a bias (in cents)? "
        "And one that uses every market from the day on which it was over?",
        f"{through} rows in {seeds} worlds are let through. Used from when they were over: {before:,}, on "
        f"which a bias of {np.mean([off for off, _ in unkept]):+.1f} cents is seen that is not there.",
        through == 0 < before,
        tuple(rows),
    )


def make_early(seed: int, markets: int = MARKETS) -> Observations:
    """All that had ended after two years, of markets that opened all the time."""
    chance = np.random.default_rng(seed)
    opens: Codes = START_US + (chance.uniform(0, 1, markets) * SPAN_US).astype(np.int64)
    days = np.exp(chance.uniform(np.log(LIFE_DAYS[0]), np.log(LIFE_DAYS[1]), markets))
    ends: Codes = opens + (days * DAY_US).astype(np.int64)
    rate = -np.log1p(-chance.uniform(0.1, 0.9, markets)) / days
    happens: Codes = opens + (chance.exponential(1 / rate) * DAY_US).astype(np.int64)
    over: Codes = np.minimum(happens, ends)
    market, at = _mondays(opens, np.minimum(over, ends - DAY_US))
    left_days = (ends[market] - at) / DAY_US
    price: Floats = np.round(-np.expm1(-rate[market] * left_days), 3).astype(np.float64)
    shown: Flags = (price >= LOWEST) & (price <= HIGHEST) & (over[market] < START_US + SPAN_US)
    market, at = market[shown], at[shown]
    return Observations(
        event=market,
        category=(market % CATEGORIES).astype(np.int64),
        at_us=at,
        ends_us=ends[market],
        resolved_us=over[market] + DAY_US // 8,
        price=price[shown],
        outcome=(happens < ends)[market].astype(np.float64),
        named_sides=np.zeros(len(market), bool),
        events=tuple(f"event {number}" for number in range(markets)),
        categories=tuple(f"category {number}" for number in range(CATEGORIES)),
    )


def _mondays(opens: Codes, until: Codes) -> tuple[Codes, Codes]:
    """The number of its market and the instant of every Monday from `opens` up to and without `until`."""
    first = opens + (START_US - opens) % WEEK_US
    count = np.maximum(-((first - until) // WEEK_US), 0)
    market: Codes = np.repeat(np.arange(len(opens)), count).astype(np.int64)
    number = np.arange(len(market)) - np.repeat(np.cumsum(count) - count, count)
    return market, first[market] + number * WEEK_US


class Hasty(Observations):
    """Rows that are used from the day on which their market was over, whenever it was to be over."""

    __slots__ = ()

    @property
    def known_us(self) -> Codes:
        return self.resolved_us


def hasty(rows: Observations) -> Hasty:
    """The same rows without the rule."""
    return Hasty(**{each.name: getattr(rows, each.name) for each in fields(rows)})


def _said(rows: Observations) -> tuple[float, int]:
    """What is said less the price, in cents, and the rows that are let through."""
    found = walk_forward(rows)
    return 100 * float((found.q - found.rows.price).mean()), int(live_rows(found).sum())
