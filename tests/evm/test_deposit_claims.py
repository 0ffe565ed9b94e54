"""A deposit wallet's claim through the sandbox as a user's program meets it: its relayer, its node, doctor."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from polyb0t.config.settings import load_settings
from polyb0t.core.clock import SystemClock
from polyb0t.core.errors import ConfigurationError
from polyb0t.core.ids import AssetId, ConditionId, Wallet
from polyb0t.core.units import ONE, ZERO, Price, Pusd, Shares, from_e6
from polyb0t.data.resolution import ResolutionState
from polyb0t.execution.settlement.ports import Holding, SendClass
from polyb0t.models.settling import NOTHING
from polyb0t.runtime.chain import ChainDoor, chain_door
from polyb0t.runtime.relayer_key import RELAYER_ADDRESS_NAME, RELAYER_KEY_NAME, relayer_key
from polyb0t.runtime.surroundings import Surroundings
from polyb0t.sandbox.abi import call_data
from polyb0t.sandbox.chain.genesis import act_as, send
from polyb0t.sandbox.contracts import CONTRACTS
from polyb0t.sandbox.node import Node
from polyb0t.sandbox.types import MarketSpec
from polyb0t.venue.claims import ChainClaims
from polyb0t.venue.environment import POLYMARKET, fetch_sandbox_environment
from polyb0t.venue.preflight import CheckState
from polyb0t.venue.relayer import PolymarketRelayer
from polyb0t.venue.signing import SigningKey
from tests.evm.claiming import CTF
from tests.evm.test_mirror import KINDS, PLAIN, Both
from tests.support.sandbox import RunningSandbox, running_sandbox


@dataclass
class Practice:
    """The practice deposit wallet with everything that its claims need."""

    both: Both
    sandbox: RunningSandbox
    around: Surroundings
    door: ChainDoor
    owner: SigningKey

    @property
    def claims(self) -> ChainClaims:
        found = self.door.claims()
        assert found is not None
        return found

    @property
    def relayer(self) -> PolymarketRelayer:
        key = relayer_key(self.around, self.owner.address)
        assert key is not None
        return self.door.relayer(self.owner, key)

    def held(self, spec: MarketSpec) -> Holding:
        """All that one call claims; the first outcome has won."""
        first, second = (AssetId(token) for token in spec.token_ids)
        full = Shares(from_e6(100_000_001))
        condition, other = ConditionId(spec.condition_id), NOTHING if spec.version == "v2" else full
        return Holding(condition, spec.version, spec.neg_risk, (first, second), (full, other), Pusd(full))


@pytest.fixture
def practice(chain: Node, monkeypatch: pytest.MonkeyPatch) -> Iterator[Practice]:
    monkeypatch.delenv(RELAYER_KEY_NAME, raising=False)
    monkeypatch.delenv(RELAYER_ADDRESS_NAME, raising=False)
    both, clock = Both(chain), SystemClock()
    with running_sandbox(world=both.world, clock=clock) as sandbox:
        environment = fetch_sandbox_environment(sandbox.url, clock)
        account = next(each for each in environment.accounts if each.signature_type == 3)
        around = Surroundings(environment, account.wallet, 3)
        with chain_door(load_settings(venue="sandbox"), around, clock) as door:
            yield Practice(both, sandbox, around, door, SigningKey(account.key))


@pytest.mark.parametrize("kind", KINDS)
def test_simulated_signed_relayed_and_paid_to_the_millionth(practice: Practice, kind: str) -> None:
    spec = PLAIN if not kind else practice.both.spec(kind)
    practice.sandbox.call(lambda: practice.both.resolve(spec))
    claims, relayer = practice.claims, practice.relayer
    call = claims.build(practice.around.wallet, practice.held(spec))
    before, start = claims.balance(practice.around.wallet), claims.head().number
    assert claims.simulate([call]).pays == call.expected

    nonce = relayer.nonce()
    assert nonce is not None
    signed = relayer.sign([call], nonce, deadline=int(claims.head().at.timestamp()) + 2**33)
    outcome = relayer.submit(signed)
    assert outcome.kind is SendClass.ACCEPTED
    practice.sandbox.step(60_000)

    receipt = claims.receipt(relayer.state(outcome.transaction_id).tx_hash)
    assert receipt is not None
    (payout,) = receipt.payouts
    assert (payout.pusd, receipt.gas_cost_wei) == (call.expected, 0)
    assert claims.balance(practice.around.wallet) - before == call.expected
    assert claims.payouts(practice.around.wallet, [call.condition_id], from_block=start) == (payout,)
    assert relayer.nonce() == nonce + 1
    assert claims.carries(receipt.tx_hash, signed.raw)  # whose it is, also where no name of it was heard
    later = relayer.sign([call], nonce, deadline=int(claims.head().at.timestamp()) + 2**32)
    assert not claims.carries(receipt.tx_hash, later.raw)
    practice.both.agree()


def test_the_result_is_that_of_index_and_chain_together(practice: Practice) -> None:
    practice.both.world.data_lag_ms = 0
    name = ConditionId(PLAIN.condition_id)
    reader = practice.door.resolutions()
    assert reader.read([name])[name].state is ResolutionState.OPEN

    practice.sandbox.call(lambda: practice.both.resolve(PLAIN))

    found = reader.read([name])[name]
    assert (found.state, found.on_chain) == (ResolutionState.RESOLVED, True)
    assert found.payouts == (Price(ONE), Price(ZERO))


def test_doctor_finds_everything_in_order(practice: Practice) -> None:
    key = relayer_key(practice.around, practice.owner.address)
    found = practice.door.checks(key)
    assert [(each.name, each.state) for each in found] == [
        ("chain", CheckState.OK),
        ("relayer", CheckState.OK),
        ("claiming", CheckState.OK),
    ]


def test_doctor_names_a_permission_that_lacks(practice: Practice) -> None:
    wallet = practice.around.wallet
    act_as(practice.both.node, wallet)
    adapter = CONTRACTS["neg_risk_collateral_adapter"]
    send(practice.both.node, wallet, CTF, call_data("setApprovalForAll(address,bool)", adapter, False))

    check = practice.door.checks(None)[2]

    assert check.state is CheckState.WARNING
    assert "neg-risk" in check.detail
    assert "website" in check.do


def test_doctor_without_a_relayer_key_and_with_a_wrong_one(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = practice.door.checks(None)[1]
    assert (missing.state, "POLYBOT_RELAYER_API_KEY" in missing.do) == (CheckState.WARNING, True)

    known = relayer_key(practice.around, practice.owner.address)
    assert known is not None
    wrong = practice.door.checks(type(known)(known.address, "wrong"))[1]
    assert wrong.state is CheckState.FAILED
    assert "wrong" not in wrong.detail

    monkeypatch.setenv(RELAYER_KEY_NAME, "a-real-key")
    monkeypatch.setenv(RELAYER_ADDRESS_NAME, practice.owner.address)
    with pytest.raises(ConfigurationError) as refused:
        relayer_key(practice.around, practice.owner.address)
    assert refused.value.code == "bad_relayer_key"
    assert "a-real-key" not in str(refused.value)


def test_a_node_of_the_world_is_refused_for_practice(practice: Practice) -> None:
    settings = load_settings(venue="sandbox", rpc_url="https://polygon.example/key")
    with (
        pytest.raises(ConfigurationError) as refused,
        chain_door(settings, practice.around, SystemClock()),
    ):
        pass
    assert refused.value.code == "real_node_on_sandbox"


def test_without_a_node_doctor_says_what_that_means() -> None:
    around = Surroundings(POLYMARKET, Wallet("0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"), 0)
    with chain_door(load_settings(), around, SystemClock()) as door:
        found = door.checks(None)
        assert door.claims() is None
    assert [(each.name, each.state) for each in found] == [
        ("chain", CheckState.WARNING),
        ("relayer", CheckState.OK),
    ]


@pytest.mark.parametrize(
    ("secret", "address", "told"),
    [
        ("k", "", "ADDRESS is not set"),
        ("", "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A", "KEY is not set"),
        ("k", "0x12", "is not an address"),
        ("two words", "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A", "printable"),
    ],
)
def test_half_a_relayer_key_is_refused(
    monkeypatch: pytest.MonkeyPatch, secret: str, address: str, told: str
) -> None:
    monkeypatch.setenv(RELAYER_KEY_NAME, secret)
    monkeypatch.setenv(RELAYER_ADDRESS_NAME, address)
    around = Surroundings(POLYMARKET, Wallet("0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"), 3)
    with pytest.raises(ConfigurationError) as refused:
        relayer_key(around, around.wallet)
    assert told in str(refused.value)
