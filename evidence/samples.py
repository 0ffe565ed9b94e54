"""Markets of the real venue, from files that lie beside the checkout or nowhere: is there an edge in them?

The files belong to others and are no part of the repository, so the section names them by their hash. They
are judged twice: as `model evaluate` does it, by which alone a category could open; and, since they span
weeks, day after day besides, where every day is predicted by what had ended a day before.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np

from evidence.findings import Finding
from polyb0t.core.clock import from_microseconds
from polyb0t.research.cards.card import Card, make_card
from polyb0t.research.evaluation.gate import needed_t
from polyb0t.research.evaluation.observations import DAY_US, Flags, Observations
from polyb0t.research.evaluation.recalibration import fit
from polyb0t.research.evaluation.scores import Gain, events_needed, gain_over_price
from polyb0t.research.history.past_markets import MILLION, History, PastMarket, checked_market
from polyb0t.research.history.price_series import read_price_series
from polyb0t.research.history.problems import Problems
from polyb0t.research.replay.events import BookShown, MarketTold, Resolved
from polyb0t.research.replay.opening import open_tape
from polyb0t.research.replay.tape import Tape
from tests.support.shared import SHARED

FOLDER: Final = SHARED / "data"
PRICES: Final = "mixed_192_resolved_markets.parquet"
BOOKS: Final = (
    "weather_2026-05-29_2026-06-14_snapshots.parquet",
    "weather_2026-05-29_2026-06-14_resolutions.parquet",
)
FILES: Final = (PRICES, *BOOKS)
AFTER: Final = timedelta(days=1)  # judged when the last of them had ended
LOW: Final = 0.03
HIGH: Final = 0.97
SMALL_EDGE: Final = 0.02
LIKELY: Final = 0.8
MOST_SKILL: Final = 0.02  # more than that is a leak until somebody shows that it is none
SURE: Final = 3.0  # standard errors: a gain that nobody expects
QUESTION: Final = (
    "Markets of the real venue, in files of others that are no part of this repository. Has the way of "
    "fitting beaten the price in any category? They span weeks, so besides the judgement by month every day "
    "is predicted by what had ended a day before (that is the embargo), without the day's own events. (A "
    "skill of more than 2% would be taken for a leak.)"
)


def samples_test(folder: Path = FOLDER) -> Finding:
    """Every file that is there."""
    histories = list(_histories(folder))
    if not histories:
        return Finding(
            "Real samples", QUESTION, f"Not run: none of {', '.join(FILES)} is here.", True, ran=False
        )
    cards = [_card(each) for each in histories]
    daily = [day_by_day(each.markets) for each in histories]
    live = [f"{name} of {card.source}" for card in cards for name in card.live]
    monthly = sum(standing.rows for card in cards for _, standing in card.standings)
    found = [gain for gain in daily if gain is not None]
    return Finding(
        "Real samples",
        QUESTION,
        f"{_judged(cards, daily)} {monthly:,} rows could be judged month by month, by which alone a category "
        f"opens: live is {', '.join(live) or 'none, so nothing would be proposed'}. An error of "
        f"{100 * SMALL_EDGE:.0f} cents at {LIKELY:.0%} takes {events_needed(LIKELY, SMALL_EDGE):,} "
        "independent events to show.",
        not live and all(gain.skill < MOST_SKILL or gain.t < SURE for gain in found),
        (
            ("file", "SHA-256", "category", "markets", "judged by month", "why not", "day by day, skill"),
            *(line for card, gain in zip(cards, daily, strict=True) for line in _lines(card, gain)),
        ),
        ran=bool(found or monthly),
    )


def _judged(cards: Sequence[Card], daily: Sequence[Gain | None]) -> str:
    """What can be said of an edge day by day, and of which files nothing can be said at all."""
    said = []
    for card, gain in zip(cards, daily, strict=True):
        categories = ", ".join(name for name, _ in card.standings)
        if gain is None:
            said.append(
                f"Nothing can be said of {categories} ({card.markets:,} markets): nothing had ended "
                "a day before any of its rows."
            )
        else:
            beaten = "has beaten" if gain.t > needed_t(1, 1) else "has not beaten"
            said.append(f"Day by day it {beaten} the price in {categories}.")
    return " ".join(said)


def _histories(folder: Path) -> Iterator[History]:
    if (folder / PRICES).exists():
        yield read_price_series(folder / PRICES)
    if all((folder / name).exists() for name in BOOKS):
        yield history_of(open_tape([folder / name for name in BOOKS]))


def history_of(tape: Tape) -> History:
    """The markets of a tape that ended in it: the middle of the first outcome's book, and what that paid."""
    told: dict[str, MarketTold] = {}
    points: dict[str, list[tuple[int, float]]] = {}
    ends: dict[str, Resolved] = {}
    for event in tape.events(tape.about.starts, tape.about.ends):
        if isinstance(event, MarketTold):
            told.setdefault(event.market.condition_id, event)
        elif isinstance(event, BookShown) and event.bids and event.asks:
            if event.asset == told[event.condition].market.outcomes[0].asset_id:
                middle = (event.bids[0][0] + event.asks[0][0]) / 2
                points.setdefault(event.condition, []).append((event.at_us, middle))
        elif isinstance(event, Resolved):
            ends.setdefault(event.condition, event)
    problems = Problems()
    found = (_past(told[name], points[name], ends[name], problems) for name in sorted(points.keys() & ends))
    markets = tuple(market for market in found if market is not None)
    return History(markets, tape.about.name, tape.about.data_hash, problems)


def _past(
    told: MarketTold, points: Sequence[tuple[int, float]], end: Resolved, problems: Problems
) -> PastMarket | None:
    market = told.market
    return checked_market(
        problems,
        market=market.condition_id,
        event=market.event_id or market.condition_id,
        category=market.category or "",
        question=market.question,
        named_sides=False,
        opens_us=told.at_us,
        ends_us=None,
        resolved_us=end.at_us,
        outcome=end.pays_e6[0] / MILLION,
        points=np.array(points, np.float64).reshape(-1, 2),
    )


def day_by_day(markets: Sequence[PastMarket]) -> Gain | None:
    """The gain over the price of daily fits on what had ended a day before; None where nothing had."""
    rows = daily_rows(markets)
    q = np.zeros(len(rows))
    for day in np.unique(rows.at_us):
        ahead: Flags = rows.at_us == day
        seen = (rows.resolved_us < day - DAY_US) & ~np.isin(rows.event, rows.event[ahead])
        if seen.any():
            q[ahead], _ = fit(rows.take(seen), int(day)).predict(rows.take(ahead))
    said: Flags = (q > 0) & rows.decided
    kept = rows.take(said)
    return gain_over_price(kept.price, q[said], kept.outcome, kept.event) if said.any() else None


def daily_rows(markets: Sequence[PastMarket]) -> Observations:
    """Each market at every midnight, with its last price of the day before."""
    events = sorted({each.event for each in markets})
    categories = sorted({each.category for each in markets})
    seen = [(market, at, price) for market in markets for at, price in _midnights(market)]
    return Observations(
        event=np.array([events.index(market.event) for market, _, _ in seen], np.int64),
        category=np.array([categories.index(market.category) for market, _, _ in seen], np.int64),
        at_us=np.array([at for _, at, _ in seen], np.int64),
        ends_us=np.array([market.ends_us for market, _, _ in seen], np.int64),
        resolved_us=np.array([market.resolved_us for market, _, _ in seen], np.int64),
        price=np.array([price for _, _, price in seen], np.float64),
        outcome=np.array([market.outcome for market, _, _ in seen], np.float64),
        named_sides=np.zeros(len(seen), bool),
        events=tuple(events),
        categories=tuple(categories),
    )


def _midnights(market: PastMarket) -> Iterator[tuple[int, float]]:
    first = int(market.at_us[0]) // DAY_US + 1
    for midnight in range(first * DAY_US, market.resolved_us, DAY_US):
        at = int(np.searchsorted(market.at_us, midnight, side="right")) - 1
        if midnight - int(market.at_us[at]) <= DAY_US and LOW <= market.price[at] <= HIGH:
            yield midnight, float(market.price[at])


def _card(history: History) -> Card:
    last = from_microseconds(max(each.resolved_us for each in history.markets))
    return make_card(history, venue="polymarket", now=last + AFTER, trials=1)


def _lines(card: Card, gain: Gain | None) -> Iterator[tuple[str, ...]]:
    skill = "not possible"
    if gain is not None:
        skill = f"{gain.skill:+.1%} (t {gain.t:+.1f}, {gain.rows:,} rows, {gain.events:,} events)"
    for name, standing in card.standings:
        counts = (f"{card.markets:,}", f"{standing.rows:,}")
        yield card.source, card.data_hash[:16], name, *counts, standing.why, skill
