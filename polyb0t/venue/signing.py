"""EIP-712 by hand: the hash of an order, which is its id, and the signature that authorises it.

The vendor's SDK takes neither salt nor timestamp and does not tell the id before it posts, so orders
are built here; tests hold the result byte for byte against both official signers. Fixed 32-byte
packing and one keccak each make this an order of magnitude faster than a general ABI encoder.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NoReturn, Protocol

from eth_hash.auto import keccak

from polyb0t.core.errors import ConfigurationError
from polyb0t.core.ids import OrderId, Wallet

_FastKey: "type[CoincurveKey] | None"
try:  # libsecp256k1: about a hundred times faster than pure Python; no wheel exists for every Python
    from coincurve import PrivateKey as CoincurveKey
except ImportError:
    _FastKey = None
else:
    _FastKey = CoincurveKey

ORDER_TYPE: Final = (
    b"Order(uint256 salt,address maker,address signer,uint256 tokenId,uint256 makerAmount,"
    b"uint256 takerAmount,uint8 side,uint8 signatureType,uint256 timestamp,bytes32 metadata,bytes32 builder)"
)
ORDER_TYPEHASH: Final = keccak(ORDER_TYPE)
_DOMAIN_TYPEHASH: Final = keccak(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_EXCHANGE_NAME: Final = keccak(b"Polymarket CTF Exchange")
_WRAP_TYPEHASH: Final = keccak(
    b"TypedDataSign(Order contents,string name,string version,uint256 chainId,"
    b"address verifyingContract,bytes32 salt)" + ORDER_TYPE
)
_WRAP_NAME: Final = keccak(b"DepositWallet")
_WRAP_VERSION: Final = keccak(b"1")
_AUTH_DOMAIN_TYPEHASH: Final = keccak(b"EIP712Domain(string name,string version,uint256 chainId)")
_AUTH_TYPEHASH: Final = keccak(b"ClobAuth(address address,string timestamp,uint256 nonce,string message)")
_AUTH_MESSAGE: Final = keccak(b"This message attests that I control the given wallet")
ZERO_WORD: Final = bytes(32)
# By these bytes at its end a deposit wallet knows that a session key signed, and not its owner.
_SESSION_MARK: Final = bytes.fromhex("6492") * 16

EOA: Final = 0
POLY_PROXY: Final = 1
POLY_GNOSIS_SAFE: Final = 2
POLY_1271: Final = 3  # deposit wallet: the contract checks a wrapped signature of its owner


def word(value: int) -> bytes:
    """A uint256 in 32 big-endian bytes.

    Raises:
        ValueError: negative, or more than 256 bits.
    """
    if not 0 <= value < 1 << 256:
        raise ValueError(f"{value} is not a uint256")
    return value.to_bytes(32, "big")


@lru_cache(maxsize=64)
def address_word(address: str) -> bytes:
    """An address left-padded to 32 bytes.

    Raises:
        ValueError: not 0x and 40 hex characters.
    """
    raw = bytes.fromhex(address[2:])
    if len(address) != 42 or address[:2] != "0x" or len(raw) != 20:  # fromhex skips spaces
        raise ValueError(f"{address:.60} is not an address")
    return bytes(12) + raw


@dataclass(frozen=True, slots=True)
class ExchangeDomain:
    """Which exchange contract an order is for: version "2" for CTF and neg-risk, "3" for Protocol V2."""

    version: str
    chain_id: int
    contract: str

    @property
    def separator(self) -> bytes:
        return _separator(self.version, self.chain_id, self.contract)


@lru_cache(maxsize=16)
def _separator(version: str, chain_id: int, contract: str) -> bytes:
    return keccak(
        _DOMAIN_TYPEHASH + _EXCHANGE_NAME + keccak(version.encode()) + word(chain_id) + address_word(contract)
    )


@dataclass(frozen=True, slots=True)
class OrderStruct:
    """The eleven signed fields. Amounts in base units (millionths), `timestamp` in milliseconds."""

    salt: int
    maker: str
    signer: str
    token_id: int
    maker_amount: int
    taker_amount: int
    side: int  # 0 BUY, 1 SELL
    signature_type: int
    timestamp: int
    metadata: bytes = ZERO_WORD
    builder: bytes = ZERO_WORD


def struct_hash(order: OrderStruct) -> bytes:
    """hashStruct of the order.

    Raises:
        ValueError: a field does not fit its type.
    """
    if len(order.metadata) != 32 or len(order.builder) != 32:
        raise ValueError("metadata and builder are 32 bytes each")
    return keccak(
        ORDER_TYPEHASH
        + word(order.salt)
        + address_word(order.maker)
        + address_word(order.signer)
        + word(order.token_id)
        + word(order.maker_amount)
        + word(order.taker_amount)
        + word(order.side)
        + word(order.signature_type)
        + word(order.timestamp)
        + order.metadata
        + order.builder
    )


def order_hash(order: OrderStruct, domain: ExchangeDomain) -> bytes:
    """The EIP-712 digest of the plain order; for deposit wallets too the inner order, not the wrap."""
    return keccak(b"\x19\x01" + domain.separator + struct_hash(order))


def order_id_of(order: OrderStruct, domain: ExchangeDomain) -> OrderId:
    """The identity that the exchange will give this order; needs no key."""
    return OrderId("0x" + order_hash(order, domain).hex())


class DigestSigner(Protocol):
    """Whatever holds a key: here a process, one day a hardware module."""

    @property
    def address(self) -> Wallet: ...

    def sign_digest(self, digest: bytes) -> bytes:
        """65 bytes r, s, v with v 27 or 28 and s in the lower half; the same digest gives the same bytes."""
        ...


class SigningKey:
    """A private key in memory that no repr, exception, pickle or copy shows."""

    __slots__ = ("_sign", "address")

    def __init__(self, key: str) -> None:
        """`key` is 0x (optional) and 64 hex characters.

        Raises:
            ConfigurationError: it is not; the text is not repeated.
        """
        self.address, self._sign = _signer_of(_key_bytes(key))

    def sign_digest(self, digest: bytes) -> bytes:
        raw = self._sign(digest)
        return bytes(raw[:64]) + bytes([raw[64] + 27])

    def __repr__(self) -> str:
        return f"SigningKey({self.address})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signing key is not copied or pickled")


def _signer_of(secret: bytes) -> tuple[Wallet, Callable[[bytes], bytes]]:
    """The address, and a function from digest to r, s and recovery id (RFC 6979, so deterministic)."""
    if _FastKey is not None:
        fast = _FastKey(secret)
        point = fast.public_key.format(compressed=False)[1:]
        return address_of(point), lambda digest: fast.sign_recoverable(digest, hasher=None)
    # Imported only where it is needed: it costs 130 ms, and most machines have the fast one.
    from eth_keys.datatypes import PrivateKey  # noqa: PLC0415

    slow = PrivateKey(secret)
    return address_of(slow.public_key.to_bytes()), lambda digest: slow.sign_msg_hash(digest).to_bytes()


def address_of(public_point: bytes) -> Wallet:
    """The address of an uncompressed public key of 64 bytes."""
    return checksummed(keccak(public_point)[12:].hex())


def checksummed(address: str) -> Wallet:
    """The address in the mixed case of EIP-55.

    Raises:
        ValueError: not 40 hex characters, with or without 0x.
    """
    digits = address.lower().removeprefix("0x")
    if len(digits) != 40 or len(bytes.fromhex(digits)) != 20:
        raise ValueError(f"{address:.60} is not an address")
    marks = keccak(digits.encode()).hex()
    mixed = (c.upper() if int(mark, 16) >= 8 else c for c, mark in zip(digits, marks, strict=False))
    return Wallet("0x" + "".join(mixed))


def _key_bytes(key: str) -> bytes:
    text = key.strip().removeprefix("0x").removeprefix("0X")
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        secret = b""
    curve_order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    if len(text) != 64 or len(secret) != 32 or not 0 < int.from_bytes(secret, "big") < curve_order:
        # `from None`: the failed conversion would quote the text in its message.
        raise ConfigurationError(
            "The private key can not be used.",
            why="It is not 64 hexadecimal characters, with or without 0x, that name a key.",
            do="Set POLYBOT_PRIVATE_KEY to the key of the wallet that signs.",
            code="bad_private_key",
        ) from None
    return secret


def sign_order(
    order: OrderStruct, domain: ExchangeDomain, key: DigestSigner, *, session: bool = False
) -> tuple[OrderId, str]:
    """The order's id and its signature as 0x-hex: 65 bytes, or 317 for a deposit wallet, of which those of
    a `session` key come in an envelope of 480. The id is the same whoever signs.

    The same order, domain and key always give the same bytes.

    Raises:
        ValueError: a session key for a wallet that knows none.
    """
    contents = struct_hash(order)
    separator = domain.separator
    digest = keccak(b"\x19\x01" + separator + contents)
    order_id = OrderId("0x" + digest.hex())
    if order.signature_type != POLY_1271:
        if session:
            raise ValueError("only deposit wallets have session keys")
        return order_id, "0x" + key.sign_digest(digest).hex()
    inner = key.sign_digest(_wrap_digest(order, domain, contents))
    tail = ORDER_TYPE + len(ORDER_TYPE).to_bytes(2, "big")
    wrapped = inner + separator + contents + tail
    return order_id, "0x" + (_in_envelope(wrapped, key.address) if session else wrapped).hex()


def _in_envelope(signature: bytes, session_key: Wallet) -> bytes:
    """abi.encode(bytes32 whose, bytes32 0, bytes signature), and the mark: as the vendor's SDK 0.14 does."""
    padding = bytes(-len(signature) % 32)
    head = address_word(session_key) + ZERO_WORD + word(96) + word(len(signature))
    return head + signature + padding + _SESSION_MARK


def _wrap_digest(order: OrderStruct, domain: ExchangeDomain, contents: bytes) -> bytes:
    """ERC-7739 TypedDataSign: binds the order to this deposit wallet, so that it serves no other."""
    wrapped = keccak(
        _WRAP_TYPEHASH
        + contents
        + _WRAP_NAME
        + _WRAP_VERSION
        + word(domain.chain_id)
        + address_word(order.signer)
        + ZERO_WORD
    )
    return keccak(b"\x19\x01" + domain.separator + wrapped)


def clob_auth_signature(key: DigestSigner, *, chain_id: int, timestamp: int, nonce: int) -> str:
    """The L1 proof of control, 0x-hex; `timestamp` in unix seconds."""
    separator = keccak(_AUTH_DOMAIN_TYPEHASH + keccak(b"ClobAuthDomain") + keccak(b"1") + word(chain_id))
    statement = keccak(
        _AUTH_TYPEHASH
        + address_word(key.address)
        + keccak(str(timestamp).encode())
        + word(nonce)
        + _AUTH_MESSAGE
    )
    return "0x" + key.sign_digest(keccak(b"\x19\x01" + separator + statement)).hex()
