"""EIP-712 by hand: the hash of an order, the ClobAuth statement, and who signed a digest.

A second opinion on purpose: the bot signs with other code, so a mistake in one of the two shows as
a refused order instead of a wrong one. Struct, domains and check values: polymarket contracts V2/V3.
"""

from functools import lru_cache
from typing import Final

import msgspec
from eth_hash.auto import keccak
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from polyb0t.sandbox.contracts import CHAIN_ID, EXCHANGE_V3

ORDER_TYPE: Final = (
    b"Order(uint256 salt,address maker,address signer,uint256 tokenId,uint256 makerAmount,"
    b"uint256 takerAmount,uint8 side,uint8 signatureType,uint256 timestamp,bytes32 metadata,bytes32 builder)"
)
ORDER_TYPEHASH: Final = keccak(ORDER_TYPE)
_DOMAIN_TYPEHASH: Final = keccak(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_AUTH_DOMAIN: Final = keccak(
    keccak(b"EIP712Domain(string name,string version,uint256 chainId)")
    + keccak(b"ClobAuthDomain")
    + keccak(b"1")
    + CHAIN_ID.to_bytes(32, "big")
)
_AUTH_TYPEHASH: Final = keccak(b"ClobAuth(address address,string timestamp,uint256 nonce,string message)")
_AUTH_MESSAGE: Final = keccak(b"This message attests that I control the given wallet")
_HALF_ORDER: Final = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


class OrderFields(msgspec.Struct, frozen=True):
    """The eleven signed fields; amounts in base units, `timestamp` in milliseconds."""

    salt: int
    maker: str
    signer: str
    token_id: int
    maker_amount: int
    taker_amount: int
    side: int  # 0 BUY, 1 SELL
    signature_type: int
    timestamp: int
    metadata: bytes  # 32 bytes
    builder: bytes  # 32 bytes


class InvalidSignatureError(Exception):
    """The bytes are not a signature that anybody could have made."""


@lru_cache(maxsize=8)
def domain_separator(contract: str) -> bytes:
    """Domain separator of one of the three exchange contracts; only the newest says version "3"."""
    version = b"3" if contract == EXCHANGE_V3 else b"2"
    return keccak(
        _DOMAIN_TYPEHASH
        + keccak(b"Polymarket CTF Exchange")
        + keccak(version)
        + _word(CHAIN_ID)
        + _address(contract)
    )


def struct_hash(order: OrderFields) -> bytes:
    """hashStruct of the order, which does not yet say for which exchange it is.

    Raises:
        ValueError: a field does not fit its type.
    """
    struct = b"".join(
        (
            ORDER_TYPEHASH,
            _word(order.salt),
            _address(order.maker),
            _address(order.signer),
            _word(order.token_id),
            _word(order.maker_amount),
            _word(order.taker_amount),
            _word(order.side),
            _word(order.signature_type),
            _word(order.timestamp),
            order.metadata,
            order.builder,
        )
    )
    return keccak(struct)


def order_hash(order: OrderFields, contract: str) -> bytes:
    """The digest that is signed, which is also the order's id; of a wrapped order too.

    Raises:
        ValueError: a field does not fit its type.
    """
    return order_digest(domain_separator(contract), struct_hash(order))


def order_digest(separator: bytes, contents: bytes) -> bytes:
    """The digest of an order whose domain and struct are hashed already."""
    return keccak(b"\x19\x01" + separator + contents)


def clob_auth_hash(address: str, timestamp: str, nonce: int) -> bytes:
    """The digest of the statement that proves control of a wallet (L1 authentication).

    Raises:
        ValueError: the address or the nonce does not fit its type.
    """
    struct = _AUTH_TYPEHASH + _address(address) + keccak(timestamp.encode()) + _word(nonce) + _AUTH_MESSAGE
    return keccak(b"\x19\x01" + _AUTH_DOMAIN + keccak(struct))


def recover(digest: bytes, signature: str) -> str:
    """The lower-case address whose key signed `digest`.

    Raises:
        InvalidSignatureError: not 65 bytes of hex, or values outside the curve. The malleable twin
            (high s) is refused as the contracts refuse it: one order has one signature.
    """
    try:
        raw = bytes.fromhex(signature.removeprefix("0x"))
    except ValueError as error:
        raise InvalidSignatureError("not hexadecimal") from error
    if len(raw) != 65 or raw[64] not in (27, 28) or int.from_bytes(raw[32:64], "big") > _HALF_ORDER:
        raise InvalidSignatureError("not a 65-byte signature")
    try:
        public = Signature(raw[:64] + bytes([raw[64] - 27])).recover_public_key_from_msg_hash(digest)
    except (BadSignature, ValidationError) as error:
        raise InvalidSignatureError("no key fits") from error
    return public.to_address()


@lru_cache(maxsize=4096)
def checksum(address: str) -> str:
    """The address in the mixed case of EIP-55."""
    plain = address.lower().removeprefix("0x")
    marks = keccak(plain.encode()).hex()
    return "0x" + "".join(
        letter.upper() if int(mark, 16) >= 8 else letter for letter, mark in zip(plain, marks, strict=False)
    )


def is_address(text: str) -> bool:
    """Whether `text` is 0x and 40 hexadecimal characters."""
    return len(text) == 42 and text[:2] == "0x" and all(c in "0123456789abcdefABCDEF" for c in text[2:])


def _word(value: int) -> bytes:
    """A uint256; OverflowError would name a Python type, so a plain ValueError."""
    if not 0 <= value < 1 << 256:
        raise ValueError(f"{value} is not a uint256")
    return value.to_bytes(32, "big")


def _address(text: str) -> bytes:
    if not is_address(text):
        raise ValueError("not an address")
    return b"\0" * 12 + bytes.fromhex(text[2:])
