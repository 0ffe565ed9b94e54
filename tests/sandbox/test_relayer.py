"""The relayer sends what a deposit wallet's owner signed: once, in order, known contracts only."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from polyb0t.core.practice import practice_key
from polyb0t.sandbox.abi import call_data
from polyb0t.sandbox.contracts import CONTRACTS
from polyb0t.sandbox.kinds import cast
from polyb0t.sandbox.relayer import add_routes, relayer_key
from polyb0t.sandbox.types import MILLION
from polyb0t.sandbox.wire import Request, Router
from polyb0t.sandbox.world import World
from tests.sandbox.worlds import NOON_MS, SPEC

PUSD, FACTORY = CONTRACTS["collateral"], CONTRACTS["deposit_wallet_factory"]
PLAIN = replace(SPEC, condition_id="0x" + "5a" * 32)
BATCH = {
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


class Client:
    """The owner of the practice deposit wallet, at the relayer's doors."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.account = next(account for account in world.accounts if account.signature_type == 3)
        self.wallet = self.account.wallet
        self.deadline_s = NOON_MS // 1_000 + 600
        self.router = Router()
        add_routes(self.router, world)

    def ask(self, method: str, path: str, body: object = None, key: str | None = None) -> tuple[int, Any]:
        address = self.account.address
        headers = {
            "relayer_api_key": relayer_key(address) if key is None else key,
            "relayer_api_key_address": address,
        }
        path, _, query = path.partition("?")
        raw = b"" if body is None else json.dumps(body).encode()
        reply = self.router.answer(Request(method, path, query, headers, raw))
        return reply.status, json.loads(reply.body)

    def nonce(self) -> int:
        path = f"/relayer/v1/account/transactions/params?address={self.account.address}&type=WALLET"
        return int(self.ask("GET", path)[1]["nonce"])

    def batch(self, *calls: tuple[str, str], nonce: int = 0, by: str = "") -> dict[str, Any]:
        """A signed submission; `by` is another key than the owner's."""
        domain = {
            "name": "DepositWallet",
            "version": "1",
            "chainId": 137,
            "verifyingContract": self.wallet,
        }
        message = {
            "wallet": self.wallet,
            "nonce": nonce,
            "deadline": self.deadline_s,
            "calls": [{"target": to, "value": 0, "data": bytes.fromhex(data[2:])} for to, data in calls],
        }
        signed = Account.sign_typed_data(by or self.account.key, domain, BATCH, message)
        return {
            "type": "WALLET",
            "from": self.account.address,
            "to": FACTORY,
            "nonce": str(nonce),
            "signature": "0x" + bytes(signed.signature).hex(),
            "metadata": "redeem",
            "depositWalletParams": {
                "depositWallet": self.wallet,
                "deadline": str(self.deadline_s),
                "calls": [{"target": to, "value": "0", "data": data} for to, data in calls],
            },
        }

    def state(self, relay_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.ask("GET", f"/relayer/v1/account/transactions/{relay_id}")[1]
        return answer

    def later(self, seconds: int = 60) -> None:
        self.world.advance_to(self.world.now_ms + seconds * 1_000)


def adapter_redeem(condition: str) -> str:
    types = "redeemPositions(address,bytes32,bytes32,uint256[])"
    return call_data(types, PUSD, bytes(32), bytes.fromhex(condition[2:]), [1, 2])


@pytest.fixture
def client() -> Client:
    """A world of a plain market, a neg-risk event and one of Protocol V2; 100 shares of all in the wallet."""
    special = [born.spec for born in cast(1, NOON_MS, ("neg_risk", "v2"))]
    world = World(start_ms=NOON_MS, seed=1, markets=[PLAIN, *special], crowd=False, accounts=1)
    client = Client(world)
    for view in world.markets():
        world.split(client.wallet, view.spec.condition_id, 100 * MILLION)
    return client


def test_a_redemption_is_accepted_sent_mined_confirmed_and_pays(client: Client) -> None:
    client.world.resolve(PLAIN.condition_id, (MILLION, 0))
    before = client.world.balance(client.wallet)

    status, answer = client.ask(
        "POST",
        "/relayer/submit",
        client.batch((CONTRACTS["collateral_adapter"], adapter_redeem(PLAIN.condition_id))),
    )

    assert (status, answer["state"]) == (200, "STATE_NEW")
    seen = set()
    for _ in range(200):
        seen.add(client.state(answer["transactionID"])["state"])
        client.world.advance_to(client.world.now_ms + 250)
    assert seen == {"STATE_NEW", "STATE_EXECUTED", "STATE_MINED", "STATE_CONFIRMED"}
    assert client.world.balance(client.wallet) - before == 100 * MILLION
    assert client.nonce() == 1


@pytest.mark.parametrize("kind", ["neg_risk", "v2"])
def test_each_kind_of_market_through_its_own_contract(client: Client, kind: str) -> None:
    spec = next(view.spec for view in client.world.markets() if view.spec.kind == kind)
    client.world.resolve(spec.condition_id, (MILLION // 2, MILLION // 2))
    if kind == "v2":
        raw = bytes.fromhex(spec.condition_id[2:-2])
        redeem = "redeem(bytes31,uint256,uint256)"
        calls = [(CONTRACTS["router"], call_data(redeem, raw, outcome, 100 * MILLION)) for outcome in (0, 1)]
    else:
        calls = [(CONTRACTS["neg_risk_collateral_adapter"], adapter_redeem(spec.condition_id))]
    before = client.world.balance(client.wallet)

    client.ask("POST", "/relayer/submit", client.batch(*calls))
    client.later()

    assert client.world.balance(client.wallet) - before == 100 * MILLION
    client.world.ledger.check(())


def test_the_other_kinds_adapter_pays_nothing_and_takes_nothing(client: Client) -> None:
    client.world.resolve(PLAIN.condition_id, (MILLION, 0))
    call = (CONTRACTS["neg_risk_collateral_adapter"], adapter_redeem(PLAIN.condition_id))
    before = client.world.balance(client.wallet)

    client.ask("POST", "/relayer/submit", client.batch(call))
    client.later()

    assert client.world.balance(client.wallet) == before
    assert client.world.balance(client.wallet, PLAIN.token_ids[0]) == 100 * MILLION


def test_a_batch_is_done_whole_or_not_at_all_and_uses_its_nonce_up(client: Client) -> None:
    client.world.resolve(PLAIN.condition_id, (MILLION, 0))
    unresolved = next(view.spec for view in client.world.markets() if view.spec.kind == "neg_risk")
    before = client.world.balance(client.wallet)
    _, answer = client.ask(
        "POST",
        "/relayer/submit",
        client.batch(
            (CONTRACTS["collateral_adapter"], adapter_redeem(PLAIN.condition_id)),
            (CONTRACTS["neg_risk_collateral_adapter"], adapter_redeem(unresolved.condition_id)),
        ),
    )

    client.later()

    ended = client.state(answer["transactionID"])
    assert ended["state"] == "STATE_FAILED"
    assert "result for condition not received yet" in ended["error_msg"]
    assert client.world.balance(client.wallet) == before
    assert client.nonce() == 1


def test_what_the_relayer_refuses(client: Client) -> None:
    call = (CONTRACTS["collateral_adapter"], adapter_redeem(PLAIN.condition_id))
    stale = ("0xADa100874d00e3331D00F2007a9c336a65009718", call[1])
    refused = {
        "call blocked: target 0xADa100874d00e3331D00F2007a9c336a65009718 not permitted": client.batch(stale),
        "batch nonce 3 does not match on-chain nonce 0": client.batch(call, nonce=3),
        "invalid signature": client.batch(call, by=practice_key(50)),
        "wallet does not belong to this account": client.batch(call) | {"from": "0x" + "11" * 20},
        "unsupported transaction type SAFE": client.batch(call) | {"type": "SAFE"},
    }
    for text, body in refused.items():
        assert client.ask("POST", "/relayer/submit", body) == (400, {"error": text})
    assert client.ask("POST", "/relayer/submit", client.batch(call), key="wrong")[0] == 401
    assert not client.world.relayed


def test_one_action_at_a_time_and_so_many_a_minute(client: Client) -> None:
    call = (CONTRACTS["conditional_tokens"], call_data("setApprovalForAll(address,bool)", FACTORY, True))
    client.ask("POST", "/relayer/submit", client.batch(call))
    busy = client.ask("POST", "/relayer/submit", client.batch(call, nonce=1))
    assert busy == (400, {"error": "wallet has in-flight action"})
    client.later(90)

    answers = [client.ask("POST", "/relayer/submit", client.batch(call, nonce=9))[0] for _ in range(26)]

    assert answers == [400] * 25 + [429]


def test_an_action_that_was_disturbed(client: Client) -> None:
    client.world.resolve(PLAIN.condition_id, (MILLION, 0))
    body = client.batch((CONTRACTS["collateral_adapter"], adapter_redeem(PLAIN.condition_id)))
    client.ask("PUT", "/sandbox/relayer", {"busy": 1, "fail": 1, "invalid": 1})

    assert client.ask("POST", "/relayer/submit", body)[1]["error"].startswith("wallet busy")
    for word in ("STATE_INVALID", "STATE_FAILED", "STATE_CONFIRMED"):
        _, answer = client.ask("POST", "/relayer/submit", body)
        client.later(20)
        assert client.state(answer["transactionID"])["state"] == word
    assert client.world.balance(client.wallet) > 0


def test_a_restart_goes_on_with_what_was_accepted(client: Client, tmp_path: Path) -> None:
    client.world.resolve(PLAIN.condition_id, (MILLION, 0))
    body = client.batch((CONTRACTS["collateral_adapter"], adapter_redeem(PLAIN.condition_id)))
    _, answer = client.ask("POST", "/relayer/submit", body)
    client.world.save(tmp_path / "world.json")

    again = Client(World.load(tmp_path / "world.json"))
    again.later()

    assert again.state(answer["transactionID"])["state"] == "STATE_CONFIRMED"
    assert again.nonce() == 1
    assert again.world.balance(again.wallet, PLAIN.token_ids[0]) == 0


def test_without_an_approval_nothing_is_redeemed(client: Client) -> None:
    client.world.resolve(PLAIN.condition_id, (MILLION, 0))
    adapter = CONTRACTS["collateral_adapter"]
    client.world.set_allowance(client.wallet, adapter, 0, PLAIN.token_ids[0])
    redeem = (adapter, adapter_redeem(PLAIN.condition_id))
    _, answer = client.ask("POST", "/relayer/submit", client.batch(redeem))
    client.later()
    assert client.state(answer["transactionID"])["state"] == "STATE_FAILED"

    approve = (CONTRACTS["conditional_tokens"], call_data("setApprovalForAll(address,bool)", adapter, True))
    _, answer = client.ask("POST", "/relayer/submit", client.batch(approve, redeem, nonce=1))
    client.later()
    assert client.state(answer["transactionID"])["state"] == "STATE_CONFIRMED"
