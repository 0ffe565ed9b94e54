"""The card of what probabilities from outside are worth, and the file of weights that a pool reads."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import compress
from pathlib import Path
from typing import Final

from polyb0t.core.clock import microseconds
from polyb0t.models.independent import component_name
from polyb0t.models.pool_weights import FORMAT
from polyb0t.research.cards.card import POOL_WEIGHTS, Card, Work, card_of_work, known_rows, some_rows
from polyb0t.research.evaluation.recalibration import CellFit
from polyb0t.research.evaluation.view_weights import PastView, Weighing, view_rows, weigh
from polyb0t.research.history.grid import observations, sights
from polyb0t.research.history.past_markets import History

WAY: Final = "outside-weights-1"
_MILLION: Final = 1_000_000
_NOT_A_CELL: Final = CellFit(0.0, 0.0, 0.0, 0.0, 0.0)  # weights add nothing to a price by themselves


@dataclass(frozen=True, slots=True)
class Weighed:
    """The card, and the file of the weights that were earned."""

    card: Card
    text: str


def make_weights(
    history: History, views: Sequence[PastView], *, venue: str, now: datetime, trials: int
) -> Weighed:
    """Fit on the rows of `history` for which a view was known; judged month by month like every model."""
    rows = observations(history.markets)
    markets = [market.market for market in history.markets for _ in sights(market)]
    known = known_rows(rows, now)
    told = view_rows(some_rows(history, rows.take(known)), list(compress(markets, known)), views)
    found = weigh(told, microseconds(now), trials)
    work = Work(
        way=WAY,
        kind=POOL_WEIGHTS,
        prefix="pw",
        settings=_settings(views),
        facts=_facts(found),
        forecasts=found.forecasts,
        cell=lambda _category, _horizon: _NOT_A_CELL,
    )
    card = card_of_work(history, told.rows, work, venue=venue, now=now, trials=trials)
    card = replace(card, standings=tuple((name, found.standings[name]) for name in told.rows.categories))
    return Weighed(card, _text(card, found))


def _settings(views: Iterable[PastView]) -> str:
    """Of the id: other views are another model."""
    return json.dumps(sorted((v.source, v.market, v.known_us, v.observed_us, v.probability) for v in views))


def _facts(found: Weighing) -> tuple[tuple[str, str], ...]:
    return tuple(
        (f"{source}, {category}", f"{worth.value:+.3f} ±{1.96 * worth.sd:.3f}")
        for (source, category), worth in sorted(found.worth.items())
    )


def _text(card: Card, found: Weighing) -> str:
    earned = [
        {
            "component": component_name(source),
            "category": category,
            "value": _bounded(worth.value),
            "sd": f"{worth.sd:.6f}",
        }
        for (source, category), worth in sorted(found.worth.items())
        if category in card.live
    ]
    content = {
        "format": FORMAT,
        "version": card.id,
        "venue": card.venue,
        "expires_at": card.expires_at.isoformat(),
        "data_from": card.first_row.isoformat() if card.first_row else None,
        "data_until": card.data_until.isoformat() if card.data_until else None,
        "data_hash": card.data_hash,
        "earned": earned,
    }
    return json.dumps(content, indent=1) + "\n"


def _bounded(value: float) -> str:
    """A pool goes no farther than to what was said."""
    return f"{min(1.0, max(-1.0, value)):.6f}"


def recorded_views(folders: Iterable[Path]) -> list[PastView]:
    """What engines have recorded of views, each once, known from when the first of them had read it."""
    first: dict[tuple[str, str, int, float], PastView] = {}
    for folder in folders:
        for row in _recorded(folder):
            view = PastView(
                str(row["condition"]),
                str(row["source"]),
                int(str(row["at_us"])),
                int(str(row["observed_us"])),
                int(str(row["probability_e6"])) / _MILLION,
            )
            key = view.market, view.source, view.observed_us, view.probability
            before = first.get(key)
            if before is None or view.known_us < before.known_us:
                first[key] = view
    return sorted(first.values(), key=lambda view: (view.known_us, view.market, view.source))


def _recorded(folder: Path) -> Iterable[Mapping[str, object]]:
    from polyb0t.research.convert import read_table  # noqa: PLC0415 - its library is slow to load

    try:
        table = read_table(folder, "independent")
    except FileNotFoundError:
        return
    for row in table.fetchall():
        yield dict(zip(table.columns, row, strict=True))
