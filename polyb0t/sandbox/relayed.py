"""What the relayer was given, and how far it is with it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec


@dataclass(frozen=True, slots=True)
class WalletCall:
    """One call that a wallet makes; the value is always zero here."""

    target: str
    data: str  # hex with 0x


class RelayState(StrEnum):
    """The relayer's words for where a transaction is."""

    NEW = "STATE_NEW"
    EXECUTED = "STATE_EXECUTED"
    MINED = "STATE_MINED"
    CONFIRMED = "STATE_CONFIRMED"
    FAILED = "STATE_FAILED"
    INVALID = "STATE_INVALID"


ENDED: Final = frozenset({RelayState.CONFIRMED, RelayState.FAILED, RelayState.INVALID})


@dataclass
class Relayed:
    """One batch of calls."""

    id: str
    wallet: str
    owner: str
    nonce: int
    deadline_s: int
    calls: tuple[WalletCall, ...]
    at_ms: int
    signature: str = ""
    state: RelayState = RelayState.NEW
    transaction: str = ""
    error: str = ""


class AutoRedeem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the venue pays winnings by itself, and how long after a result."""

    on: bool
    after_ms: int = 0


class RelayFaults(msgspec.Struct, forbid_unknown_fields=True):
    """What becomes of the next actions: so many fail, are called invalid, or never go on; whether the
    wallet is called busy."""

    fail: int = 0
    invalid: int = 0
    stall: int = 0
    busy: int = 0
