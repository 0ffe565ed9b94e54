"""Two accounts that trade with each other, without a crowd: what maker and taker each read back."""

from collections.abc import Iterator

import httpx
import pytest

from polyb0t.sandbox.heartbeats import SILENCE_S, Heartbeats
from polyb0t.sandbox.types import MarketView
from tests.support.clock import FakeClock
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.trader import Trader


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=1, crowd=False) as running:
        yield running


@pytest.fixture
def market(sandbox: RunningSandbox) -> MarketView:
    return sandbox.world.markets()[0]


@pytest.fixture
def maker(sandbox: RunningSandbox) -> Iterator[Trader]:
    trader = Trader(sandbox, sandbox.account(0))
    yield trader
    trader.http.close()


@pytest.fixture
def taker(sandbox: RunningSandbox) -> Iterator[Trader]:
    trader = Trader(sandbox, sandbox.account(1))
    yield trader
    trader.http.close()


def test_a_buy_of_yes_meets_a_buy_of_no_and_both_read_the_trade_from_their_side(
    sandbox: RunningSandbox, market: MarketView, maker: Trader, taker: Trader
) -> None:
    yes, no = market.spec.token_ids
    resting = maker.place(yes, "BUY", 450_000, 20_000_000).json()["orderID"]
    filled = taker.place(no, "BUY", 560_000, 20_000_000).json()
    assert (filled["status"], filled["takingAmount"], filled["makingAmount"]) == ("matched", "20", "11")
    (theirs,) = taker.get("/data/trades").json()["data"]
    (ours,) = maker.get("/data/trades").json()["data"]
    assert theirs["id"] == ours["id"] == filled["tradeIDs"][0]
    assert (theirs["trader_side"], ours["trader_side"]) == ("TAKER", "MAKER")
    assert (theirs["asset_id"], theirs["price"], theirs["side"]) == (no, "0.55", "BUY")
    (fill,) = ours["maker_orders"]
    assert (fill["order_id"], fill["asset_id"]) == (resting, yes)
    assert (fill["price"], fill["matched_amount"], fill["side"]) == ("0.45", "20", "BUY")
    order = maker.get(f"/data/order/{resting}").json()
    assert (order["status"], order["size_matched"]) == ("MATCHED", "20")
    assert order["associate_trades"] == [ours["id"]]
    sandbox.step(30_000)
    for trader, token in ((maker, yes), (taker, no)):
        held = trader.get(f"/balance-allowance?asset_type=CONDITIONAL&token_id={token}").json()
        assert held["balance"] == "20000000"
    assert maker.get("/balance-allowance?asset_type=COLLATERAL").json()["balance"] == "9991000000"


def test_the_book_shows_an_order_at_once_and_forgets_it_at_once(
    sandbox: RunningSandbox, market: MarketView, maker: Trader
) -> None:
    params = {"token_id": market.spec.token_ids[0]}

    def bids() -> list[dict[str, str]]:
        book = httpx.get(f"{sandbox.url}/clob/book", params=params, trust_env=False).json()
        found: list[dict[str, str]] = book["bids"]
        return found

    assert bids() == []
    maker.place(params["token_id"], "BUY", 450_000, 20_000_000)
    assert bids() == [{"price": "0.45", "size": "20"}]
    maker.request("DELETE", "/cancel-all")
    assert bids() == []


def test_trades_can_be_asked_for_by_market_token_time_and_id(
    market: MarketView, maker: Trader, taker: Trader
) -> None:
    yes, no = market.spec.token_ids
    maker.place(yes, "BUY", 450_000, 20_000_000)
    assert "not enough balance" in taker.place(yes, "SELL", 450_000, 5_000_000).json()["error"]
    trade = taker.place(no, "BUY", 550_000, 5_000_000).json()["tradeIDs"][0]

    def found(query: str) -> list[str]:
        return [row["id"] for row in maker.get(f"/data/trades?{query}").json()["data"]]

    assert found(f"id={trade}") == found(f"market={market.spec.condition_id}") == [trade]
    assert (
        found(f"asset_id={yes}")
        == found("after=1")
        == found(f"maker_address={maker.account.wallet}")
        == [trade]
    )
    assert found("before=1") == found("id=nothing") == found(f"market=0x{'00' * 32}") == []
    assert maker.get("/data/trades?after=soon").status_code == 400


def test_a_key_that_stops_beating_loses_its_orders_and_only_its_own(
    sandbox: RunningSandbox, market: MarketView, maker: Trader, taker: Trader
) -> None:
    token = market.spec.token_ids[0]
    mine = maker.place(token, "BUY", 50_000, 10_000_000).json()["orderID"]
    other = taker.place(token, "BUY", 50_000, 10_000_000).json()["orderID"]
    clock = FakeClock()
    beats = Heartbeats(sandbox.world, clock)
    beats.beat(maker.credentials.api_key, "")
    clock.advance(seconds=SILENCE_S)
    beats.sweep()
    assert maker.get(f"/data/order/{mine}").json()["status"] == "LIVE"
    clock.advance(seconds=1)
    beats.sweep()
    assert maker.get(f"/data/order/{mine}").json()["status"] == "CANCELED"
    assert taker.get(f"/data/order/{other}").json()["status"] == "LIVE"
