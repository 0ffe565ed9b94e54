"""Synthetic worlds as histories, for tests of what is fitted on them."""

from collections.abc import Mapping

import numpy as np

from evidence.worlds import Bias, make_world
from polyb0t.research.history.past_markets import History, PastMarket
from polyb0t.research.history.problems import Problems


def a_history(biases: Mapping[str, Bias], seed: int = 1, markets: int = 6_000) -> History:
    """A synthetic world as markets with one price on each of their Mondays."""
    seen = make_world(biases, seed, markets).seen
    order = np.lexsort((seen.at_us, seen.ends_us, seen.event))
    found: dict[tuple[int, int], list[int]] = {}
    for at in order:
        found.setdefault((int(seen.event[at]), int(seen.ends_us[at])), []).append(int(at))
    past = tuple(
        PastMarket(
            market=f"{event}-{ends}",
            event=seen.events[event],
            category=seen.categories[int(seen.category[rows[0]])],
            question="Will it?",
            named_sides=False,
            opens_us=int(seen.at_us[rows[0]]),
            ends_us=ends,
            resolved_us=int(seen.resolved_us[rows[0]]),
            outcome=float(seen.outcome[rows[0]]),
            at_us=seen.at_us[rows],
            price=seen.price[rows],
        )
        for (event, ends), rows in found.items()
    )
    return History(past, "a world", "ab" * 32, Problems())
