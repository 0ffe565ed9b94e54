"""The pretend exchange's past: is the bias of its crowd found, and does trading on it make money later?"""

from datetime import timedelta
from typing import Final

import numpy as np

from evidence.findings import Finding
from evidence.trades import bets
from polyb0t.core.clock import from_microseconds, microseconds
from polyb0t.research.cards.card import make_card
from polyb0t.research.evaluation.gate import live_rows
from polyb0t.research.evaluation.scores import clustered_t
from polyb0t.research.evaluation.walk_forward import walk_forward
from polyb0t.research.history.grid import observations
from polyb0t.research.history.past_markets import History, PastMarket, checked_market
from polyb0t.research.history.problems import Problems
from polyb0t.sandbox.types import MILLION, MarketView
from polyb0t.sandbox.world import World

MARKETS: Final = 12_000
START_MS: Final = 1_795_300_000_000
BUCKET_MS: Final = 21_600_000


def sandbox_test(markets: int = MARKETS) -> Finding:
    """Fitted month by month on what had ended, and traded on the months that followed."""
    world = World(seed=7, markets=1, start_ms=START_MS, archive=markets)
    problems = Problems()
    past = tuple(
        found for view in world.archive.views() if (found := _past(world, view, problems)) is not None
    )
    now = from_microseconds(START_MS * 1_000) + timedelta(days=1)
    card = make_card(History(past, "the sandbox's past", "", problems), venue="sandbox", now=now, trials=1)
    rows = observations(past)
    forecasts = walk_forward(rows.take(rows.known_us < microseconds(now)))
    decided = forecasts.take(forecasts.rows.decided)
    trades = list(bets(decided, decided.rows.price, live_rows(decided)))
    gains = np.array([each.realised for each in trades])
    t = clustered_t(gains, np.array([each.event for each in trades], np.int64)) if trades else 0.0
    slopes = [1 + line.cell.slope for line in card.lines if line.category == "politics"]
    mean = 100 * float(gains.mean()) if trades else 0.0
    live = ", ".join(card.live) or "nothing"
    return Finding(
        "The sandbox's crowd",
        "Its crowd prices politics with a slope of 1.30, the rest with 1.08. Is that found, and worth it?",
        f"Live: {live}; slope in politics {min(slopes):.2f} to {max(slopes):.2f} after the prior's pull. "
        f"{len(trades):,} trades in the months after each fit brought {mean:+.2f} cents a share "
        f"(t {t:.1f} by event), after fee and reserve.",
        "politics" in card.live and mean > 0,
    )


def _past(world: World, view: MarketView, problems: Problems) -> PastMarket | None:
    spec, payouts, closed = view.spec, view.payouts_e6, view.closed_ms
    assert payouts is not None
    assert closed is not None
    points = world.price_history(spec.token_ids[0], 0, closed, BUCKET_MS)
    return checked_market(
        problems,
        market=spec.condition_id,
        event=spec.event_id,
        category=spec.category,
        question=spec.question,
        named_sides=False,
        opens_us=spec.start_ms * 1_000,
        ends_us=spec.end_ms * 1_000,
        resolved_us=closed * 1_000,
        outcome=payouts[0] / MILLION,
        points=np.array([(at * 1_000, price) for at, price in points], np.float64).reshape(-1, 2),
    )
