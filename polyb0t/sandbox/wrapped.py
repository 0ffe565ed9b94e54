"""Signatures of deposit wallets: the ERC-7739 wrap, and the envelope of a session key around it.

A deposit wallet is a contract; it has no key and asks who signed for it (ERC-1271). The owner signs
the order together with the wallet it is meant for, and sends along what a contract needs to check
that: 65 bytes of signature, the exchange's domain, the hash of the order, and the order's type.
"""

from dataclasses import dataclass
from typing import Final

from eth_hash.auto import keccak

from polyb0t.sandbox.contracts import CHAIN_ID
from polyb0t.sandbox.signatures import ORDER_TYPE, InvalidSignatureError, recover

_TYPE: Final = (
    b"TypedDataSign(Order contents,string name,string version,uint256 chainId,"
    b"address verifyingContract,bytes32 salt)" + ORDER_TYPE
)
_TYPEHASH: Final = keccak(_TYPE)
_WALLET_DOMAIN: Final = keccak(b"DepositWallet") + keccak(b"1") + CHAIN_ID.to_bytes(32, "big")
_TAIL: Final = ORDER_TYPE + len(ORDER_TYPE).to_bytes(2, "big")
WRAPPED: Final = 65 + 32 + 32 + len(_TAIL)  # 317 bytes
_MAGIC: Final = bytes.fromhex("6492") * 16
_ENVELOPE_HEAD: Final = 128  # signer id, zero, offset of the bytes, their length


@dataclass(frozen=True, slots=True)
class WalletSigner:
    """Who signed for a deposit wallet, lower case, and whether as a session key."""

    address: str
    session: bool


def wrap_digest(wallet: str, separator: bytes, contents: bytes) -> bytes:
    """What is signed for `wallet`: the order's hash, under the exchange's domain, bound to the wallet."""
    wrapped = keccak(
        _TYPEHASH + contents + _WALLET_DOMAIN + bytes(12) + bytes.fromhex(wallet[2:]) + bytes(32)
    )
    return keccak(b"\x19\x01" + separator + wrapped)


def signer_of(wallet: str, signature: str, separator: bytes, contents: bytes) -> WalletSigner:
    """Who signed the order `contents` for `wallet`.

    Raises:
        InvalidSignatureError: not wrapped, wrapped for another order or exchange, or no signature.
    """
    try:
        raw = bytes.fromhex(signature.removeprefix("0x"))
    except ValueError as error:
        raise InvalidSignatureError("not hexadecimal") from error
    claimed = ""
    if raw.endswith(_MAGIC):
        claimed, raw = _opened(raw)
    if raw[65:] != separator + contents + _TAIL:
        raise InvalidSignatureError("not the wrap of this order")
    signer = recover(wrap_digest(wallet, separator, contents), raw[:65].hex())
    if claimed and claimed != signer:
        raise InvalidSignatureError("the envelope names another session key")
    return WalletSigner(signer, bool(claimed))


def _opened(raw: bytes) -> tuple[str, bytes]:
    """The session key that an envelope names, and what is inside: abi(bytes32, bytes32, bytes)."""
    body = raw[: -len(_MAGIC)]
    head = body[:_ENVELOPE_HEAD]
    expected = bytes(32) + (96).to_bytes(32, "big") + WRAPPED.to_bytes(32, "big")
    padded = -(-WRAPPED // 32) * 32
    if head[:12] != bytes(12) or head[32:] != expected or len(body) != _ENVELOPE_HEAD + padded:
        raise InvalidSignatureError("not the envelope of a session key")
    return "0x" + head[12:32].hex(), body[_ENVELOPE_HEAD : _ENVELOPE_HEAD + WRAPPED]
