"""What the exchange tells about our account, read exactly or refused with a name."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyb0t.core.ids import OrderId
from polyb0t.data.fills import FillStatus, Role
from polyb0t.venue import parsing
from polyb0t.venue.account_parsing import parse_balance, parse_cancel, parse_order, parse_positions_v2
from polyb0t.venue.answers import parse_post_order
from polyb0t.venue.trade_parsing import (
    UserOrderFrame,
    UserTradeFrame,
    fills_of,
    parse_trade,
    parse_trades,
    parse_user_frame,
)
from tests.venue.connected import FEE

OURS = OrderId("0x" + "1a" * 32)
THEIRS = "0x" + "2b" * 32


ORDER = {
    "id": OURS,
    "status": "ORDER_STATUS_MATCHED",
    "maker_address": "0x" + "ab" * 20,
    "market": "0x" + "5f" * 32,
    "asset_id": "71321045679252212594626385532706912750332728571942532289631379312455583992563",
    "side": "BUY",
    "original_size": "10",
    "size_matched": "5",
    "price": "0.47",
    "associate_trades": ["t1"],
}
TRADE: dict[str, Any] = {
    "id": "t1",
    "taker_order_id": THEIRS,
    "market": "0x" + "5f" * 32,
    "asset_id": ORDER["asset_id"],
    "side": "BUY",
    "size": "100",
    "price": "0.45",
    "fee_rate_bps": "1000",
    "status": "TRADE_STATUS_MATCHED_NOT_BROADCASTED",
    "match_time": "1760000000",
    "bucket_index": 2,
    "transaction_hash": "",
    "maker_orders": [
        {
            "order_id": OURS,
            "asset_id": "52114319501245915516055106046884209969926127482827954674443846427813813222426",
            "side": "BUY",
            "matched_amount": "40",
            "price": "0.55",
        },
        {
            "order_id": "0x" + "3c" * 32,
            "asset_id": ORDER["asset_id"],
            "side": "SELL",
            "matched_amount": "60",
            "price": "0.45",
        },
    ],
}


def test_an_order_is_read_without_the_prefix_of_its_status() -> None:
    order = parse_order(ORDER)
    assert (order.status, str(order.matched_shares), order.trade_ids) == ("MATCHED", "5", ("t1",))
    assert parse_order({**ORDER, "associate_trades": None}).trade_ids == ()


@pytest.mark.parametrize(
    "field", ["id", "status", "market", "asset_id", "side", "original_size", "size_matched", "price"]
)
def test_an_order_that_lacks_a_part_is_refused(field: str) -> None:
    values: tuple[object, ...] = (None, "", "nonsense " * 50, 7.5, [], -1)
    for value in values:
        with pytest.raises(parsing.Refused):
            parse_order({**ORDER, field: value})


def test_as_maker_the_assets_side_price_and_size_are_our_entrys() -> None:
    (fill,) = fills_of(parse_trade(TRADE), OURS, FEE)
    assert (fill.role, str(fill.price), str(fill.shares), fill.fee) == (Role.MAKER, "0.55", "40", Decimal(0))
    assert fill.asset_id.startswith("5211")
    assert (fill.bucket_index, fill.status) == (2, FillStatus.MATCHED)


def test_as_taker_the_trades_own_values_count_and_the_fee_is_the_schedules() -> None:
    (fill,) = fills_of(parse_trade(TRADE), OrderId(THEIRS), FEE)
    assert (fill.role, str(fill.price), str(fill.shares)) == (Role.TAKER, "0.45", "100")
    assert str(fill.fee) == "1.23750"  # 100 x 0.05 x 0.45 x 0.55


def test_a_trade_of_others_is_not_ours() -> None:
    assert fills_of(parse_trade(TRADE), OrderId("0x" + "4d" * 32), FEE) == ()


def test_our_maker_entry_must_say_what_it_did() -> None:
    silent = {**TRADE, "maker_orders": [{**TRADE["maker_orders"][0], "side": None}]}
    twice = {**TRADE, "maker_orders": [TRADE["maker_orders"][0]] * 2}
    for row in (silent, twice):
        with pytest.raises(parsing.Refused):
            fills_of(parse_trade(row), OURS, FEE)


@pytest.mark.parametrize("status", ["MATCHED", "MINED", "CONFIRMED", "RETRYING", "FAILED"])
def test_a_trades_status_is_known_with_and_without_its_prefix(status: str) -> None:
    for word in (status, f"TRADE_STATUS_{status}"):
        assert parse_trade({**TRADE, "status": word}).status is FillStatus(status)


def test_an_unknown_status_of_a_trade_is_refused_not_guessed() -> None:
    with pytest.raises(parsing.Refused):
        parse_trade({**TRADE, "status": "TRADE_STATUS_PONDERING"})


def test_a_cancel_tells_what_went_and_why_the_rest_did_not() -> None:
    answer = parse_cancel({"canceled": [OURS], "not_canceled": {THEIRS: "Order already matched"}})
    assert answer.cancelled == (OURS,)
    assert answer.not_cancelled == {THEIRS: "Order already matched"}
    for body in ({}, {"canceled": OURS}, {"canceled": ["x"]}, {"canceled": [], "not_canceled": ["x"]}, None):
        with pytest.raises(parsing.Refused):
            parse_cancel(body)


def test_balances_are_base_units_in_texts() -> None:
    spender = "0xE111180000d2663C0091e4f400237545B87B996B"
    read = parse_balance({"balance": "25000001", "allowances": {spender.lower(): str(2**256 - 1)}})
    assert str(read.balance) == "25.000001"
    assert set(read.allowances) == {spender}
    for bad in (
        {"balance": 25},
        {"balance": "-1", "allowances": {}},
        {"balance": "1.5", "allowances": {}},
        {},
    ):
        with pytest.raises(parsing.Refused):
            parse_balance(bad)


POSITION = {
    "token_id": ORDER["asset_id"],
    "condition_id": "0x" + "5f" * 32,
    "current_size": 100.1,
    "avg_price": 0.45,
    "current_price": 0.52,
    "redeemable": False,
    "outcome": "Yes",
    "title": "Will it rain?",
}


def test_positions_are_exact_although_the_wire_has_doubles() -> None:
    body = json.dumps({"data": [POSITION], "pagination": {"has_more": True, "next_cursor": "abc"}})
    (position,), cursor = parse_positions_v2(parsing.decode_json(body))
    assert (str(position.shares), str(position.average_price), cursor) == ("100.1", "0.45", "abc")


@pytest.mark.parametrize(
    "pagination",
    [None, {}, {"has_more": True}, {"has_more": False, "next_cursor": "x"}, {"has_more": "no"}],
)
def test_positions_whose_paging_does_not_add_up_are_refused(pagination: object) -> None:
    with pytest.raises(parsing.Refused):
        parse_positions_v2({"data": [], "pagination": pagination})


def test_a_frame_of_the_user_socket_is_a_hint_with_the_exchanges_words() -> None:
    frame = parse_user_frame(
        {
            "event_type": "order",
            "id": OURS,
            "type": "CANCELLATION",
            "status": "CANCELED_order couldn't be fully filled. FOK orders are fully filled or killed.",
            "size_matched": "",
        }
    )
    assert isinstance(frame, UserOrderFrame)
    assert (frame.order_id, frame.kind, frame.matched_shares) == (OURS, "CANCELLATION", None)
    trade = parse_user_frame({**TRADE, "event_type": "trade", "status": "MINED"})
    assert isinstance(trade, UserTradeFrame)
    useless: tuple[object, ...] = (
        {},
        {"event_type": "party"},
        {"event_type": "order", "id": OURS, "type": "?"},
        [],
        None,
    )
    for bad in useless:
        with pytest.raises(parsing.Refused):
            parse_user_frame(bad)


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.text(max_size=8),
        st.integers(-(10**90), 10**90),
        st.decimals(),
        st.sampled_from(
            ["1", "0.5", "1e-39", "-0", "1_0", "٣", "BUY", "MINED", OURS, ORDER["asset_id"], "0x" + "5f" * 32]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from([*ORDER, *TRADE, *POSITION, "canceled", "not_canceled", "balance"]), inner
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(
    template=st.sampled_from([ORDER, TRADE, POSITION, {}]),
    changes=st.dictionaries(
        st.sampled_from([*ORDER, *TRADE, *POSITION, "allowances", "data"]), JSON, max_size=3
    ),
    whole=JSON,
)
def test_whatever_the_wire_brings_is_a_value_or_a_named_refusal(
    template: dict[str, Any], changes: dict[str, Any], whole: Any
) -> None:
    row = {**template, **changes}
    paged = {"data": [row], "pagination": {"has_more": False}, "next_cursor": "LTE="}
    readers = (
        parse_order,
        parse_trade,
        parse_trades,
        parse_cancel,
        parse_balance,
        parse_positions_v2,
        parse_user_frame,
    )
    for read in readers:
        for raw_value in (row, paged, whole):
            try:
                read(raw_value)
            except parsing.Refused as refused:
                assert refused.what  # noqa: PT017 - the reason is what is tested


def test_the_answer_to_an_order_is_read_with_its_amounts() -> None:
    answer = parse_post_order(
        b'{"success":true,"errorMsg":"","orderID":"0xAB","status":"matched","makingAmount":"2.65",'
        b'"takingAmount":"","transactionsHashes":["0x6b"]}'
    )
    assert (str(answer.making), answer.taking, answer.transaction_hashes) == ("2.65", None, ("0x6b",))
