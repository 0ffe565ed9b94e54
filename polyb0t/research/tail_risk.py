"""The worst twentieth of 10,000 futures of a portfolio: a Gaussian copula over the events in it.

    latent of an event = sqrt(.05) x everything + sqrt(.15) x its category + sqrt(.40) x its theme + the rest

so two events have correlation .6 within a theme, .2 within a category and .05 otherwise. An event loses
by the rank of its latent: the ends with the greatest loss come where the latent is greatest. Every draw
depends on its name and the seed alone, so the same portfolio has the same figure on every machine and in
every order, and a position that stays costs nothing anew.
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate
from statistics import NormalDist
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from polyb0t.core.units import Pusd, ceil_to
from polyb0t.models.portfolio_tail import LossUnit

FUTURES: Final = 10_000
WORST: Final = FUTURES // 20
EVERYTHING: Final = 0.05
CATEGORY: Final = 0.15
THEME: Final = 0.40
SEED: Final = 20_261_123
_CENT: Final = Decimal("0.01")
_CACHED: Final = 1_024  # vectors of 80 kB

Floats = NDArray[np.float64]


def tail_loss(units: Sequence[LossUnit]) -> Pusd:
    """Implements `TailRisk`: the mean of the worst twentieth, up to the cent; never below zero."""
    if not units:
        return Pusd(Decimal(0))
    total = np.zeros(FUTURES)
    for unit in sorted(units):  # floats add up differently in another order
        total += losses_of(unit)
    worst = np.partition(total, FUTURES - WORST)[FUTURES - WORST :]
    return Pusd(ceil_to(Decimal(str(round(max(0.0, float(worst.mean())), 6))), _CENT))


@lru_cache(maxsize=_CACHED)
def losses_of(unit: LossUnit) -> Floats:
    """What one event loses in each future."""
    shares = [float(end.chance) for end in unit.ends]
    steps = [NormalDist().inv_cdf(min(1 - 1e-12, max(1e-12, edge))) for edge in accumulate(shares[:-1])]
    ends = np.searchsorted(np.array(steps), _latent(unit))
    found: Floats = np.array([float(end.loss) for end in unit.ends])[ends]
    return found


def _latent(unit: LossUnit) -> Floats:
    parts = [(EVERYTHING, "everything")]
    parts += [(CATEGORY, f"category {unit.category}")] if unit.category else []
    parts += [(THEME, f"theme {unit.theme}")] if unit.theme else []
    rest = 1.0 - sum(weight for weight, _ in parts)
    latent: Floats = np.sqrt(rest) * _draw(f"unit {unit.key}")
    for weight, name in parts:
        latent = latent + np.sqrt(weight) * _draw(name)
    return latent


@lru_cache(maxsize=_CACHED)
def _draw(name: str) -> Floats:
    """Standard normal numbers that belong to a name."""
    return np.random.default_rng([SEED, crc32(name.encode())]).standard_normal(FUTURES)
