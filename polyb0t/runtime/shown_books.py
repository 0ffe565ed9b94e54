"""The books beside waiting proposals, written down twice a second while somebody looks, and only then.

Screens do not read the exchange: what they show is what the engine has, which is what it would trade on.
"""

import threading
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import PolybotError
from polyb0t.core.ids import AssetId
from polyb0t.data.order_book import OrderBook
from polyb0t.execution.intents import IntentStatus
from polyb0t.execution.onlookers import ShownBook
from polyb0t.execution.store import Stores

log = structlog.get_logger(__name__)

SHOW_SECONDS: Final = 0.5


class BooksForScreens:
    """A thread of its own, off the way of money: when it fails, screens show an old book and its age."""

    def __init__(self, stores: Stores, book: Callable[[AssetId], OrderBook | None], clock: Clock) -> None:
        self._stores = stores
        self._book = book
        self._clock = clock
        self._told: dict[AssetId, datetime] = {}
        self._failing = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shown books", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def show(self) -> None:
        """Write what has changed since the last time.

        Raises:
            DatabaseError: nothing was shown this time.
        """
        if not self._stores.onlookers.onlookers():
            return
        wanted = self._wanted()
        books = [book for asset in wanted if (book := self._book(asset)) is not None]
        new = [ShownBook.of(book) for book in books if self._told.get(book.asset_id) != book.observed_at]
        if new or self._told.keys() - wanted:
            self._stores.onlookers.show(new, keep=wanted)
        self._told = {book.asset_id: book.observed_at for book in books}

    def _wanted(self) -> Collection[AssetId]:
        waiting = self._stores.intents.list(statuses=(IntentStatus.PENDING,))
        return {each.intent.asset_id for each in waiting if each.intent.intent_type.places_order}

    def _run(self) -> None:
        while not self._stop.wait(SHOW_SECONDS):
            try:
                self.show()
                self._failing = False
            except PolybotError as error:
                if not self._failing:
                    log.warning("books.not_shown", reason=str(error))
                self._failing = True
            except Exception:
                log.exception("books.crashed")  # the engine lives on: a screen is not its purpose
