"""The past of prices for a model that needs it: shown each cycle, and read from the exchange beside them."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Protocol

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.models.signals import Remembering
from polyb0t.runtime.watching import MarketWatch

log = structlog.get_logger(__name__)

_LOOK_SECONDS: Final = 5.0  # for markets that are new
_APART_SECONDS: Final = 0.25  # four in a second: a thousand markets in four minutes
_AGAIN_SECONDS: Final = 300.0  # before one is asked for again that was not told
_MOST_FAILURES: Final = 3  # in a row: then the exchange is left alone until the next look


class PriceReader(Protocol):
    """Where prices of before come from."""

    def between(self, asset: AssetId, since: datetime, until: datetime, /) -> Sequence[tuple[int, int]]:
        """(microseconds from which it was known, millionths).

        Raises:
            VenueUnreachableError: no usable answer came.
        """
        ...


class PriceHistories:
    """Reads what the model has not been told, one market after the other, in a thread of its own: no cycle
    waits for it. What was read counts for six hours and is kept by the model."""

    def __init__(
        self,
        model: Remembering,
        reader: PriceReader,
        clock: Clock,
        news: Callable[[], None] = lambda: None,
    ) -> None:
        """`news` is called when a look is over in which the model was told something."""
        self._model, self._reader, self._clock, self._news = model, reader, clock, news
        self._failed: dict[ConditionId, float] = {}  # when
        self._failing = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="price histories", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Ends the waiting; a read that is under way ends by its own limit and is not waited for."""
        self._stop.set()

    def look(self, apart_seconds: float = 0.0) -> int:
        """Ask for every market that is due; how many were told."""
        told, failures = 0, 0
        for market in self._model.unread(self._clock.now()):
            condition = market.condition_id
            last = self._failed.get(condition)
            if last is not None and self._clock.boot_seconds() - last < _AGAIN_SECONDS:
                continue
            if failures == _MOST_FAILURES or self._stop.is_set():
                break
            now = self._clock.now()
            since = self._model.wanted_since(now)
            try:
                points = self._reader.between(market.outcomes[0].asset_id, since, now)
            except VenueUnreachableError as error:
                if self._stop.is_set():
                    break  # it was the reader that was closed
                failures += 1
                self._failed[condition] = self._clock.boot_seconds()
                self._tell(error)
                continue
            failures = 0
            self._failed.pop(condition, None)
            self._model.told(market, points, since, now)
            told += 1
            self._stop.wait(apart_seconds)
        self._failing = self._failing and not told
        if told:
            self._news()
        return told

    def _tell(self, error: VenueUnreachableError) -> None:
        """Once, until something was told again."""
        if not self._failing:
            log.warning("price_history.not_read", why=str(error))
        self._failing = True

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.look(_APART_SECONDS)
            except Exception:
                log.exception("price_history.crashed")
            self._stop.wait(_LOOK_SECONDS)


def shown_to(model: Remembering | None, watch: MarketWatch, clock: Clock) -> Callable[[], None]:
    """Shows the model what is watched or held now; nothing for a model that needs no past."""
    if model is None:
        return lambda: None
    return lambda: model.observe(watch.states_with_held(clock.now()))
