"""Who may do what: roles of tokens, and which trades need a second person or a one-time code.

What a trade needs is written into it when it is proposed and is part of its digest, so no approver's
settings can take anything away from it. The claim asks again, with the engine's own thresholds.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from polyb0t.core.ids import IntentId
from polyb0t.core.units import ONE, ZERO, Pusd
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import Denied, IntentType, TradeIntent
from polyb0t.models.wording import money

TOKEN: Final = "token:"  # noqa: S105 - no secret: and the token's name: how a decision by it is signed
TWO: Final = 2
WRONG_CODES: Final = 5  # in a row; then codes of that token rest
CODE_REST: Final = timedelta(minutes=15)


class Role(StrEnum):
    """What a token may do; each may do what those before it may."""

    VIEWER = "viewer"  # read
    APPROVER = "approver"  # decide about trades, and stop
    ADMIN = "admin"  # also let trading go on: clear and override switches

    def covers(self, needed: "Role") -> bool:
        order = tuple(Role)
        return order.index(self) >= order.index(needed)

    @property
    def decides(self) -> bool:
        return self.covers(Role.APPROVER)


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A token without its secret. `digest` is the SHA-256 of it, 64 hex characters."""

    digest: str
    name: str
    role: Role
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    used_at: datetime | None = None
    code_enrolled: bool = False  # has a one-time code been set up for it

    @property
    def actor(self) -> str:
        return f"{TOKEN}{self.name}"

    def state(self, now: datetime) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "active" if now < self.expires_at else "expired"


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's word for a trade that needs more than one, or a code."""

    actor: str
    at: datetime
    with_code: bool


@dataclass(frozen=True, slots=True)
class Required:
    """What an approval needs. The least that any trade needs is one person."""

    approvals: int = 1
    code: bool = False

    @property
    def more_than_one_word(self) -> bool:
        """Whether each approval is a row of its own, given with a token."""
        return self.approvals > 1 or self.code

    def covers(self, other: "Required") -> bool:
        return self.approvals >= other.approvals and (self.code or not other.code)


ONE_PERSON: Final = Required()


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Above which worth a trade needs two people, and above which a code; None: never.

    `more_time` is what a decision gets on top where more than one word is needed.
    """

    two_above: Pusd | None = None
    code_above: Pusd | None = None
    more_time: timedelta = timedelta(0)

    def required(self, worth: Pusd) -> Required:
        """What a trade of this worth needs."""
        two = self.two_above is not None and worth > self.two_above
        code = self.code_above is not None and worth > self.code_above
        return Required(TWO if two else 1, code)


NO_THRESHOLDS: Final = Thresholds()
EVERYTHING_IS_LARGE: Final = Thresholds(two_above=Pusd(ZERO), code_above=Pusd(ZERO))


def worth(intent: TradeIntent) -> Pusd:
    """What is at stake, in pUSD: a purchase's ceiling; of a sale the shares at the best price that is known,
    and at 1 where none is. A cancel takes back, and a claim pays into the own wallet: both are nothing."""
    if not intent.intent_type.places_order:
        return Pusd(ZERO)
    if intent.side is Side.BUY:
        return intent.max_cost if intent.max_cost is not None else Pusd(intent.amount or ZERO)
    known = (intent.worst_price, intent.best_bid, intent.reference_price)
    price = max((each for each in known if each is not None), default=ONE)
    return Pusd((intent.shares or ZERO) * price)


def required_of(intent: TradeIntent) -> Required:
    """What the trade itself says that it needs."""
    return Required(intent.approvals_required, intent.code_required)


def guarded(intent: TradeIntent, thresholds: Thresholds) -> TradeIntent:
    """`intent` with what its worth asks for written into it, and the time that this takes."""
    needed = thresholds.required(worth(intent))
    if not needed.more_than_one_word:
        return intent
    return replace(
        intent,
        approvals_required=max(needed.approvals, intent.approvals_required),
        code_required=needed.code or intent.code_required,
        deadline=intent.deadline + thresholds.more_time,
    )


def why_too_little(intent: TradeIntent, thresholds: Thresholds) -> Denied | None:
    """At the claim: whether it was proposed with less than this engine asks of a trade of its worth."""
    if intent.intent_type not in (IntentType.OPEN_POSITION, IntentType.CLOSE_POSITION):
        return None
    at_stake = worth(intent)
    needed = thresholds.required(at_stake)
    if required_of(intent).covers(needed):
        return None
    return Denied(
        "approvals_short",
        f"It is worth {money(at_stake)} pUSD, and this engine asks for {words_of(needed)} there; "
        f"it was proposed with {words_of(required_of(intent))}.",
    )


def why_incomplete(needed: Required, given: Sequence[Approval]) -> Denied | None:
    """Whether fewer people stand behind it than it needs, or one of them without a code."""
    if not needed.more_than_one_word:
        return None
    people = {each.actor for each in given if each.with_code or not needed.code}
    if len(people) >= needed.approvals:
        return None
    return Denied(
        "approvals_missing", f"{len(people)} of {needed.approvals} approvals{' with a code' * needed.code}."
    )


def words_of(needed: Required) -> str:
    """`two approvals with a code`."""
    people = "one approval" if needed.approvals == 1 else f"{needed.approvals} approvals"
    return f"{people} with a code" if needed.code else people


def others(names: Collection[str], given: Sequence[Approval]) -> tuple[str, ...]:
    """The names of those who may still approve."""
    gone = {each.actor.removeprefix(TOKEN) for each in given}
    return tuple(sorted(name for name in names if name not in gone))


class AccessStore(Protocol):
    """Storage of tokens, one-time codes and the approvals of large trades; each method is one transaction."""

    def create(self, *, digest: str, name: str, role: Role, days: float, actor: str) -> TokenRecord:
        """Store a token by its digest. One that has expired under this name is revoked with it.

        Raises:
            ConflictError: `token_name_taken`. NotAuthorisedError: the actor is no person.
        """
        ...

    def revoke(self, name: str, *, actor: str, reason: str) -> TokenRecord:
        """It opens nothing from this commit on, and its approvals of what is not sent yet count no more.

        Raises:
            NotFoundError: `token_not_found`.
        """
        ...

    def tokens(self) -> Sequence[TokenRecord]:
        """All of them, newest first."""
        ...

    def ever(self) -> bool:
        """Whether any token was ever made here, revoked ones included."""
        ...

    def find(self, digest: str) -> TokenRecord | None:
        """The one with this digest, in whatever state."""
        ...

    def used(self, digest: str) -> None:
        """It was shown; written at most once a minute."""
        ...

    def enrol_code(self, digest: str, step: int, *, actor: str) -> None:
        """A code of this token was shown to be right once; `step` is spent with it.

        Raises:
            NotAuthorisedError: no such active token.
        """
        ...

    def try_code(self, digest: str) -> None:
        """Count one try, before it is known whether the code is right, so that tries at once all count.

        Raises:
            NotAuthorisedError: `code_not_set_up`, `code_locked`.
        """
        ...

    def code_was_right(self, digest: str, step: int) -> None:
        """Forgive the tries before it, whatever becomes of the decision; a used code forgives none."""
        ...

    def approvals(self, subject: IntentId) -> Sequence[Approval]:
        """Who has approved a trade, or exits in advance, that needs more than one word; oldest first."""
        ...
