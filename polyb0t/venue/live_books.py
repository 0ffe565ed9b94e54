"""Books for a cycle: from the stream where it is sure and fresh, from `/books` for the rest."""

from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import AssetId
from polyb0t.data.markets import MarketProvider
from polyb0t.data.order_book import OrderBook
from polyb0t.venue.books import BookCache

DEFAULT_MAX_AGE_SECONDS: Final = 30.0
CROSS_CHECK_SECONDS: Final = 300.0
CROSS_CHECKS_PER_READ: Final = 50
_log = structlog.get_logger(__name__)


class LiveBooks:
    """The cold start, the snapshot after a gap and the cross-check are the same read.

    A quiet market sends nothing, so its book grows old in the cache and is read anew. A busy one is
    always young, so it is compared with a read every five minutes, a few books at a time
    (`BookCache.statistics().mismatches` counts the differences).
    """

    def __init__(
        self,
        cache: BookCache,
        provider: MarketProvider,
        clock: Clock,
        *,
        max_age_seconds: float = DEFAULT_MAX_AGE_SECONDS,
        cross_check_seconds: float = CROSS_CHECK_SECONDS,
    ) -> None:
        self._cache = cache
        self._provider = provider
        self._clock = clock
        self._max_age_seconds = max_age_seconds
        self._cross_check_seconds = cross_check_seconds

    def read(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, OrderBook]:
        """Books no older than the limit; an asset without one is missing.

        Raises:
            VenueUnreachableError: some had to be read and nothing could be.
        """
        books = self._cache.fresh(asset_ids, self._max_age_seconds)
        cold = [asset_id for asset_id in dict.fromkeys(asset_ids) if asset_id not in books]
        due = self._cache.overdue(books, self._cross_check_seconds)[:CROSS_CHECKS_PER_READ]
        for asset_id, book in self._fetched(cold, due).items():
            taken = self._cache.put(book)
            streamed = None if taken or asset_id in cold else self._cache.get(asset_id)
            books[asset_id] = book if streamed is None else streamed
        return books

    def _fetched(self, cold: list[AssetId], due: list[AssetId]) -> Mapping[AssetId, OrderBook]:
        if not cold and not due:
            return {}
        try:
            return self._provider.books([*cold, *due])
        except VenueUnreachableError as error:
            if cold:
                raise
            _log.warning("cross_check_failed", reason=str(error))
            return {}
