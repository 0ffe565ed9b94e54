"""Probabilities from outside as the engine knows them: read every so often, in a thread of their own."""

import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import structlog

from polyb0t.config.settings import Settings
from polyb0t.core.clock import Clock, iso
from polyb0t.core.errors import ConfigurationError, PolybotError
from polyb0t.data.markets import Market
from polyb0t.data.outside_views import (
    NO_VIEWS,
    NOTHING_READ,
    OutsideViews,
    Unused,
    ViewLine,
    ViewLines,
    first_readings,
    parse_views,
)
from polyb0t.execution.store import EngineStore, Lease
from polyb0t.venue.outside_page import MOST_BYTES, OutsidePage

log = structlog.get_logger(__name__)

READ: Final = "independent.read"
SUBJECT: Final = "independent"


@dataclass(frozen=True, slots=True)
class Place:
    """Where views come from: a name for people, and how its text is read."""

    name: str
    text: Callable[[], str]


def places_of(settings: Settings, clock: Clock) -> tuple[Place, ...]:
    """The file and the page that the settings name; a page by its host, since its address may hold a key."""
    found = []
    if settings.independent_file is not None:
        path = settings.independent_file.expanduser()
        found.append(Place(str(path), lambda: read_file(path)))
    url = settings.independent_url
    if url is not None:
        found.append(Place(urlsplit(url).hostname or url, lambda: _read_page(url, clock)))
    return tuple(found)


def most_age(settings: Settings) -> timedelta:
    """How old a view may be."""
    return timedelta(hours=settings.independent_max_age_hours)


def read_file(path: Path) -> str:
    """Raises ConfigurationError: it is not there, too large, or no text."""
    try:
        with path.open("rb") as file:
            whole = file.read(MOST_BYTES + 1)
        if len(whole) > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES:,} bytes")
        return whole.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigurationError(
            "The probabilities from outside were not read.",
            why=f"{path}: {reason}.",
            do="Correct the file, or leave POLYBOT_INDEPENDENT_FILE out.",
            code="independent_file",
        ) from error


def _read_page(url: str, clock: Clock) -> str:
    with OutsidePage(url, clock) as page:
        return page.text()


class OutsideSource:
    """What was read last, place by place. A place that fails keeps its views until they are too old.

    `views` is replaced, never changed, and may be read by any thread.
    """

    def __init__(self, places: tuple[Place, ...], clock: Clock, age: timedelta, every_seconds: float) -> None:
        self.places = places
        self.views = OutsideViews(NOTHING_READ, age) if places else NO_VIEWS
        self.problems: Mapping[str, str] = {}  # place -> why it could not be read the last time
        self._clock, self._age, self._every = clock, age, every_seconds
        self._read: dict[str, ViewLines] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="independent", daemon=True)

    def start(self) -> None:
        if self.places:
            self._thread.start()

    def close(self) -> None:
        """Ends the waiting; a read that is under way ends by its own limit and is not waited for."""
        self._stop.set()

    def look(self) -> None:
        """Read every place now."""
        problems = {}
        for place in self.places:
            try:
                text = place.text()
            except PolybotError as error:
                problems[place.name] = " ".join(filter(None, (error.what, error.why)))
                continue
            known = first_readings(self._read.get(place.name, NOTHING_READ).lines)
            self._read[place.name] = parse_views(text, self._clock.now(), known)
        for name in problems.keys() - self.problems.keys():
            log.warning("independent.not_read", place=name, why=problems[name])
        self.problems = problems
        self.views = OutsideViews(_together(self._read.values()), self._age)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.look()
            except Exception:
                log.exception("independent.crashed")
            self._stop.wait(self._every)


def _together(read: Iterable[ViewLines]) -> ViewLines:
    """All places as one."""
    lines: list[ViewLine] = []
    unused = Unused()
    for each in read:
        lines += each.lines
        unused = unused.plus(each.unused)
    return ViewLines(tuple(lines), unused)


@dataclass
class OutsideNotes:
    """Writes down what is known from outside when that changes in kind, for screens of other processes."""

    source: OutsideSource
    engine: EngineStore
    lease: Lease
    _told: object = None
    _seen: OutsideViews | None = None  # judged already: a reading is judged once

    def look(self, markets: Sequence[Market], now: datetime) -> None:
        """Raises DatabaseError, LeaseLostError: the next look tries again."""
        views = self.source.views
        if not self.source.places or not markets or views is self._seen:
            return
        seen = [view for market in markets for view in views.of(market, now)]
        unused = views.unused_among(markets, now)
        told = (sorted({view.source for view in seen}), sorted(unused.counts), sorted(self.source.problems))
        if told == self._told:
            self._seen = views
            return
        payload = {
            "sources": told[0],
            "views": len(seen),
            "newest": max((iso(view.observed_at) for view in seen), default=None),
            "unused": unused.sentences(),
            "problems": list(self.source.problems.values()),
        }
        self.engine.note(self.lease, kind=READ, subject=SUBJECT, payload=payload, actor="engine")
        self._told, self._seen = told, views


def latest_views(engine: EngineStore) -> Mapping[str, Any] | None:
    """What was last written down; None where nothing from outside was ever read."""
    found = engine.latest_entry(SUBJECT)
    if found is None:
        return None
    with suppress(ValueError):
        payload = json.loads(found.payload)
        if isinstance(payload, dict):
            return payload
    return None
