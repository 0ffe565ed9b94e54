"""The provider of market data against a small exchange on this machine."""

import json
from collections.abc import Callable, Sequence
from urllib.parse import parse_qs, urlsplit

import pytest

from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.venue.books import BookCache
from polyb0t.venue.frames import parse_frame
from polyb0t.venue.http import HttpReader
from polyb0t.venue.live_books import LiveBooks
from polyb0t.venue.markets import BOOKS_PER_REQUEST, PolymarketMarkets, PublicAddresses
from polyb0t.venue.query import CatalogueQuery
from tests.support.clock import FakeClock
from tests.venue.rows import NO, YES, a_book_row, a_change, a_market_row, a_price_change, a_terms_row
from tests.venue.web import Reply, Request, Web, serving

Answer = Callable[[Request], Reply | None]


def provider(
    web: Web, http: HttpReader, clock: FakeClock, query: CatalogueQuery | None = None
) -> PolymarketMarkets:
    addresses = PublicAddresses(gamma=web.url + "/gamma", clob=web.url + "/clob")
    return PolymarketMarkets(http, clock, addresses=addresses, query=query or CatalogueQuery())


def condition(number: int) -> ConditionId:
    return ConditionId(f"0x{number:064x}")


def asset(number: int) -> AssetId:
    return AssetId(str(10**70 + number))


def pages(rows: Sequence[Sequence[object]]) -> Answer:
    """A catalogue of these pages; the cursor is the page's number."""

    def answer(request: Request) -> Reply:
        asked = parse_qs(urlsplit(request.path).query)
        number = int(asked.get("after_cursor", ["0"])[0])
        page: dict[str, object] = {"markets": rows[number]}
        if number + 1 < len(rows):
            page["next_cursor"] = str(number + 1)
        return Reply(json.dumps(page).encode())

    return answer


def row(number: int, **changes: object) -> dict[str, object]:
    return a_market_row(conditionId=condition(number), slug=f"m{number}", id=str(number), **changes)


def test_the_catalogue_follows_cursors_with_the_same_filters_to_the_end() -> None:
    clock = FakeClock()
    with serving(pages([[row(1), row(2)], [row(2), row(3)], []])) as web, HttpReader(clock) as http:
        found = provider(web, http, clock).catalogue()
    assert [market.slug for market in found.markets] == ["m1", "m2", "m3"]
    asked = [parse_qs(urlsplit(request.path).query) for request in web.requests]
    assert [one.pop("after_cursor", None) for one in asked] == [None, ["1"], ["2"]]
    assert asked[0] == asked[1] == asked[2]
    assert asked[0]["limit"] == ["100"]
    assert asked[0]["closed"] == ["false"]
    assert asked[0]["end_date_min"] == ["2026-11-22T12:00:00Z"]


def test_a_malformed_market_is_skipped_counted_and_named() -> None:
    clock = FakeClock()
    with serving(pages([[row(1), row(2, version=None)]])) as web, HttpReader(clock) as http:
        found = provider(web, http, clock).catalogue()
    assert [market.slug for market in found.markets] == ["m1"]
    assert [(skipped.name, skipped.reason.partition(":")[0]) for skipped in found.skipped] == [
        ("m2", "version_missing")
    ]


def test_half_a_catalogue_is_never_returned_as_a_whole() -> None:
    clock = FakeClock()
    whole = pages([[row(1)], [row(2)]])

    def answer(request: Request) -> Reply | None:
        return Reply(b"{}", 500) if "after_cursor" in request.path else whole(request)

    with serving(answer) as web, HttpReader(clock) as http, pytest.raises(VenueUnreachableError):
        provider(web, http, clock).catalogue()


def test_a_cursor_that_turns_in_a_circle_ends() -> None:
    clock = FakeClock()
    page = json.dumps({"markets": [row(1)], "next_cursor": "again"}).encode()
    with serving(lambda _: Reply(page)) as web, HttpReader(clock) as http:
        assert len(provider(web, http, clock).catalogue().markets) == 1
        assert len(web.requests) == 2


def test_the_catalogue_stops_at_the_number_of_markets_asked_for() -> None:
    clock = FakeClock()
    rows = [[row(10 * page + place) for place in range(1, 9)] for page in range(5)]
    with serving(pages(rows)) as web, HttpReader(clock) as http:
        found = provider(web, http, clock, CatalogueQuery(most_markets=10)).catalogue()
        assert len(found.markets) == 10
        assert len(web.requests) == 2


def books_of(request: Request) -> Reply:
    asked = [entry["token_id"] for entry in json.loads(request.body)]
    return Reply(json.dumps([a_book_row(token) for token in reversed(asked)]).encode())


def test_books_are_asked_for_in_portions_and_matched_by_asset() -> None:
    clock, wanted = FakeClock(), [asset(number) for number in range(450)]
    with serving(books_of) as web, HttpReader(clock) as http:
        found = provider(web, http, clock).books([*wanted, wanted[0]])
        sizes = sorted(len(json.loads(request.body)) for request in web.requests)
    assert sizes == [50, BOOKS_PER_REQUEST, BOOKS_PER_REQUEST]
    assert set(found) == set(wanted)
    assert all(book.asset_id == asset_id for asset_id, book in found.items())


def test_a_book_that_is_not_there_or_was_not_asked_for_is_missing() -> None:
    clock = FakeClock()
    body = json.dumps([a_book_row(YES), a_book_row(str(asset(9)))]).encode()
    with serving(lambda _: Reply(body)) as web, HttpReader(clock) as http:
        assert set(provider(web, http, clock).books([AssetId(YES), AssetId(NO)])) == {YES}


def test_one_failed_portion_costs_its_books_only() -> None:
    clock, wanted = FakeClock(), [asset(number) for number in range(250)]

    def answer(request: Request) -> Reply:
        return Reply(b"<html>", 403) if len(json.loads(request.body)) == 50 else books_of(request)

    with serving(answer) as web, HttpReader(clock) as http:
        assert len(provider(web, http, clock).books(wanted)) == 200


def test_no_book_at_all_is_an_error_and_not_an_empty_market() -> None:
    clock = FakeClock()
    with (
        serving(lambda _: Reply(b"<html>", 403)) as web,
        HttpReader(clock) as http,
        pytest.raises(VenueUnreachableError),
    ):
        provider(web, http, clock).books([AssetId(YES)])


def test_terms_are_read_for_many_markets_and_unknown_ones_are_missing() -> None:
    clock, wanted = FakeClock(), [condition(number) for number in range(1, 40)]

    def answer(request: Request) -> Reply:
        asked = request.path.rpartition("/")[2]
        known = asked != condition(7)
        return (
            Reply(json.dumps(a_terms_row(asked)).encode()) if known else Reply(b'{"error":"not found"}', 404)
        )

    with serving(answer) as web, HttpReader(clock) as http:
        found = provider(web, http, clock).terms(wanted)
    assert set(found) == set(wanted) - {condition(7)}


def test_terms_of_another_market_are_not_taken() -> None:
    clock = FakeClock()
    body = json.dumps(a_terms_row(condition(2))).encode()
    with serving(lambda _: Reply(body)) as web, HttpReader(clock) as http:
        assert provider(web, http, clock).terms([condition(1)]) == {}


def test_a_host_that_is_down_is_not_asked_for_every_market() -> None:
    clock = FakeClock()
    with serving(lambda _: Reply(b"{}", 403)) as web, HttpReader(clock) as http:
        with pytest.raises(VenueUnreachableError):
            provider(web, http, clock).terms([condition(number) for number in range(1, 200)])
        assert len(web.requests) < 30


def test_one_book_is_read_and_an_absent_one_is_none() -> None:
    clock = FakeClock()
    with serving(lambda _: Reply(json.dumps(a_book_row(YES)).encode())) as web, HttpReader(clock) as http:
        book = provider(web, http, clock).book(AssetId(YES))
        assert book is not None
        with pytest.raises(VenueUnreachableError, match="asked for"):
            provider(web, http, clock).book(AssetId(NO))
    with serving(lambda _: Reply(b'{"error":"No orderbook"}', 404)) as web, HttpReader(clock) as http:
        assert provider(web, http, clock).book(AssetId(YES)) is None


def test_live_books_read_only_what_is_cold_and_warm_the_cache() -> None:
    clock = FakeClock()
    cache = BookCache(clock)
    with serving(books_of) as web, HttpReader(clock) as http:
        live = LiveBooks(cache, provider(web, http, clock), clock, max_age_seconds=30)
        assert set(live.read([AssetId(YES), AssetId(NO)])) == {YES, NO}
        assert set(live.read([AssetId(YES), AssetId(NO)])) == {YES, NO}
        assert len(web.requests) == 1
        clock.advance(seconds=31)
        live.read([AssetId(YES), AssetId(NO)])
        assert len(web.requests) == 2
        cache.mark_stale([AssetId(NO)], "gap")
        live.read([AssetId(YES), AssetId(NO)])
        assert json.loads(web.requests[-1].body) == [{"token_id": NO}]


def test_busy_books_are_compared_with_a_read_now_and_then_and_a_failed_one_stops_nothing() -> None:
    clock = FakeClock()
    cache = BookCache(clock)
    fine = True

    def answer(request: Request) -> Reply:
        return books_of(request) if fine else Reply(b"{}", 403)

    def streamed() -> None:
        """As the stream would: the book is young again, though nobody compared it."""
        for event in parse_frame(a_price_change(a_change(size="120.5")), clock.now()).events:
            cache.apply(event)

    with serving(answer) as web, HttpReader(clock) as http:
        live = LiveBooks(cache, provider(web, http, clock), clock)
        live.read([AssetId(YES)])
        for _ in range(11):
            clock.advance(seconds=29)
            streamed()
            fine = False
            assert set(live.read([AssetId(YES)])) == {YES}
        assert len(web.requests) == 2
