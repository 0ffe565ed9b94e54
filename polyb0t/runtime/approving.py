"""As whom somebody approves: the user of this computer, or a token where the trade's worth asks for one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from polyb0t.core.errors import NotAuthorisedError
from polyb0t.core.units import ONE, Pusd
from polyb0t.execution.access import TOKEN, Approval, Required, others, required_of
from polyb0t.execution.intents import IntentRecord, IntentStatus, TradeIntent
from polyb0t.execution.standing import StandingApproval, StandingRecord
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.standing_terms import NO_TERMS, Terms, standing_for
from polyb0t.runtime.thresholds import thresholds_here
from polyb0t.runtime.tokens import Identity, token_of_environment


@dataclass(frozen=True, slots=True)
class Approver:
    """The actor that the journal gets, and the step of a code that was right."""

    actor: str
    code: int | None = None


def approver_as(opened: OpenedStore, identity: Identity, needed: Required, code: str | None) -> Approver:
    """Whoever `identity` is, with the code where one is needed.

    Raises:
        NotAuthorisedError: `token_needed`, `code_needed`, and what `check_code` says.
    """
    if not needed.more_than_one_word:
        return Approver(identity.actor)
    if identity.record is None:
        raise _no_token(needed)
    if not needed.code:
        return Approver(identity.actor)
    if not code:
        raise NotAuthorisedError(
            "Not approved: a trade of this worth needs a one-time code. Nothing was sent.",
            why="It is above POLYBOT_TOTP_PUSD.",
            do="Give the six digits of your authenticator: --code 123456",
            code="code_needed",
        )
    from polyb0t.runtime.codes import check_code  # noqa: PLC0415 - only who gives a code pays for it

    return Approver(identity.actor, check_code(opened, identity, code))


def approver_here(
    opened: OpenedStore,
    needed: Required,
    *,
    actor: str,
    code: str | None,
    identity: Identity | None = None,
) -> Approver:
    """Who approves at this keyboard: its user (`actor`), or where more than one word is needed the token in
    `POLYBOT_TOKEN`, or `identity`, which was typed.

    Raises:
        NotAuthorisedError: as `approver_as`.
    """
    if not needed.more_than_one_word:
        return Approver(actor)
    found = identity or token_of_environment(opened)
    if found is None:
        raise _no_token(needed)
    return approver_as(opened, found, needed, code)


def exits_for(opened: OpenedStore, opening: TradeIntent, terms: Terms = NO_TERMS) -> StandingApproval:
    """What approving the exits of `opening` says: the very approval that waits for another person, else a new
    one, which needs what its purchase needs and at least what its worth asks for now.

    Raises:
        UsageError: as `standing_for`.
    """
    stores = opened.stores
    if terms == NO_TERMS:
        for each in stores.standing.waiting():
            if each.standing.opening_id == opening.id:
                return each.standing
    made = standing_for(opening, opened.settings, stores.intents.now(), terms)
    at_stake = Pusd(made.most_shares * (opening.worst_price or ONE))
    now = thresholds_here(opened).required(at_stake)
    return replace(
        made,
        approvals_required=max(made.approvals_required, now.approvals),
        code_required=made.code_required or now.code,
    )


def most_required(intents: Sequence[TradeIntent | StandingApproval]) -> Required:
    """What all of them together need of each approver."""
    return Required(
        max((each.approvals_required for each in intents), default=1),
        any(each.code_required for each in intents),
    )


def protect_as(
    opened: OpenedStore, identity: Identity, given: Sequence[StandingApproval], code: str | None
) -> Sequence[StandingRecord]:
    """Approve exits in advance in the name of `identity`, all or none.

    Raises:
        NotAuthorisedError: as `approver_as`. ConflictError: as `StandingStore.protect`.
    """
    word = approver_as(opened, identity, most_required(given), code)
    return opened.stores.standing.protect_each(given, actor=word.actor, code=word.code)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the approvals of one trade are. `who` are the names of those who may still approve."""

    given: tuple[Approval, ...]
    needed: Required
    who: tuple[str, ...]
    without_code: tuple[str, ...] = ()  # who could as well, had their codes been set up

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(each.actor.removeprefix(TOKEN) for each in self.given)


def progress_of(opened: OpenedStore, record: IntentRecord) -> Progress | None:
    """None where one word is enough, or where it waits no more."""
    needed = required_of(record.intent)
    if not needed.more_than_one_word or record.status is not IntentStatus.PENDING:
        return None
    access, now = opened.stores.access, opened.stores.intents.now()
    given = tuple(access.approvals(record.id))
    deciders = [each for each in access.tokens() if each.state(now) == "active" and each.role.decides]
    able = [each.name for each in deciders if each.code_enrolled or not needed.code]
    rest = [each.name for each in deciders if each.name not in able]
    return Progress(given, needed, others(able, given), others(rest, given))


def _no_token(needed: Required) -> NotAuthorisedError:
    people = f"{needed.approvals} people, each with a token" if needed.approvals > 1 else "a token and a code"
    return NotAuthorisedError(
        "Not approved: this trade is approved with a token of your own. Nothing was sent.",
        why=f"A trade of this worth needs {people}.",
        do="Set POLYBOT_TOKEN to yours. To make one: polyb0t auth token create NAME --role approver",
        code="token_needed",
    )
