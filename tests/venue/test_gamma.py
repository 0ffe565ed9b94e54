"""The catalogue's rows: exact values, or a refusal whose reason a person can read."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from polyb0t.data.markets import FeeSchedule, Market, ProtocolVersion
from polyb0t.venue.gamma import parse_market, parse_markets
from polyb0t.venue.parsing import MarketRefused, Refused, decode_json
from tests.venue.rows import NO, POSITION_NO, POSITION_YES, YES, a_market_row

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def market(**changes: Any) -> Market:
    """As over the wire: the row as JSON text, its numbers read from their digits."""
    return parse_market(over_the_wire(a_market_row(**changes)), NOW)


def over_the_wire(answer: object) -> object:
    return decode_json(json.dumps(answer))


def refusal(**changes: Any) -> MarketRefused:
    with pytest.raises(MarketRefused) as caught:
        market(**changes)
    return caught.value


def test_a_row_becomes_a_market_with_exact_values() -> None:
    found = market()
    assert found.question == "Will the ferry to Lindholm run on time?"
    assert [(outcome.label, outcome.asset_id) for outcome in found.outcomes] == [("Yes", YES), ("No", NO)]
    assert found.tick == Decimal("0.01")
    assert found.fee == FeeSchedule(Decimal("0.05"), Decimal(1), taker_only=True)
    assert found.liquidity_pusd == Decimal("30211.9")
    assert (found.best_bid, found.best_ask) == (Decimal("0.44"), Decimal("0.46"))
    assert found.end_date == datetime(2026, 12, 31, 12, 0, tzinfo=UTC)
    assert found.page_url == "https://polymarket.com/event/ferries/will-the-ferry-run"
    assert found.tags == ("culture", "transport")
    assert found.trade_ready


def test_numbers_keep_the_digits_of_the_wire() -> None:
    row = json.dumps(a_market_row()).replace("9120.4", "14542.225487000000001")
    assert parse_market(decode_json(row), NOW).volume_24h_pusd == Decimal("14542.225487000000001")


@pytest.mark.parametrize("digits", ["1e999999999", "1e-999999999", "1e41"])
def test_a_number_whose_plain_form_would_fill_the_memory_is_refused(digits: str) -> None:
    row = json.dumps(a_market_row())
    with pytest.raises(Refused) as caught:
        decode_json(row.replace("9120.4", digits))
    assert caught.value.code == "not_json"
    assert refusal(volume24hr=digits).code == "malformed"


def test_a_market_without_a_version_is_refused() -> None:
    assert refusal(version=...).code == "version_missing"
    assert refusal(version=None).code == "version_missing"


@pytest.mark.parametrize("version", ["v3", "V1", "", 1, True, ["v1"]])
def test_a_version_that_is_not_known_is_refused(version: object) -> None:
    assert refusal(version=version).code == "version_unknown"


def test_the_newer_version_trades_under_position_ids_even_when_both_kinds_are_there() -> None:
    found = market(version="v2", positionIds=[POSITION_YES, POSITION_NO])
    assert found.version is ProtocolVersion.V2
    assert [outcome.asset_id for outcome in found.outcomes] == [POSITION_YES, POSITION_NO]


def test_the_older_version_trades_under_token_ids_even_when_both_kinds_are_there() -> None:
    found = market(positionIds=[POSITION_YES, POSITION_NO])
    assert [outcome.asset_id for outcome in found.outcomes] == [YES, NO]


def test_ids_that_belong_to_the_other_version_are_refused() -> None:
    assert refusal(version="v2", positionIds=[YES, NO]).code == "version_contradicted"
    assert refusal(clobTokenIds=json.dumps([POSITION_YES, POSITION_NO])).code == "version_contradicted"


def test_the_newer_versions_short_condition_id_is_padded() -> None:
    found = market(version="v2", positionIds=[POSITION_YES, POSITION_NO], conditionId="0x" + "AB" * 31)
    assert found.condition_id == "0x" + "ab" * 31 + "00"


@pytest.mark.parametrize("outcomes", ['["Yes"]', '["A","B","C"]', "[]"])
def test_a_market_with_other_than_two_outcomes_is_refused(outcomes: str) -> None:
    assert refusal(outcomes=outcomes).code == "not_two_outcomes"


def test_a_market_that_is_not_deployed_yet_is_refused_for_that() -> None:
    assert refusal(clobTokenIds="[]").code == "no_asset_ids"
    assert refusal(clobTokenIds=None).code == "no_asset_ids"


@pytest.mark.parametrize(
    "changes",
    [
        {"question": ...},
        {"conditionId": ""},
        {"conditionId": "0x12"},
        {"outcomes": "not a list"},
        {"outcomes": '["Yes","Yes"]'},
        {"clobTokenIds": json.dumps([YES, YES])},
        {"clobTokenIds": json.dumps([YES, "0x12"])},
        {"clobTokenIds": json.dumps([int(YES), int(NO)])},
        {"active": "true"},
        {"endDate": "2026-12-31T12:00:00"},
        {"endDate": "soon"},
        {"orderPriceMinTickSize": 0},
        {"orderPriceMinTickSize": 0.03},
        {"orderPriceMinTickSize": "abc"},
        {"orderMinSize": -5},
        {"bestBid": 1.2},
        {"liquidityNum": "1e999"},
        {"feeSchedule": {"rate": 7, "exponent": 1}},
        {"feeSchedule": {"exponent": 1}},
        {"secondsDelay": 1.5},
        {"secondsDelay": -1},
    ],
)
def test_a_malformed_field_refuses_the_market_and_names_the_field(changes: dict[str, Any]) -> None:
    refused = refusal(**changes)
    assert refused.code == "malformed"
    assert next(iter(changes)).removesuffix("Num").lower()[:3] in refused.reason.lower()


@pytest.mark.parametrize(
    "flag", ["active", "acceptingOrders", "enableOrderBook", "closed", "archived", "negRisk"]
)
def test_an_absent_flag_is_never_read_as_fine(flag: str) -> None:
    assert not market(**{flag: ...}).trade_ready


def test_the_newer_and_older_spelling_of_instants_are_the_same() -> None:
    assert market(gameStartTime="2026-11-23 12:00:00+00").game_start == datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_an_empty_side_has_no_quote() -> None:
    assert market(bestBid=0, bestAsk=1).best_bid is None
    assert market(bestBid=..., bestAsk=...).best_ask is None


def test_text_liquidity_serves_where_the_number_is_missing() -> None:
    assert market(liquidityNum=...).liquidity_pusd == Decimal("30211.9")
    assert market(liquidityNum=..., liquidity=...).liquidity_pusd is None


def test_the_category_comes_from_the_catalogue_then_the_fees_then_the_tags() -> None:
    assert market(category="Politics").category == "politics"
    assert market(feeType="crypto_fees_v2").category == "crypto"
    assert market(feeType=...).category == "culture"
    assert market(feeType=..., tags=...).category == ""


def test_writing_that_could_steer_a_terminal_is_taken_out() -> None:
    found = market(question="Ferry\x1b[2J \u202eon time?")
    assert found.question == "Ferry [2J on time?"


def test_the_hash_of_the_rules_changes_with_the_rules() -> None:
    assert market().rules_hash != market(description="Resolves to No.").rules_hash


def test_a_bad_row_is_skipped_and_named_and_the_others_are_kept() -> None:
    rows = [a_market_row(), a_market_row(slug="broken", outcomes="["), None, {"id": "7"}]
    page = parse_markets(over_the_wire({"markets": rows, "next_cursor": "abc"}), NOW)
    assert [market.slug for market in page.markets] == ["will-the-ferry-run"]
    assert [skipped.name for skipped in page.skipped] == ["broken", "row 3", "7"]
    assert page.skipped[1].reason == "malformed: the market is missing, not an object"
    assert page.next_cursor == "abc"


def test_markets_inside_an_event_take_title_and_page_from_it() -> None:
    event = {
        "id": "9",
        "slug": "harbour",
        "title": "Harbour",
        "markets": [a_market_row(events=..., tags=...)],
    }
    for answer in (event, [event], {"events": [event, None]}):
        found = parse_markets(over_the_wire(answer), NOW).markets[0]
        assert (found.event_title, found.event_id) == ("Harbour", "9")
        assert found.page_url == "https://polymarket.com/event/harbour/will-the-ferry-run"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"error": "offset is not allowed"}, "error_answer"),
        ({"data": []}, "not_markets"),
        ("text", "malformed"),
    ],
)
def test_an_answer_without_markets_is_refused(answer: object, code: str) -> None:
    with pytest.raises(MarketRefused) as caught:
        parse_markets(answer, NOW)
    assert caught.value.code == code


def test_a_refusal_reads_as_a_sentence() -> None:
    assert refusal(version="v9").reason == "protocol version 'v9' is not known here"


class TestPlaceholders:
    """An augmented event keeps outcomes free for names to come; what they mean can change."""

    @staticmethod
    def parsed(title: str, *, grows: bool) -> bool:
        row = a_market_row(groupItemTitle=title)
        event = {"id": "1", "slug": "e", "title": "e", "negRiskAugmented": grows}
        return parse_market(over_the_wire(row), NOW, event).placeholder

    @pytest.mark.parametrize("title", ["Other", "Person A", "player BC", "Candidate B", " other "])
    def test_an_outcome_without_a_name_of_its_own(self, title):
        assert self.parsed(title, grows=True)
        assert not self.parsed(title, grows=False)

    @pytest.mark.parametrize("title", ["Alva Berg", "Otherton", "", "Person Alva Berg", "Party of Nine"])
    def test_an_outcome_with_one(self, title):
        assert not self.parsed(title, grows=True)
