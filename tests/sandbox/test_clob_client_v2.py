"""The vendor's former client, a second implementation of signing and headers, against the sandbox."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest

from polyb0t.sandbox.contracts import CHAIN_ID
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.trader import tradable_book

client_module = pytest.importorskip("py_clob_client_v2", reason="the second signer is a development tool")


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSandbox]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with running_sandbox(markets=12) as running:
        yield running


@pytest.fixture
def client(sandbox: RunningSandbox) -> Any:
    account = sandbox.account()
    client = client_module.ClobClient(host=sandbox.urls()["clob"], chain_id=CHAIN_ID, key=account.key)
    client.set_api_creds(client.create_or_derive_api_key())
    return client


def test_credentials_book_order_and_cancel(sandbox: RunningSandbox, client: Any) -> None:
    book = tradable_book(sandbox)
    assert client.get_order_book(book.token_id)["asset_id"] == book.token_id
    args = client_module.OrderArgs(token_id=book.token_id, price=0.05, size=10, side=client_module.Side.BUY)
    placed = client.create_and_post_order(args)
    assert placed["status"] == "live"
    assert client.get_order(placed["orderID"])["status"] == "LIVE"
    assert [one["id"] for one in client.get_open_orders()] == [placed["orderID"]]
    cancelled = client.cancel_order(client_module.OrderPayload(orderID=placed["orderID"]))
    assert cancelled["canceled"] == [placed["orderID"]]


def test_a_market_order_fills(sandbox: RunningSandbox, client: Any) -> None:
    book = tradable_book(sandbox)
    args = client_module.MarketOrderArgs(
        token_id=book.token_id, amount=10, side=client_module.Side.BUY, price=book.asks[-1][0] / 1_000_000
    )
    with ThreadPoolExecutor(1) as apart:
        order = apart.submit(
            client.create_and_post_market_order, args, order_type=client_module.OrderType.FAK
        )
        while not wait([order], timeout=0.1).done:  # it asks until its trades are on the chain
            sandbox.step(1_000)
    placed = order.result()
    assert placed["status"] == "matched"
    assert len(placed["transactionsHashes"]) == len(placed["tradeIDs"])
    assert [trade["id"] for trade in client.get_trades()] == placed["tradeIDs"]
