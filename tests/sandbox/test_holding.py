"""Crypto markets hold a marketable order for a moment, inside the request that brought it."""

from collections.abc import Iterator
from time import monotonic

import pytest

from polyb0t.sandbox.holding import hold_ms
from polyb0t.sandbox.kinds import ITODE_MS
from polyb0t.sandbox.types import MarketView
from polyb0t.sandbox.world import World
from tests.sandbox.worlds import NOON_MS
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.trader import Trader


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(kinds=["itode", "delayed"], markets=0) as running:
        yield running


@pytest.fixture
def trader(sandbox: RunningSandbox) -> Iterator[Trader]:
    trader = Trader(sandbox, sandbox.account())
    yield trader
    trader.http.close()


def crypto(sandbox: RunningSandbox) -> MarketView:
    return next(view for view in sandbox.world.markets() if view.spec.kind == "itode")


def test_the_call_waits_and_its_answer_is_final(sandbox: RunningSandbox, trader: Trader) -> None:
    view = crypto(sandbox)
    token, best = view.spec.token_ids[0], view.best_ask_e6 or 0
    begun = monotonic()
    answer = trader.place(token, "BUY", best, 10_000_000).json()
    assert answer["status"] == "matched"
    assert monotonic() - begun >= ITODE_MS / 1_000
    begun = monotonic()
    assert trader.place(token, "BUY", best - 20_000, 10_000_000).json()["status"] == "live"
    assert monotonic() - begun < ITODE_MS / 1_000, "an order that rests does not wait"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"order":5}', b'{"order":{"tokenId":"1","makerAmount":"1","takerAmount":"1","side":"BUY"}}'],
)  # fmt: skip
def test_what_cannot_be_read_waits_for_nothing(sandbox: RunningSandbox, body: bytes) -> None:
    assert hold_ms(sandbox.world, "POST", "/clob/order", body) == 0
    assert hold_ms(sandbox.world, "POST", "/clob/orders", body) == 0


@pytest.mark.parametrize("amount", ["-5", "x", "0", "9" * 30, "१"])
def test_amounts_that_are_none(sandbox: RunningSandbox, amount: str) -> None:
    token = crypto(sandbox).spec.token_ids[0]
    body = (
        f'{{"order":{{"tokenId":"{token}","makerAmount":"{amount}","takerAmount":"{amount}","side":"SELL"}}}}'
    )
    assert hold_ms(sandbox.world, "POST", "/clob/order", body.encode()) in (0, ITODE_MS)


def test_a_batch_waits_once() -> None:
    world = World(start_ms=NOON_MS, seed=7, markets=0, kinds=["itode"], accounts=0)
    token = world.markets()[0].spec.token_ids[0]
    leg = f'{{"order":{{"tokenId":"{token}","makerAmount":"9000000","takerAmount":"10000000","side":"BUY"}}}}'
    assert hold_ms(world, "POST", "/clob/orders", f"[{leg},{leg}]".encode()) == ITODE_MS
    assert hold_ms(world, "GET", "/clob/orders", f"[{leg}]".encode()) == 0


def test_a_sports_market_answers_delayed_at_once(sandbox: RunningSandbox, trader: Trader) -> None:
    view = next(view for view in sandbox.world.markets() if view.spec.kind == "delayed")
    token, best = view.spec.token_ids[0], view.best_ask_e6 or 0
    answer = trader.place(token, "BUY", best, 10_000_000).json()
    assert (answer["status"], answer["tradeIDs"]) == ("delayed", [])
    refused = trader.request("DELETE", "/order", {"orderID": answer["orderID"]}).json()
    assert "delayed" in refused["not_canceled"][answer["orderID"]]
    sandbox.step(3_000)
    assert sandbox.world.order(answer["orderID"]).status == "MATCHED"  # type: ignore[union-attr]
