"""The operator's side: the clock, resolutions, determinism, and recorded markets on the wire."""

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from polyb0t.core.clock import milliseconds
from polyb0t.sandbox.contracts import NEG_RISK_EXCHANGE_V2
from polyb0t.sandbox.importer import import_directory
from polyb0t.sandbox.world import World
from tests.support.clock import FakeClock
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.shared import shared_path
from tests.support.trader import Trader, tradable_book


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=6) as running:
        yield running


def post(sandbox: RunningSandbox, path: str, body: object) -> httpx.Response:
    return httpx.post(f"{sandbox.url}/sandbox/{path}", json=body, trust_env=False)


def test_a_paused_clock_moves_only_when_it_is_stepped(sandbox: RunningSandbox) -> None:
    before = httpx.get(f"{sandbox.url}/sandbox/clock", trust_env=False).json()
    assert before["paused"] is True
    after = post(sandbox, "clock", {"step_ms": 1500}).json()
    assert after["now_ms"] == before["now_ms"] + 1500
    assert post(sandbox, "clock", {"resume": True}).json()["paused"] is False
    assert post(sandbox, "clock", {"step_ms": 1}).status_code == 409
    assert post(sandbox, "clock", {"pause": True}).json()["paused"] is True


@pytest.mark.parametrize(
    "body", [{}, {"step_ms": -1}, {"step_ms": "soon"}, {"hurry": True}, [], {"step_ms": 10**12}]
)
def test_a_senseless_clock_order_is_refused(sandbox: RunningSandbox, body: object) -> None:
    now_ms = sandbox.world.now_ms
    assert post(sandbox, "clock", body).status_code == 400
    assert sandbox.world.now_ms == now_ms


def test_a_running_clock_follows_the_wall(sandbox: RunningSandbox) -> None:
    now_ms = sandbox.world.now_ms
    sandbox.world.resume()
    seen = now_ms
    while seen == now_ms:
        seen = httpx.get(f"{sandbox.url}/sandbox/clock", trust_env=False).json()["now_ms"]
    assert abs(seen - milliseconds(sandbox.app.clock.now())) < 5_000


def test_same_seed_steps_and_requests_give_the_same_state() -> None:
    def lived() -> tuple[str, str]:
        clock = FakeClock(datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
        with running_sandbox(seed=3, markets=6, clock=clock) as sandbox:
            trader = Trader(sandbox, sandbox.account())
            book = tradable_book(sandbox)
            for _ in range(5):
                body = trader.payload(book.token_id, "BUY", 50_000, 10_000_000, salt=_ + 1)
                assert trader.request("POST", "/order", body).status_code == 200
                post(sandbox, "clock", {"step_ms": 20_000})
            state = httpx.get(f"{sandbox.url}/sandbox/state", trust_env=False).json()
            trader.http.close()
            return state["hash"], state["world_id"]

    first, second = lived(), lived()
    assert first[0] == second[0]
    assert first[1] != second[1]


def test_a_resolved_market_pays_closes_and_says_so_everywhere(sandbox: RunningSandbox) -> None:
    trader = Trader(sandbox, sandbox.account())
    book = tradable_book(sandbox)
    bought = trader.spend(book.token_id, 10_000_000, book.asks[-1][0]).json()
    resting = trader.place(book.token_id, "BUY", 50_000, 10_000_000).json()["orderID"]
    sandbox.step(30_000)
    answer = post(sandbox, f"markets/{book.condition_id}/resolve", {"payouts": ["1", "0"]})
    assert answer.json()["payouts_e6"] == [1_000_000, 0]
    assert post(sandbox, f"markets/{book.condition_id}/resolve", {"payouts": [1, 0]}).status_code == 409
    with httpx.Client(base_url=sandbox.url, trust_env=False) as http:
        assert http.get("/clob/book", params={"token_id": book.token_id}).status_code == 404
        assert http.post("/clob/books", json=[{"token_id": book.token_id}]).json() == []
        query = {"condition_ids": book.condition_id}
        assert http.get("/gamma/markets/keyset", params=query).json()["markets"] == []
        (market,) = http.get("/gamma/markets/keyset", params=query | {"closed": "true"}).json()["markets"]
        assert (market["closed"], market["outcomePrices"]) == (True, '["1", "0"]')
        (resolution,) = http.get("/data/v2/resolutions", params={"condition": book.condition_id}).json()[
            "data"
        ]
        assert (resolution["status"], resolution["payouts"]) == ("resolved", [1_000_000, 0])
        (held,) = http.get("/data/v2/positions", params={"user": trader.account.wallet}).json()["data"]
        assert (held["status"], held["redeemable"], held["current_price"]) == ("REDEEMABLE", True, 1)
        assert str(held["current_value"]) == bought["takingAmount"]
        value = http.get("/data/v2/value", params={"user": trader.account.wallet}).json()["data"]
        assert value["value"] == held["current_value"]
    assert trader.get(f"/data/order/{resting}").json()["status"] == "CANCELED_MARKET_RESOLVED"
    trader.http.close()


@pytest.mark.parametrize(
    "payouts", [["1"], ["1", "1"], ["-1", "2"], ["a", "b"], ["0.3333333", "0.6666667"], "no"]
)
def test_payouts_share_out_exactly_one(sandbox: RunningSandbox, payouts: object) -> None:
    book = tradable_book(sandbox)
    assert post(sandbox, f"markets/{book.condition_id}/resolve", {"payouts": payouts}).status_code == 400
    assert post(sandbox, "markets/0x00/resolve", {"payouts": [1, 0]}).status_code == 404
    assert sandbox.world.market(book.condition_id).closed is False


def test_activity_and_trades_of_a_wallet_are_public(sandbox: RunningSandbox) -> None:
    trader = Trader(sandbox, sandbox.account())
    book = tradable_book(sandbox)
    trader.spend(book.token_id, 10_000_000, book.asks[-1][0])
    sandbox.step(30_000)
    wallet = {"user": trader.account.wallet}
    with httpx.Client(base_url=f"{sandbox.url}/data", trust_env=False) as http:
        (trade,) = http.get("/v2/activity", params=wallet | {"type": "TRADE"}).json()["data"]
        assert (trade["side"], trade["token_id"], trade["usdc_size"]) == ("BUY", book.token_id, 10)
        (seen,) = http.get("/v2/trades", params=wallet).json()["data"]
        assert seen["transaction_hash"] == trade["transaction_hash"]
        assert http.get("/v2/trades", params={"condition": book.condition_id}).json()["data"]
        approvals = http.get("/v2/approvals", params=wallet).json()["data"]["contracts"]
        assert all(row["approved"] for row in approvals)
    trader.http.close()


def test_recorded_markets_keep_their_ids_and_trade_under_the_neg_risk_exchange() -> None:
    folder = shared_path("recorded")
    clock = FakeClock(datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
    now_ms = milliseconds(clock.now())
    imported = import_directory(folder, now_ms=now_ms).specs
    world = World(seed=1, markets=0, imported=imported, start_ms=now_ms)
    with running_sandbox(world=world, clock=clock) as sandbox:
        event = next(spec for spec in imported if "fed-decision" in spec.event_slug and spec.neg_risk)
        with httpx.Client(base_url=sandbox.url, trust_env=False) as http:
            page = http.get("/gamma/markets/keyset", params={"condition_ids": event.condition_id}).json()
            assert page["markets"][0]["negRisk"] is True
            assert page["markets"][0]["question"] == event.question
            terms = http.get(f"/clob/clob-markets/{event.condition_id}").json()
            assert (terms["nr"], terms["t"][0]["t"]) == (True, event.token_ids[0])
            book = http.get("/clob/book", params={"token_id": event.token_ids[0]}).json()
            assert book["neg_risk"] is True
        trader = Trader(sandbox, sandbox.account())
        tick = sandbox.world.market(event.condition_id).tick_e6
        wrong = trader.place(event.token_ids[0], "BUY", tick, 10_000_000)
        assert wrong.json()["error"] == "invalid signature"
        right = trader.place(event.token_ids[0], "BUY", tick, 10_000_000, contract=NEG_RISK_EXCHANGE_V2)
        assert right.json()["status"] == "live"
        trader.http.close()
