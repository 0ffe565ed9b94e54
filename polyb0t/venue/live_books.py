"""Books for a cycle: from the stream where it is sure and fresh, from `/books` for the rest."""

from collections.abc import Mapping, Sequence
from typing import Final

from polyb0t.core.clock import Clock
from polyb0t.core.ids import AssetId
from polyb0t.data.markets import MarketProvider
from polyb0t.data.order_book import OrderBook
from polyb0t.venue.books import BookCache

DEFAULT_MAX_AGE_SECONDS: Final = 30.0


class LiveBooks:
    """The cold start, the snapshot after a gap and the cross-check of quiet books are the same read.

    A quiet market sends nothing, so its book grows old in the cache; the read that confirms it also
    shows whether the stream's version was right (`BookCache.statistics().mismatches`).
    """

    def __init__(
        self,
        cache: BookCache,
        provider: MarketProvider,
        clock: Clock,
        *,
        max_age_seconds: float = DEFAULT_MAX_AGE_SECONDS,
    ) -> None:
        self._cache = cache
        self._provider = provider
        self._clock = clock
        self._max_age_seconds = max_age_seconds

    def read(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, OrderBook]:
        """Books no older than the limit; an asset without one is missing.

        Raises:
            VenueUnreachableError: some had to be read and nothing could be.
        """
        books = self._cache.fresh(asset_ids, self._max_age_seconds)
        cold = [asset_id for asset_id in dict.fromkeys(asset_ids) if asset_id not in books]
        if cold:
            for asset_id, book in self._provider.books(cold).items():
                self._cache.put(book)
                books[asset_id] = book
        return books
