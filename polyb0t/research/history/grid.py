"""From histories to rows: every market that was open and quotable on a Monday, as it was known then.

The grid is the calendar, never a time before the resolution: sampled "a day before it resolved", even a
calibrated market looks biased.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

import numpy as np

from polyb0t.models.calibration import LEAST_TIME, PRICE_HIGH, PRICE_LOW
from polyb0t.research.evaluation.observations import DAY_US, Observations
from polyb0t.research.history.past_markets import PastMarket, mondays

OLDEST_US: Final = DAY_US  # a price that is older than this is not the price of that Monday
_LEAST_US: Final = LEAST_TIME // timedelta(microseconds=1)


def observations(markets: Iterable[PastMarket]) -> Observations:
    """The rows of all markets, by market and time. What a row says was known at its instant."""
    markets = list(markets)
    events = sorted({each.event for each in markets})
    categories = sorted({each.category for each in markets})
    event_at = {name: at for at, name in enumerate(events)}
    category_at = {name: at for at, name in enumerate(categories)}
    rows = [
        (event_at[market.event], category_at[market.category], at, market, price)
        for market in markets
        for at, price in sights(market)
    ]
    return Observations(
        event=np.array([row[0] for row in rows], np.int64),
        category=np.array([row[1] for row in rows], np.int64),
        at_us=np.array([row[2] for row in rows], np.int64),
        ends_us=np.array([row[3].ends_us for row in rows], np.int64),
        resolved_us=np.array([row[3].resolved_us for row in rows], np.int64),
        price=np.array([row[4] for row in rows], np.float64),
        outcome=np.array([row[3].outcome for row in rows], np.float64),
        named_sides=np.array([row[3].named_sides for row in rows], bool),
        events=tuple(events),
        categories=tuple(categories),
    )


def sights(market: PastMarket) -> list[tuple[int, float]]:
    """Its Mondays with the last price known then, inside the range that a model speaks of."""
    found = []
    for monday in mondays(market.opens_us, min(market.ends_us - _LEAST_US, market.resolved_us)):
        at = int(np.searchsorted(market.at_us, monday, side="right")) - 1
        if at < 0 or monday - int(market.at_us[at]) > OLDEST_US:
            continue
        price = float(market.price[at])
        if float(PRICE_LOW) <= price <= float(PRICE_HIGH):
            found.append((monday, price))
    return found
