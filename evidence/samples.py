"""Markets of the real venue, from files that lie beside the checkout or nowhere: is there an edge in them?

The files belong to others and are no part of the repository, so the section names them by their hash.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

from evidence.findings import Finding
from polyb0t.core.clock import from_microseconds
from polyb0t.research.cards.card import Card, make_card
from polyb0t.research.evaluation.scores import events_needed
from polyb0t.research.history.past_markets import History
from polyb0t.research.history.price_series import read_price_series
from tests.support.shared import SHARED

FOLDER: Final = SHARED / "data"
READERS: Final[Mapping[str, Callable[[Path], History]]] = {
    "mixed_192_resolved_markets.parquet": read_price_series,
}
AFTER: Final = timedelta(days=1)  # judged when the last of them had ended
SMALL_EDGE: Final = 0.02
LIKELY: Final = 0.8
MOST_SKILL: Final = 0.02  # more than that is a leak until somebody shows that it is none


def samples_test(folder: Path = FOLDER) -> Finding:
    """Every file that is there, fitted and judged month by month as `model evaluate` does it."""
    cards = [_card(READERS[name](folder / name)) for name in READERS if (folder / name).exists()]
    if not cards:
        return Finding("Real samples", QUESTION, f"Not run: none of {', '.join(READERS)} is here.", True)
    judged = sum(card.overall.rows for card in cards if card.overall)
    live = [f"{name} of {card.source}" for card in cards for name in card.live]
    return Finding(
        "Real samples",
        QUESTION,
        f"Live: {', '.join(live) or 'no category, so nothing would be proposed'}. {judged:,} rows could be "
        f"judged month by month. An error of {100 * SMALL_EDGE:.0f} cents at {LIKELY:.0%} takes "
        f"{events_needed(LIKELY, SMALL_EDGE):,} independent events to show.",
        all(card.overall is None or card.overall.skill < MOST_SKILL for card in cards),
        (("file", "SHA-256", "category", "markets", "rows", "judged", "why"), *_lines(cards)),
    )


QUESTION: Final = (
    "Markets of the real venue, in files of others that are no part of this repository. Has the way of "
    "fitting beaten the price in any category? (A skill of more than 2% would be taken for a leak.)"
)


def _card(history: History) -> Card:
    last = from_microseconds(max(each.resolved_us for each in history.markets))
    return make_card(history, venue="polymarket", now=last + AFTER, trials=1)


def _lines(cards: list[Card]) -> list[tuple[str, ...]]:
    return [
        (
            card.source,
            card.data_hash[:16],
            name,
            f"{card.markets:,}",
            f"{card.rows:,}",
            f"{standing.rows:,}",
            standing.why,
        )
        for card in cards
        for name, standing in card.standings
    ]
