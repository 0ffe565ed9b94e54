"""Orders over the wire: what is checked before the book is asked, and in which words."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from eth_account import Account

from polyb0t.core.practice import practice_key
from polyb0t.sandbox.contracts import EXCHANGE_V3, NEG_RISK_EXCHANGE_V2
from polyb0t.sandbox.types import BookView, PracticeAccount
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.trader import Trader, tradable_book

Body = dict[str, Any]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=12) as running:
        yield running


@pytest.fixture(scope="module")
def trader(sandbox: RunningSandbox) -> Iterator[Trader]:
    trader = Trader(sandbox, sandbox.account())
    yield trader
    trader.http.close()


@pytest.fixture
def book(sandbox: RunningSandbox) -> BookView:
    return tradable_book(sandbox)


@pytest.fixture
def body(trader: Trader, book: BookView) -> Body:
    return trader.payload(book.token_id, "BUY", 50_000, 10_000_000)


def refused(trader: Trader, body: object) -> tuple[int, str]:
    answer = trader.request("POST", "/order", body)
    return answer.status_code, answer.json()["error"]


def order(**changed: object) -> Callable[[Body], None]:
    return lambda body: body["order"].update(changed)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda body: body.update(owner="somebody"), "the order owner has to be the owner of the API KEY"),
        (order(signer="0x" + "12" * 20), "the order signer address has to be the address of the API KEY"),
        (order(maker="0x" + "12" * 20), "maker address not allowed, please use the deposit wallet flow"),
        (order(signatureType=1), "maker address not allowed, please use the deposit wallet flow"),
        (order(signatureType=2), "maker address not allowed, please use the deposit wallet flow"),
        (order(tokenId="17"), "Invalid token id"),
        (order(makerAmount="500001"), "invalid signature"),
        (order(salt=1234567), "invalid signature"),
        (order(side="SELL"), "invalid signature"),
        (order(timestamp="1"), "invalid signature"),
        (order(signature="0x" + "11" * 65), "invalid signature"),
        (order(signature="junk"), "invalid signature"),
        (order(makerAmount="0"), "Invalid order payload"),
        (order(makerAmount="-1"), "Invalid order payload"),
        (order(makerAmount="0.5"), "Invalid order payload"),
        (order(makerAmount="9" * 30), "Invalid order payload"),
        (order(takerAmount=5), "Invalid order payload"),
        (order(tokenId="9" * 90), "Invalid token id"),
        (order(salt=-1), "Invalid order payload"),
        (order(metadata="0x"), "Invalid order payload"),
        (order(expiration="soon"), "Invalid order payload"),
        (order(expiration="12"), "invalid expiration"),
        (lambda body: body.update(orderType="IOC"), "Invalid order payload"),
        (lambda body: body.pop("order"), "Invalid order payload"),
    ],
)
def test_an_order_that_is_not_what_was_signed_is_refused(
    trader: Trader, body: Body, change: Callable[[Body], None], text: str
) -> None:
    change(body)
    assert refused(trader, body) == (400, text)


@pytest.mark.parametrize("contract", [NEG_RISK_EXCHANGE_V2, EXCHANGE_V3])
def test_an_order_signed_for_another_exchange_is_refused(
    trader: Trader, book: BookView, contract: str
) -> None:
    wrong = trader.payload(book.token_id, "BUY", 50_000, 10_000_000, contract=contract)
    assert refused(trader, wrong) == (400, "invalid signature")


def test_an_order_of_the_generation_before_is_refused_by_name(trader: Trader, body: Body) -> None:
    old = copy.deepcopy(body)
    del old["order"]["timestamp"], old["order"]["metadata"], old["order"]["builder"]
    old["order"] |= {"taker": "0x" + "00" * 20, "nonce": "0", "feeRateBps": "0"}
    assert refused(trader, old) == (400, "invalid order version, please use the latest clob-client")


@pytest.mark.parametrize(
    "raw", [b"", b"null", b"[]", b"{", b"\xff", b'{"order":null}', b"[" * 9000, b'{"order":' + b"[" * 9000]
)
def test_a_broken_body_is_400(trader: Trader, raw: bytes) -> None:
    answer = trader.request("POST", "/order", raw=raw)
    assert (answer.status_code, answer.json()["error"]) == (400, "Invalid order payload")


def test_the_same_order_twice_is_duplicated_and_one_order(trader: Trader, body: Body) -> None:
    first = trader.request("POST", "/order", body).json()
    assert (first["success"], first["status"], first["makingAmount"]) == (True, "live", "")
    again = trader.request("POST", "/order", body)
    assert (again.status_code, again.json()["error"]) == (
        400,
        f"order {first['orderID']} is invalid. Duplicated.",
    )
    live = trader.get("/data/orders").json()["data"]
    assert [one["id"] for one in live].count(first["orderID"]) == 1


def test_a_batch_answers_leg_by_leg(trader: Trader, book: BookView, body: Body) -> None:
    bad = trader.payload(book.token_id, "BUY", 50_000, 1_000_000)
    answer = trader.request("POST", "/orders", [body, bad, {"nonsense": True}]).json()
    assert [bool(leg["orderID"]) for leg in answer] == [True, False, False]
    assert "lower than the minimum" in answer[1]["errorMsg"]
    assert answer[2]["errorMsg"] == "Invalid order payload"
    many = trader.request("POST", "/orders", [body] * 16)
    assert many.json() == {"error": "Too many orders in payload: 16, max allowed: 15"}


def test_orders_of_others_can_be_neither_seen_nor_cancelled(
    sandbox: RunningSandbox, trader: Trader, body: Body
) -> None:
    order_id = trader.request("POST", "/order", body).json()["orderID"]
    other = Trader(sandbox, sandbox.account(1))
    unseen = other.get(f"/data/order/{order_id}")
    assert (unseen.status_code, unseen.json()) == (404, {"error": "order not found"})
    answer = other.request("DELETE", "/order", {"orderID": order_id}).json()
    assert (answer["canceled"], list(answer["not_canceled"])) == ([], [order_id])
    assert trader.get(f"/data/order/{order_id}").json()["status"] == "LIVE"
    other.http.close()


def test_a_resting_order_reserves_and_a_cancel_gives_back(sandbox: RunningSandbox, book: BookView) -> None:
    trader = Trader(sandbox, sandbox.account(2))
    half, price = 15_000_000_000, 400_000
    cheap = min(price, book.bids[-1][0])
    first = trader.place(book.token_id, "BUY", cheap, half)
    assert first.status_code == 200
    over = trader.place(book.token_id, "BUY", cheap, half * 2)
    assert over.status_code == 400
    assert "not enough balance / allowance" in over.json()["error"]
    assert trader.request("DELETE", "/cancel-all").json()["canceled"] == [first.json()["orderID"]]
    trader.http.close()


def test_balances_are_base_units_and_another_wallet_type_is_truthfully_empty(trader: Trader) -> None:
    mine = trader.get("/balance-allowance?asset_type=COLLATERAL&signature_type=0").json()
    assert mine["balance"] == "10000000000"
    assert len(mine["allowances"]) == 3
    assert all(int(amount) > 0 for amount in mine["allowances"].values())
    other = trader.get("/balance-allowance?asset_type=COLLATERAL&signature_type=3").json()
    assert (other["balance"], set(other["allowances"].values())) == ("0", {"0"})
    assert trader.get("/balance-allowance?asset_type=GOLD").status_code == 400
    assert trader.get("/balance-allowance?asset_type=CONDITIONAL&token_id=1").status_code == 400


def test_heartbeats_give_the_next_id_and_refuse_another(trader: Trader) -> None:
    first = trader.request("POST", "/v1/heartbeats", {"heartbeat_id": ""}).json()["heartbeat_id"]
    wrong = trader.request("POST", "/v1/heartbeats", {"heartbeat_id": "x"})
    assert (wrong.status_code, wrong.json()) == (
        400,
        {"error_msg": "Invalid Heartbeat ID", "heartbeat_id": first},
    )
    second = trader.request("POST", "/v1/heartbeats", {"heartbeat_id": first}).json()["heartbeat_id"]
    assert second not in ("", first)


def test_pages_of_orders_follow_their_cursor(sandbox: RunningSandbox, book: BookView) -> None:
    trader = Trader(sandbox, sandbox.account(3))
    for _ in range(101):
        assert trader.place(book.token_id, "BUY", 10_000, 5_000_000).status_code == 200
    first = trader.get("/data/orders?next_cursor=MA==").json()
    assert (first["count"], first["limit"]) == (100, 100)
    second = trader.get(f"/data/orders?next_cursor={first['next_cursor']}").json()
    assert (second["count"], second["next_cursor"]) == (1, "LTE=")
    assert trader.get("/data/orders?next_cursor=LTE=").json()["data"] == []
    assert trader.get("/data/orders?next_cursor=junk").status_code == 400
    trader.http.close()


def test_a_key_from_outside_may_trade_but_has_no_money(sandbox: RunningSandbox, book: BookView) -> None:
    stranger = Trader(sandbox, _outsider(99))
    answer = stranger.place(book.token_id, "BUY", 50_000, 10_000_000)
    assert answer.status_code == 400
    assert "not enough balance / allowance" in answer.json()["error"]
    stranger.http.close()


def _outsider(index: int) -> PracticeAccount:
    address = Account.from_key(practice_key(index)).address
    return PracticeAccount(index, practice_key(index), address, address, 0, 0)
