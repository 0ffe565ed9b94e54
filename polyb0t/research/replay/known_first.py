"""A part of a history begins with what was known by then: the market, its terms, its last book."""

from collections.abc import Iterator

from polyb0t.research.replay.events import (
    BookLost,
    BookShown,
    Event,
    LevelChanged,
    MarketTold,
    Resolved,
    TermsTold,
    ViewTold,
    place,
)
from polyb0t.research.replay.past_books import after_change


class _State:
    """The last word on each thing. Markets that are over are left out."""

    def __init__(self) -> None:
        self._markets: dict[str, MarketTold] = {}
        self._terms: dict[str, TermsTold] = {}
        self._books: dict[str, BookShown] = {}
        self._views: dict[tuple[str, str], ViewTold] = {}  # by condition and source

    def take(self, event: Event) -> None:
        match event:
            case MarketTold():
                self._markets[event.market.condition_id] = event
            case TermsTold():
                self._terms[event.terms.condition_id] = event
            case ViewTold(_, view):
                before = self._views.get((view.condition_id, view.source))
                if before is None or view.observed_at >= before.view.observed_at:
                    self._views[view.condition_id, view.source] = event
            case BookShown():
                self._books[event.asset] = event
            case BookLost():
                self._books.pop(event.asset, None)
            case LevelChanged() if event.asset in self._books:
                self._books[event.asset] = after_change(self._books[event.asset], event)
            case Resolved():
                self._markets.pop(event.condition, None)
                self._terms.pop(event.condition, None)
                self._books = {k: v for k, v in self._books.items() if v.condition != event.condition}
            case _:
                pass

    def told(self) -> list[Event]:
        known = (self._markets, self._terms, self._views, self._books)
        return sorted((event for each in known for event in each.values()), key=place)


def known_first(events: Iterator[Event], since_us: int) -> Iterator[Event]:
    """`events` from `since_us` on, after the last word that those before it had on each thing."""
    state: _State | None = _State()
    for event in events:
        if state is not None and event.at_us < since_us:
            state.take(event)
            continue
        if state is not None:
            yield from state.told()
            state = None
        yield event
    if state is not None:
        yield from state.told()
