"""What a person asks for without a proposal of the machine: the port that stores it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from polyb0t.core.ids import ConditionId, IntentId
from polyb0t.execution.intents import Denied, IntentRecord, TradeIntent
from polyb0t.execution.standing import StandingApproval


@dataclass(frozen=True, slots=True)
class Mute:
    """Nobody is asked about this market again until then; what is held of it is still watched."""

    condition_id: ConditionId
    question: str
    until: datetime
    actor: str
    reason: str
    created_at: datetime


class HandStore(Protocol):
    """What a person writes; each method is one transaction, and needs no engine's lease.

    The rules of uniqueness are those of the engine's proposals. Nobody's rest is waited for: who asks
    for something is not being bothered by it.
    """

    def propose(
        self, intent: TradeIntent, *, actor: str, replaces_waiting: bool = False
    ) -> IntentRecord | Denied:
        """Insert as PENDING in `actor`'s name. `replaces_waiting`: a PENDING one of the same aim gives way.

        Denied: `duplicate`, `halted`, `foreign_scope`, `person_required`.
        """
        ...

    def propose_and_approve(
        self,
        intent: TradeIntent,
        *,
        digest: str,
        actor: str,
        grace_seconds: float,
        exits: StandingApproval | None = None,
        code: int | None = None,
        replaces_waiting: bool = False,
    ) -> IntentRecord:
        """Both with one act, after its content was shown; with `exits`, those as well.

        Raises:
            ConflictError: what `propose` denies and what `approve` refuses.
        """
        ...

    def approve_less(
        self,
        old: IntentId,
        new: TradeIntent,
        *,
        digest: str,
        actor: str,
        grace_seconds: float,
        exits: StandingApproval | None = None,
        code: int | None = None,
    ) -> IntentRecord:
        """`old` EXPIRED (superseded), `new` inserted and approved, all or nothing. `digest` is `old`'s, of
        what was on the screen.

        Raises:
            ConflictError: as `approve`, and `not_smaller` where `new` is no stricter form of `old`.
        """
        ...

    def reject_and_mute(
        self, intent_id: IntentId, *, actor: str, reason: str, until: datetime
    ) -> IntentRecord:
        """Reject it, and ask nobody about its market again before `until`. Raises ConflictError."""
        ...

    def mute(
        self, condition_id: ConditionId, *, question: str, until: datetime, actor: str, reason: str
    ) -> Mute: ...
    def unmute(self, condition_id: ConditionId, *, actor: str) -> bool:
        """Whether it was muted."""
        ...

    def mutes(self) -> Sequence[Mute]:
        """Those in force now, the first to end first."""
        ...
