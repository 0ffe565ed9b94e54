"""Follows what proposals are worth, also those that nobody took, for the report's comparison.

Beside the cycle's work: it uses the books that were read anyway, and asks for what is not watched any
more in one call of books and one of results every five minutes.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import LeaseLostError, PolybotError
from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price
from polyb0t.data.order_book import OrderBook
from polyb0t.data.resolutions import ResolutionSource
from polyb0t.execution.scope import Lease
from polyb0t.execution.store import Stores

log = structlog.get_logger(__name__)

LOOK_EVERY_SECONDS: Final = 60.0
ASK_EVERY_SECONDS: Final = 300.0
FOLLOWED: Final = timedelta(days=60)  # longer than a proposal's market may run, and some
ASKED_AT_ONCE: Final = 50  # of outcomes that are not watched: one call each of books and results

Asking = Callable[[Sequence[AssetId]], Mapping[AssetId, OrderBook]]


class ProposalPrices:
    """One look a minute, in the cycle's thread."""

    def __init__(
        self,
        stores: Stores,
        lease: Lease,
        clock: Clock,
        *,
        book: Callable[[AssetId], OrderBook | None],
        ask: Asking,
        resolutions: ResolutionSource,
    ) -> None:
        self._stores, self._lease, self._clock = stores, lease, clock
        self._book, self._ask, self._resolutions = book, ask, resolutions
        self._looked_at = self._asked_at = float("-inf")
        self._turn = 0

    def look(self) -> None:
        """Keep what is paid now, if it is time.

        Raises:
            DatabaseError, LeaseLostError: nothing was kept.
        """
        now = self._clock.boot_seconds()
        if now - self._looked_at < LOOK_EVERY_SECONDS:
            return
        self._looked_at = now
        wanted = self._stores.prices.wanted(self._stores.intents.now() - FOLLOWED)
        books = {asset: self._book(asset) for asset in wanted}
        bids = {asset: book.best_bid for asset, book in books.items() if book is not None}
        payouts: Mapping[AssetId, Price] = {}
        unwatched = [asset for asset in wanted if books[asset] is None]
        if unwatched and now - self._asked_at >= ASK_EVERY_SECONDS:
            self._asked_at = now
            more, payouts = self._asked(unwatched)
            bids |= more
        seen = {asset: bid for asset, bid in bids.items() if bid is not None}
        self._stores.prices.note(seen, payouts, self._lease)

    def _asked(
        self, unwatched: Sequence[AssetId]
    ) -> tuple[Mapping[AssetId, Price | None], Mapping[AssetId, Price]]:
        """A few of them each time, in turn. What cannot be read now is read later: nobody waits for it."""
        start = self._turn % len(unwatched)
        few = [*unwatched[start:], *unwatched[:start]][:ASKED_AT_ONCE]
        self._turn = start + len(few)
        try:
            payouts = self._resolutions.resolved(few)
            books = self._ask([asset for asset in few if asset not in payouts])
        except LeaseLostError:
            raise
        except PolybotError as error:
            log.info("proposals.not_priced", reason=str(error))
            return {}, {}
        return {asset: book.best_bid for asset, book in books.items()}, payouts
