"""The port to stored claims. Each method is one transaction under the gate; every change is journalled."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from polyb0t.core.ids import ConditionId, IntentId
from polyb0t.core.units import Pusd
from polyb0t.data.cash_flows import Taken
from polyb0t.execution.intents import Denied, IntentRecord
from polyb0t.execution.scope import Lease
from polyb0t.execution.settlement.ports import Payout
from polyb0t.execution.settlement.sends import NewSend, SendRecord, SendStatus
from polyb0t.execution.store import Stores


@dataclass(frozen=True, slots=True)
class BookedPayout:
    """A payment of the chain as our books have it. `send_id` empty: somebody else's transaction paid;
    `taken` are the shares of ours that went for it; `removed_at`: its block was taken back."""

    payout: Payout
    send_id: str
    taken: tuple[Taken, ...]
    recorded_at: datetime
    removed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SendNews:
    """What is now known of a send, and from which words. A None leaves what is stored."""

    status: SendStatus
    code: str
    detail: str
    tx_hash: str | None = None
    transaction_id: str | None = None
    paid: Pusd | None = None
    gas_cost_wei: int | None = None


class ClaimStore(Protocol):
    """Sends and payments of one scope."""

    def prepare(self, send: NewSend, lease: Lease, *, budget_seconds: float) -> SendRecord | Denied:
        """Store the signed claim as PREPARED: the permission to send.

        Every member has to be an approved claim that is EXECUTING, before its `execute_by`, while no switch
        halts, and without another send that could still pay; a send of the same nonce may only replace one
        with the same members. Denied leaves everything as it was.
        """
        ...

    def settle(
        self,
        send_id: str,
        lease: Lease,
        news: SendNews,
        *,
        booked: Sequence[BookedPayout] = (),
        ends: Collection[tuple[IntentId, str, str]] = (),
    ) -> SendRecord:
        """Move the send, book what it paid, and end its members: EXECUTED at CONFIRMED, else FAILED.

        `ends` names those members that end otherwise than the send itself (intent, code, detail). At
        CONFIRMED the other sends of its nonce are DROPPED. Its raw bytes are erased at every end but
        CONFIRMED: they are all that brings the payment back if the chain takes the block back. DROPPED
        leaves members EXECUTING: nothing of theirs was done, and they may be sent anew in their time.

        Raises:
            ConflictError: `illegal_move`.
        """
        ...

    def finish(self, send_id: str, lease: Lease) -> None:
        """Erase the bytes of a CONFIRMED send whose payment no reorganisation reaches any more."""
        ...

    def end(
        self,
        intent_id: IntentId,
        lease: Lease,
        *,
        code: str,
        detail: str,
        booked: Sequence[BookedPayout] = (),
    ) -> IntentRecord:
        """EXECUTING -> FAILED for a claim without a send that could still pay, with what others paid for it.

        Raises ConflictError `not_open`.
        """
        ...

    def book(self, booked: Sequence[BookedPayout], lease: Lease) -> tuple[BookedPayout, ...]:
        """Payments that were not known, or were taken back before. `UNIQUE(tx_hash, log_index)`."""
        ...

    def take_back(self, tx_hash: str, lease: Lease, *, detail: str) -> int:
        """Payments of that transaction whose block is gone leave the books; how many did."""
        ...

    def sends(self, *, open_only: bool = False, intent_id: IntentId | None = None) -> tuple[SendRecord, ...]:
        """Oldest first."""
        ...

    def payouts(
        self, condition_ids: Collection[ConditionId] = (), *, with_removed: bool = False
    ) -> tuple[BookedPayout, ...]:
        """Oldest first; of all markets where none is named."""
        ...


@dataclass(frozen=True, slots=True)
class ClaimStores(Stores):
    """All of one scope's storage, claims included."""

    claims: ClaimStore
