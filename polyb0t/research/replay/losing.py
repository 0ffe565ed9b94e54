"""Books that are not shown again in time are lost."""

import heapq
from collections.abc import Iterator

from polyb0t.research.replay.events import BookLost, BookShown, Event, place


class _Known:
    """Which books are known, and by when each has to be shown again. One entry an asset."""

    def __init__(self, kept_us: int) -> None:
        self._kept_us = kept_us
        self._shown: dict[str, int] = {}
        self._due: list[tuple[int, str]] = []

    def take(self, event: Event) -> None:
        if isinstance(event, BookShown):
            if event.asset not in self._shown:
                heapq.heappush(self._due, (event.at_us + self._kept_us, event.asset))
            self._shown[event.asset] = event.at_us
        elif isinstance(event, BookLost):
            self._shown.pop(event.asset, None)

    def lost_before(self, event: Event | None, until_us: int) -> Iterator[BookLost]:
        """Those that are due before an event, or before the end when none is left."""
        while self._due and self._due[0][0] < until_us:
            due_us, asset = self._due[0]
            if event is not None and (event.at_us < due_us or place(BookLost(due_us, asset)) >= place(event)):
                return
            heapq.heappop(self._due)
            last = self._shown.get(asset)
            if last is not None and last + self._kept_us > due_us:
                heapq.heappush(self._due, (last + self._kept_us, asset))
            elif last is not None:
                del self._shown[asset]
                yield BookLost(due_us, asset)


def with_losses(events: Iterator[Event], kept_us: int, until_us: int) -> Iterator[Event]:
    """The same events, and the loss of each book `kept_us` after it was last shown."""
    known = _Known(kept_us)
    for event in events:
        yield from known.lost_before(event, until_us)
        known.take(event)
        yield event
    yield from known.lost_before(None, until_us)
