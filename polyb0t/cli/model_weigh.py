"""What `polyb0t model weigh` does and prints."""

from pathlib import Path
from typing import Final

from polyb0t.cli.model_read import history_of, screen_of
from polyb0t.cli.terminal import Terminal
from polyb0t.config.settings import Settings
from polyb0t.core.clock import SystemClock, microseconds
from polyb0t.core.errors import NotFoundError
from polyb0t.data.outside_views import ViewLines, parse_views
from polyb0t.research.cards.card import Card
from polyb0t.research.cards.files import card_data
from polyb0t.research.cards.shelf import Shelf
from polyb0t.research.cards.weighing import make_weights, recorded_views
from polyb0t.research.evaluation.view_weights import PastView
from polyb0t.runtime.modelling import model_place, recorded_folders
from polyb0t.runtime.outside_source import read_file

_YES: Final = "yes"
_NO: Final = "no"  # a history does not tell which of two names was the first


def weigh(terminal: Terminal, settings: Settings, path: Path | None) -> None:
    """Fit and judge the weights of outside sources on the collected history. Recorded views make weights
    that are kept; a file is only judged, since nobody can tell when its views were known.

    Raises:
        NotFoundError: no history or no views. ConfigurationError: a file cannot be used.
    """
    place = model_place(settings)
    history, shelf = history_of(place), Shelf(place.folder)
    notes: list[str] = []
    if path is None:
        views = recorded_views(recorded_folders(settings, place.venue))
    else:
        read = parse_views(read_file(path), SystemClock().now())
        views, notes = _of_file(read), read.unused.sentences()
    if not views:
        raise NotFoundError(
            "Nothing was weighed: there are no views from outside.",
            why="; ".join(notes) or "No engine has recorded any on this venue.",
            do="Name a source and let an engine run: POLYBOT_INDEPENDENT_FILE",
            code="no_views",
        )
    now = SystemClock().now()

    def make(trials: int) -> tuple[Card, str | None]:
        weighed = make_weights(history, views, venue=place.venue, now=now, trials=trials)
        return weighed.card, weighed.text

    made, weights = shelf.trial(make)
    page = shelf.put(made, weights=weights) if path is None else None
    made = made if page is None else shelf.card(made.id)  # the one of this day that is kept
    if terminal.json:
        terminal.data(card_data(made))
        return
    terminal.show([*screen_of(made, terminal.columns), *notes])
    if page is None:
        terminal.show(["", "It was judged only: weights are earned with views that an engine has recorded."])
    elif made.live:
        terminal.show(["", f"To let them count: polyb0t model activate {made.id}"])
    else:
        terminal.show(["", "No source has earned a weight: they are shown and count for nothing."])


def _of_file(read: ViewLines) -> list[PastView]:
    """As if each had been known at the instant that it gives itself."""
    return [
        PastView(
            line.market,
            line.source,
            microseconds(line.observed_at),
            microseconds(line.observed_at),
            float(line.probability if line.outcome == _YES else 1 - line.probability),
        )
        for line in read.lines
        if line.outcome in (_YES, _NO)
    ]
