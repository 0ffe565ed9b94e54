"""Ids of Protocol V2, bit by bit, and how wide each door of the venue wants a condition id.

A position id is a uint256: `module(8) | base hash(128) | arity(16) | reserved(64, zero) | chain(16) |
condition index(16) | outcome(8)`. The condition is the position without its last byte, 31 bytes. Where
32 bytes are required it is padded on the right, which makes it the first outcome's position id in hex.
Inside the sandbox every condition id has 32 bytes; only the doors below know of the short form.
Source: the venue's migration guide and a third party's probes, October 2026.
"""

from enum import IntEnum
from typing import Final

LONG: Final = 66  # 0x and 64 digits
SHORT: Final = 64  # 0x and 62 digits


class Module(IntEnum):
    """Which contract keeps a position."""

    BINARY = 1
    NEG_RISK = 2


def position_id(module: Module, base_hash: int, *, arity: int, index: int, outcome: int) -> int:
    """The id of one outcome. `base_hash` has 128 bits; `index` is the market's place in its event."""
    return int(module) << 248 | base_hash << 120 | arity << 104 | index << 8 | outcome


def condition_of_position(position: int) -> str:
    """The condition of a position, padded to 32 bytes."""
    return f"0x{position >> 8:062x}00"


def event_of_position(position: int) -> str:
    """The event of a position (29 bytes), padded to 32 bytes."""
    return f"0x{position >> 24:058x}000000"


def short(condition_id: str) -> str:
    """A V2 condition as the catalogue shows it, in 31 bytes."""
    return condition_id[:SHORT]


def long(condition_id: str) -> str:
    """Either width as the 32 bytes by which the sandbox knows a market."""
    text = condition_id.lower()
    return text + "00" if len(text) == SHORT else text
