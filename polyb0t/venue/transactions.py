"""An owner's own transaction: its fee, its bytes (EIP-1559), and what an answer to it proves.

Polygon's nodes take no transaction with a tip under 25 gwei (PIP-35), some still none under 30, whatever
`eth_maxPriorityFeePerGas` suggests; so 30 is the least here. Replacing needs 10 % more of both fees.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eth_hash.auto import keccak

from polyb0t.core.errors import ConflictError
from polyb0t.execution.settlement.ports import ClaimCall, Fees, SendClass, SendOutcome
from polyb0t.venue.signing import DigestSigner

GWEI: Final = 10**9
LEAST_TIP_GWEI: Final = 30
_TYPE: Final = b"\x02"
_Item = int | bytes | Sequence["_Item"]


@dataclass(frozen=True, slots=True)
class GasPolicy:
    """The most that one unit of gas may cost, and the least tip, in wei."""

    cap_wei: int
    least_tip_wei: int = LEAST_TIP_GWEI * GWEI

    def fees(self, gas: int, *, base_wei: int, suggested_tip_wei: int) -> Fees:
        """Fees that stay enough while the base fee doubles. A quarter more gas than was needed: what is
        not used is not paid, and a balance that changes meanwhile changes the need.

        Raises:
            ConflictError: under the cap it would not be mined now.
        """
        if base_wei + self.least_tip_wei > self.cap_wei:
            raise self._too_dear(base_wei + self.least_tip_wei)
        tip = min(max(suggested_tip_wei, self.least_tip_wei), self.cap_wei - base_wei)
        return Fees(gas + gas // 4, min(2 * base_wei + tip, self.cap_wei), tip)

    def check(self, fees: Fees) -> None:
        """Raises ConflictError: they are above the cap."""
        if fees.max_fee_wei > self.cap_wei:
            raise self._too_dear(fees.max_fee_wei)

    def _too_dear(self, needed_wei: int) -> ConflictError:
        return ConflictError(
            f"Nothing was sent: gas costs {needed_wei / GWEI:.1f} gwei, more than {self.cap_wei / GWEI:g}.",
            why="POLYBOT_CLAIM_GAS_CAP_GWEI is the most that you let it cost.",
            do="It is tried again when gas is cheaper; or raise the cap.",
            code="gas_over_cap",
        )


def signed_transaction(
    call: ClaimCall, nonce: int, fees: Fees, *, chain_id: int, key: DigestSigner
) -> tuple[str, str]:
    """The raw transaction and its hash, both 0x-hex. The same input gives the same bytes."""
    content: list[_Item] = [
        chain_id,
        nonce,
        fees.priority_fee_wei,
        fees.max_fee_wei,
        fees.gas,
        bytes.fromhex(call.target[2:]),
        0,
        bytes.fromhex(call.data[2:]),
        [],
    ]
    signature = key.sign_digest(keccak(_TYPE + rlp(content)))
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    raw = _TYPE + rlp([*content, signature[64] - 27, r, s])
    return "0x" + raw.hex(), "0x" + keccak(raw).hex()


def rlp(item: _Item) -> bytes:
    """Recursive length prefix, the chain's own packing."""
    if isinstance(item, int):
        return rlp(item.to_bytes((item.bit_length() + 7) // 8, "big"))
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < 0x80:
            return item
        return _prefixed(0x80, item)
    return _prefixed(0xC0, b"".join(rlp(each) for each in item))


def _prefixed(base: int, content: bytes) -> bytes:
    if len(content) < 56:
        return bytes([base + len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([base + 55 + len(length)]) + length + content


# Texts of go-ethereum's transaction pool, which Polygon's nodes and anvil share; from their beginning.
_KNOWN: Final = re.compile(r"already known|known transaction|transaction already imported", re.IGNORECASE)
_LATER: Final = re.compile(r"txpool is full|transaction pool is full|future transaction tries", re.IGNORECASE)
_REFUSED: Final = re.compile(
    r"replacement transaction underpriced|transaction underpriced|transaction gas price below minimum"
    r"|max fee per gas less than block base fee|max priority fee per gas higher than max fee per gas"
    r"|insufficient funds|intrinsic gas too low|gas limit reached|exceeds block gas limit"
    r"|invalid sender|invalid chain id|tx fee \([^)]*\) exceeds the configured cap|oversized data"
    r"|only replay-protected|transaction type not supported",
    re.IGNORECASE,
)


def of_result(result: object, tx_hash: str) -> SendOutcome:
    """What the hash that a node answered proves."""
    if isinstance(result, str) and result.lower() == tx_hash.lower():
        return SendOutcome(SendClass.ACCEPTED)
    return SendOutcome(SendClass.UNKNOWN, "the node named another transaction")


def of_error(message: str) -> SendOutcome:
    """What a node's error proves. A nonce that is used may have been used by this very transaction."""
    if _KNOWN.match(message):
        return SendOutcome(SendClass.ACCEPTED, message)
    if _LATER.match(message):
        return SendOutcome(SendClass.REFUSED, message, retryable=True)
    if _REFUSED.match(message):
        return SendOutcome(SendClass.REFUSED, message)
    return SendOutcome(SendClass.UNKNOWN, message)
