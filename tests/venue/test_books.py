"""Live books: trusted from a snapshot to the first doubt, and not a moment longer."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyb0t.core.ids import AssetId
from polyb0t.data.order_book import OrderBook
from polyb0t.venue.book_parsing import parse_book
from polyb0t.venue.books import NEVER_SEEN, BookCache
from polyb0t.venue.frames import parse_frame
from tests.support.clock import FakeClock
from tests.venue.rows import CONDITION, NO, YES, a_book_frame, a_book_row, a_change, a_price_change

ASSET = AssetId(YES)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def cache(clock: FakeClock) -> BookCache:
    return BookCache(clock)


def tell(cache: BookCache, clock: FakeClock, *frames: str) -> None:
    for text in frames:
        frame = parse_frame(text, clock.now())
        assert not frame.refused
        for event in frame.events:
            cache.apply(event)


def by_http(clock: FakeClock, **changes: Any) -> OrderBook:
    return parse_book(json.dumps(a_book_row(**changes)).encode(), clock.now())


def test_a_change_states_the_new_total_of_a_level(cache: BookCache, clock: FakeClock) -> None:
    tell(cache, clock, a_book_frame(), a_price_change(a_change(size="150")))
    book = cache.get(ASSET)
    assert book is not None
    assert book.bids[0].shares == Decimal(150)


def test_a_total_of_zero_removes_the_level(cache: BookCache, clock: FakeClock) -> None:
    tell(cache, clock, a_book_frame(), a_price_change(a_change(size="0", best_bid="0.01")))
    book = cache.get(ASSET)
    assert book is not None
    assert book.best_bid == Decimal("0.01")


def test_a_new_best_level_comes_first_and_the_old_value_is_untouched(
    cache: BookCache, clock: FakeClock
) -> None:
    tell(cache, clock, a_book_frame())
    before = cache.get(ASSET)
    tell(cache, clock, a_price_change(a_change(price="0.45", best_bid="0.45")))
    after = cache.get(ASSET)
    assert before is not None
    assert after is not None
    assert (before.best_bid, after.best_bid) == (Decimal("0.44"), Decimal("0.45"))


def test_a_change_renews_the_time_of_observation(cache: BookCache, clock: FakeClock) -> None:
    tell(cache, clock, a_book_frame())
    clock.advance(seconds=40)
    assert cache.fresh([ASSET], 30) == {}
    tell(cache, clock, a_price_change(a_change()))
    assert set(cache.fresh([ASSET], 30)) == {ASSET}
    assert cache.statistics().newest_confirmation == clock.now()


def test_a_change_before_any_snapshot_makes_no_book(cache: BookCache, clock: FakeClock) -> None:
    tell(cache, clock, a_price_change(a_change()))
    assert cache.get(ASSET) is None
    assert cache.doubts([ASSET]) == {ASSET: NEVER_SEEN}


def test_after_a_gap_a_book_is_not_handed_out_until_a_snapshot(cache: BookCache, clock: FakeClock) -> None:
    tell(cache, clock, a_book_frame())
    cache.mark_stale([ASSET], "the stream was interrupted")
    assert cache.get(ASSET) is None
    tell(cache, clock, a_price_change(a_change()))
    assert cache.get(ASSET) is None
    tell(cache, clock, a_book_frame(timestamp="1795348900000"))
    assert cache.get(ASSET) is not None


def test_best_prices_that_differ_from_the_stated_ones_put_the_book_in_doubt(
    cache: BookCache, clock: FakeClock
) -> None:
    tell(cache, clock, a_book_frame(), a_price_change(a_change(best_ask="0.47")))
    assert cache.get(ASSET) is None
    assert "differ" in cache.doubts([ASSET])[ASSET]
    assert cache.statistics().mismatches == 1


def test_a_book_whose_sides_cross_is_held_back_until_they_part_again(
    cache: BookCache, clock: FakeClock
) -> None:
    silent: dict[str, Any] = {"best_bid": ..., "best_ask": ...}
    tell(cache, clock, a_book_frame(), a_price_change(a_change(price="0.46", **silent)))
    assert cache.get(ASSET) is None
    assert "not below" in cache.doubts([ASSET])[ASSET]
    tell(cache, clock, a_price_change(a_change(price="0.46", side="SELL", size="0", **silent)))
    book = cache.get(ASSET)
    assert book is not None
    assert (book.best_bid, book.best_ask) == (Decimal("0.46"), Decimal("0.99"))


def test_a_changed_tick_asks_for_a_snapshot_on_the_new_grid(cache: BookCache, clock: FakeClock) -> None:
    tell(cache, clock, a_book_frame())
    change = {"event_type": "tick_size_change", "asset_id": YES, "market": CONDITION}
    tell(cache, clock, json.dumps({**change, "old_tick_size": "0.01", "new_tick_size": "0.001"}))
    assert cache.get(ASSET) is None
    assert not cache.put(by_http(clock))
    assert cache.put(by_http(clock, tick_size="0.001"))
    assert cache.get(ASSET) is not None


def test_a_trade_updates_the_last_price_only(cache: BookCache, clock: FakeClock) -> None:
    trade = {"event_type": "last_trade_price", "asset_id": YES, "market": CONDITION, "price": "0.46"}
    tell(cache, clock, a_book_frame(), json.dumps(trade))
    book = cache.get(ASSET)
    assert book is not None
    assert book.last_trade_price == Decimal("0.46")
    assert book.best_ask == Decimal("0.46")


def test_a_snapshot_by_http_that_is_older_than_the_stream_changes_nothing(
    cache: BookCache, clock: FakeClock
) -> None:
    tell(cache, clock, a_book_frame(), a_price_change(a_change(size="150"), timestamp="1795348805000"))
    assert not cache.put(by_http(clock, timestamp="1795348804000"))
    book = cache.get(ASSET)
    assert book is not None
    assert book.bids[0].shares == Decimal(150)
    assert cache.statistics().outdated == 1


def test_in_doubt_only_a_snapshot_at_least_as_new_as_the_missed_changes_helps(
    cache: BookCache, clock: FakeClock
) -> None:
    tell(cache, clock, a_book_frame())
    cache.mark_stale([ASSET], "gap")
    tell(cache, clock, a_price_change(a_change(size="150"), timestamp="1795348805000"))
    assert not cache.put(by_http(clock, timestamp="1795348804999"))
    assert cache.get(ASSET) is None
    assert cache.put(by_http(clock, timestamp="1795348805000"))
    assert cache.get(ASSET) is not None


def test_changes_that_a_snapshot_by_http_already_holds_are_not_applied_again(
    cache: BookCache, clock: FakeClock
) -> None:
    cache.put(by_http(clock, timestamp="1795348810000"))
    tell(cache, clock, a_price_change(a_change(size="150"), timestamp="1795348809000"))
    book = cache.get(ASSET)
    assert book is not None
    assert book.bids[0].shares == Decimal("120.5")


def test_a_cross_check_that_differs_is_counted_and_the_next_snapshot_decides(
    cache: BookCache, clock: FakeClock
) -> None:
    tell(cache, clock, a_book_frame())
    other = by_http(clock, bids=[{"price": "0.43", "size": "9"}])
    assert not cache.put(other)
    assert cache.get(ASSET) is None
    assert cache.statistics().mismatches == 1
    assert cache.put(other)
    book = cache.get(ASSET)
    assert book is not None
    assert book.best_bid == Decimal("0.43")


def test_a_cross_check_that_agrees_renews_the_book(cache: BookCache, clock: FakeClock) -> None:
    tell(cache, clock, a_book_frame())
    clock.advance(seconds=301)
    assert cache.overdue([ASSET, AssetId(NO)], 300) == [ASSET]
    assert cache.put(by_http(clock))
    assert cache.overdue([ASSET], 300) == []
    assert set(cache.fresh([ASSET], 1)) == {ASSET}
    assert cache.statistics().mismatches == 0


def test_what_nobody_watches_is_forgotten(cache: BookCache, clock: FakeClock) -> None:
    tell(cache, clock, a_book_frame(), a_book_frame(NO))
    cache.forget([ASSET])
    assert cache.get(ASSET) is None
    assert cache.statistics().books == 1


def test_a_change_for_both_outcomes_moves_both_books(cache: BookCache, clock: FakeClock) -> None:
    mirror = {"bids": [{"price": "0.54", "size": "80"}], "asks": [{"price": "0.56", "size": "120.5"}]}
    tell(cache, clock, f"[{a_book_frame()},{a_book_frame(NO, **mirror)}]")
    other = a_change(NO, side="SELL", price="0.56", best_bid="0.54", best_ask="0.56")
    tell(cache, clock, a_price_change(a_change(), other))
    yes, no = cache.get(ASSET), cache.get(AssetId(NO))
    assert yes is not None
    assert no is not None
    assert yes.bids[0].shares == no.asks[0].shares == Decimal(150)


PRICES = [f"0.{cent:02d}" for cent in range(1, 100)]
changes_of_levels = st.lists(
    st.tuples(st.sampled_from(["BUY", "SELL"]), st.sampled_from(PRICES), st.integers(0, 5)), max_size=40
)


@given(changes=changes_of_levels)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_any_sequence_of_changes_gives_the_book_that_plain_bookkeeping_gives(
    changes: list[tuple[str, str, int]],
) -> None:
    clock = FakeClock()
    cache = BookCache(clock)
    tell(cache, clock, a_book_frame(bids=[], asks=[]))
    expected: dict[str, dict[Decimal, Decimal]] = {"BUY": {}, "SELL": {}}
    for side, price, size in changes:
        expected[side][Decimal(price)] = Decimal(size)
        change = a_change(side=side, price=price, size=str(size), best_bid=..., best_ask=...)
        tell(cache, clock, a_price_change(change))
        bids = sorted(((p, s) for p, s in expected["BUY"].items() if s), reverse=True)
        asks = sorted((p, s) for p, s in expected["SELL"].items() if s)
        book = cache.get(ASSET)
        if bids and asks and bids[0][0] >= asks[0][0]:
            assert book is None
        else:
            assert book is not None
            assert (list(book.bids), list(book.asks)) == (bids, asks)
