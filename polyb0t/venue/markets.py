"""The exchange's public side as the `MarketProvider` that the rest of the system reads."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeVar
from urllib.parse import quote, urlsplit

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.data.markets import Catalogue, Market, SkippedMarket, TradingTerms
from polyb0t.data.order_book import OrderBook
from polyb0t.venue.book_parsing import BookBatch, parse_book, parse_books
from polyb0t.venue.gamma import Page, parse_market, parse_markets
from polyb0t.venue.http import Answer, HttpReader
from polyb0t.venue.parsing import BookRefused, MarketRefused, Refused, TermsRefused, condition_id
from polyb0t.venue.query import CatalogueQuery
from polyb0t.venue.terms import parse_terms

BOOKS_PER_REQUEST: Final = 200  # the documented cap is near 500 and answers grow with it
_PAGE_ROWS: Final = 100  # the endpoint clamps more without a word
_READERS: Final = 8
_HOPELESS_AFTER: Final = 4  # failures without one success: the host is down, not the market
_NOT_FOUND: Final = frozenset({404})
WHOLE_CATALOGUE: Final = CatalogueQuery()
_log = structlog.get_logger(__name__)
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class PublicAddresses:
    """Base addresses without a trailing slash; on the sandbox each has a path prefix."""

    gamma: str = "https://gamma-api.polymarket.com"
    clob: str = "https://clob.polymarket.com"


REAL_VENUE: Final = PublicAddresses()


class PolymarketMarkets:
    """Reads catalogue, terms and books. Holds no state besides its connections."""

    def __init__(
        self,
        http: HttpReader,
        clock: Clock,
        *,
        addresses: PublicAddresses = REAL_VENUE,
        query: CatalogueQuery = WHOLE_CATALOGUE,
    ) -> None:
        self._http = http
        self._clock = clock
        self._gamma = addresses.gamma.rstrip("/")
        self._clob = addresses.clob.rstrip("/")
        self._query = query

    def catalogue(self) -> Catalogue:
        """Pages of `/markets/keyset` until the last, or until the query's limit of markets.

        Raises:
            VenueUnreachableError: a page is missing; half a catalogue is never returned as a whole.
        """
        now = self._clock.now()
        params = {**self._query.parameters(now), "limit": str(_PAGE_ROWS), "include_tag": "true"}
        markets: dict[ConditionId, Market] = {}
        skipped: list[SkippedMarket] = []
        cursors: set[str] = set()
        cursor = ""
        while len(markets) < self._query.most_markets:
            page = self._page({**params, "after_cursor": cursor} if cursor else params)
            for market in page.markets:
                # Rows can move between pages while one reads; the first sight counts.
                markets.setdefault(market.condition_id, market)
            skipped.extend(page.skipped)
            cursor = page.next_cursor
            if not cursor or cursor in cursors:
                break
            cursors.add(cursor)
        if skipped:
            _log.info("markets_skipped", count=len(skipped), first=skipped[0].name, reason=skipped[0].reason)
        chosen = tuple(islice(markets.values(), self._query.most_markets))
        return Catalogue(chosen, tuple(skipped), now)

    def event_markets(self, slug: str) -> Page:
        """The markets of the event with this slug, open or not.

        Raises:
            VenueUnreachableError: no usable answer.
        """
        now = self._clock.now()
        answer = self._http.get(f"{self._gamma}/events/slug/{quote(slug, safe='')}")
        return self._usable(answer, lambda raw: parse_markets(raw, now))

    def markets_of(self, condition_ids: Sequence[ConditionId]) -> Sequence[Market]:
        """Markets by condition, as far as the catalogue lists them as open.

        Raises:
            VenueUnreachableError: no usable answer.
        """
        found: list[Market] = []
        for condition in dict.fromkeys(condition_ids):
            params = {"condition_ids": condition, "closed": "false", "include_tag": "true", "limit": "2"}
            found += [each for each in self._page(params).markets if each.condition_id == condition]
        return found

    def find(self, reference: str) -> Market | None:
        """An open market by its condition id, or by its slug.

        Raises:
            VenueUnreachableError: no usable answer.
        """
        if reference.startswith("0x"):
            return next(iter(self.markets_of([ConditionId(reference)])), None)
        params = {"slug": reference, "closed": "false", "include_tag": "true", "limit": "2"}
        return next((each for each in self._page(params).markets if each.slug == reference), None)

    def market(self, market_id: str) -> Market:
        """One market by the catalogue's id.

        Raises:
            VenueUnreachableError: no usable answer.
        """
        now = self._clock.now()
        answer = self._http.get(f"{self._gamma}/markets/{quote(market_id, safe='')}", {"include_tag": "true"})
        return self._usable(answer, lambda raw: parse_market(raw, now))

    def terms(self, condition_ids: Sequence[ConditionId]) -> Mapping[ConditionId, TradingTerms]:
        """Terms by market. Missing: not known to the exchange yet, refused, or not read this time.

        Raises:
            VenueUnreachableError: not one of them could be read.
        """
        found = _gather(list(dict.fromkeys(condition_ids)), self._terms)
        return {condition: terms for condition, terms in found.items() if terms is not None}

    def books(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, OrderBook]:
        """Books by asset, read now. Missing: no book, refused, or not read this time.

        Raises:
            VenueUnreachableError: not one answer could be read.
        """
        wanted = list(dict.fromkeys(asset_ids))
        batches = _gather(list(_chunks(wanted, BOOKS_PER_REQUEST)), self._books)
        return {book.asset_id: book for batch in batches.values() for book in batch}

    def book(self, asset_id: AssetId) -> OrderBook | None:
        """One book by `/book`; None when the exchange has none.

        Raises:
            VenueUnreachableError: no usable answer.
        """
        now = self._clock.now()
        answer = self._http.get(f"{self._clob}/book", {"token_id": asset_id}, also=_NOT_FOUND)
        if answer.status == 404:
            return None
        try:
            book = parse_book(answer.body, now)
            if book.asset_id != asset_id:
                raise BookRefused("other_book", f"asked for {asset_id}, got {book.asset_id}")
        except BookRefused as refused:
            raise self._http.unusable(answer.host, refused) from refused
        return book

    def _page(self, params: Mapping[str, str]) -> Page:
        now = self._clock.now()
        answer = self._http.get(f"{self._gamma}/markets/keyset", params)
        return self._usable(answer, lambda raw: parse_markets(raw, now))

    def _usable(self, answer: Answer, parse: Callable[[object], _Value]) -> _Value:
        raw = self._http.parsed(answer)
        try:
            return parse(raw)
        except MarketRefused as refused:
            raise self._http.unusable(answer.host, refused) from refused

    def _terms(self, condition: ConditionId) -> TradingTerms | None:
        now = self._clock.now()
        try:
            wanted = condition_id(condition, "condition id")
            answer = self._http.get(f"{self._clob}/clob-markets/{wanted}", also=_NOT_FOUND)
            if answer.status == 404:
                return None
            return parse_terms(self._http.parsed(answer), now, wanted)
        except (TermsRefused, Refused) as refused:
            _log.warning("terms_refused", condition_id=condition, code=refused.code, reason=refused.what)
            return None

    def _books(self, asset_ids: tuple[AssetId, ...]) -> tuple[OrderBook, ...]:
        # The time before the request: a book is never called fresher than it can be.
        now = self._clock.now()
        url = f"{self._clob}/books"
        answer = self._http.post(url, [{"token_id": asset_id} for asset_id in asset_ids])
        try:
            batch = parse_books(answer.body, now)
        except BookRefused as refused:
            raise self._http.unusable(urlsplit(url).hostname or url, refused) from refused
        _tell(batch)
        wanted = set(asset_ids)
        return tuple(book for book in batch.books if book.asset_id in wanted)


def _tell(batch: BookBatch) -> None:
    for refused in batch.refused:
        _log.warning("book_refused", book=refused.name, code=refused.code, reason=refused.reason)


def _chunks(items: Sequence[AssetId], size: int) -> Iterable[tuple[AssetId, ...]]:
    return (tuple(items[start : start + size]) for start in range(0, len(items), size))


def _gather(keys: Sequence[_Key], read: Callable[[_Key], _Value]) -> dict[_Key, _Value]:
    """Reads all keys a few at a time. One failure costs one key; a host that is down costs four tries."""
    if not keys:
        return {}
    found: dict[_Key, _Value] = {}
    failures: list[VenueUnreachableError] = []

    def attempt(key: _Key) -> None:
        if len(failures) >= _HOPELESS_AFTER and not found:
            return
        try:
            found[key] = read(key)
        except VenueUnreachableError as error:
            failures.append(error)

    if len(keys) == 1:
        attempt(keys[0])
    else:
        with ThreadPoolExecutor(min(_READERS, len(keys)), thread_name_prefix="polyb0t-read") as pool:
            list(pool.map(attempt, keys))
    if failures and not found:
        raise failures[0]
    if failures:
        _log.warning("reads_failed", count=len(failures), of=len(keys), first=str(failures[0]))
    return found
