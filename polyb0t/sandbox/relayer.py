"""The relayer's doors: it sends what a deposit wallet's owner signed, and pays the gas.

Routes, states and texts: the venue's relayer as of October 2026. A key belongs to one owner. It takes 25
submissions a minute, one action a wallet at a time, and calls of known contracts only.
"""

import hmac
import uuid
from collections import deque
from typing import Final

import msgspec
from eth_hash.auto import keccak

from polyb0t.sandbox.contracts import CHAIN_ID, CONTRACTS
from polyb0t.sandbox.redeeming import PERMITTED
from polyb0t.sandbox.relayed import Relayed, RelayFaults, WalletCall
from polyb0t.sandbox.signatures import InvalidSignatureError, checksum, is_address, recover
from polyb0t.sandbox.wire import Reply, Request, Router, WireError, json_reply, parse_body
from polyb0t.sandbox.world import World

A_MINUTE: Final = 25
MINUTE_MS: Final = 60_000
LONGEST_NOTE: Final = 500
_SEED: Final = b"polyb0t sandbox relayer keys, worth nothing"
_DOMAIN: Final = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_CALL_TYPE: Final = b"Call(address target,uint256 value,bytes data)"
_BATCH_TYPE: Final = b"Batch(address wallet,uint256 nonce,uint256 deadline,Call[] calls)" + _CALL_TYPE


class CallBody(msgspec.Struct):
    """One call of a batch; numbers as decimal text."""

    target: str
    value: str
    data: str


class WalletParameters(msgspec.Struct):
    """What the wallet itself is told."""

    depositWallet: str  # noqa: N815 - the venue's name
    deadline: str
    calls: list[CallBody]


class Submission(msgspec.Struct):
    """`POST /submit`. Only the batches of deposit wallets are carried out here."""

    type: str
    to: str = ""
    nonce: str = ""
    signature: str = ""
    metadata: str = ""
    sender: str = msgspec.field(default="", name="from")
    depositWalletParams: WalletParameters | None = None  # noqa: N815 - the venue's name


def relayer_key(owner: str) -> str:
    """The key that an owner of this sandbox uses; anybody can derive it."""
    return str(uuid.UUID(bytes=hmac.digest(_SEED, owner.lower().encode(), "sha256")[:16], version=4))


def add_routes(router: Router, world: World) -> None:
    """The routes under `/relayer`, and `/sandbox/relayer`, where it is disturbed."""
    relayer = Relayer(world)
    router.add("GET", "/relayer/deployed", relayer.deployed)
    router.add("GET", "/relayer/v1/account/transactions/params", relayer.parameters)
    router.add("GET", "/relayer/v1/account/transactions/{}", relayer.transaction)
    router.add("POST", "/relayer/submit", relayer.submit)
    router.add("PUT", "/sandbox/relayer", relayer.disturb)


class Relayer:
    """Requests to the relayer of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._submitted: deque[int] = deque()

    def deployed(self, request: Request) -> Reply:
        """`GET /deployed`: whether this smart wallet was ever made. Needs no key."""
        address = (request.param("address") or "").lower()
        if not address:
            raise WireError(400, "address is required")
        smart = (account.wallet for account in self._world.accounts if account.signature_type)
        return json_reply({"deployed": any(wallet.lower() == address for wallet in smart)})

    def parameters(self, request: Request) -> Reply:
        """`GET /v1/account/transactions/params?address=<owner>&type=WALLET`: the wallet's next nonce."""
        owner = request.param("address") or ""
        if not is_address(owner):
            raise WireError(400, "address is required")
        if request.param("type") not in ("WALLET", None):
            raise WireError(400, "unsupported type")
        nonce = self._world.wallet_nonce(self._wallet_of(owner))
        return json_reply({"address": checksum(owner), "nonce": str(nonce)})

    def submit(self, request: Request) -> Reply:
        """`POST /submit`: a batch that the wallet's owner signed."""
        owner = self._owner(request)
        self._count()
        body = parse_body(request, Submission, "invalid request")
        if body.type != "WALLET" or body.depositWalletParams is None:
            raise WireError(400, f"unsupported transaction type {body.type}")
        batch = self._batch(owner, body, body.depositWalletParams)
        self._world.relay(batch)
        return json_reply({"transactionID": batch.id, "transactionHash": "", "state": batch.state})

    def transaction(self, request: Request) -> Reply:
        """`GET /v1/account/transactions/{id}`: where a submission is."""
        owner = self._owner(request)
        batch = self._world.relayed.get(request.values[0])
        if batch is None or batch.owner.lower() != owner.lower():
            raise WireError(404, "transaction not found")
        return json_reply(
            {
                "transaction_id": batch.id,
                "transaction_hash": batch.transaction or None,
                "state": batch.state,
                "error_msg": batch.error or None,
            }
        )

    def disturb(self, request: Request) -> Reply:
        """`PUT /sandbox/relayer`: how many of the next actions go wrong, and how."""
        self._world.relay_faults = parse_body(request, RelayFaults, "expected fail, invalid, stall, busy")
        return json_reply(msgspec.to_builtins(self._world.relay_faults))

    # --- inside ---------------------------------------------------------------------------------

    def _owner(self, request: Request) -> str:
        key = request.headers.get("relayer_api_key", "")
        owner = request.headers.get("relayer_api_key_address", "")
        if not is_address(owner) or not hmac.compare_digest(key, relayer_key(owner)):
            raise WireError(401, "invalid authorization")
        return owner

    def _count(self) -> None:
        now = self._world.now_ms
        while self._submitted and self._submitted[0] <= now - MINUTE_MS:
            self._submitted.popleft()
        if len(self._submitted) >= A_MINUTE:
            raise WireError(429, "too many requests")
        self._submitted.append(now)

    def _wallet_of(self, owner: str) -> str:
        return next(
            (
                account.wallet
                for account in self._world.accounts
                if account.address.lower() == owner.lower() and account.signature_type
            ),
            owner,
        )

    def _batch(self, owner: str, body: Submission, given: WalletParameters) -> Relayed:
        wallet = given.depositWallet
        if body.sender.lower() != owner.lower() or wallet.lower() != self._wallet_of(owner).lower():
            raise WireError(400, "wallet does not belong to this account")
        if body.to.lower() != CONTRACTS["deposit_wallet_factory"].lower():
            raise WireError(400, f"call blocked: factory {body.to} not permitted")
        if len(body.metadata) > LONGEST_NOTE or not body.nonce.isdecimal() or not given.deadline.isdecimal():
            raise WireError(400, "invalid request")
        for call in given.calls:
            if call.target.lower() not in PERMITTED or call.value != "0":
                raise WireError(400, f"call blocked: target {call.target} not permitted")
        self._require_idle(wallet, int(body.nonce))
        signer = _signer(wallet, int(body.nonce), int(given.deadline), given.calls, body.signature)
        if signer != owner.lower():
            raise WireError(400, "invalid signature")
        return Relayed(
            id=self._world.new_relay_id(),
            wallet=checksum(wallet),
            owner=checksum(owner),
            nonce=int(body.nonce),
            deadline_s=int(given.deadline),
            calls=tuple(WalletCall(call.target, call.data) for call in given.calls),
            at_ms=self._world.now_ms,
            signature=body.signature,
        )

    def _require_idle(self, wallet: str, nonce: int) -> None:
        faults = self._world.relay_faults
        if faults.busy > 0:
            faults.busy -= 1
            raise WireError(400, "wallet busy: wallet has an active action")
        if self._world.in_flight(wallet) is not None:
            raise WireError(400, "wallet has in-flight action")
        expected = self._world.wallet_nonce(wallet)
        if nonce != expected:
            raise WireError(400, f"batch nonce {nonce} does not match on-chain nonce {expected}")


def _signer(wallet: str, nonce: int, deadline: int, calls: list[CallBody], signature: str) -> str:
    """Who signed this batch, lower case; empty when nobody could have."""
    try:
        hashes = b"".join(
            keccak(
                keccak(_CALL_TYPE)
                + _address(call.target)
                + _word(int(call.value))
                + keccak(bytes.fromhex(call.data.removeprefix("0x")))
            )
            for call in calls
        )
        contents = keccak(
            keccak(_BATCH_TYPE) + _address(wallet) + _word(nonce) + _word(deadline) + keccak(hashes)
        )
        domain = keccak(
            _DOMAIN + keccak(b"DepositWallet") + keccak(b"1") + _word(CHAIN_ID) + _address(wallet)
        )
        return recover(keccak(b"\x19\x01" + domain + contents), signature)
    except (ValueError, OverflowError, InvalidSignatureError):
        return ""


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _address(text: str) -> bytes:
    return bytes(12) + bytes.fromhex(text[2:])
