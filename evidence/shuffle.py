"""Outcomes dealt anew among the markets of a category: what decisions then bring, and whether a gate opens.

Dealt so that the price stays right: an order of a category's outcomes comes as often as prices make it
likely (the conditional permutation test: Berrett, Wang, Barber and Samworth, JRSS B 82, 2020). Dealt
blindly, prices would say nothing any more, and a model that finds that out would be right to trade on it.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from evidence.findings import Finding
from evidence.trades import Bet, bets, far
from evidence.worlds import PLANTED, Bias, make_world
from polyb0t.research.evaluation.gate import live_rows
from polyb0t.research.evaluation.observations import Codes, Flags, Floats, Observations
from polyb0t.research.evaluation.scores import clustered_t
from polyb0t.research.evaluation.walk_forward import Forecasts, walk_forward, windows

SEEDS: Final = 8
SWEEPS: Final = 100  # in each of them every market is offered a swap with another one
FURTHEST: Final = 4.0  # standard errors
STRONG: Final = {name: Bias(1.6) for name in PLANTED}  # so that there is a lot to lose


def shuffle_test(seeds: int = SEEDS) -> Finding:
    """Biased worlds, dealt anew: old decisions bring minus their costs, and learning finds nothing."""
    rows: list[tuple[str, ...]] = [
        ("seed", "trades", "brought before", "costs", "brought", "let through before", "let through")
    ]
    every: list[Bet] = []
    opened = 0
    for seed in range(seeds):
        seen = one_row_a_market(seed)
        dealt = replace(seen, outcome=dealt_anew(seen, np.random.default_rng(seed)))
        said = walk_forward(seen)
        before, let_through = _trades(said), int(live_rows(said).sum())
        found = _trades(replace(said, rows=dealt.take(_spoken_of(seen))))
        every += [replace(each, event=each.event + seed * 1_000_000) for each in found]
        through = int(live_rows(walk_forward(dealt)).sum())
        opened += through
        means = (_cents(before, "realised"), _cents(found, "true"), _cents(found, "realised"))
        rows.append((str(seed), f"{len(found):,}", *means, f"{let_through:,}", str(through)))
    off = np.array([each.realised - each.true for each in every])
    t = clustered_t(off, np.arange(len(off), dtype=np.int64))
    return Finding(
        "Shuffle test",
        "Biased worlds whose outcomes are dealt anew within each category, so that no bias is left. What do "
        "the trades then bring that were decided on what was, and does learning from what was dealt open "
        "a gate?",
        f"{len(every):,} trades without the category gate bring {_cents(every, 'realised')} cents a share; "
        f"half the spread, fee and reserve are {_cents(every, 'true')} ({t:+.1f} standard errors apart). "
        f"Rows let through: {opened}.",
        opened == 0 and len(every) > 100 and abs(t) < FURTHEST,
        tuple(rows),
    )


def one_row_a_market(seed: int) -> Observations:
    """A strongly biased world with the first row of each market: later prices would know how it went on."""
    world = make_world(STRONG, seed)
    first = np.unique(world.market, return_index=True)[1]
    return world.seen.take(np.sort(first))


def dealt_anew(rows: Observations, chance: np.random.Generator) -> Floats:
    """The outcomes in another order within each category, drawn as the prices make orders likely."""
    outcome, odds = rows.outcome.copy(), rows.price / (1 - rows.price)
    for code in range(len(rows.categories)):
        of_it = np.flatnonzero(rows.category == code)
        outcome[of_it] = chance.permutation(outcome[of_it])
        for _ in range(SWEEPS):
            _offer_swaps(outcome, odds, chance.permutation(of_it), chance)
    return outcome


def _offer_swaps(outcome: Floats, odds: Floats, order: Codes, chance: np.random.Generator) -> None:
    """Each pair keeps its outcomes or swaps them, by the odds of the one against those of the other."""
    half = len(order) // 2
    a, b = order[:half], order[half : 2 * half]
    winner = np.where(outcome[a] > outcome[b], a, b)
    loser = np.where(outcome[a] > outcome[b], b, a)
    swapped: Flags = chance.random(half) < odds[loser] / (odds[loser] + odds[winner])
    swapped &= outcome[a] != outcome[b]
    outcome[winner[swapped]], outcome[loser[swapped]] = 0.0, 1.0


def _spoken_of(rows: Observations) -> Flags:
    """The rows that a walk forward predicts."""
    found: Flags = np.logical_or.reduce([ahead for _, _, ahead in windows(rows)])
    return found


def _trades(forecasts: Forecasts) -> list[Bet]:
    """Every trade without the gate of its category. `true` is its worth if the price is: minus its costs."""
    return list(bets(forecasts, forecasts.rows.price, far(forecasts)))


def _cents(found: list[Bet], name: str) -> str:
    return f"{100 * float(np.mean([getattr(each, name) for each in found])):+.2f}" if found else ""
