"""Books and terms as the exchange sends them."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from polyb0t.core.ids import ConditionId
from polyb0t.data.markets import FeeSchedule
from polyb0t.data.order_book import OrderBook
from polyb0t.venue.book_parsing import parse_book, parse_books
from polyb0t.venue.parsing import BookRefused, TermsRefused, decode_json
from polyb0t.venue.terms import parse_terms
from tests.venue.rows import CONDITION, NO, YES, a_book_row, a_terms_row

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def book(**changes: Any) -> OrderBook:
    return parse_book(json.dumps(a_book_row(**changes)).encode(), NOW)


def levels(*pairs: tuple[Any, Any]) -> list[dict[str, Any]]:
    return [{"price": price, "size": size} for price, size in pairs]


def test_the_best_level_comes_first_whatever_the_order_on_the_wire() -> None:
    for bids in (levels(("0.01", "5"), ("0.44", "7")), levels(("0.44", "7"), ("0.01", "5"))):
        assert book(bids=bids).best_bid == Decimal("0.44")
    mixed = levels(("0.5", "1"), ("0.9", "1"), ("0.6", "1"))
    assert [level.price for level in book(asks=mixed).asks] == [
        Decimal("0.5"),
        Decimal("0.6"),
        Decimal("0.9"),
    ]


def test_a_book_carries_terms_times_and_our_own_clock() -> None:
    found = book()
    assert (found.tick, found.min_shares, found.neg_risk) == (Decimal("0.01"), Decimal(5), False)
    assert found.venue_time == datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    assert found.observed_at == NOW


def test_an_empty_level_is_left_out_and_an_empty_side_is_legal() -> None:
    assert book(bids=levels(("0.4", "0"))).bids == ()
    assert book(asks=[]).best_ask is None
    assert book(last_trade_price="").last_trade_price is None


@pytest.mark.parametrize(
    "changes",
    [
        {"bids": levels(("0", "5"))},
        {"bids": levels(("1", "5"))},
        {"asks": levels(("1.5", "5"))},
        {"bids": levels(("-0.1", "5"))},
        {"bids": levels(("0.4", "-5"))},
        {"bids": levels(("0.4", "5"), ("0.40", "6"))},
        {"bids": levels((0.4, 5))},
        {"bids": levels(("0.4", 5))},
        {"bids": levels(("0.4", "5 6"))},
        {"bids": levels(("0.4", "NaN"))},
        {"bids": levels(("0.4", "1_000"))},
        {"bids": levels(("", "5"))},
        {"bids": None},
        {"asset_id": "0x12"},
        {"asset_id": 12},
        {"market": "cat"},
        {"timestamp": "yesterday"},
        {"tick_size": "0.03"},
    ],
)
def test_an_impossible_book_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BookRefused) as caught:
        book(**changes)
    assert caught.value.code == "malformed"


def test_a_book_whose_sides_cross_is_not_believed() -> None:
    with pytest.raises(BookRefused, match="not below") as caught:
        book(bids=levels(("0.46", "5")))
    assert caught.value.code == "crossed"


def test_one_bad_book_of_a_batch_is_refused_alone() -> None:
    rows = [a_book_row(YES), a_book_row(NO, bids=[{"price": 0.4, "size": "5"}]), a_book_row(YES)]
    batch = parse_books(json.dumps(rows).encode(), NOW)
    assert [found.asset_id for found in batch.books] == [YES]
    assert [(refused.code, refused.name) for refused in batch.refused] == [
        ("malformed", "book 2"),
        ("duplicate", YES),
    ]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty"),
        (b"<html>busy</html>", "html"),
        (b'{"error":"Payload exceeds the limit"}', "error_answer"),
        (b"[1, 2", "not_json"),
        (b"7", "malformed"),
    ],
)
def test_an_answer_that_is_no_list_of_books_says_what_it_is(body: bytes, code: str) -> None:
    with pytest.raises(BookRefused) as caught:
        parse_books(body, NOW)
    assert caught.value.code == code


def terms(**changes: Any) -> Any:
    return parse_terms(decode_json(json.dumps(a_terms_row(**changes))), NOW, ConditionId(CONDITION))


def test_terms_are_exact() -> None:
    found = terms(sd=3, nr=True)
    assert (found.tick, found.min_shares) == (Decimal("0.01"), Decimal(5))
    assert found.fee == FeeSchedule(Decimal("0.05"), Decimal(1), taker_only=True)
    assert (found.taker_delay_seconds, found.neg_risk) == (3, True)


def test_an_absent_fee_schedule_is_unknown_and_not_free() -> None:
    assert terms(fd=...).fee is None


def test_absent_flags_of_terms_mean_no() -> None:
    assert not terms().neg_risk
    assert terms().taker_delay_seconds == 0


def test_the_short_delay_of_crypto_counts_as_a_second() -> None:
    assert terms(itode=True).taker_delay_seconds == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"c": "0x" + "11" * 32}, "other_market"),
        ({"t": [{"t": YES}]}, "not_two_outcomes"),
        ({"mts": None}, "malformed"),
        ({"mos": "x"}, "malformed"),
        ({"fd": {"r": -1, "e": 1}}, "malformed"),
        ({"fd": []}, "malformed"),
        ({"nr": "true"}, "malformed"),
    ],
)
def test_terms_that_can_not_be_are_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(TermsRefused) as caught:
        terms(**changes)
    assert caught.value.code == code
