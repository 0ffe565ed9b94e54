"""Kept trees that speak in politics, and the walks of prices that they were fitted on, a price every six hours."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np

from polyb0t.core.clock import from_microseconds
from polyb0t.core.units import Price
from polyb0t.data.markets import Market, Outcome
from polyb0t.data.order_book import OrderBook
from polyb0t.models.signals import MarketState
from polyb0t.research.challengers.inputs import Inputs, inputs_of
from polyb0t.research.challengers.kept import KeptTrees, kept_text, read_kept
from polyb0t.research.challengers.trees import DRAWS, fit_trees
from polyb0t.research.evaluation.observations import DAY_US, Observations, expit
from polyb0t.research.history.grid import observations
from polyb0t.research.history.past_markets import PastMarket
from tests.support.decisions import a_market, books_at

START_US = 1_735_516_800_000_000  # 2024-12-30, a Monday
SIX_HOURS_US = DAY_US // 4
FITTED = from_microseconds(START_US + 400 * DAY_US)


@cache
def walks(markets: int = 500, seed: int = 3, slope: float = 2.5) -> tuple[PastMarket, ...]:
    """Markets of a few days to ten weeks, whose prices stand too near the middle: log-odds x `slope` is true."""
    chance = np.random.default_rng(seed)
    return tuple(_walk(chance, number, slope) for number in range(markets))


def _walk(chance: np.random.Generator, number: int, slope: float) -> PastMarket:
    opens = START_US + int(chance.integers(0, 250 * 4)) * SIX_HOURS_US
    steps = int(chance.integers(12, 70 * 4))
    level = chance.normal(0, 1) + np.cumsum(chance.normal(0, 0.08, steps))
    price = np.clip(expit(level), 0.02, 0.98).round(3).astype(np.float64)
    at = opens + SIX_HOURS_US * np.arange(1, steps + 1)
    if number % 5 == 0:  # nothing was quoted for days
        there = np.ones(steps, bool)
        there[steps // 3 : steps // 3 + 20] = False
        at, price = at[there], price[there]
    won = chance.random() < expit(slope * level[steps // 2])
    return PastMarket(
        market=f"walk-{number}",
        event=f"event-{number}",
        category=("politics", "sports")[number % 2],
        question="Will it?",
        named_sides=number % 3 == 0,
        opens_us=opens,
        ends_us=int(at[-1]) + 2 * DAY_US,
        resolved_us=int(at[-1]) + 3 * DAY_US,
        outcome=float(won),
        at_us=at,
        price=price,
    )


@cache
def fitted_rows() -> tuple[Observations, Inputs]:
    """What was fitted on."""
    rows = observations(walks())
    return rows, inputs_of(walks(), rows)


@cache
def trees_text(live: Sequence[str] = ("politics",), draws: int = DRAWS, **changes: Any) -> str:
    """The file of trees that were fitted on `walks`; without judging them, which takes many fits."""
    rows, inputs = fitted_rows()
    trees = fit_trees(inputs, rows.outcome, rows.weights(int(rows.at_us.max())), rows.event, draws=draws)
    about = {
        "version": "bt-0123456789",
        "venue": "sandbox",
        "expires_at": (FITTED + timedelta(days=45)).isoformat(),
        "data_from": from_microseconds(START_US).isoformat(),
        "data_until": FITTED.isoformat(),
        "data_hash": "ab" * 32,
        "live": list(live),
        **changes,
    }
    return kept_text(trees, inputs, about)


def trees(**changes: Any) -> KeptTrees:
    return read_kept(json.dumps({**json.loads(trees_text()), **changes}))


def market_of(past: PastMarket) -> Market:
    """A market of the history as the catalogue listed it while it was open."""
    labels = ("Reds", "Blues") if past.named_sides else ("Yes", "No")
    market = a_market(past.market, category=past.category, opened_at=from_microseconds(past.opens_us))
    first, second = (
        Outcome(label, each.asset_id) for label, each in zip(labels, market.outcomes, strict=True)
    )
    return replace(market, outcomes=(first, second), end_date=from_microseconds(past.ends_us))


def state_at(past: PastMarket, now: datetime, price: float, **changes: Any) -> MarketState:
    """What an engine sees of it at `now`: a book of one cent around `price`."""
    market = replace(market_of(past), **changes)
    return MarketState(market, None, (a_book(market, price, now), None), now)


def a_book(market: Market, price: float, now: datetime) -> OrderBook:
    mid = Decimal(str(price))
    first, _ = books_at(market, f"{mid - Decimal('0.005')}", f"{mid + Decimal('0.005')}", size=100)
    assert first is not None
    assert first.mid == Price(mid)
    return replace(first, observed_at=now)


def points_of(past: PastMarket) -> list[tuple[int, int]]:
    """As the exchange's history has them."""
    return [
        (int(at), round(float(price) * 1_000_000)) for at, price in zip(past.at_us, past.price, strict=True)
    ]
