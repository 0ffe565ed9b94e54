"""The relayer's client at the sandbox's relayer: signed once, submitted once, and nothing taken for proof."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import pytest
from eth_account import Account

from polyb0t.core.clock import SystemClock
from polyb0t.core.errors import ConfigurationError
from polyb0t.core.ids import AssetId, ConditionId, Wallet
from polyb0t.core.units import Pusd, Shares, from_e6
from polyb0t.execution.settlement.ports import (
    ClaimCall,
    ClaimRoute,
    Holding,
    RelayerState,
    SendClass,
    SignedClaim,
)
from polyb0t.models.settling import NOTHING
from polyb0t.sandbox.types import MILLION, MarketSpec
from polyb0t.venue.buckets import Throttle
from polyb0t.venue.claims_calls import claim_call
from polyb0t.venue.environment import VenueEnvironment, fetch_sandbox_environment
from polyb0t.venue.http import HttpReader, ReadLimits
from polyb0t.venue.one_shot import OneShot
from polyb0t.venue.relayer import PolymarketRelayer, RelayerKey
from polyb0t.venue.signing import SigningKey
from tests.support.clock import FakeClock
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.venue.rogue import Behaviour, Rogue, raw, reply, rogue, wait_for_reset

STRANGER = Wallet("0x00000000000000000000000000000000000A0001")
SHARES = 100 * MILLION


@dataclass
class Owned:
    """The practice deposit wallet's owner with its relayer."""

    sandbox: RunningSandbox
    environment: VenueEnvironment
    wallet: Wallet
    key: SigningKey
    clock: FakeClock
    opened: ExitStack

    @property
    def secret(self) -> str:
        return self.environment.relayer_keys[self.key.address]

    @cached_property
    def relayer(self) -> PolymarketRelayer:
        return a_relayer(self, RelayerKey(self.key.address, self.secret), self.environment.relayer_url)

    def to(self, url: str, *, seconds: float = 10.0) -> PolymarketRelayer:
        """The same hands at another relayer, or at this one with another key or time limit."""
        return a_relayer(self, RelayerKey(self.key.address, "wrong"), url, seconds)

    def won(self, kind: str = "") -> ClaimCall:
        """A call for 100 shares of a market's first outcome, which won."""
        views = self.sandbox.world.markets()
        spec = next(view.spec for view in views if view.spec.kind == kind and not view.closed)
        self.sandbox.call(lambda: self._win(spec))
        return self.call(spec)

    def _win(self, spec: MarketSpec) -> None:
        self.sandbox.world.split(self.wallet, spec.condition_id, SHARES)
        self.sandbox.world.resolve(spec.condition_id, (MILLION, 0))

    def call(self, spec: MarketSpec) -> ClaimCall:
        full = Shares(from_e6(SHARES))
        first, second = (AssetId(token) for token in spec.token_ids)
        held = Holding(
            ConditionId(spec.condition_id),
            spec.version,
            spec.neg_risk,
            (first, second),
            (full, NOTHING if spec.version == "v2" else full),
            Pusd(full),
        )
        return claim_call(self.wallet, held, self.environment.contracts)

    def signed(self, *calls: ClaimCall) -> SignedClaim:
        nonce = self.relayer.nonce()
        assert nonce is not None
        return self.relayer.sign(calls, nonce, deadline=self.sandbox.world.now_ms // 1_000 + 600)

    def balance(self) -> Decimal:
        return from_e6(self.sandbox.world.balance(self.wallet))


def a_relayer(owned: Owned, key: RelayerKey, url: str, seconds: float = 10.0) -> PolymarketRelayer:
    clock = SystemClock()
    reader = owned.opened.enter_context(HttpReader(clock, limits=ReadLimits(attempts=1), sandbox=True))
    one_shot = OneShot(clock, budget_seconds=seconds)
    owned.opened.callback(one_shot.close)
    return PolymarketRelayer(
        url,
        owned.wallet,
        owned.key,
        key,
        chain_id=137,
        contracts=owned.environment.contracts,
        reader=reader,
        one_shot=one_shot,
        throttle=Throttle(owned.clock),
    )


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=40, crowd=False, kinds=("neg_risk", "v2")) as running:
        yield running


@pytest.fixture
def owned(sandbox: RunningSandbox) -> Iterator[Owned]:
    sandbox.step(120_000)  # a minute's submissions of the last test are forgotten, and what it sent has ended
    environment = fetch_sandbox_environment(sandbox.url, SystemClock())
    account = next(each for each in environment.accounts if each.signature_type == 3)
    key = SigningKey(account.key)
    with ExitStack() as opened:
        made = Owned(sandbox, environment, account.wallet, key, FakeClock(), opened)
        yield made
        disturb(made)


def disturb(owned: Owned, **faults: int) -> None:
    body = json.dumps({"fail": 0, "invalid": 0, "stall": 0, "busy": 0, **faults}).encode()
    one_shot = OneShot(SystemClock())
    one_shot.call("PUT", f"{owned.sandbox.url}/sandbox/relayer", headers={}, body=body)
    one_shot.close()


def test_a_batch_is_accepted_goes_its_way_and_pays(owned: Owned) -> None:
    calls = [owned.won(), owned.won("neg_risk"), owned.won("v2")]
    before = owned.balance()

    outcome = owned.relayer.submit(owned.signed(*calls))

    assert outcome.kind is SendClass.ACCEPTED
    seen = []
    for _ in range(400):
        told = owned.relayer.state(outcome.transaction_id)
        if told.state not in seen:
            seen.append(told.state)
        owned.sandbox.step(250)
        if told.state is RelayerState.CONFIRMED:
            break
    assert seen == [RelayerState.NEW, RelayerState.EXECUTED, RelayerState.MINED, RelayerState.CONFIRMED]
    assert told.tx_hash.startswith("0x")
    assert owned.balance() - before == 300


def test_the_signature_is_that_of_the_reference_and_the_bytes_never_differ(owned: Owned) -> None:
    calls = [owned.won()]

    signed = owned.relayer.sign(calls, 7, deadline=1_760_000_600)

    body = json.loads(signed.raw)
    domain = {"name": "DepositWallet", "version": "1", "chainId": 137, "verifyingContract": owned.wallet}
    types = {
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
    message = {
        "wallet": owned.wallet,
        "nonce": 7,
        "deadline": 1_760_000_600,
        "calls": [
            {"target": each.target, "value": 0, "data": bytes.fromhex(each.data[2:])} for each in calls
        ],
    }
    account = next(each for each in owned.environment.accounts if each.wallet == owned.wallet)
    theirs = Account.sign_typed_data(account.key, domain, types, message)
    assert body["signature"] == "0x" + bytes(theirs.signature).hex()
    assert (signed.route, signed.nonce, signed.deadline) == (ClaimRoute.RELAYER, 7, 1_760_000_600)
    assert owned.relayer.sign(calls, 7, deadline=1_760_000_600) == signed
    assert body["signature"] not in repr(signed)


def test_a_call_of_another_wallet_or_contract_is_not_signed(owned: Owned) -> None:
    call = owned.won()
    wrongs = [
        ClaimCall(call.condition_id, STRANGER, call.target, call.function, call.data, call.expected),
        ClaimCall(call.condition_id, call.wallet, STRANGER, call.function, call.data, call.expected),
    ]
    for calls in ([wrongs[0]], [call, wrongs[1]], []):
        with pytest.raises(ConfigurationError) as refused:
            owned.relayer.sign(calls, 0, deadline=1)
        assert refused.value.code == "wrong_claim"


def test_the_same_bytes_twice_pay_once_and_the_second_answer_proves_nothing(owned: Owned) -> None:
    call = owned.won()
    before = owned.balance()
    signed = owned.signed(call)
    owned.relayer.submit(signed)

    under_way = owned.relayer.submit(signed)
    owned.sandbox.step(60_000)
    used = owned.relayer.submit(signed)

    assert (under_way.kind, under_way.retryable) == (SendClass.REFUSED, True)
    assert used.kind is SendClass.UNKNOWN  # its counter is used: by these very bytes, which it does not say
    assert owned.balance() - before == 100


def test_busy_may_go_again_as_it_is(owned: Owned) -> None:
    signed = owned.signed(owned.won())
    disturb(owned, busy=1)

    first = owned.relayer.submit(signed)
    second = owned.relayer.submit(signed)

    assert (first.kind, first.retryable) == (SendClass.REFUSED, True)
    assert second.kind is SendClass.ACCEPTED


@pytest.mark.parametrize(
    ("fault", "state"), [("fail", RelayerState.FAILED), ("invalid", RelayerState.INVALID)]
)
def test_what_came_to_nothing_says_so(owned: Owned, fault: str, state: RelayerState) -> None:
    signed = owned.signed(owned.won())
    disturb(owned, **{fault: 1})
    before = owned.balance()

    outcome = owned.relayer.submit(signed)
    owned.sandbox.step(60_000)

    told = owned.relayer.state(outcome.transaction_id)
    assert (told.state, owned.balance()) == (state, before)
    assert told.error


def test_a_stale_address_is_refused_for_good_in_a_sentence(owned: Owned) -> None:
    call = owned.won()
    signed = owned.signed(call)
    stale = signed.raw.replace(call.target, "0xADa100874d00e3331D00F2007a9c336a65009718")

    told = owned.relayer.submit(SignedClaim(ClaimRoute.RELAYER, signed.nonce, stale))

    assert (told.kind, told.retryable) == (SendClass.REFUSED, False)
    assert "out of date" in told.text
    assert "website" in told.text


def test_our_own_limit_is_under_the_relayers_and_sends_nothing(owned: Owned) -> None:
    signed = owned.signed(owned.won())
    disturb(owned, busy=100)

    answers = [owned.relayer.submit(signed) for _ in range(30)]
    assert all(each.retryable for each in answers)
    held = [each for each in answers if "our own limit" in each.text]
    assert len(held) == 25
    owned.clock.advance(seconds=60)
    assert "our own limit" not in owned.relayer.submit(signed).text


def test_a_wrong_key_is_refused_and_named_without_being_shown(owned: Owned) -> None:
    told = owned.to(owned.environment.relayer_url).submit(owned.signed(owned.won()))

    assert (told.kind, told.retryable) == (SendClass.REFUSED, False)
    assert "POLYBOT_RELAYER_API_KEY" in told.text
    key = RelayerKey(owned.key.address, owned.secret)
    assert owned.secret not in f"{key} {key!r}"


def test_a_key_of_another_owner_is_refused_before_anything(owned: Owned) -> None:
    with pytest.raises(ConfigurationError) as refused:
        a_relayer(owned, RelayerKey(STRANGER, owned.secret), owned.environment.relayer_url)
    assert refused.value.code == "wrong_relayer_key"
    assert owned.secret not in str(refused.value)


@pytest.mark.parametrize(
    "behave",
    [
        raw(b""),
        raw(b"HTTP/1.1 200 OK\r\nContent-Len"),
        reply(502, b'{"error":"bad gateway"}'),
        reply(503, b"<html>"),
        reply(200, b"{}"),
        reply(200, b"[]"),
        reply(429, b"<html>slow down</html>"),
        reply(400, b'{"error":"something new"}'),
        reply(400, b""),
    ],
)
def test_what_proves_nothing_is_unknown(owned: Owned, behave: Behaviour) -> None:
    signed = owned.signed(owned.won())
    with rogue(behave) as server:
        told = owned.to(server.url).submit(signed)
        state = owned.to(server.url).state("0000-1111")

    assert told.kind is SendClass.UNKNOWN
    assert state.state is RelayerState.UNKNOWN
    assert len([each for each in server.requests if each.startswith(b"POST")]) == 1


def test_a_timeout_after_the_bytes_left_is_unknown_and_nothing_is_sent_again(owned: Owned) -> None:
    signed = owned.signed(owned.won())
    found: list[Rogue] = []
    with rogue(wait_for_reset(lambda: found[0])) as server:
        found.append(server)
        told = owned.to(server.url, seconds=0.3).submit(signed)

    assert told.kind is SendClass.UNKNOWN
    assert len(server.requests) == 1


def test_where_nobody_listens_nothing_left(owned: Owned) -> None:
    told = owned.to("http://127.0.0.1:9").submit(owned.signed(owned.won()))

    assert (told.kind, told.retryable) == (SendClass.REFUSED, True)
    assert owned.to("http://127.0.0.1:9").nonce() is None
    assert owned.to("http://127.0.0.1:9").state("0-1").state is RelayerState.UNKNOWN
