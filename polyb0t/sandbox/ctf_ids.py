"""Ids of conditions and outcome tokens as the ConditionalTokens contract computes them.

A collection is a point of the curve alt_bn128, so that those of independent conditions can be added; an
outcome token is the hash of the collateral and a collection. Source: CTHelpers.sol of
conditional-tokens-contracts 1.0.3; a test asks the contract itself for the same ids.
"""

from functools import lru_cache
from typing import Final

from eth_hash.auto import keccak

OUTCOMES: Final = 2
_FIELD: Final = 21888242871839275222246405745257275088696311157297823662689037894645226208583
_ROOT: Final = (_FIELD + 1) // 4  # y = yy ** _ROOT is a square root, where there is one
_CURVE_B: Final = 3
_ODD_Y: Final = 1 << 254  # marks a point whose y is odd; x itself needs 254 bits


def condition_id(oracle: str, question_id: str) -> str:
    """The condition that `oracle` will report, with two outcomes: 0x and 64 digits."""
    packed = _bytes(oracle) + _bytes(question_id) + OUTCOMES.to_bytes(32, "big")
    return "0x" + keccak(packed).hex()


def token_ids(collateral: str, condition: str) -> tuple[str, str]:
    """The outcome tokens, first outcome first, as the decimal numbers that the venue writes."""
    first, second = (_position(collateral, _collection(condition, index_set)) for index_set in (1, 2))
    return str(first), str(second)


def _position(collateral: str, collection: bytes) -> int:
    return int.from_bytes(keccak(_bytes(collateral) + collection), "big")


@lru_cache(maxsize=4096)
def _collection(condition: str, index_set: int) -> bytes:
    """The collection of an index set under no parent."""
    digest = int.from_bytes(keccak(_bytes(condition) + index_set.to_bytes(32, "big")), "big")
    odd = digest >> 255
    x, y = _first_point(digest % _FIELD)
    if y % 2 != odd:
        y = _FIELD - y
    return (x ^ _ODD_Y if y % 2 else x).to_bytes(32, "big")


def _first_point(x: int) -> tuple[int, int]:
    """The first point of the curve whose x lies behind `x`."""
    while True:
        x = (x + 1) % _FIELD
        squared = (pow(x, 3, _FIELD) + _CURVE_B) % _FIELD
        y = pow(squared, _ROOT, _FIELD)
        if y * y % _FIELD == squared:
            return x, y


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
