"""Every form of order and of cancel as a client meets it, and everything that ends an order."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from polyb0t.sandbox.contracts import EXCHANGE_V2, EXCHANGE_V3, NEG_RISK_EXCHANGE_V2
from polyb0t.sandbox.heartbeats import SILENCE_S
from polyb0t.sandbox.identifiers import Module, condition_of_position, position_id
from polyb0t.sandbox.rules import FAK_KILLED, FOK_KILLED, POST_ONLY_CROSSES, POST_ONLY_TYPE
from polyb0t.sandbox.types import MILLION, BookView
from polyb0t.venue.tls import trust
from tests.sandbox.worlds import SPEC
from tests.support.clock import FakeClock
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.trader import Trader, tradable_book

SHARES = 10 * MILLION


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sandbox(clock: FakeClock) -> Iterator[RunningSandbox]:
    with running_sandbox(markets=6, clock=clock) as running:
        yield running


@pytest.fixture
def trader(sandbox: RunningSandbox) -> Iterator[Trader]:
    with httpx.Client(trust_env=False, verify=trust(), timeout=10) as client:
        yield Trader(sandbox, sandbox.account(), client)


@pytest.fixture
def book(sandbox: RunningSandbox) -> BookView:
    return tradable_book(sandbox)


def rest(trader: Trader, book: BookView, **terms: Any) -> str:
    """The id of an order that rests far below the market."""
    answer = trader.place(book.token_id, "BUY", 50_000, SHARES, **terms)
    assert answer.json()["status"] == "live", answer.text
    return str(answer.json()["orderID"])


def status(trader: Trader, order_id: str) -> str:
    return str(trader.get(f"/data/order/{order_id}").json()["status"])


def error(answer: httpx.Response) -> str:
    assert answer.status_code == 400, answer.text
    return str(answer.json()["error"])


def now_s(trader: Trader) -> int:
    return trader.sandbox.world.now_ms // 1_000


class TestForms:
    def test_a_gtd_needs_three_minutes_and_dies_a_minute_before_it_says(
        self, trader: Trader, book: BookView
    ) -> None:
        too_soon = now_s(trader) + 179
        answer = trader.place(book.token_id, "BUY", 50_000, SHARES, order_type="GTD", expiration=too_soon)
        assert error(answer) == "invalid expiration"
        order_id = rest(trader, book, order_type="GTD", expiration=now_s(trader) + 180)
        trader.sandbox.step(119_999)
        assert status(trader, order_id) == "LIVE"
        trader.sandbox.step(1)
        assert status(trader, order_id) == "CANCELED_EXPIRED_ORDER"
        assert trader.sandbox.world.reserved(trader.account.wallet) == 0

    def test_a_fok_that_cannot_be_filled_whole_is_killed_and_leaves_nothing(
        self, trader: Trader, book: BookView
    ) -> None:
        best, size = book.asks[-1]
        too_much = (best * size // MILLION + 1_000 * MILLION) // 10_000 * 10_000
        assert error(trader.spend(book.token_id, too_much, best, order_type="FOK")) == FOK_KILLED
        assert trader.get("/data/trades").json()["data"] == []

    def test_a_fak_takes_what_is_there_and_one_that_finds_nothing_is_killed(
        self, trader: Trader, book: BookView
    ) -> None:
        best, size = book.asks[-1]
        more = (best * size // MILLION + 100 * MILLION) // 10_000 * 10_000
        taken = trader.spend(book.token_id, more, best).json()
        assert taken["status"] == "matched"
        assert float(taken["makingAmount"]) < more / MILLION
        killed = trader.spend(book.token_id, SHARES, 10_000)
        assert error(killed) == FAK_KILLED
        assert killed.json()["orderID"].startswith("0x")

    def test_post_only_never_takes_and_goes_with_resting_types_alone(
        self, trader: Trader, book: BookView
    ) -> None:
        best = book.asks[-1][0]
        crossing = trader.place(book.token_id, "BUY", best, SHARES, post_only=True)
        assert error(crossing) == POST_ONLY_CROSSES
        assert error(trader.spend(book.token_id, SHARES, best, post_only=True)) == POST_ONLY_TYPE

    @pytest.mark.parametrize("contract", [NEG_RISK_EXCHANGE_V2, EXCHANGE_V3])
    def test_an_order_signed_for_another_exchange_is_not_signed(
        self, trader: Trader, book: BookView, contract: str
    ) -> None:
        assert not book.neg_risk
        answer = trader.place(book.token_id, "BUY", 50_000, SHARES, contract=contract)
        assert error(answer) == "invalid signature"
        rest(trader, book, contract=EXCHANGE_V2)

    def test_a_copy_is_a_duplicate_also_of_what_was_cancelled(self, trader: Trader, book: BookView) -> None:
        body = trader.payload(book.token_id, "BUY", 50_000, SHARES)
        order_id = trader.request("POST", "/order", body).json()["orderID"]
        duplicate = f"order {order_id} is invalid. Duplicated."
        assert error(trader.request("POST", "/order", body)) == duplicate
        trader.request("DELETE", "/order", {"orderID": order_id})
        assert error(trader.request("POST", "/order", body)) == duplicate


class TestBatches:
    def test_legs_stand_alone_and_a_failed_one_is_a_success_without_an_id(
        self, trader: Trader, book: BookView
    ) -> None:
        good = trader.payload(book.token_id, "BUY", 50_000, SHARES)
        small = trader.payload(book.token_id, "BUY", 50_000, MILLION)
        legs = trader.request("POST", "/orders", [good, small, good, {"order": 5}]).json()
        assert [leg["success"] for leg in legs] == [True] * 4
        assert [bool(leg["orderID"]) for leg in legs] == [True, False, False, False]
        texts = [leg["errorMsg"] for leg in legs]
        assert texts[0] == ""
        assert "lower than the minimum: 5" in texts[1]
        assert texts[2] == f"order {legs[0]['orderID']} is invalid. Duplicated."
        assert texts[3] == "Invalid order payload"
        assert {leg["status"] for leg in legs[1:]} == {"delayed"}  # it means nothing there
        assert len(trader.get("/data/orders").json()["data"]) == 1

    @pytest.mark.parametrize(
        ("legs", "text"),
        [(0, "Invalid order payload"), (16, "Too many orders in payload: 16, max allowed: 15")],
    )
    def test_a_batch_has_one_to_fifteen_legs(
        self, trader: Trader, book: BookView, legs: int, text: str
    ) -> None:
        body = [trader.payload(book.token_id, "BUY", 50_000, SHARES) for _ in range(legs)]
        assert error(trader.request("POST", "/orders", body)) == text
        assert trader.get("/data/orders").json()["data"] == []


class TestCancels:
    def test_one_some_and_all(self, trader: Trader, book: BookView) -> None:
        ids = [rest(trader, book) for _ in range(4)]
        assert trader.request("DELETE", "/order", {"orderID": ids[0]}).json() == {
            "canceled": [ids[0]],
            "not_canceled": {},
        }
        some = trader.request("DELETE", "/orders", [ids[0], ids[1], "0x1"]).json()
        assert some["canceled"] == [ids[1]]
        assert set(some["not_canceled"]) == {ids[0], "0x1"}
        assert trader.request("DELETE", "/cancel-all").json()["canceled"] == ids[2:]
        assert [status(trader, order_id) for order_id in ids] == ["CANCELED"] * 4

    def test_a_thousand_and_no_more(self, trader: Trader) -> None:
        assert trader.request("DELETE", "/orders", ["0x1"] * 1_000).status_code == 200
        over = trader.request("DELETE", "/orders", ["0x1"] * 1_001)
        assert error(over) == "Too many orders in payload: 1001, max allowed: 1000"

    def test_by_market_or_by_token_and_nothing_else(self, trader: Trader, book: BookView) -> None:
        first, second = trader.sandbox.world.market(book.condition_id).spec.token_ids
        yes, no = rest(trader, book), trader.place(second, "BUY", 50_000, SHARES).json()["orderID"]
        by_token = trader.request("DELETE", "/cancel-market-orders", {"asset_id": second}).json()
        assert by_token["canceled"] == [no]
        other = {"market": "0x" + "00" * 32}
        assert trader.request("DELETE", "/cancel-market-orders", other).json()["canceled"] == []
        shouted = {"market": "0x" + book.condition_id[2:].upper()}
        assert trader.request("DELETE", "/cancel-market-orders", shouted).json()["canceled"] == [yes]
        assert error(trader.request("DELETE", "/cancel-market-orders", {})) == "Invalid order payload"
        assert first == book.token_id

    @pytest.mark.parametrize("digits", [62, 64])
    def test_a_market_of_the_newer_protocol_by_either_width_of_its_id(
        self, clock: FakeClock, digits: int
    ) -> None:
        positions = [position_id(Module.BINARY, 77, arity=2, index=0, outcome=at) for at in (0, 1)]
        condition = condition_of_position(positions[0])
        tokens = (str(positions[0]), str(positions[1]))
        spec = replace(SPEC, version="v2", condition_id=condition, token_ids=tokens)
        with (
            running_sandbox(markets=[spec], crowd=False, clock=clock) as sandbox,
            httpx.Client(trust_env=False, verify=trust(), timeout=10) as client,
        ):
            trader = Trader(sandbox, sandbox.account(), client)
            placed = trader.place(tokens[0], "BUY", 50_000, SHARES, contract=EXCHANGE_V3)
            order_id, market = placed.json()["orderID"], condition[: digits + 2]
            (row,) = trader.get(f"/data/orders?market={market}").json()["data"]
            assert row["id"] == order_id
            done = trader.request("DELETE", "/cancel-market-orders", {"market": market}).json()
            assert done["canceled"] == [order_id]


class TestEnds:
    def test_a_market_that_resolves_cancels_what_rests_in_it(self, trader: Trader, book: BookView) -> None:
        order_id = rest(trader, book)
        trader.sandbox.call(lambda: trader.sandbox.world.resolve(book.condition_id, (500_000, 500_000)))
        assert status(trader, order_id) == "CANCELED_MARKET_RESOLVED"
        assert trader.sandbox.world.reserved(trader.account.wallet) == 0

    def test_money_that_goes_takes_the_newest_orders_with_it(self, trader: Trader, book: BookView) -> None:
        ids = [rest(trader, book) for _ in range(3)]  # half a pUSD each
        wallet = trader.account.wallet
        body = {"wallet": wallet, "change": "-9998.9"}
        panel = trader.http.post(f"{trader.sandbox.url}/sandbox/balances", json=body)
        assert panel.json() == {"wallet": wallet, "balance": "1.1"}
        assert [status(trader, order_id) for order_id in ids] == [
            "LIVE",
            "LIVE",
            "CANCELED_NOT_ENOUGH_BALANCE",
        ]
        assert trader.sandbox.world.reserved(wallet) == MILLION
        more = {"wallet": wallet, "change": "-1.2"}
        assert trader.http.post(f"{trader.sandbox.url}/sandbox/balances", json=more).status_code == 409

    def test_complete_sets_may_be_made_of_reserved_money(self, trader: Trader, book: BookView) -> None:
        order_id, wallet = rest(trader, book), trader.account.wallet
        everything = trader.sandbox.world.balance(wallet)
        trader.sandbox.call(lambda: trader.sandbox.world.split(wallet, book.condition_id, everything))
        assert status(trader, order_id) == "CANCELED_NOT_ENOUGH_BALANCE"

    def test_shares_that_go_take_the_sells_with_them(self, trader: Trader, book: BookView) -> None:
        wallet, world = trader.account.wallet, trader.sandbox.world
        trader.sandbox.call(lambda: world.split(wallet, book.condition_id, 20 * MILLION))
        order_id = trader.place(book.token_id, "SELL", 990_000, 20 * MILLION).json()["orderID"]
        body = {"wallet": wallet, "change": "-5", "token_id": book.token_id}
        answer = trader.http.post(f"{trader.sandbox.url}/sandbox/balances", json=body)
        assert answer.json()["balance"] == "15"
        assert status(trader, order_id) == "CANCELED_NOT_ENOUGH_BALANCE"
        back = body | {"change": 7.5}
        answer = trader.http.post(f"{trader.sandbox.url}/sandbox/balances", json=back)
        assert answer.json()["balance"] == "22.5"
        held = {view.token_id: view.shares_e6 for view in world.positions(wallet)}
        assert held[book.token_id] == 22_500_000
        world.ledger.check((view.spec.condition_id, view.spec.token_ids) for view in world.markets())

    def test_an_approval_that_is_taken_back_stops_the_next_order(
        self, trader: Trader, book: BookView
    ) -> None:
        body = {"wallet": trader.account.wallet, "spender": EXCHANGE_V2, "amount": "0"}
        trader.http.put(f"{trader.sandbox.url}/sandbox/allowances", json=body)
        text = error(trader.place(book.token_id, "BUY", 50_000, SHARES))
        assert f"the allowance is not enough -> spender: {EXCHANGE_V2}, allowance: 0" in text
        body["amount"] = None  # type: ignore[assignment]
        trader.http.put(f"{trader.sandbox.url}/sandbox/allowances", json=body)
        rest(trader, book)

    @pytest.mark.parametrize(
        ("path", "body"), [("/v1/heartbeats", {"heartbeat_id": ""}), ("/heartbeats", {})]
    )
    def test_a_key_that_stops_beating_loses_its_orders(
        self, trader: Trader, book: BookView, clock: FakeClock, path: str, body: dict[str, str]
    ) -> None:
        order_id = rest(trader, book)
        assert trader.request("POST", path, body).status_code == 200
        sweep = trader.sandbox.app.heartbeats.sweep
        clock.advance(seconds=SILENCE_S)
        trader.sandbox.call(sweep)
        assert status(trader, order_id) == "LIVE"
        clock.advance(seconds=1)
        trader.sandbox.call(sweep)
        assert status(trader, order_id) == "CANCELED"


class TestPersons:
    def dispose(self, trader: Trader, **wanted: object) -> None:
        answer = trader.http.put(f"{trader.sandbox.url}/sandbox/venue", json=wanted)
        assert answer.status_code == 200, answer.text

    def test_closed_only_sells_and_a_banned_key_does_neither(self, trader: Trader, book: BookView) -> None:
        address, world = trader.account.address, trader.sandbox.world
        trader.sandbox.call(lambda: world.split(trader.account.wallet, book.condition_id, SHARES))
        self.dispose(trader, closed_only=[address])
        assert trader.get("/auth/ban-status/closed-only").json() == {"closed_only": True}
        refused = trader.place(book.token_id, "BUY", 50_000, SHARES)
        assert error(refused) == f"'{address}' address in closed only mode"
        assert trader.place(book.token_id, "SELL", 990_000, SHARES).json()["status"] == "live"
        self.dispose(trader, closed_only=[], banned=[address])
        refused = trader.place(book.token_id, "SELL", 980_000, SHARES)
        assert error(refused) == f"'{address}' address banned"
        assert len(trader.request("DELETE", "/cancel-all").json()["canceled"]) == 1


class TestRates:
    def dispose(self, trader: Trader, **wanted: object) -> None:
        trader.http.put(f"{trader.sandbox.url}/sandbox/venue", json=wanted)

    def test_without_a_wish_nothing_is_counted(self, trader: Trader, book: BookView) -> None:
        answer = trader.place(book.token_id, "BUY", 50_000, SHARES)
        assert not [name for name in answer.headers if name.startswith("poly-")]

    def test_a_batch_is_all_or_nothing_and_the_bucket_fills_again(
        self, trader: Trader, book: BookView, clock: FakeClock
    ) -> None:
        self.dispose(trader, rate_limits="enforced", tier="standard")
        batch = [trader.payload(book.token_id, "BUY", 50_000, SHARES) for _ in range(15)]
        for left in (45, 30, 15, 0):
            answer = trader.request("POST", "/orders", batch)
            assert answer.headers["poly-ratelimit-remaining"] == str(left)
            assert answer.headers["poly-ratelimit-tier"] == "standard"
        refused = trader.request("POST", "/orders", batch)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        clock.advance(seconds=0.25)
        assert trader.request("POST", "/orders", batch[:11]).status_code == 429
        assert trader.request("POST", "/orders", batch[:10]).status_code == 200

    def test_all_keys_of_a_signer_share_a_bucket_and_cancels_have_their_own(
        self, trader: Trader, book: BookView
    ) -> None:
        self.dispose(trader, rate_limits="enforced", tier="standard")
        batch = [trader.payload(book.token_id, "BUY", 50_000, SHARES) for _ in range(15)]
        for _ in range(4):
            trader.request("POST", "/orders", batch)
        answer = trader.request("DELETE", "/cancel-all")
        assert answer.headers["poly-ratelimit-remaining"] == "119"
        answer = trader.request("DELETE", "/order", {"orderID": "0x1"})
        assert answer.headers["poly-ratelimit-remaining"] == "103"  # the sweep took what it cancelled

    def test_in_warning_mode_nothing_is_refused(self, trader: Trader, book: BookView) -> None:
        self.dispose(trader, rate_limits="warning", tier="standard")
        batch = [trader.payload(book.token_id, "BUY", 50_000, SHARES) for _ in range(15)]
        answers = [trader.request("POST", "/orders", batch) for _ in range(5)]
        assert {answer.status_code for answer in answers} == {200}
        assert [answer.headers.get("poly-ratelimit-warning") for answer in answers] == [None] * 4 + ["true"]
