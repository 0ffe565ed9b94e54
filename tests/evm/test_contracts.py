"""The local chain's contracts: the real ConditionalTokens, and doubles that do what the venue's do."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from eth_account import Account

from polyb0t.core.practice import practice_key
from polyb0t.sandbox.abi import call_data
from polyb0t.sandbox.chain.genesis import (
    OPERATOR,
    act_as,
    make_deposit_wallet,
    own_code,
    read,
    send,
    token_balance,
)
from polyb0t.sandbox.contracts import BRIDGED_USDC, CONTRACTS, ORACLE, WRAPPED_COLLATERAL
from polyb0t.sandbox.ctf_ids import condition_id, token_ids
from polyb0t.sandbox.node import Node, NodeError
from polyb0t.sandbox.wallets import deposit_wallet
from tests.evm.conftest import absent

PROJECT = Path(__file__).resolve().parents[2]
CTF, PUSD = CONTRACTS["conditional_tokens"], CONTRACTS["collateral"]
QUESTION = "0x" + "51" * 32
CONDITION = condition_id(ORACLE, QUESTION)
WALLET = "0x00000000000000000000000000000000000a0001"
ADAPTERS = {
    "standard": (CONTRACTS["collateral_adapter"], BRIDGED_USDC),
    "neg-risk": (CONTRACTS["neg_risk_collateral_adapter"], WRAPPED_COLLATERAL),
}


def test_the_compiled_form_is_that_of_the_source() -> None:
    node = shutil.which("node")
    if node is None or not (PROJECT / "node_modules/solc").is_dir():
        absent("node and the compiler, which `make install` brings where npm is present")
    command = [node, "scripts/compile_contracts.mjs", "polyb0t/sandbox/chain/contracts"]
    compiled = subprocess.run(command, cwd=PROJECT, capture_output=True, check=True, text=True)

    assert json.loads(compiled.stdout) == own_code()


@pytest.mark.parametrize("question", [f"0x{number:064x}" for number in (1, 2, 3, 99, 2**255)])
@pytest.mark.parametrize("collateral", [BRIDGED_USDC, WRAPPED_COLLATERAL])
def test_our_ids_are_the_contracts_own(chain: Node, question: str, collateral: str) -> None:
    condition = condition_id(ORACLE, question)
    raw = bytes.fromhex(condition[2:])
    asked = call_data("getConditionId(address,bytes32,uint256)", ORACLE, bytes.fromhex(question[2:]), 2)

    assert read(chain, CTF, asked, "bytes32") == (raw,)
    for index_set, token in zip((1, 2), token_ids(collateral, condition), strict=True):
        collect = call_data("getCollectionId(bytes32,bytes32,uint256)", bytes(32), raw, index_set)
        (collection,) = read(chain, CTF, collect, "bytes32")
        position = call_data("getPositionId(address,bytes32)", collateral, collection)
        assert read(chain, CTF, position, "uint256") == (int(token),)


def prepare(chain: Node) -> None:
    raw = bytes.fromhex(QUESTION[2:])
    send(chain, ORACLE, CTF, call_data("prepareCondition(address,bytes32,uint256)", ORACLE, raw, 2))


def report(chain: Node, *payouts: int) -> None:
    raw = bytes.fromhex(QUESTION[2:])
    send(chain, ORACLE, CTF, call_data("reportPayouts(bytes32,uint256[])", raw, payouts))


def adapter_call(function: str, *amount: int) -> str:
    types = "address,bytes32,bytes32,uint256[]" + ",uint256" * len(amount)
    arguments = (PUSD, bytes(32), bytes.fromhex(CONDITION[2:]), [1, 2], *amount)
    return call_data(f"{function}({types})", *arguments)


def rich_wallet(chain: Node, adapter: str, *, shares: int) -> None:
    """A wallet with 100 pUSD of which `shares` millionths became complete sets."""
    act_as(chain, WALLET)
    send(chain, WALLET, PUSD, call_data("mint(address,uint256)", WALLET, 100_000_000))
    send(chain, WALLET, PUSD, call_data("approve(address,uint256)", adapter, 2**256 - 1))
    send(chain, WALLET, adapter, adapter_call("splitPosition", shares))
    send(chain, WALLET, CTF, call_data("setApprovalForAll(address,bool)", adapter, True))


@pytest.mark.parametrize("kind", ADAPTERS)
@pytest.mark.parametrize(("payouts", "paid"), [((1, 0), 40), ((0, 1), 15), ((1, 1), 27.5)])
def test_a_redemption_pays_what_the_result_says(
    chain: Node, kind: str, payouts: tuple[int, int], paid: float
) -> None:
    adapter, collateral = ADAPTERS[kind]
    prepare(chain)
    rich_wallet(chain, adapter, shares=40_000_000)
    _yes, no = token_ids(collateral, CONDITION)
    away = call_data(
        "safeTransferFrom(address,address,uint256,uint256,bytes)", WALLET, ORACLE, int(no), 25_000_000, b""
    )
    send(chain, WALLET, CTF, away)
    report(chain, *payouts)
    before = token_balance(chain, PUSD, WALLET)

    receipt = send(chain, WALLET, adapter, adapter_call("redeemPositions"))

    assert receipt["status"] == "0x1"
    assert token_balance(chain, PUSD, WALLET) - before == int(paid * 1_000_000)
    assert token_balance(chain, CTF, WALLET, no) == 0


def test_nothing_is_paid_before_a_result_and_nothing_twice(chain: Node) -> None:
    adapter, _ = ADAPTERS["standard"]
    prepare(chain)
    rich_wallet(chain, adapter, shares=40_000_000)

    with pytest.raises(NodeError, match="result for condition not received yet"):
        read(chain, adapter, adapter_call("redeemPositions"), "", sender=WALLET)

    report(chain, 1, 0)
    send(chain, WALLET, adapter, adapter_call("redeemPositions"))
    send(chain, WALLET, adapter, adapter_call("redeemPositions"))
    assert token_balance(chain, PUSD, WALLET) == 100_000_000


def test_a_position_of_protocol_v2_is_paid_by_the_router(chain: Node) -> None:
    condition = bytes.fromhex("017791f201d5a788e0039e511fc1900e5f" + "00" * 14)
    router, manager = CONTRACTS["router"], CONTRACTS["position_manager"]
    act_as(chain, WALLET)
    send(chain, WALLET, PUSD, call_data("mint(address,uint256)", WALLET, 10_000_000))
    send(chain, WALLET, PUSD, call_data("approve(address,uint256)", router, 10_000_000))
    send(chain, WALLET, router, call_data("split(bytes31,uint256)", condition, 10_000_000))
    send(chain, WALLET, manager, call_data("setApprovalForAll(address,bool)", router, True))
    send(chain, ORACLE, manager, call_data("report(bytes31,uint256,uint256)", condition, 1_000_000, 0))

    for outcome in (0, 1):
        send(
            chain,
            WALLET,
            router,
            call_data("redeem(bytes31,uint256,uint256)", condition, outcome, 10_000_000),
        )

    assert token_balance(chain, PUSD, WALLET) == 10_000_000
    assert token_balance(chain, manager, WALLET, str(int.from_bytes(condition, "big") << 8)) == 0


BATCH_TYPES = {
    "Batch": [
        {"name": "wallet", "type": "address"},
        {"name": "nonce", "type": "uint256"},
        {"name": "deadline", "type": "uint256"},
        {"name": "calls", "type": "Call[]"},
    ],
    "Call": [
        {"name": "target", "type": "address"},
        {"name": "value", "type": "uint256"},
        {"name": "data", "type": "bytes"},
    ],
}
FOREVER = 2**40


def signed_batch(key: str, wallet: str, target: str, data: bytes) -> bytes:
    """The owner's signature of one call from a deposit wallet that did nothing yet."""
    calls = [{"target": target, "value": 0, "data": data}]
    domain = {"name": "DepositWallet", "version": "1", "chainId": 137, "verifyingContract": wallet}
    message = {"wallet": wallet, "nonce": 0, "deadline": FOREVER, "calls": calls}
    return bytes(Account.sign_typed_data(key, domain, BATCH_TYPES, message).signature)


def test_a_deposit_wallet_acts_by_the_operator_with_its_owners_signature_once(chain: Node) -> None:
    key = practice_key(0)
    owner: str = Account.from_key(key).address
    wallet, factory = deposit_wallet(owner), CONTRACTS["deposit_wallet_factory"]
    make_deposit_wallet(chain, wallet, owner)
    act_as(chain, owner)
    send(chain, ORACLE, PUSD, call_data("mint(address,uint256)", wallet, 5_000_000))
    gift = bytes.fromhex(call_data("transfer(address,uint256)", WALLET, 5_000_000)[2:])
    batch = (wallet, 0, FOREVER, [(PUSD, 0, gift)])
    proxy = "proxy((address,uint256,uint256,(address,uint256,bytes)[])[],bytes[])"
    signed, forged = (
        call_data(proxy, [batch], [signed_batch(by, wallet, PUSD, gift)]) for by in (key, practice_key(1))
    )

    assert send(chain, owner, factory, signed)["status"] == "0x0"  # an owner cannot pass by himself
    assert send(chain, OPERATOR, factory, forged)["status"] == "0x0"
    assert send(chain, OPERATOR, factory, signed)["status"] == "0x1"
    assert send(chain, OPERATOR, factory, signed)["status"] == "0x0"  # its nonce is used
    assert token_balance(chain, PUSD, WALLET) == 5_000_000
