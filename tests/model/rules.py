"""The rules of the protocol by name, each with what breaks without it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Promise(StrEnum):
    """What a user is told (docs: what is promised), as a property of a history."""

    APPROVED = "an order was permitted that no person's valid approval stands behind"
    ONCE = "one approval was traded twice"
    NONE_LOST = "the exchange traded and our books say that nothing happened"
    NONE_INVENTED = "our books show a trade that the exchange never made"
    IN_TIME = "an order was permitted, or honoured, after its time"
    SWITCHES = "something was permitted that a trip had stopped"
    ONE_ENGINE = "an engine wrote after another had taken over"


class Rule(StrEnum):
    """One sentence of the protocol each; a model without it is the protocol with its opposite."""

    DECIDE_IS_COMPARE_AND_SET = "an approval counts only for what is still pending, before its deadline"
    CONTENT_IS_IMMUTABLE = "what was shown to the approver is what is sent"
    CLAIM_IS_COMPARE_AND_SET = "only what is still approved is claimed"
    WRITES_ARE_FENCED = "every engine write compares the lease's token"
    TOKEN_GROWS = "a takeover raises the token"
    TIME_AFTER_LOCK = "deadlines are judged by a time taken after the lock is held"
    PERMIT_CHECKS_DEADLINE = "the permit judges execute_by again"
    PERMIT_CHECKS_SWITCHES = "the permit judges the switches again"
    PERMIT_CHECKS_EPOCH = "clearing a switch does not undo what its trip stopped"
    PERMIT_CHECKS_CLAIM = "the permit needs the claim to stand as it was made"
    TRIP_ENDS_WHAT_WAITS = "a trip rejects what is pending or approved"
    STORED_BEFORE_SENT = "the order is committed before a byte of it leaves"
    IDENTITY_FOLLOWS_FROM_INTENT = "signing again gives the same order"
    HEADERS_BEFORE_PERMIT = "the request's time is fixed before the permit and never remade"
    ONE_COPY = "once a byte may have left, nothing is sent again"
    TIMEOUT_IS_NOT_A_REFUSAL = "no answer proves nothing"
    DUPLICATED_IS_UNKNOWN = "'Duplicated' says only that the id was seen"
    SIGNED_IS_UNKNOWN = "SIGNED seen by another than its sender is UNKNOWN"
    ABSENCE_WAITS = "absence is inferred only after header time, tolerance and lag"
    ABSENCE_COUNTS_FROM_BEGIN = "a lookup counts from the moment at which it began"
    EVIDENCE_BEATS_ABSENCE = "later positive evidence takes an inferred absence back"
    STANDING_IS_JUDGED_AGAIN = "the permit judges the standing approval again that an exit is approved by"
    RESTORE_IS_ADOPTED = "a restored database executes nothing and looks its identities up"


class Scope(StrEnum):
    """Which surroundings are explored; the rules hold in all of them.

    PROXY leaves refusals out: with one, a doubled request can be refused first and filled later, and no
    rule of ours could know. That is why the request goes over a connection of our own, without retries.
    """

    PLAIN = "crashes, suspensions, takeover, trips, lost and late messages"
    RESTORE = "the same without trips, and an older backup may be restored"
    PROXY = "something on the way may deliver the request twice"
    STANDING = "an exit in a standing approval's name, which its owner may take back at any moment"
    SLOW = "the exchange may show a trade later than its stated lag"


@dataclass(frozen=True, slots=True)
class Case:
    """Without `rule` (and `also`, where two rules cover each other) `promise` breaks in `scope`."""

    promise: Promise
    scope: Scope = Scope.PLAIN
    also: frozenset[Rule] = frozenset()


_R, _P = Rule, Promise
CASES: Final[Mapping[Rule, Case]] = MappingProxyType(
    {
        _R.DECIDE_IS_COMPARE_AND_SET: Case(_P.APPROVED),
        _R.CONTENT_IS_IMMUTABLE: Case(_P.APPROVED),
        _R.CLAIM_IS_COMPARE_AND_SET: Case(_P.APPROVED),
        _R.WRITES_ARE_FENCED: Case(_P.ONE_ENGINE),
        _R.TOKEN_GROWS: Case(_P.ONE_ENGINE),
        _R.TIME_AFTER_LOCK: Case(_P.IN_TIME),
        _R.PERMIT_CHECKS_DEADLINE: Case(_P.IN_TIME),
        _R.PERMIT_CHECKS_SWITCHES: Case(_P.SWITCHES),
        _R.PERMIT_CHECKS_EPOCH: Case(_P.SWITCHES),
        # Fencing alone stops a claim that was taken back; both have to be gone for it to matter.
        _R.PERMIT_CHECKS_CLAIM: Case(_P.APPROVED, also=frozenset({_R.WRITES_ARE_FENCED})),
        _R.TRIP_ENDS_WHAT_WAITS: Case(_P.SWITCHES),
        _R.STORED_BEFORE_SENT: Case(_P.NONE_LOST),
        _R.IDENTITY_FOLLOWS_FROM_INTENT: Case(_P.NONE_LOST, Scope.RESTORE),
        _R.HEADERS_BEFORE_PERMIT: Case(_P.IN_TIME),
        _R.ONE_COPY: Case(_P.NONE_LOST),
        _R.TIMEOUT_IS_NOT_A_REFUSAL: Case(_P.NONE_LOST),
        _R.DUPLICATED_IS_UNKNOWN: Case(_P.NONE_INVENTED, Scope.PROXY),
        _R.SIGNED_IS_UNKNOWN: Case(_P.NONE_LOST),
        _R.ABSENCE_WAITS: Case(_P.NONE_LOST),
        _R.ABSENCE_COUNTS_FROM_BEGIN: Case(_P.NONE_LOST),
        _R.EVIDENCE_BEATS_ABSENCE: Case(_P.NONE_LOST, Scope.SLOW),
        _R.STANDING_IS_JUDGED_AGAIN: Case(_P.APPROVED, Scope.STANDING),
        _R.RESTORE_IS_ADOPTED: Case(_P.APPROVED, Scope.RESTORE),
    }
)
# Two rules that cover each other for one promise: the worst that both together let happen.
DOUBLING: Final = frozenset({_R.RESTORE_IS_ADOPTED, _R.IDENTITY_FOLLOWS_FROM_INTENT})
