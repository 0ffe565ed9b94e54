"""Standing approvals: a person's word, given in advance, that a position may be sold while he sleeps.

It has its own content and digest, covers exactly what one opening bought, only ever sells, spends itself
down with each sale, and can be taken back at once. What a sale must be to lie inside it is `why_outside`;
what stops one that was approved under it is `why_lapsed`.
"""

from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Final, Protocol

from polyb0t.core.canonical import canonical_text, sha256_hex
from polyb0t.core.ids import AssetId, ConditionId, IntentId
from polyb0t.core.units import ZERO, Price, Shares
from polyb0t.data.order_book import Side
from polyb0t.execution.access import Approval, Required, required_of, why_incomplete
from polyb0t.execution.intents import Denied, IntentRecord, IntentType, TradeIntent
from polyb0t.execution.orders import OrderType
from polyb0t.execution.scope import Lease, Regime
from polyb0t.models.wording import cents, clock_time, shares

STANDING_VERSION: Final = "polyb0t-standing-v1"
ACTOR: Final = "standing:"  # and the id: how a decision under it is signed


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingApproval:
    """What is approved: exits of what `opening_id` bought, for these triggers, at `worst_price` or more,
    until `until`, at most `most_shares` of them. Never changed; another content is another approval."""

    id: IntentId
    scope: str
    regime: Regime
    opening_id: IntentId
    condition_id: ConditionId
    asset_id: AssetId
    question: str
    outcome_label: str
    triggers: tuple[str, ...]
    worst_price: Price
    most_shares: Shares
    until: datetime
    approvals_required: int
    created_at: datetime
    # Came after the first release: at its default it is not written, as in an intent.
    code_required: bool = False

    @property
    def canonical(self) -> str:
        """The versioned text that the digest is taken of and that the database keeps."""
        content = {
            spec.name: getattr(self, spec.name)
            for spec in fields(self)
            if spec.default is MISSING or getattr(self, spec.name) != spec.default
        }
        return canonical_text({"version": STANDING_VERSION, "standing": content})

    @property
    def required(self) -> Required:
        """What it needs before anything is sold under it."""
        return Required(self.approvals_required, self.code_required)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical text, 64 hex characters."""
        return sha256_hex(self.canonical)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingRecord:
    """A standing approval with how it stands. `version` moves with every change of its state; `bought` and
    `spoken_for` are the opening's confirmed shares and those that exits since then took or may still take."""

    standing: StandingApproval
    digest: str
    version: int
    approved_by: str
    approved_at: datetime
    revoked_by: str | None
    revoked_at: datetime | None
    revoke_reason: str
    bought: Shares
    spoken_for: Shares
    given: tuple[Approval, ...] = ()  # where it needs more than one word

    @property
    def id(self) -> IntentId:
        return self.standing.id

    @property
    def actor(self) -> str:
        return f"{ACTOR}{self.standing.id}"

    @property
    def left(self) -> Shares:
        """Shares that it still covers."""
        most = min(self.standing.most_shares, self.bought)
        return Shares(max(ZERO, most - self.spoken_for))

    def active(self, now: datetime) -> bool:
        """Whether it is in force at `now`, spent or not."""
        return self.waiting(now) and self.missing is None

    def waiting(self, now: datetime) -> bool:
        """Whether it is in force at `now`, or would be with the approvals that are missing."""
        return self.revoked_at is None and now < self.standing.until

    @property
    def missing(self) -> Denied | None:
        """Which approvals it lacks."""
        return why_incomplete(self.standing.required, self.given)


def why_lapsed(record: StandingRecord, now: datetime, *, version: int | None = None) -> Denied | None:
    """Why nothing goes on under it: revoked, expired, or not the one that the decision was made under."""
    if record.revoked_at is not None:
        who = record.revoked_by or "somebody"
        return Denied("standing_revoked", f"{who} took the standing approval back.")
    if now >= record.standing.until:
        when = clock_time(record.standing.until)
        return Denied("standing_expired", f"The standing approval ended at {when}.")
    if version is not None and version != record.version:
        return Denied("standing_changed", "The standing approval was changed after this decision.")
    return record.missing


def why_outside(record: StandingRecord, intent: TradeIntent) -> Denied | None:
    """Why a sale does not lie inside what was approved in advance; None when it does."""
    standing = record.standing
    sells = intent.intent_type is IntentType.CLOSE_POSITION and intent.side is Side.SELL
    if not sells or intent.order_type not in (OrderType.FAK, OrderType.FOK):
        return Denied("standing_outside", "A standing approval only ever sells, at once.")
    if (intent.scope, intent.regime) != (standing.scope, standing.regime):
        return Denied("standing_outside", "It was given for another account or another regime.")
    if (intent.condition_id, intent.asset_id) != (standing.condition_id, standing.asset_id):
        return Denied("standing_outside", "It was given for another outcome.")
    if intent.parent_id != standing.opening_id:
        return Denied("standing_outside", "It was given for what another trade bought.")
    beyond = [trigger for trigger in intent.triggers if trigger not in standing.triggers]
    if beyond or not intent.triggers:
        named = ", ".join(beyond) or "no rule"
        return Denied("standing_outside", f"It does not cover {named}.")
    if intent.worst_price is None or intent.worst_price < standing.worst_price:
        least = cents(standing.worst_price)
        return Denied("standing_worst_price", f"It sells at {least} or more, and this would go lower.")
    if not standing.required.covers(required_of(intent)):
        return Denied("standing_outside", "This sale asks for more approval than was given in advance.")
    wanted = intent.shares or Decimal(0)
    if not 0 < wanted <= record.left:
        left = shares(record.left)
        return Denied("standing_spent", f"It covers {left} more shares, and this sells {shares(wanted)}.")
    return None


class StandingStore(Protocol):
    """Storage of standing approvals; each method is one transaction."""

    def protect(
        self, standing: StandingApproval, *, digest: str, actor: str, code: int | None = None
    ) -> StandingRecord:
        """Store what a person has seen and approved; an earlier one of the same opening is revoked. Of one
        that waits for another approver this is that approval.

        Raises:
            ConflictError: `digest_mismatch`, `foreign_scope`, `not_an_opening`, `standing_expired`.
            NotAuthorisedError: the actor is no person, or what its approval needs is missing.
        """
        ...

    def protect_each(
        self, given: Sequence[StandingApproval], *, actor: str, code: int | None = None
    ) -> Sequence[StandingRecord]:
        """Several, all or none; one code serves them all. Raises as `protect`."""
        ...

    def approve_with_exits(
        self,
        intent_id: IntentId,
        standing: StandingApproval,
        *,
        digest: str,
        standing_digest: str,
        actor: str,
        grace_seconds: float,
        code: int | None = None,
    ) -> IntentRecord:
        """The trade and its exits, both or neither; one code serves both. Raises as `approve` and
        `protect`."""
        ...

    def revoke(self, standing_id: IntentId, *, actor: str, reason: str) -> StandingRecord:
        """In force no more from this commit on, also for what was approved under it and not permitted yet.

        Raises:
            ConflictError: `already_revoked`.
        """
        ...

    def get(self, standing_id: IntentId) -> StandingRecord:
        """Raises NotFoundError."""
        ...

    def active(self) -> Sequence[StandingRecord]:
        """Those in force now, oldest first."""
        ...

    def waiting(self) -> Sequence[StandingRecord]:
        """Those that lack approvals, oldest first."""
        ...

    def approve_exit(
        self, intent_id: IntentId, standing_id: IntentId, lease: Lease, *, grace_seconds: float
    ) -> IntentRecord | Denied:
        """PENDING -> APPROVED under the standing approval, its budget spent down in the same transaction.

        Denied: what `why_lapsed` and `why_outside` say, `halted`, `not_pending`.
        """
        ...
