"""The chain as a client of the real one meets it, behind the sandbox's port."""

import json
from typing import Any

import pytest
from eth_account import Account

from polyb0t.sandbox.node import Node
from polyb0t.sandbox.rpc_door import add_routes
from polyb0t.sandbox.wire import Request, Router
from polyb0t.sandbox.world import World
from tests.evm.test_mirror import PLAIN, Both
from tests.sandbox.worlds import NOON_MS


def ask(world: World, body: object) -> tuple[int, Any]:
    router = Router()
    add_routes(router, world)
    reply = router.answer(Request("POST", "/rpc", "", {}, json.dumps(body).encode()))
    return reply.status, json.loads(reply.body)


def call(world: World, method: str, *params: object) -> Any:
    status, answer = ask(world, {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
    assert status == 200
    return answer.get("result", answer.get("error"))


@pytest.fixture
def both(chain: Node) -> Both:
    return Both(chain)


def test_an_owners_signed_redemption_is_in_the_books_with_its_block(both: Both) -> None:
    both.resolve(PLAIN)
    owner = both.world.accounts[0]
    ((target, data),) = both.redeem(PLAIN)
    signed = Account.sign_transaction(
        {
            "chainId": int(call(both.world, "eth_chainId"), 16),
            "nonce": int(call(both.world, "eth_getTransactionCount", owner.address, "pending"), 16),
            "to": target,
            "data": data,
            "value": 0,
            "gas": 400_000,
            "maxFeePerGas": 200 * 10**9,
            "maxPriorityFeePerGas": 30 * 10**9,
        },
        owner.key,
    )
    before = both.world.balance(both.owner)

    transaction = call(both.world, "eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
    both.node.call("evm_mine")
    both.mirror.tick()

    assert call(both.world, "eth_getTransactionReceipt", transaction)["status"] == "0x1"
    assert both.world.balance(both.owner) - before == 100_000_001


@pytest.mark.parametrize("method", ["anvil_setBalance", "evm_revert", "eth_sendTransaction", "eth_sign"])
def test_what_only_the_chains_owner_may_do_is_refused(both: Both, method: str) -> None:
    assert call(both.world, method)["code"] == -32601


def test_several_calls_at_once_and_a_revert_with_its_reason(both: Both) -> None:
    ((target, data),) = both.redeem(PLAIN)
    order = {"from": both.owner, "to": target, "data": data}
    asked = [
        {"jsonrpc": "2.0", "id": 7, "method": "eth_chainId"},
        {"jsonrpc": "2.0", "id": 8, "method": "eth_call", "params": [order, "latest"]},
    ]

    _, (first, second) = ask(both.world, asked)

    assert (first["id"], first["result"]) == (7, "0x89")
    assert second["id"] == 8
    assert "revert" in second["error"]["message"]


def test_without_a_chain_the_door_says_so() -> None:
    world = World(start_ms=NOON_MS, markets=[PLAIN], crowd=False, accounts=1)

    assert ask(world, {"id": 1, "method": "eth_chainId"})[0] == 404
