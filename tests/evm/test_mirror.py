"""What is paid on the chain is what the sandbox's books say, to the millionth, whoever sends the transaction."""

from dataclasses import replace
from pathlib import Path

import pytest

from polyb0t.sandbox.abi import call_data
from polyb0t.sandbox.chain.genesis import act_as, send, token_balance
from polyb0t.sandbox.chain.mirror import Mirror
from polyb0t.sandbox.contracts import BRIDGED_USDC, CONTRACTS, ORACLE
from polyb0t.sandbox.ctf_ids import condition_id, token_ids
from polyb0t.sandbox.kinds import cast
from polyb0t.sandbox.node import Node
from polyb0t.sandbox.relayed import AutoRedeem
from polyb0t.sandbox.types import MILLION, MarketSpec
from polyb0t.sandbox.world import World
from tests.sandbox.test_relayer import Client, adapter_redeem
from tests.sandbox.worlds import NOON_MS, SPEC

PROJECT = Path(__file__).resolve().parents[2]
PUSD, CTF = CONTRACTS["collateral"], CONTRACTS["conditional_tokens"]
_CONDITION = condition_id(ORACLE, SPEC.question_id)
PLAIN = replace(SPEC, condition_id=_CONDITION, token_ids=token_ids(BRIDGED_USDC, _CONDITION))
FOREVER_S = 2**40  # the chain has a clock of its own


class Both:
    """A world of a plain market, a neg-risk event and one of Protocol V2, and the chain that pays it."""

    def __init__(self, node: Node) -> None:
        specs = [PLAIN, *(born.spec for born in cast(1, NOON_MS, ("neg_risk", "v2")))]
        self.world = World(start_ms=NOON_MS, seed=1, markets=specs, crowd=False, accounts=1)
        self.owner = self.world.accounts[0].wallet
        self.client = Client(self.world)
        self.client.deadline_s = FOREVER_S
        for wallet in (self.owner, self.client.wallet):
            for spec in specs:
                self.world.split(wallet, spec.condition_id, 100_000_001)
        self.node = node
        self.mirror = Mirror(self.world, node, PROJECT)
        self.world.chain = self.mirror

    def spec(self, kind: str) -> MarketSpec:
        return next(view.spec for view in self.world.markets() if view.spec.kind == kind)

    def resolve(self, spec: MarketSpec, first: int = MILLION) -> None:
        self.world.resolve(spec.condition_id, (first, MILLION - first))
        self.mirror.tick()

    def redeem(self, spec: MarketSpec) -> list[tuple[str, str]]:
        """The calls that redeem a market, each with its contract."""
        if spec.version == "v2":
            raw, types = bytes.fromhex(spec.condition_id[2:64]), "redeem(bytes31,uint256,uint256)"
            return [(CONTRACTS["router"], call_data(types, raw, each, 100_000_001)) for each in (0, 1)]
        adapter = "neg_risk_collateral_adapter" if spec.neg_risk else "collateral_adapter"
        return [(CONTRACTS[adapter], adapter_redeem(spec.condition_id))]

    def agree(self) -> None:
        """Money and shares of both wallets are the same here and there."""
        for wallet in (self.owner, self.client.wallet):
            assert token_balance(self.node, PUSD, wallet) == self.world.balance(wallet)
        self.world.ledger.check(())


@pytest.fixture
def both(chain: Node) -> Both:
    return Both(chain)


KINDS = ["", "neg_risk", "v2"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first", [MILLION, 0, MILLION // 2])
def test_an_owners_own_transaction_is_paid_and_booked_once(both: Both, kind: str, first: int) -> None:
    spec = PLAIN if not kind else both.spec(kind)
    both.resolve(spec, first)
    both.agree()
    before = both.world.balance(both.owner)
    act_as(both.node, both.owner)

    for target, data in both.redeem(spec):
        assert send(both.node, both.owner, target, data)["status"] == "0x1"
    both.mirror.tick()
    both.mirror.tick()

    paid = 2 * (100_000_001 * (MILLION // 2) // MILLION) if first == MILLION // 2 else 100_000_001
    assert both.world.balance(both.owner) - before == paid
    assert both.world.balance(both.owner, spec.token_ids[0]) == 0
    both.agree()


@pytest.mark.parametrize("kind", KINDS)
def test_a_deposit_wallets_batch_goes_through_the_relayer(both: Both, kind: str) -> None:
    spec = PLAIN if not kind else both.spec(kind)
    both.resolve(spec)
    before = both.world.balance(both.client.wallet)

    _, answer = both.client.ask("POST", "/relayer/submit", both.client.batch(*both.redeem(spec)))
    both.client.later()

    ended = both.client.state(answer["transactionID"])
    assert ended["state"] == "STATE_CONFIRMED"
    receipt = both.node.call("eth_getTransactionReceipt", ended["transaction_hash"])
    assert receipt["status"] == "0x1"
    assert both.world.balance(both.client.wallet) - before == 100_000_001
    both.agree()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first", [MILLION, MILLION // 2])
def test_the_venues_operator_pays_every_wallet_once(both: Both, kind: str, first: int) -> None:
    spec = PLAIN if not kind else both.spec(kind)
    wallets = (both.owner, both.client.wallet)
    before = [both.world.balance(wallet) for wallet in wallets]
    both.world.set_auto_redeem(AutoRedeem(on=True, after_ms=1_000))

    both.resolve(spec, first)
    both.agree()
    both.world.step(1_000)
    both.world.step(60_000)
    both.mirror.tick()

    paid = 2 * (100_000_001 * (MILLION // 2) // MILLION) if first == MILLION // 2 else 100_000_001
    assert [both.world.balance(wallet) for wallet in wallets] == [old + paid for old in before]
    assert both.world.balance(both.owner, spec.token_ids[0]) == 0
    both.agree()


def test_a_wallet_that_does_not_let_the_operator_is_left_to_its_owner(both: Both) -> None:
    act_as(both.node, both.owner)
    forbid = call_data("setApprovalForAll(address,bool)", CONTRACTS["auto_redeemer"], False)
    send(both.node, both.owner, CTF, forbid)
    before = both.world.balance(both.owner)
    both.world.set_auto_redeem(AutoRedeem(on=True))

    both.resolve(PLAIN)
    both.world.step(60_000)

    assert both.world.balance(both.owner) == before
    assert both.world.balance(both.owner, PLAIN.token_ids[0]) == 100_000_001
    both.agree()


def test_a_batch_that_the_chain_refuses_pays_nothing(both: Both) -> None:
    both.resolve(PLAIN)
    unresolved = both.spec("neg_risk")
    calls = [*both.redeem(PLAIN), *both.redeem(unresolved)]
    before = both.world.balance(both.client.wallet)

    _, answer = both.client.ask("POST", "/relayer/submit", both.client.batch(*calls))
    both.client.later()

    assert both.client.state(answer["transactionID"])["state"] == "STATE_FAILED"
    assert both.world.balance(both.client.wallet) == before
    both.agree()


def test_a_restarted_world_books_what_was_paid_meanwhile_and_nothing_twice(
    both: Both, tmp_path: Path
) -> None:
    both.resolve(PLAIN)
    both.world.save(tmp_path / "world.json")
    act_as(both.node, both.owner)
    before = both.world.balance(both.owner)
    for target, data in both.redeem(PLAIN):
        send(both.node, both.owner, target, data)

    again = World.load(tmp_path / "world.json")
    for _ in range(2):
        Mirror(again, both.node, PROJECT)

    assert again.balance(both.owner) - before == 100_000_001
    assert token_balance(both.node, PUSD, both.owner) == again.balance(both.owner)
