"""Every recorded answer of the exchange gives what the table says: values, or a named refusal."""

import json
from pathlib import Path
from typing import Any

import pytest

from polyb0t.venue.books import BookCache
from polyb0t.venue.frames import PriceChange, parse_frame
from polyb0t.venue.gamma import parse_markets
from polyb0t.venue.parsing import decode_json
from tests.support.clock import FakeClock
from tests.support.shared import shared_path
from tests.venue.recorded import NOW, TABLE, frame_texts, outcome, rows_of

EXPECTED: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
GAMMA = sorted(name for name, row in EXPECTED.items() if row["kind"] == "markets" and "with_version" in row)


@pytest.mark.parametrize("relative", sorted(EXPECTED))
def test_a_recording_gives_what_the_table_says(relative: str) -> None:
    found = outcome(relative, shared_path(f"recorded/{relative}"))
    assert json.loads(json.dumps(found)) == EXPECTED[relative]


def test_the_table_covers_every_recording() -> None:
    root = shared_path("recorded")
    files = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert files - {"MANIFEST.md"} == set(EXPECTED)


def test_no_reader_of_market_data_takes_what_is_not_its_own() -> None:
    for relative, row in EXPECTED.items():
        answers = row.get("refused_by", {})
        assert not [answer for answer in answers.values() if answer.startswith("taken")], relative


@pytest.mark.parametrize("relative", GAMMA)
def test_rows_from_before_versions_are_refused_for_that_alone_and_parse_with_one(relative: str) -> None:
    row = EXPECTED[relative]
    assert row["markets"] == []
    assert {code for _, code in row["skipped"]} == {"version_missing"}
    assert row["with_version"]["skipped"] == []
    assert len(row["with_version"]["markets"]) == len(row["skipped"])


@pytest.mark.parametrize("relative", GAMMA)
def test_a_version_that_nobody_knows_is_refused_for_that(relative: str) -> None:
    raw = decode_json(shared_path(f"recorded/{relative}").read_bytes())
    for row in rows_of(raw):
        row["version"] = "v3"
    reasons = [skipped.reason.partition(":")[0] for skipped in parse_markets(raw, NOW).skipped]
    assert reasons
    assert set(reasons) == {"version_unknown"}


@pytest.mark.parametrize("relative", GAMMA)
def test_the_values_are_those_of_the_wire_digit_by_digit(relative: str) -> None:
    """Against a second, naive reading, so that the table is not its own proof."""
    path = shared_path(f"recorded/{relative}")
    raw = decode_json(path.read_bytes())
    for row in rows_of(raw):
        row["version"] = "v1"
    markets = {market.market_id: market for market in parse_markets(raw, NOW).markets}
    for plain_row in rows_of(json.loads(path.read_text(encoding="utf-8"), parse_float=str)):
        market = markets[plain_row["id"]]
        assert [o.asset_id for o in market.outcomes] == json.loads(plain_row["clobTokenIds"])
        assert [o.label for o in market.outcomes] == json.loads(plain_row["outcomes"])
        assert market.question == plain_row["question"].strip()
        for field, value in (("orderPriceMinTickSize", market.tick), ("bestBid", market.best_bid)):
            if value is not None:
                assert str(value) == plain_row[field]


def test_replaying_recorded_changes_reproduces_the_best_prices_that_the_exchange_stated() -> None:
    path = shared_path(
        "recorded/ws_market/2026-09-29_book_then_15_price_change_burst_TRUNCATED_nautilus.json"
    )
    cache, checked = BookCache(FakeClock()), 0
    for text in frame_texts(path):
        for event in parse_frame(text, NOW).events:
            cache.apply(event)
            if not isinstance(event, PriceChange):
                continue
            for change in event.changes:
                book = cache.get(change.asset_id)
                if book is not None:
                    assert (book.best_bid, book.best_ask) == (change.best_bid, change.best_ask)
                    checked += 1
    assert checked == 15
    assert cache.statistics().mismatches == 0


def test_recorded_books_mirror_each_other() -> None:
    """A bid on one outcome is an ask on the other at one minus its price: the two are one market."""
    rows = EXPECTED["clob_rest/2026-05-17_clob-books_fed-decision-june_trebuchet.json"]["books"]
    by_condition: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_condition.setdefault(row["condition"], []).append(row)
    assert len(by_condition) == 5
    for first, second in by_condition.values():
        assert first["levels"] == second["levels"][::-1]


def test_the_table_is_beside_this_file() -> None:
    assert Path(__file__).with_name(TABLE.name) == TABLE
