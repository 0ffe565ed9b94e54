"""Approving in the form that was shown: as it is, smaller, with its exits. Rejecting, perhaps muted."""

from dataclasses import dataclass
from datetime import datetime

from polyb0t.core.ids import IntentId
from polyb0t.execution.intents import IntentManager, IntentRecord, TradeIntent
from polyb0t.execution.standing import StandingApproval
from polyb0t.execution.store import Stores


@dataclass(frozen=True, slots=True)
class Shape:
    """`smaller` supersedes what was proposed; `exits` are approved with it."""

    smaller: TradeIntent | None = None
    exits: StandingApproval | None = None


def approve_as_shown(
    stores: Stores,
    manager: IntentManager,
    record: IntentRecord,
    *,
    digest: str,
    actor: str,
    shape: Shape,
    code: int | None = None,
) -> IntentRecord:
    """One act, one transaction. `digest` is that of `record`, which was on the screen; `code` the step of a
    one-time code that was right. Where others have to approve as well, it is PENDING still.

    Raises:
        ConflictError, NotAuthorisedError: in sentences; nothing was sent.
    """
    smaller, exits = shape.smaller, shape.exits
    if smaller is None and exits is None:
        return manager.approve(record.id, digest=digest, actor=actor, code=code)

    def act(grace_seconds: float) -> IntentRecord:
        if smaller is not None:
            return stores.by_hand.approve_less(
                record.id,
                smaller,
                digest=digest,
                actor=actor,
                grace_seconds=grace_seconds,
                exits=exits,
                code=code,
            )
        assert exits is not None
        return stores.standing.approve_with_exits(
            record.id,
            exits,
            digest=digest,
            standing_digest=exits.digest,
            actor=actor,
            grace_seconds=grace_seconds,
            code=code,
        )

    return manager.decide("approved", record.id, act)


def reject(
    stores: Stores,
    manager: IntentManager,
    intent_id: IntentId,
    *,
    actor: str,
    reason: str,
    muted_until: datetime | None = None,
) -> IntentRecord:
    """Reject it, and with `muted_until` ask nobody about its market before then, in one transaction.

    Raises:
        ConflictError: in sentences; nothing was sent and nothing muted.
    """
    if muted_until is None:
        return manager.reject(intent_id, actor=actor, reason=reason)

    def act(_grace_seconds: float) -> IntentRecord:
        return stores.by_hand.reject_and_mute(intent_id, actor=actor, reason=reason, until=muted_until)

    return manager.decide("rejected", intent_id, act)
