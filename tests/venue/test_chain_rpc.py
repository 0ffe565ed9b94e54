"""A node that is down, lies or speaks nonsense: nothing is concluded from it, and its address is not shown."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from polyb0t.core.clock import SystemClock
from polyb0t.core.errors import ConfigurationError, VenueUnreachableError
from polyb0t.core.ids import ConditionId, Wallet
from polyb0t.core.practice import practice_key
from polyb0t.core.units import ONE, Pusd
from polyb0t.execution.settlement.ports import ClaimCall, ClaimRoute, SendClass, SignedClaim
from polyb0t.venue.chain_rpc import ChainRpc
from polyb0t.venue.claims import ChainClaims
from polyb0t.venue.environment import POLYMARKET
from polyb0t.venue.http import HttpReader, ReadLimits
from polyb0t.venue.one_shot import OneShot
from polyb0t.venue.resolutions_chain import ChainResults
from polyb0t.venue.signing import SigningKey
from polyb0t.venue.transactions import GWEI, GasPolicy
from tests.venue.rogue import Behaviour, Rogue, raw, reply, rogue, wait_for_reset
from tests.venue.web import Reply, Request, serving

KEY = SigningKey(practice_key(60))
HASH = "0x" + "ab" * 32
SIGNED = SignedClaim(ClaimRoute.TRANSACTION, 0, "0x02", HASH)
CONDITION = ConditionId("0x" + "5f" * 32)


@contextmanager
def node_at(url: str, *, seconds: float = 10.0) -> Iterator[tuple[ChainRpc, ChainClaims]]:
    clock = SystemClock()
    one_shot = OneShot(clock, budget_seconds=seconds)
    with HttpReader(clock, limits=ReadLimits(attempts=1)) as reader:
        rpc = ChainRpc(url, 137, reader, one_shot)
        yield rpc, ChainClaims(rpc, POLYMARKET.contracts, GasPolicy(500 * GWEI), key=KEY)
    one_shot.close()


NONSENSE: list[Behaviour] = [
    raw(b""),
    reply(200, b""),
    reply(200, b"<html>"),
    reply(200, b"[]"),
    reply(200, b"{}"),
    reply(200, b'{"result":"0xzz"}'),
    reply(200, b'{"result":7}'),
    reply(200, b'{"result":{}}'),
    reply(200, b'{"result":"0x1_0"}'),
    reply(200, b'{"error":{"code":-32005,"message":"limit"}}'),
    reply(200, b'{"error":"no"}'),
    reply(500, b'{"result":"0x1"}'),
    reply(429, b"{}"),
]


@pytest.mark.parametrize("behave", NONSENSE)
def test_nothing_is_concluded_from_nonsense(behave: Behaviour) -> None:
    wallet = KEY.address
    with rogue(behave) as server, node_at(server.url + "/v2/secret-key") as (rpc, claims):
        for ask in (
            claims.head,
            lambda: claims.balance(wallet),
            lambda: claims.nonce(wallet),
            lambda: claims.fees(200_000),
            lambda: claims.receipt(HASH),
            lambda: claims.payouts(wallet, [CONDITION], from_block=0),
            lambda: claims.simulate([a_call()]),
            lambda: ChainResults(rpc, POLYMARKET.contracts).payouts(CONDITION),
        ):
            with pytest.raises(VenueUnreachableError) as refused:
                ask()
            assert "secret-key" not in str(refused.value)


def a_call() -> ClaimCall:
    adapter = POLYMARKET.contracts["collateral_adapter"]
    return ClaimCall(CONDITION, KEY.address, adapter, "f()", "0x01b7037c", Pusd(ONE))


def answering(results: dict[str, object], log: list[str]) -> object:
    """A node that answers what a test says, by method."""

    def answer(request: Request) -> Reply | None:
        method = json.loads(request.body)["method"]
        log.append(method)
        told = results[method]
        return told if isinstance(told, Reply) or told is None else Reply(json.dumps(told).encode())

    return answer


def sent(told: object, chain: object = "0x89") -> tuple[SendClass, bool, list[str]]:
    """What a send proves whose node answers `told`."""
    log: list[str] = []
    results: dict[str, object] = {"eth_chainId": {"result": chain}, "eth_sendRawTransaction": told}
    with serving(answering(results, log)) as web, node_at(web.url) as (_, claims):  # type: ignore[arg-type]
        outcome = claims.broadcast(SIGNED)
    return outcome.kind, outcome.retryable, log


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"result": HASH}, SendClass.ACCEPTED),
        ({"result": "0x" + "cd" * 32}, SendClass.UNKNOWN),
        ({"result": None}, SendClass.UNKNOWN),
        ({}, SendClass.UNKNOWN),
        (None, SendClass.UNKNOWN),
        (Reply(b"<html>", 502), SendClass.UNKNOWN),
        (Reply(b"", 429), SendClass.UNKNOWN),
        ({"error": {"code": -32000, "message": "already known"}}, SendClass.ACCEPTED),
        ({"error": {"code": -32000, "message": "nonce too low"}}, SendClass.UNKNOWN),
        ({"error": {"code": -32000, "message": "insufficient funds for gas"}}, SendClass.REFUSED),
    ],
)
def test_what_a_send_proves_and_that_it_is_one(told: object, kind: SendClass) -> None:
    found, _, log = sent(told)
    assert found is kind
    assert log == ["eth_chainId", "eth_sendRawTransaction"]


@pytest.mark.parametrize("chain", ["0x1", "0x13882", None, 137])
def test_to_a_node_that_is_not_on_the_chain_nothing_is_sent(chain: object) -> None:
    found, retryable, log = sent({"result": HASH}, chain)
    assert (found, retryable) == (SendClass.REFUSED, True)
    assert log == ["eth_chainId"]


def test_where_nobody_listens_nothing_left() -> None:
    with node_at("http://127.0.0.1:9") as (_, claims):
        told = claims.broadcast(SIGNED)
    assert (told.kind, told.retryable) == (SendClass.REFUSED, True)


def test_a_timeout_after_the_bytes_left_is_unknown() -> None:
    found: list[Rogue] = []
    silent = wait_for_reset(lambda: found[0])

    def act(peer: socket.socket, request: bytes) -> None:
        (reply(200, b'{"result":"0x89"}') if b"eth_chainId" in request else silent)(peer, request)

    with rogue(act) as server, node_at(server.url, seconds=0.3) as (_, claims):
        found.append(server)
        told = claims.broadcast(SIGNED)
    assert told.kind is SendClass.UNKNOWN
    assert len(server.requests) == 2


def test_a_receipt_of_another_transaction_is_none_of_ours() -> None:
    receipt = {
        "transactionHash": "0x" + "cd" * 32,
        "blockHash": HASH,
        "blockNumber": "0x1",
        "status": "0x1",
        "gasUsed": "0x1",
        "effectiveGasPrice": "0x1",
        "from": KEY.address,
        "logs": [],
    }
    with (
        serving(answering({"eth_getTransactionReceipt": {"result": receipt}}, [])) as web,  # type: ignore[arg-type]
        node_at(web.url) as (_, claims),
        pytest.raises(VenueUnreachableError),
    ):
        claims.receipt(HASH)


@pytest.mark.parametrize(
    ("block", "known"), [({"hash": HASH}, True), ({"hash": "0x" + "cd" * 32}, False), ({"hash": None}, False)]
)
def test_a_receipt_whose_block_was_replaced_is_no_receipt(block: dict[str, object], known: bool) -> None:
    results: dict[str, object] = {
        "eth_getTransactionReceipt": {
            "result": {
                "transactionHash": HASH,
                "blockHash": HASH,
                "blockNumber": "0x5",
                "status": "0x1",
                "gasUsed": "0x1",
                "effectiveGasPrice": "0x1",
                "from": KEY.address,
                "logs": [],
            }
        },
        "eth_getBlockByNumber": {"result": {"number": "0x5", "timestamp": "0x65000000", **block}},
        "eth_blockNumber": {"result": "0x3"},  # a node behind the one that told the receipt
    }
    with serving(answering(results, [])) as web, node_at(web.url) as (_, claims):  # type: ignore[arg-type]
        receipt = claims.receipt(HASH)
    assert (receipt is not None) is known
    assert receipt is None or receipt.confirmations == 0


@pytest.mark.parametrize(
    "url", ["", "polygon", "ftp://node.example/secret-key", "http://", "wss://x/secret-key"]
)
def test_what_is_no_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused, node_at(url):
        pass
    assert refused.value.code == "bad_rpc_url"
    assert "secret-key" not in str(refused.value)


def test_a_claim_of_several_wallets_is_not_simulated() -> None:
    other = ClaimCall(CONDITION, Wallet("0x" + "11" * 20), a_call().target, "f()", "0x", Pusd(ONE))
    with node_at("http://127.0.0.1:9") as (_, claims), pytest.raises(ConfigurationError):
        claims.simulate([a_call(), other])
