"""The venue's relayer for one deposit wallet: `execution.settlement.ports.Relayer`.

Only the relayer can make such a wallet act, and only with its owner's signature of exactly the calls, the
wallet's counter and a deadline. Submitting is one HTTP call and never repeated here (the vendor's SDK signs
anew with a fresh counter on any refusal, which could pay a claim's gas twice and hides what was sent).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from eth_hash.auto import keccak

from polyb0t.core.errors import ConfigurationError, VenueUnreachableError
from polyb0t.core.ids import Wallet
from polyb0t.execution.settlement.ports import (
    ClaimCall,
    ClaimRoute,
    RelayerState,
    RelayerTransaction,
    SendClass,
    SendOutcome,
    SignedClaim,
)
from polyb0t.venue.buckets import RELAYER, Throttle
from polyb0t.venue.claims_calls import TARGETS, wrong_claim
from polyb0t.venue.http import HttpReader
from polyb0t.venue.one_shot import NeverLeft, NoAnswer, OneShot
from polyb0t.venue.parsing import Refused, as_object, text
from polyb0t.venue.relayer_answers import of_state, of_submission
from polyb0t.venue.signing import DigestSigner, address_word, word

NOTE: Final = "redeem"  # shown by the venue; at most 500 characters
_DOMAIN: Final = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_CALL_TYPE: Final = b"Call(address target,uint256 value,bytes data)"
_BATCH: Final = keccak(b"Batch(address wallet,uint256 nonce,uint256 deadline,Call[] calls)" + _CALL_TYPE)
_CALL: Final = keccak(_CALL_TYPE)
_ANSWERS: Final = frozenset({400, 401, 403, 404, 429})


@dataclass(frozen=True, slots=True)
class RelayerKey:
    """What the relayer knows its user by. `address` is the wallet's owner."""

    address: Wallet
    secret: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {"RELAYER_API_KEY": self.secret, "RELAYER_API_KEY_ADDRESS": self.address}


class PolymarketRelayer:
    """One deposit wallet. Safe to share between threads."""

    def __init__(
        self,
        url: str,
        wallet: Wallet,
        owner: DigestSigner,
        key: RelayerKey,
        *,
        chain_id: int,
        contracts: Mapping[str, Wallet],
        reader: HttpReader,
        one_shot: OneShot,
        throttle: Throttle,
    ) -> None:
        """
        Raises:
            ConfigurationError: the relayer's key is one of another owner.
        """
        if key.address.lower() != owner.address.lower():
            raise ConfigurationError(
                "Claims are not sent: the relayer's key belongs to another owner.",
                why=f"Its address is {key.address}, that of the signing key {owner.address}.",
                do="Make a relayer key for this account on the venue's website, under Settings, API Keys.",
                code="wrong_relayer_key",
            )
        self._url = url.rstrip("/")
        self._wallet = wallet
        self._owner = owner
        self._key = key
        self._chain_id = chain_id
        self._contracts = contracts
        self._reader = reader
        self._one_shot = one_shot
        self._throttle = throttle

    def nonce(self) -> int | None:
        try:
            answer = self._reader.get(
                f"{self._url}/v1/account/transactions/params",
                {"address": self._owner.address, "type": "WALLET"},
                headers=self._key.headers,
            )
            told = text(as_object(self._reader.parsed(answer), "the answer"), "nonce", longest=30)
        except (VenueUnreachableError, Refused):
            return None
        return int(told) if told.isascii() and told.isdigit() else None

    def sign(self, calls: Sequence[ClaimCall], nonce: int, *, deadline: int) -> SignedClaim:
        """
        Raises:
            ConfigurationError: a call of another wallet, or to a contract that does not pay.
        """
        permitted = {self._contracts[name] for name in TARGETS}
        if not calls or any(each.wallet != self._wallet or each.target not in permitted for each in calls):
            raise wrong_claim("Only the wallet that holds the shares is paid, by contracts that are known.")
        digest = batch_digest(self._wallet, nonce, deadline, calls, chain_id=self._chain_id)
        body = self._body(calls, nonce, deadline, self._owner.sign_digest(digest))
        raw = json.dumps(body, sort_keys=True, separators=(",", ":"))
        return SignedClaim(ClaimRoute.RELAYER, nonce, raw, deadline=deadline)

    def submit(self, signed: SignedClaim) -> SendOutcome:
        wait = self._throttle.take(RELAYER)
        if wait:
            why = f"nothing was sent: our own limit for the relayer; again in {wait:.0f} s"
            return SendOutcome(SendClass.REFUSED, why, retryable=True)
        headers = {**self._key.headers, "Content-Type": "application/json"}
        try:
            reply = self._one_shot.call(
                "POST", f"{self._url}/submit", headers=headers, body=signed.raw.encode()
            )
        except NeverLeft as error:
            return SendOutcome(SendClass.REFUSED, f"nothing was sent: {error}", retryable=True)
        except NoAnswer as error:
            return SendOutcome(SendClass.UNKNOWN, f"{error}")
        self._throttle.answered(RELAYER, reply.status, reply.headers)
        return of_submission(reply.status, reply.body)

    def state(self, transaction_id: str) -> RelayerTransaction:
        if not transaction_id.replace("-", "").isalnum():
            return RelayerTransaction(RelayerState.UNKNOWN, error="that is no name of a submission")
        try:
            answer = self._reader.get(
                f"{self._url}/v1/account/transactions/{transaction_id}",
                also=_ANSWERS,
                headers=self._key.headers,
            )
        except VenueUnreachableError as error:
            return RelayerTransaction(RelayerState.UNKNOWN, error=str(error))
        return of_state(answer.status, answer.body)

    def _body(
        self, calls: Sequence[ClaimCall], nonce: int, deadline: int, signature: bytes
    ) -> dict[str, object]:
        return {
            "type": "WALLET",
            "from": self._owner.address,
            "to": self._contracts["deposit_wallet_factory"],
            "nonce": str(nonce),
            "signature": "0x" + signature.hex(),
            "metadata": NOTE,
            "depositWalletParams": {
                "depositWallet": self._wallet,
                "deadline": str(deadline),
                "calls": [{"target": each.target, "value": "0", "data": each.data} for each in calls],
            },
        }


def batch_digest(
    wallet: Wallet, nonce: int, deadline: int, calls: Sequence[ClaimCall], *, chain_id: int
) -> bytes:
    """The EIP-712 digest of a batch, which the wallet's owner signs."""
    hashes = b"".join(
        keccak(_CALL + address_word(call.target) + word(0) + keccak(bytes.fromhex(call.data[2:])))
        for call in calls
    )
    content = keccak(_BATCH + address_word(wallet) + word(nonce) + word(deadline) + keccak(hashes))
    domain = keccak(_DOMAIN + keccak(b"DepositWallet") + keccak(b"1") + word(chain_id) + address_word(wallet))
    return keccak(b"\x19\x01" + domain + content)
