"""Addresses of the smart wallets that follow from an owner: proxy, Safe, and both deposit wallets.

Each is CREATE2 of a factory, so nobody has to look anything up: the venue, the SDK and this module
derive the same addresses. The byte codes are public facts of the factories on Polygon.
"""

from functools import lru_cache
from typing import Final

from eth_hash.auto import keccak

from polyb0t.sandbox.contracts import CONTRACTS
from polyb0t.sandbox.signatures import checksum

EOA: Final = 0
PROXY: Final = 1
SAFE: Final = 2
DEPOSIT: Final = 3
KINDS: Final = (EOA, PROXY, SAFE, DEPOSIT)

_SAFE_CODE_HASH: Final = bytes.fromhex("2bce2127ff07fb632d16c8347c4ebf501f4841168bed00d9e6ef715ddb6fcecf")
# A minimal proxy that asks its factory, with the constructor's empty `bytes` behind it.
_PROXY_HEAD: Final = bytes.fromhex("3d3d606380380380913d393d73")
_PROXY_MIDDLE: Final = bytes.fromhex("5af4602a57600080fd5b602d8060366000396000f3363d3d373d3d3d363d73")
_PROXY_TAIL: Final = (
    bytes.fromhex("5af43d82803e903d91602b57fd5bf352e831dd") + (32).to_bytes(32, "big") + bytes(32)
)
# ERC-1967 proxies with immutable arguments: the upgradeable one (until 2026-06-29) and the beacon one.
_UUPS_HEAD: Final = 0x61003D3D8160233D3973
_UUPS_TAIL: Final = bytes.fromhex(
    "6009"
    "5155f3363d3d373d3d363d7f360894a13ba1a3210667c828492db98dca3e2076"
    "cc3735a920a3ca505d382bbc545af43d6000803e6038573d6000fd5b3d6000f3"
)
_BEACON_HEAD: Final = 0x6100523D8160233D3973
_BEACON_TAIL: Final = bytes.fromhex(
    "60195155f3363d3d373d3d363d602036600436635c60da"
    "1b60e01b36527fa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6c"
    "b3582b35133d50545afa5036515af43d6000803e604d573d6000fd5b3d6000f3"
)


def proxy_wallet(owner: str) -> str:
    """The e-mail proxy of an owner (signature type 1)."""
    factory = CONTRACTS["proxy_wallet_factory"]
    code = (
        _PROXY_HEAD
        + _bytes(factory)
        + _PROXY_MIDDLE
        + _bytes(CONTRACTS["proxy_wallet_implementation"])
        + _PROXY_TAIL
    )
    return _create2(factory, keccak(_bytes(owner)), keccak(code))


def safe_wallet(owner: str) -> str:
    """The browser wallet's Safe of an owner (signature type 2)."""
    return _create2(CONTRACTS["safe_factory"], keccak(_word(owner)), _SAFE_CODE_HASH)


def deposit_wallet(owner: str) -> str:
    """The deposit wallet of an owner (signature type 3), as made since 2026-06-29: behind a beacon."""
    return _deposit(owner, _BEACON_HEAD, CONTRACTS["deposit_wallet_beacon"], _BEACON_TAIL)


def old_deposit_wallet(owner: str) -> str:
    """The deposit wallet of an owner as it was made before: upgradeable by itself (UUPS)."""
    return _deposit(owner, _UUPS_HEAD, CONTRACTS["deposit_wallet_implementation"], _UUPS_TAIL)


@lru_cache(maxsize=1024)
def wallets_of(owner: str, signature_type: int) -> tuple[str, ...]:
    """Every wallet that an owner could have of this signature type; none for an unknown type."""
    match signature_type:
        case 0:
            return (checksum(owner),)
        case 1:
            return (proxy_wallet(owner),)
        case 2:
            return (safe_wallet(owner),)
        case 3:
            return (deposit_wallet(owner), old_deposit_wallet(owner))
        case _:
            return ()


def _deposit(owner: str, head: int, behind: str, tail: bytes) -> str:
    factory = CONTRACTS["deposit_wallet_factory"]
    arguments = _word(factory) + _word(owner)
    code = (head + (len(arguments) << 56)).to_bytes(10, "big") + _bytes(behind) + tail + arguments
    return _create2(factory, keccak(arguments), keccak(code))


def _create2(factory: str, salt: bytes, code_hash: bytes) -> str:
    return checksum("0x" + keccak(b"\xff" + _bytes(factory) + salt + code_hash)[12:].hex())


def _word(address: str) -> bytes:
    return bytes(12) + _bytes(address)


def _bytes(address: str) -> bytes:
    return bytes.fromhex(address[2:])
