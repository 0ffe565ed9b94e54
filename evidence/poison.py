"""Everything that was told after an instant is made wrong: does anything that was said before it change?"""

from dataclasses import replace
from typing import Final

import numpy as np

from evidence.findings import Finding
from evidence.worlds import PLANTED, START_US, make_world
from polyb0t.core.clock import from_microseconds
from polyb0t.research.evaluation.gate import live_rows
from polyb0t.research.evaluation.observations import DAY_US, Flags, Observations
from polyb0t.research.evaluation.walk_forward import Forecasts, walk_forward

SEED: Final = 4
DAYS: Final = (182, 288, 380, 441, 560, 655)  # all but the first within a month, after some of its rows
BEFORE_POISON: Final = ("q", "sd", "refit_us")


def poison_test() -> Finding:
    """Forecasts and the gate's word on them, byte by byte."""
    rows = make_world(PLANTED, SEED).seen
    clean = walk_forward(rows)
    allowed = live_rows(clean)
    lines: list[tuple[str, ...]] = [("poisoned from", "forecasts before it", "changed", "of those after it")]
    before_changed, after_changed = 0, 0
    for day in DAYS:
        instant = START_US + day * DAY_US
        poisoned = walk_forward(poison(rows, instant))
        changed = _differ(clean, poisoned, allowed, live_rows(poisoned))
        before = clean.rows.at_us < instant
        before_changed += int(changed[before].sum())
        after_changed += int(changed[~before].sum())
        share = f"{changed[~before].mean():.0%}"
        lines.append(
            (f"{from_microseconds(instant):%Y-%m-%d}", f"{before.sum():,}", str(changed[before].sum()), share)
        )
    return Finding(
        "Poison test",
        "From an instant on every price, result and date is made wrong. Does a forecast from before it "
        "change, or whether it was let through?",
        f"{before_changed} of those before the {len(DAYS)} instants changed; {after_changed:,} of those "
        "after them.",
        before_changed == 0 < after_changed,
        tuple(lines),
    )


def poison(rows: Observations, instant: int) -> Observations:
    """The rows as they would be if nothing after `instant` were true; what was told before it stays."""
    told = rows.at_us < instant
    known = rows.resolved_us < instant
    return replace(
        rows,
        price=np.where(told, rows.price, 1 - rows.price),
        ends_us=np.where(told, rows.ends_us, rows.ends_us + 40 * DAY_US),
        outcome=np.where(known, rows.outcome, 1 - rows.outcome),
        resolved_us=np.where(known, rows.resolved_us, instant + (rows.resolved_us - instant) // 2),
    )


def _differ(clean: Forecasts, poisoned: Forecasts, allowed: Flags, allowed_then: Flags) -> Flags:
    """Bytes, not values: a last digit that differs is a difference."""
    changed: Flags = allowed != allowed_then
    for name in BEFORE_POISON:
        changed |= getattr(clean, name).view(np.int64) != getattr(poisoned, name).view(np.int64)
    return changed
