"""What `doctor` says of claims: node, chain, relayer key and permissions, each right and each wrong."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from polyb0t.core.clock import SystemClock
from polyb0t.core.ids import Wallet
from polyb0t.sandbox.abi import call_data
from polyb0t.sandbox.chain.genesis import act_as, send
from polyb0t.sandbox.contracts import CONTRACTS
from polyb0t.sandbox.node import Node
from polyb0t.venue.claims_checks import (
    BEHIND,
    check_claim_approvals,
    check_node,
    check_relayer_key,
)
from polyb0t.venue.environment import POLYMARKET
from polyb0t.venue.http import HttpReader, ReadLimits
from polyb0t.venue.preflight import CheckState
from polyb0t.venue.relayer import RelayerKey
from tests.evm.claiming import CTF, Hands, hands
from tests.support.clock import FakeClock

OWNER = RelayerKey(Wallet("0x00000000000000000000000000000000000A0001"), "secret")


@pytest.fixture
def ours(chain: Node) -> Iterator[Hands]:
    with hands(chain) as made:
        yield made


def test_without_a_node_it_says_what_that_means(ours: Hands) -> None:
    check = check_node(None, None, ours.wallet, SystemClock())
    assert check.state is CheckState.WARNING
    assert "nothing can be claimed here" in check.detail
    assert "POLYBOT_RPC_URL" in check.do


def test_a_node_that_is_in_order(ours: Hands) -> None:
    ours.node.call("evm_mine")
    clock = FakeClock(ours.claims.head().at)
    check = check_node(ours.rpc, ours.claims, ours.wallet, clock)
    assert check.state is CheckState.OK, check
    assert "of the right chain" in check.detail


def test_a_node_of_another_chain(chain: Node) -> None:
    with hands(chain, chain_id=80_002) as other:
        check = check_node(other.rpc, other.claims, other.wallet, SystemClock())
    assert check.state is CheckState.FAILED
    assert "chain 137, not 80002" in check.detail
    assert "POLYBOT_RPC_URL" in check.do


def test_a_node_that_is_behind(ours: Hands) -> None:
    clock = FakeClock(ours.claims.head().at + BEHIND + timedelta(seconds=1))
    check = check_node(ours.rpc, ours.claims, ours.wallet, clock)
    assert check.state is CheckState.FAILED
    assert "is behind: its newest block is 121 s old" in check.detail


def test_a_node_that_does_not_answer(chain: Node) -> None:
    with hands(chain, url="http://127.0.0.1:9") as nobody:
        check = check_node(nobody.rpc, nobody.claims, nobody.wallet, SystemClock())
        lacking = check_claim_approvals(nobody.rpc, POLYMARKET.contracts, nobody.wallet, 0)
    assert (check.state, lacking.state) == (CheckState.FAILED, CheckState.FAILED)


@pytest.mark.parametrize(
    ("kind", "words"), [(0, "pays its own gas"), (1, "the exchange's website"), (2, "the exchange's website")]
)
def test_wallets_that_need_no_relayer_are_not_warned(kind: int, words: str) -> None:
    with HttpReader(SystemClock(), limits=ReadLimits(attempts=1)) as reader:
        check = check_relayer_key("http://127.0.0.1:9", None, kind, reader)
    assert check.state is CheckState.OK
    assert words in check.detail


def test_a_relayer_that_does_not_answer_proves_nothing_of_the_key() -> None:
    with HttpReader(SystemClock(), limits=ReadLimits(attempts=1)) as reader:
        check = check_relayer_key("http://127.0.0.1:9", OWNER, 3, reader)
    assert check.state is CheckState.FAILED
    assert "secret" not in check.detail + check.do


def test_a_plain_wallet_is_told_the_very_calls_that_lack(ours: Hands) -> None:
    check = check_claim_approvals(ours.rpc, POLYMARKET.contracts, ours.wallet, 0)
    assert check.state is CheckState.WARNING
    assert "plain, neg-risk, V2" in check.detail
    adapter = CONTRACTS["collateral_adapter"]
    assert f"setApprovalForAll({adapter}, true) on {CTF}" in check.do


def test_what_is_permitted_is_in_order(ours: Hands) -> None:
    act_as(ours.node, ours.wallet)
    for ledger, operators in (
        (CTF, ("collateral_adapter", "neg_risk_collateral_adapter")),
        (CONTRACTS["position_manager"], ("router",)),
    ):
        for operator in operators:
            data = call_data("setApprovalForAll(address,bool)", CONTRACTS[operator], True)
            send(ours.node, ours.wallet, ledger, data)
    check = check_claim_approvals(ours.rpc, POLYMARKET.contracts, ours.wallet, 0)
    assert check.state is CheckState.OK, check
