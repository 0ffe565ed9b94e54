"""Carries approved claims out, one transaction of a wallet at a time.

Nonce, deadline and bytes are stored before any of them leaves. Nothing new is signed until that nonce was
consumed or the deadline has passed on the chain. A restart goes on with what is stored.
"""

from collections.abc import Sequence
from typing import Final

import structlog

from polyb0t.core.errors import ConflictError, VenueUnreachableError
from polyb0t.core.ids import new_intent_id
from polyb0t.core.units import ZERO, Pusd
from polyb0t.execution.intents import IntentRecord, IntentStatus, IntentType
from polyb0t.execution.scope import Regime
from polyb0t.execution.settlement.checking import Over, Ready, check, pays_together
from polyb0t.execution.settlement.following import Follower
from polyb0t.execution.settlement.lots import booked_payouts
from polyb0t.execution.settlement.parts import ClaimParts
from polyb0t.execution.settlement.ports import (
    ChainHead,
    ClaimRoute,
    SendClass,
    SendOutcome,
    SignedClaim,
)
from polyb0t.execution.settlement.rechecking import Rechecker
from polyb0t.execution.settlement.sends import NewSend, SendRecord, SendStatus
from polyb0t.execution.settlement.store import SendNews
from polyb0t.execution.store import ClaimLimits, Denied
from polyb0t.models.kill_switches import KillSwitchType

log = structlog.get_logger(__name__)

ACTOR: Final = "engine:claims"
NO_ROOM: Final = ClaimLimits(
    spendable_pusd=None,
    max_order_pusd=Pusd(ZERO),
    max_exposure_pusd=Pusd(ZERO),
    held_cost_pusd=Pusd(ZERO),
    closable_shares=None,
    as_of=0,
)
LOOKED_PAST: Final = 10  # claims that cannot be judged now hold up no more than those behind so many


class Claimer:
    """`step` is called every few seconds by one thread."""

    def __init__(self, parts: ClaimParts) -> None:
        self._parts = parts
        self._follower = Follower(parts, self._broadcast, alert=self._alert)
        self._rechecker = Rechecker(parts, alert=self._alert)
        self.waits = ""  # why what is approved was not sent at the last step, in a sentence

    def step(self) -> None:
        """Follow what is under way, then begin the next.

        Raises:
            DatabaseError, LeaseLostError: a step could not be written; what is stored is the truth.
            VenueUnreachableError: the chain was not read; the next step goes on.
        """
        store = self._parts.stores.claims
        under_way = store.sends(open_only=True)
        if under_way:
            self._parts.head()  # of another chain, every answer would look like a proof
        for send in under_way:
            self._follower.follow(send)
        self._rechecker.look()
        if store.sends(open_only=True):
            self.waits = "A transaction of this wallet is under way; the next claim follows it."
        else:
            self._begin()

    # -- what may be sent ----------------------------------------------------------------------

    def _begin(self) -> None:
        self.waits = ""
        waiting = self._due()
        if not waiting:
            return
        if self._parts.halt_file():
            self.waits = "The HALT file is there."
            return
        head = self._parts.head()
        ready: list[Ready] = []
        for record in waiting[: self._most() + LOOKED_PAST]:
            if len(ready) == self._most():
                break
            try:
                judged = self._judge(record, head)
            except VenueUnreachableError as error:  # this one cannot be read; the others need not wait for it
                self.waits = f"{error.what} {error.why}"
                log.warning("claim.waits", intent_id=record.id, code=error.code, why=error.why)
                continue
            if judged is not None:
                ready.append(judged)
        if ready:
            self._send(ready if pays_together(ready, self._parts.chain) else ready[:1], head)

    def _most(self) -> int:
        """A wallet with a key of its own makes one call a transaction."""
        return self._parts.settings.batch_most if self._parts.route is ClaimRoute.RELAYER else 1

    def _due(self) -> list[IntentRecord]:
        """Approved claims, and those that were taken and never got as far as a transaction."""
        records = self._parts.stores.intents.list(
            statuses=(IntentStatus.APPROVED, IntentStatus.EXECUTING),
            types=(IntentType.CLAIM_SETTLEMENT,),
            limit=None,
        )
        live = [record for record in records if record.intent.regime is Regime.LIVE]
        return sorted(live, key=lambda record: (record.decided_at or record.updated_at, record.id))

    def _judge(self, record: IntentRecord, head: ChainHead) -> Ready | None:
        stores, lease = self._parts.stores, self._parts.lease
        if record.status is IntentStatus.APPROVED:
            taken = stores.intents.claim(record.id, lease, Regime.LIVE, NO_ROOM)
            if isinstance(taken, Denied):
                log.info("claim.not_taken", intent_id=record.id, code=taken.code, detail=taken.detail)
                self.waits = taken.detail
                return None
            record = taken
        elif record.execute_by is None or stores.intents.now() >= record.execute_by:
            self._over(record, Over("expired", "Its time to be sent was over. Nothing is under way."))
            return None
        judged = check(record, self._parts.chain, head)
        if isinstance(judged, Over):
            self._over(record, judged)
            return None
        if (judged.terms.wallet, judged.terms.route) != (self._parts.wallet, self._parts.route):
            self._over(
                record, Over("wrong_wallet", f"It is for {judged.terms.wallet}, not for this process.")
            )
            return None
        return judged

    def _over(self, record: IntentRecord, over: Over) -> None:
        stores = self._parts.stores
        booked = booked_payouts(stores, over.paid, (record,), "")
        stores.claims.end(record.id, self._parts.lease, code=over.code, detail=over.detail, booked=booked)
        log.warning("claim.over", intent_id=record.id, code=over.code, detail=over.detail)

    # -- signing and sending -------------------------------------------------------------------

    def _send(self, ready: Sequence[Ready], head: ChainHead) -> None:
        signed = self._signed(ready, head)
        if signed is None:
            return
        new = NewSend(
            id=new_intent_id(),
            members=tuple(each.record.id for each in ready),
            wallet=self._parts.wallet,
            route=signed.route,
            nonce=signed.nonce,
            raw=signed.raw,
            tx_hash=signed.tx_hash,
            deadline=signed.deadline,
            expected=Pusd(sum((each.call.expected for each in ready), ZERO)),
            balance_before=self._parts.chain.balance(self._parts.wallet),
            from_block=head.number,
            max_fee_wei=signed.max_fee_wei,
            priority_fee_wei=signed.priority_fee_wei,
        )
        self.send(new, signed)

    def send(self, new: NewSend, signed: SignedClaim) -> SendRecord | None:
        """Store it, which is the permission, and let it leave once."""
        stores, lease = self._parts.stores, self._parts.lease
        stored = stores.claims.prepare(new, lease, budget_seconds=self._parts.settings.budget_seconds)
        if isinstance(stored, Denied):
            log.warning("claim.not_permitted", code=stored.code, detail=stored.detail)
            return None
        unanchored = self._parts.anchored()
        if unanchored:
            ends = [(member, "anchor_not_written", unanchored) for member in stored.members]
            news = SendNews(SendStatus.DROPPED, "anchor_not_written", unanchored)
            return stores.claims.settle(stored.id, lease, news, ends=ends)
        if self._parts.halt_file():
            detail = "The HALT file is there. Nothing was sent."
            return stores.claims.settle(stored.id, lease, SendNews(SendStatus.DROPPED, "halted", detail))
        outcome = self._broadcast(signed)
        return self._answered(stored, outcome)

    def _signed(self, ready: Sequence[Ready], head: ChainHead) -> SignedClaim | None:
        parts = self._parts
        if parts.route is ClaimRoute.TRANSACTION:
            try:
                fees = parts.chain.fees(ready[0].gas)
                return parts.chain.sign(ready[0].call, parts.chain.nonce(parts.wallet), fees)
            except ConflictError as error:  # gas costs more than is allowed: later it may not
                log.warning("claim.waits", code=error.code, why=error.why)
                self.waits = f"{error.what} {error.why}"
                return None
        if parts.relayer is None:
            return None
        nonce = parts.relayer.nonce()
        if nonce is None:
            self.waits = "The relayer did not tell the wallet's nonce."
            log.warning("claim.waits", code="relayer_silent", why=self.waits)
            return None
        deadline = int(head.at.timestamp()) + parts.settings.deadline_seconds
        return parts.relayer.sign([each.call for each in ready], nonce, deadline=deadline)

    def _broadcast(self, signed: SignedClaim) -> SendOutcome:
        """One copy; whatever it is not certain of is UNKNOWN."""
        try:
            if signed.route is ClaimRoute.TRANSACTION:
                return self._parts.chain.broadcast(signed)
            if self._parts.relayer is None:
                return SendOutcome(SendClass.UNKNOWN, "there is no key for the relayer")
            return self._parts.relayer.submit(signed)
        except VenueUnreachableError as error:
            return SendOutcome(SendClass.UNKNOWN, error.what)

    def _answered(self, send: SendRecord, outcome: SendOutcome) -> SendRecord:
        stores, lease = self._parts.stores, self._parts.lease
        log.info("claim.sent", send_id=send.id, answer=outcome.kind.value, text=outcome.text)
        if outcome.kind is SendClass.REFUSED and not outcome.retryable:
            detail = f"It was refused: {outcome.text} Nothing came of it."
            ends = [(member, "refused", detail) for member in send.members]
            news = SendNews(SendStatus.DROPPED, "refused", detail)
            return stores.claims.settle(send.id, lease, news, ends=ends)
        taken = outcome.kind is SendClass.ACCEPTED
        return stores.claims.settle(
            send.id,
            lease,
            SendNews(
                SendStatus.SENT if taken else SendStatus.UNKNOWN,
                outcome.kind.value,
                outcome.text,
                transaction_id=outcome.transaction_id or None,
            ),
        )

    def _alert(self, name: str, sentence: str) -> None:
        """Money that is not what was expected: everything stops until a person has looked."""
        log.error("claim.differs", name=name, detail=sentence)
        self._parts.stores.switches.trip(
            KillSwitchType.RECONCILIATION, actor=ACTOR, reason=f"Claim {name}: {sentence}"
        )
