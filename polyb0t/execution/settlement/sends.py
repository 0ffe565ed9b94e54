"""A send: one signed claim with its nonce, stored before any byte of it leaves.

PREPARED -> SENT -> UNKNOWN -> MINED -> CONFIRMED / REVERTED / DROPPED / ALREADY_PAID. Only proof ends one:
a final receipt, a nonce that something else consumed, or a deadline that passed on the chain.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from polyb0t.core.ids import IntentId, Wallet
from polyb0t.core.units import Pusd
from polyb0t.execution.settlement.ports import ClaimRoute


class SendStatus(StrEnum):
    """What is known of one signed claim."""

    PREPARED = "PREPARED"  # stored; seen by anyone but the thread that sends it is UNKNOWN
    SENT = "SENT"  # taken by the node or the relayer
    UNKNOWN = "UNKNOWN"  # it may have left or not
    MINED = "MINED"  # in a block that can still be taken back
    CONFIRMED = "CONFIRMED"  # deep enough, and it paid
    REVERTED = "REVERTED"  # deep enough, and it did nothing
    DROPPED = "DROPPED"  # proven void: its nonce went to another, or its deadline passed on the chain
    ALREADY_PAID = "ALREADY_PAID"  # somebody else's transaction paid; this one did nothing


_S = SendStatus
_ENDS: Final = frozenset({_S.CONFIRMED, _S.REVERTED, _S.DROPPED, _S.ALREADY_PAID})
SEND_TRANSITIONS: Final[Mapping[SendStatus, frozenset[SendStatus]]] = MappingProxyType(
    {
        _S.PREPARED: frozenset({_S.SENT, _S.UNKNOWN, _S.MINED}) | _ENDS,
        _S.SENT: frozenset({_S.UNKNOWN, _S.MINED}) | _ENDS,
        _S.UNKNOWN: frozenset({_S.SENT, _S.MINED}) | _ENDS,
        _S.MINED: frozenset({_S.UNKNOWN}) | _ENDS,  # a reorganisation takes a block back
        # A block that was thought final and was taken back all the same: loud, and looked for again.
        _S.CONFIRMED: frozenset({_S.UNKNOWN}),
        _S.REVERTED: frozenset({_S.UNKNOWN}),
        _S.DROPPED: frozenset({_S.MINED, _S.CONFIRMED}),  # positive evidence beats an inference
        _S.ALREADY_PAID: frozenset({_S.UNKNOWN}),
    }
)
ENDED_SEND: Final = _ENDS
OPEN_SEND: Final = frozenset(SendStatus) - _ENDS


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSend:
    """What is stored before anything leaves. `members` are the claims that it carries."""

    id: str
    members: tuple[IntentId, ...]
    wallet: Wallet
    route: ClaimRoute
    nonce: int
    raw: str = field(repr=False)
    tx_hash: str
    deadline: int | None
    expected: Pusd
    balance_before: Pusd
    from_block: int  # of the chain when it was made: nothing of it can be older
    max_fee_wei: int = 0
    priority_fee_wei: int = 0
    replaces: str | None = None  # the send of the same nonce that did not get through


@dataclass(frozen=True, slots=True, kw_only=True)
class SendRecord:
    """A send as stored, and what is known of it now. `raw` is erased at a proven end."""

    id: str
    members: tuple[IntentId, ...]
    wallet: Wallet
    route: ClaimRoute
    status: SendStatus
    nonce: int
    raw: str | None = field(repr=False)
    tx_hash: str
    transaction_id: str
    deadline: int | None
    expected: Pusd
    balance_before: Pusd
    from_block: int
    max_fee_wei: int
    priority_fee_wei: int
    replaces: str | None
    paid: Pusd | None
    gas_cost_wei: int
    code: str
    detail: str
    created_at: datetime
    updated_at: datetime

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_SEND
