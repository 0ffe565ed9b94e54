"""Which deposit wallets follow from an owner's address: CREATE2 of the venue's factory, by pure computation.

Tells an owner's key from a session key, whose signatures the wallet wants in an envelope. A test holds
the addresses against the vendor's SDK, whose rule this is: a key from which the wallet does not follow
is a session key of it.
"""

from functools import lru_cache
from typing import Final

from eth_hash.auto import keccak

from polyb0t.core.ids import Wallet
from polyb0t.venue.signing import POLY_1271, address_word, checksummed

# The vendor's SDK 0.14. The wallets until 2026-06-29 are upgradeable by themselves, later ones by a beacon.
_FACTORY: Final = "0x00000000000Fb5C9ADea0298D729A0CB3823Cc07"
_IMPLEMENTATION: Final = "0x58CA52ebe0DadfdF531Cde7062e76746de4Db1eB"
_BEACON: Final = "0x7A18EDfe055488A3128f01F563e5B479D92ffc3a"
# ERC-1967 proxies with immutable arguments behind their code.
_UPGRADEABLE: Final = 0x61003D3D8160233D3973
_UPGRADEABLE_CODE: Final = bytes.fromhex(
    "60095155f3363d3d373d3d363d7f360894a13ba1a3210667c828492db98dca3e2076"
    "cc3735a920a3ca505d382bbc545af43d6000803e6038573d6000fd5b3d6000f3"
)
_BEHIND_BEACON: Final = 0x6100523D8160233D3973
_BEACON_CODE: Final = bytes.fromhex(
    "60195155f3363d3d373d3d363d602036600436635c60da1b60e01b36527fa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6c"
    "b3582b35133d50545afa5036515af43d6000803e604d573d6000fd5b3d6000f3"
)


@lru_cache(maxsize=64)
def deposit_wallets(owner: str) -> tuple[Wallet, Wallet]:
    """The two deposit wallets that an owner could have: the present kind, then the older one.

    Raises:
        ValueError: not an address.
    """
    arguments = address_word(_FACTORY) + address_word(owner)
    return (
        _created(_BEHIND_BEACON, _BEACON, _BEACON_CODE, arguments),
        _created(_UPGRADEABLE, _IMPLEMENTATION, _UPGRADEABLE_CODE, arguments),
    )


def is_session_key(address: str, wallet: str, signature_type: int) -> bool:
    """Whether the key at `address` signs for `wallet` as a session key: a deposit wallet that is not its own.

    Raises:
        ValueError: not an address.
    """
    return signature_type == POLY_1271 and checksummed(wallet) not in deposit_wallets(address)


def _created(head: int, behind: str, code: bytes, arguments: bytes) -> Wallet:
    prefix = (head + (len(arguments) << 56)).to_bytes(10, "big")
    init = prefix + bytes.fromhex(behind[2:]) + code + arguments
    raw = b"\xff" + bytes.fromhex(_FACTORY[2:]) + keccak(arguments) + keccak(init)
    return checksummed(keccak(raw)[12:].hex())
