"""Catalogue, terms, books and stream together, against the practice exchange."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from polyb0t.core.clock import SystemClock
from polyb0t.core.errors import VenueUnreachableError
from polyb0t.data.universe import UniverseRules, select
from polyb0t.venue.books import BookCache
from polyb0t.venue.http import HttpReader
from polyb0t.venue.live_books import LiveBooks
from polyb0t.venue.market_connection import StreamSettings
from polyb0t.venue.market_stream import MarketStream
from polyb0t.venue.markets import PolymarketMarkets, PublicAddresses
from tests.support.sandbox import RunningSandbox, running_sandbox

CLOCK = SystemClock()
EVERYTHING = UniverseRules(None, None, None, None)


def markets_of(sandbox: RunningSandbox, http: HttpReader) -> PolymarketMarkets:
    addresses = PublicAddresses(gamma=sandbox.url + "/gamma", clob=sandbox.url + "/clob")
    return PolymarketMarkets(http, CLOCK, addresses=addresses)


def until(happened: Callable[[], object]) -> None:
    pause = threading.Event()
    for _ in range(2_000):
        if happened():
            return
        pause.wait(0.005)
    pytest.fail("it did not happen")


def test_every_market_of_the_sandbox_is_understood_with_terms_and_two_mirrored_books() -> None:
    with running_sandbox(markets=12) as sandbox, HttpReader(CLOCK, sandbox=True) as http:
        provider = markets_of(sandbox, http)
        catalogue = provider.catalogue()
        assert len(catalogue.markets) == 12
        assert catalogue.skipped == ()
        terms = provider.terms([market.condition_id for market in catalogue.markets])
        books = provider.books(
            [outcome.asset_id for market in catalogue.markets for outcome in market.outcomes]
        )
        assert len(terms) == 12
        assert len(books) == 24
        for market in catalogue.markets:
            assert market.end_date is not None
            assert market.end_date > CLOCK.now() - timedelta(days=1)
            agreed = terms[market.condition_id]
            assert (market.tick, market.min_shares, market.fee) == (
                agreed.tick,
                agreed.min_shares,
                agreed.fee,
            )
            yes, no = (books[outcome.asset_id] for outcome in market.outcomes)
            assert [(1 - level.price, level.shares) for level in yes.bids] == list(no.asks)
        universe = select(catalogue.markets, books, CLOCK.now(), EVERYTHING)
        assert len(universe.tradable) + sum(universe.counts().values()) == 12
        assert universe.tradable


def test_the_stream_keeps_books_equal_to_those_that_are_read() -> None:
    with running_sandbox(markets=6) as sandbox, HttpReader(CLOCK, sandbox=True) as http:
        provider, cache = markets_of(sandbox, http), BookCache(CLOCK)
        assets = [outcome.asset_id for market in provider.catalogue().markets for outcome in market.outcomes]
        stream = MarketStream(sandbox.urls()["market_ws"], cache, CLOCK, settings=StreamSettings(poll=0.01))
        try:
            stream.watch(assets)
            until(lambda: not cache.doubts(assets))
            for _ in range(40):
                sandbox.step(500)
            read = provider.books(assets)
            until(
                lambda: all(
                    (book := cache.get(asset)) is not None
                    and (book.bids, book.asks) == (read[asset].bids, read[asset].asks)
                    for asset in assets
                )
            )
            assert cache.statistics().changes > 0
            assert cache.statistics().mismatches == 0
            assert (stream.statistics().garbage, stream.statistics().gaps) == (0, 0)
        finally:
            stream.close()


def test_a_cut_socket_is_a_gap_and_the_books_come_back() -> None:
    with running_sandbox(markets=3) as sandbox, HttpReader(CLOCK, sandbox=True) as http:
        provider, cache = markets_of(sandbox, http), BookCache(CLOCK)
        assets = [outcome.asset_id for market in provider.catalogue().markets for outcome in market.outcomes]
        settings = StreamSettings(poll=0.01, first_wait=0.01)
        stream = MarketStream(sandbox.urls()["market_ws"], cache, CLOCK, settings=settings)
        try:
            stream.watch(assets)
            until(lambda: not cache.doubts(assets))
            assert sandbox.cut_sockets() == 1
            until(lambda: stream.statistics().gaps == 1)
            assert set(LiveBooks(cache, provider, CLOCK).read(assets)) == set(assets)
            until(lambda: stream.statistics().connected == 1 and not cache.doubts(assets))
        finally:
            stream.close()


def test_without_a_sandbox_the_error_names_the_command_that_starts_it() -> None:
    with running_sandbox(markets=1) as sandbox:
        url = sandbox.url
    with (
        HttpReader(CLOCK, sandbox=True) as http,
        pytest.raises(VenueUnreachableError, match="polyb0t sandbox"),
    ):
        PolymarketMarkets(http, CLOCK, addresses=PublicAddresses(url + "/gamma", url + "/clob")).catalogue()
