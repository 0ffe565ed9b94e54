"""A market with everything that can be recorded of one, made from a seed."""

import random
from functools import cache

from polyb0t.research.features.look_ahead import Sample
from polyb0t.research.features.point_in_time import Book, Record, Schedule, Trade
from polyb0t.research.features.series import HOUR_US, Series

START_US = 1_767_225_600_000_000  # 2026-01-01
MINUTE_US = 60_000_000
DAY_US = 24 * HOUR_US
HALF_HOURS = 20 * 48  # twenty days


@cache
def a_record(seed: int = 1) -> Record:
    """Twenty days of prices every half hour, books beside them, trades, two markets of its event and one
    of its theme; its end was moved once, and it resolved."""
    chance = random.Random(seed)
    at = [START_US + step * 30 * MINUTE_US for step in range(HALF_HOURS)]
    common = [chance.gauss(0, 0.03) for _ in at]
    prices = _walk(chance, common)
    return Record(
        market=f"0xmarket{seed}",
        prices=Series(at, prices),
        opens_us=START_US,
        schedule=(
            Schedule(START_US, START_US + 40 * DAY_US),
            Schedule(START_US + 12 * DAY_US, START_US + 30 * DAY_US),
        ),
        books=tuple(_book(chance, when, price) for when, price in zip(at, prices, strict=True)),
        trades=tuple(_trades(chance)),
        event=(Series(at, _walk(chance, common)), Series(at, _walk(chance, common))),
        theme=(Series(at, _walk(chance, common)),),
        resolved_us=START_US + 21 * DAY_US,
        outcome=1.0,
    )


def samples(count: int = 2) -> list[Sample]:
    """Records with instants early, late, and just beside a price."""
    instants = [
        START_US + 9 * DAY_US,
        START_US + 13 * DAY_US + 7 * MINUTE_US,
        START_US + 15 * DAY_US + 15 * MINUTE_US - 1,
    ]
    return [Sample(a_record(seed), instants) for seed in range(count)]


def _walk(chance: random.Random, common: list[float]) -> list[float]:
    price, found = chance.uniform(0.3, 0.7), []
    for step in common:
        price = min(max(price + 0.3 * step + chance.gauss(0, 0.005), 0.02), 0.98)
        found.append(round(price, 3))
    return found


def _book(chance: random.Random, at_us: int, price: float) -> Book:
    bids = [(round(price - 0.005 - 0.01 * step, 3), chance.uniform(10, 500)) for step in range(7)]
    asks = [(round(price + 0.005 + 0.01 * step, 3), chance.uniform(10, 500)) for step in range(7)]
    return Book(at_us, bids, asks)


def _trades(chance: random.Random) -> list[Trade]:
    at = START_US
    found = []
    while at < START_US + 20 * DAY_US:
        found.append(Trade(at, chance.choice((-1, 1)) * chance.uniform(1, 90)))
        at += int(chance.expovariate(1 / (9 * MINUTE_US)))
    return found
