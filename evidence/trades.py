"""What the decision code would have bought on a synthetic market, and what that was worth in truth.

The same `find_chance` as in the engine decides, on a book that shows the price with a spread of a cent.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

import numpy as np

from polyb0t.core.clock import from_microseconds
from polyb0t.core.units import Price
from polyb0t.data.markets import FeeSchedule
from polyb0t.models.calibration import Z90
from polyb0t.models.chances import Candidate, Chance, find_chance
from polyb0t.models.pricing import Purchase
from polyb0t.models.risk import RiskLimits
from polyb0t.models.signals import MarketState, ProbEstimate
from polyb0t.research.evaluation.observations import Flags, Floats
from polyb0t.research.evaluation.walk_forward import Forecasts
from tests.support.decisions import a_market, books_at, terms_of

FEE: Final = FeeSchedule(Decimal("0.04"), Decimal(1))
CENT: Final = Decimal("0.01")
HALF_SPREAD: Final = Decimal("0.005")
_MILLIONTH: Final = Decimal("0.000001")
_LIMITS: Final = RiskLimits()
NO_GATE: Final = RiskLimits(edge_min=Decimal(0), edge_sd_multiple=Decimal(0))  # any edge is enough


@dataclass(frozen=True, slots=True)
class Bet:
    """pUSD per share: what was expected, what it was worth in truth, and what it brought."""

    event: int
    expected: float
    true: float
    realised: float


def bets(forecasts: Forecasts, truth: Floats, chosen: Flags, limits: RiskLimits = _LIMITS) -> Iterator[Bet]:
    """Every purchase that passes the trade's own gate among the rows of `chosen`."""
    rows = forecasts.rows
    for at in np.flatnonzero(chosen):
        chance = find_chance(_candidate(forecasts, int(at)), limits)
        if not isinstance(chance, Chance):
            continue
        first = chance.side.outcome.label == "Yes"
        likely = float(truth[at]) if first else 1 - float(truth[at])
        won = float(rows.outcome[at]) if first else 1 - float(rows.outcome[at])
        yield Bet(
            event=int(rows.event[at]),
            expected=float(chance.side.edge),
            true=float(_edge(chance, Decimal(repr(likely)))),
            realised=float(_edge(chance, Decimal(repr(won)))),
        )


def far(forecasts: Forecasts, off: float = 0.02) -> Flags:
    """Rows whose q lies `off` or more off the price: under two cents none can pass the trade's gate, and
    under half the spread none can have an edge."""
    found: Flags = np.abs(forecasts.q - forecasts.rows.price) > off
    return found


def _edge(chance: Chance, q: Decimal) -> Decimal:
    bought = chance.side.purchase
    return Purchase(q, bought.fee, bought.reserve).edge(chance.side.ask)


def _candidate(forecasts: Forecasts, at: int) -> Candidate:
    rows = forecasts.rows
    price, q, sd = (_decimal(each[at]) for each in (rows.price, forecasts.q, forecasts.sd))
    now = from_microseconds(int(rows.at_us[at]))
    market = a_market(str(at), end_date=from_microseconds(int(rows.ends_us[at])), fee=FEE)
    spread = (
        (price - HALF_SPREAD).quantize(CENT, ROUND_FLOOR),
        (price + HALF_SPREAD).quantize(CENT, ROUND_CEILING),
    )
    books = books_at(market, str(spread[0]), str(spread[1]), size=10_000)
    estimate = ProbEstimate(
        q=q,
        low=q - Z90 * sd,
        high=q + Z90 * sd,
        sd=sd,
        anchor=Price(price),
        spread=2 * HALF_SPREAD,
        model="market calibration",
        version="evidence",
        validated=True,
        independent=False,
        parts=(),
        because="",
    )
    return Candidate(MarketState(market, terms_of(market), books, now), estimate)


def _decimal(value: float) -> Decimal:
    return Decimal(repr(float(value))).quantize(_MILLIONTH)
