"""Bugs that are put into the running code, each with the story that has to notice it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from polyb0t.execution.settlement import checking, lots
from polyb0t.execution.settlement.claimer import Claimer
from polyb0t.execution.settlement.evidence import Evidence
from polyb0t.execution.settlement.following import Follower
from polyb0t.execution.settlement.parts import ClaimParts
from polyb0t.execution.settlement.ports import RelayerState, SendClass
from polyb0t.execution.settlement.replacing import Replacing
from polyb0t.execution.settlement.sends import SendStatus

_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)
Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Plant:
    """`sow` puts it in, for as long as the patch lasts."""

    bug: str
    story: str
    sow: Callable[[Patch], None]
    first: int = 0  # the number of the history with which to begin


def _around(patch: Patch, owner: Any, name: str, wrap: Callable[..., Any]) -> None:
    """Replace a method by `wrap(original, self, ...)`."""
    original = getattr(owner, name)
    patch.setattr(owner, name, lambda *args, **named: wrap(original, *args, **named))


def _never_sent(patch: Patch) -> None:
    def follow(original: Any, self: Any, send: Any) -> None:
        if send.status is SendStatus.PREPARED:
            self._settle(send, SendStatus.DROPPED, "never_sent", "It was not sent.")
        else:
            original(self, send)

    _around(patch, Follower, "follow", follow)


def _unheard_is_refused(patch: Patch) -> None:
    def answered(original: Any, self: Any, send: Any, outcome: Any) -> Any:
        if outcome.kind is SendClass.UNKNOWN:
            outcome = replace(outcome, kind=SendClass.REFUSED, retryable=False)
        return original(self, send, outcome)

    _around(patch, Claimer, "_answered", answered)


def _busy_ends_it(patch: Patch) -> None:
    def answered(original: Any, self: Any, send: Any, outcome: Any) -> Any:
        return original(self, send, replace(outcome, retryable=False))

    _around(patch, Claimer, "_answered", answered)


def _at_once_final(patch: Patch) -> None:
    def mined(original: Any, self: Any, send: Any, receipt: Any) -> None:
        original(self, send, replace(receipt, confirmations=1_000))

    _around(patch, Follower, "_mined", mined)


def _stays_booked(patch: Patch) -> None:
    patch.setattr(Follower, "_take_back", lambda _self, _hash, _send: None)


def _late_node_believed(patch: Patch) -> None:
    def nonce_used(original: Any, self: Any, send: Any) -> None:
        now = self._parts.clock.boot_seconds()
        self._elsewhere[send.id] = (self._elsewhere.get(send.id, (now,))[0], _LONG_AGO)
        original(self, send)

    _around(patch, Follower, "_nonce_used", nonce_used)


def _any_chain(patch: Patch) -> None:
    patch.setattr(ClaimParts, "head", lambda self: self.chain.head())


def _others_not_looked_for(patch: Patch) -> None:
    patch.setattr(Evidence, "others", lambda _self, _send, _conditions: ())


def _paid_before_not_looked_for(patch: Patch) -> None:
    patch.setattr(checking, "_since", lambda _at, head: head.number + 1)


def _failed_believed(patch: Patch) -> None:
    def follow(original: Any, self: Any, send: Any) -> None:
        relayer = self._parts.relayer
        told = relayer.state(send.transaction_id) if relayer and send.transaction_id else None
        if told is not None and told.state is RelayerState.FAILED:
            self._settle(send, SendStatus.DROPPED, "failed", "The relayer says so.")
        else:
            original(self, send)

    _around(patch, Follower, "follow", follow)


def _another_nonce(patch: Patch) -> None:
    def signed(original: Any, self: Any, send: Any) -> Any:
        return original(self, replace(send, nonce=send.nonce + 1))

    _around(patch, Replacing, "_signed", signed)


def _used_is_paid(patch: Patch) -> None:
    def nonce_used(_original: Any, self: Any, send: Any) -> None:
        self._settle(send, SendStatus.ALREADY_PAID, "already_paid", "Its nonce was used.")

    _around(patch, Follower, "_nonce_used", nonce_used)


def _reverted_is_paid(patch: Patch) -> None:
    def came(_original: Any, self: Any, send: Any, *_rest: Any) -> None:
        self._settle(send, SendStatus.CONFIRMED, "claimed", "It was mined.")

    _around(patch, Follower, "_came_to_nothing", came)


def _nameless_is_foreign(patch: Patch) -> None:
    patch.setattr(Evidence, "own", lambda _self, _send, _paid: None)


def _shares_stay(patch: Patch) -> None:
    patch.setattr(lots, "shares_of", lambda *_: [])


PLANTS: Final = (
    Plant("a stored send is taken for one that never left", "process ends, nothing else", _never_sent, 64),
    Plant("no answer is taken for a refusal", "answer not heard", _unheard_is_refused),
    Plant("no answer is taken for a refusal", "relayer: no answer after acceptance", _unheard_is_refused),
    Plant("busy ends a claim", "relayer busy or 429", _busy_ends_it),
    Plant("one block is deep enough", "block taken back, transaction forgotten", _at_once_final),
    Plant("what a block paid stays in the books when it is gone", "block taken back", _stays_booked),
    Plant("a node that is behind proves a nonce's fate", "node stuck at a block", _late_node_believed),
    Plant("whatever chain the node is on is believed", "node of another chain", _any_chain),
    Plant(
        "what others paid is not looked for",
        "block taken back, the venue pays meanwhile",
        _others_not_looked_for,
    ),
    Plant(
        "what was paid before is not looked for",
        "paid by the venue before the send",
        _paid_before_not_looked_for,
    ),
    Plant("the relayer's FAILED is a proof", "relayer: FAILED, and mined all the same", _failed_believed),
    Plant(
        "a better paid copy has a nonce of its own", "stuck below the price of gas, replaced", _another_nonce
    ),
    Plant("a used nonce is taken for our payment", "nonce used by another program", _used_is_paid),
    Plant("a mined transaction has paid", "reverted", _reverted_is_paid),
    Plant(
        "a batch without a name is somebody else's", "relayer forgets what it carries", _nameless_is_foreign
    ),
    Plant("shares that were paid stay in the books", "everything at once", _shares_stay),
)
