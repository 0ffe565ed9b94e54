"""What became of a send: looked up, sent again as the same bytes, replaced, or proven to be over."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from polyb0t.core.errors import ConflictError
from polyb0t.core.ids import IntentId
from polyb0t.core.units import ZERO, Pusd
from polyb0t.execution.intents import IntentRecord
from polyb0t.execution.settlement.booking import total_of
from polyb0t.execution.settlement.evidence import Evidence
from polyb0t.execution.settlement.lots import booked_payouts
from polyb0t.execution.settlement.parts import ClaimParts
from polyb0t.execution.settlement.ports import (
    ClaimRoute,
    Payout,
    Receipt,
    SendClass,
    SendOutcome,
    SignedClaim,
)
from polyb0t.execution.settlement.replacing import Replacing
from polyb0t.execution.settlement.sends import SendRecord, SendStatus
from polyb0t.execution.settlement.store import SendNews

log = structlog.get_logger(__name__)

DEADLINE_MARGIN: Final = timedelta(seconds=60)  # of the chain's own time, past which a batch is void
_S = SendStatus


class Follower:
    """One send at a time; each look ends in at most one stored move."""

    def __init__(
        self,
        parts: ClaimParts,
        broadcast: Callable[[SignedClaim], SendOutcome],
        *,
        alert: Callable[[str, str], None],
    ) -> None:
        self._parts = parts
        self._broadcast = broadcast
        self._alert = alert
        self._evidence = Evidence(parts)
        self._replacing = Replacing(parts, broadcast)
        self._elsewhere: dict[str, tuple[float, datetime]] = {}  # send -> since when its nonce is used

    def follow(self, send: SendRecord) -> None:
        """Raises VenueUnreachableError, DatabaseError, LeaseLostError."""
        if send.status is _S.PREPARED:
            # Another process, or this one before a crash, may have sent it.
            send = self._settle(send, _S.UNKNOWN, "interrupted", "It may have left; it is looked up.")
        nonce = self._nonce(
            send
        )  # read before the receipt: what is mined in between is found by the next look
        receipt = self._receipt(send)
        if receipt is not None:
            self._elsewhere.pop(send.id, None)
            self._mined(send, receipt)
        elif send.status is _S.MINED:
            self._reorganised(send)
        elif nonce is not None and nonce > send.nonce:
            self._nonce_used(send)
        elif send.route is ClaimRoute.RELAYER and self._deadline_passed(send):
            self._void(send)
        else:
            self._waits(send)

    # -- what is read --------------------------------------------------------------------------

    def _nonce(self, send: SendRecord) -> int | None:
        if send.route is ClaimRoute.TRANSACTION:
            return self._parts.chain.nonce(send.wallet)
        return None if self._parts.relayer is None else self._parts.relayer.nonce()

    def _receipt(self, send: SendRecord) -> Receipt | None:
        """Its transaction's, but for one of the relayer that reverted: it may send the batch once more."""
        told = self._told(send)
        by_relayer = send.route is ClaimRoute.RELAYER
        return None if by_relayer and told is not None and not told.succeeded else told

    def _told(self, send: SendRecord) -> Receipt | None:
        """The relayer's word only tells where to look."""
        tx_hash = send.tx_hash
        if send.route is ClaimRoute.RELAYER and send.transaction_id and self._parts.relayer is not None:
            told = self._parts.relayer.state(send.transaction_id)
            tx_hash = told.tx_hash or tx_hash
        return self._parts.chain.receipt(tx_hash) if tx_hash else None

    def _deadline_passed(self, send: SendRecord) -> bool:
        """By the chain's clock, with the nonce read again after it."""
        if send.deadline is None:
            return False
        head = self._parts.head()
        if head.at.timestamp() <= send.deadline + DEADLINE_MARGIN.total_seconds():
            return False
        nonce = self._nonce(send)
        return nonce is not None and nonce <= send.nonce

    # -- mined ---------------------------------------------------------------------------------

    def _mined(self, send: SendRecord, receipt: Receipt) -> None:
        claims = self._claims(send)
        conditions = {record.intent.condition_id for record in claims}
        paid = tuple(each for each in receipt.payouts if each.condition_id in conditions)
        self._take_back_moved(send, receipt)
        if receipt.confirmations < self._parts.settings.confirmations:
            self._not_deep_yet(send, receipt, paid, claims)
        elif receipt.succeeded and paid:
            self._confirmed(send, receipt, paid, claims)
        else:
            self._came_to_nothing(send, receipt, claims)

    def _take_back_moved(self, send: SendRecord, receipt: Receipt) -> None:
        """The same transaction in another block: what was booked of the old one leaves first."""
        booked = [
            entry
            for entry in self._parts.stores.claims.payouts()
            if entry.payout.tx_hash == receipt.tx_hash.lower()
        ]
        if any(entry.payout.block_hash != receipt.block_hash for entry in booked):
            self._take_back(receipt.tx_hash, send)

    def _take_back(self, tx_hash: str, send: SendRecord) -> None:
        detail = "Its block was taken back by the chain."
        gone = self._parts.stores.claims.take_back(tx_hash, self._parts.lease, detail=detail)
        if gone:
            log.warning("claim.reorganised", send_id=send.id, tx_hash=tx_hash, payments=gone)

    def _not_deep_yet(
        self, send: SendRecord, receipt: Receipt, paid: Sequence[Payout], claims: Sequence[IntentRecord]
    ) -> None:
        booked = booked_payouts(self._parts.stores, paid, claims, send.id)
        news = _news(receipt, _S.MINED, "mined", f"In block {receipt.block_number}.", paid)
        if send.status is not _S.MINED or booked or send.tx_hash != receipt.tx_hash.lower():
            self._parts.stores.claims.settle(send.id, self._parts.lease, news, booked=booked)

    def _confirmed(
        self, send: SendRecord, receipt: Receipt, paid: Sequence[Payout], claims: Sequence[IntentRecord]
    ) -> None:
        total, got = total_of(paid), {each.condition_id for each in paid}
        unpaid = [record for record in claims if record.intent.condition_id not in got]
        elsewhere = self._evidence.others(send, [record.intent.condition_id for record in unpaid])
        ends = [self._unpaid(record, elsewhere) for record in unpaid]
        booked = booked_payouts(self._parts.stores, (*paid, *elsewhere), claims, send.id)
        mine = {each.tx_hash for each in paid}
        booked = tuple(
            entry if entry.payout.tx_hash in mine else replace(entry, send_id="") for entry in booked
        )
        detail = f"Paid {total} pUSD by {receipt.tx_hash}."
        sentence = self._evidence.difference(send, total, elsewhere)
        if sentence:
            self._alert(send.id, sentence)  # first: a crash in between raises it again, and never not at all
        news = _news(receipt, _S.CONFIRMED, "claimed", detail, paid)
        self._parts.stores.claims.settle(send.id, self._parts.lease, news, booked=booked, ends=ends)
        log.info("claim.paid", send_id=send.id, pusd=str(total), tx_hash=receipt.tx_hash)

    def _came_to_nothing(self, send: SendRecord, receipt: Receipt, claims: Sequence[IntentRecord]) -> None:
        """It reverted, or found nothing to redeem: somebody else was there first, or it was wrong."""
        others = self._evidence.others(send, [record.intent.condition_id for record in claims])
        if others:
            self._already_paid(send, others, claims, receipt)
            return
        word = "paid nothing" if receipt.succeeded else "reverted"
        detail = f"{receipt.tx_hash} {word}. The shares are where they were."
        code = "paid_nothing" if receipt.succeeded else "reverted"
        log.error("claim.reverted", send_id=send.id, tx_hash=receipt.tx_hash, code=code)
        news = _news(receipt, _S.REVERTED, code, detail, ())
        self._parts.stores.claims.settle(send.id, self._parts.lease, news)

    # -- not mined -----------------------------------------------------------------------------

    def _void(self, send: SendRecord) -> None:
        """Its deadline passed on the chain and its nonce was not used. A batch that was mined and reverted
        would do so again, so its claims end; a person sees it."""
        told = self._told(send)
        if told is not None and send.raw is not None and self._parts.chain.carries(told.tx_hash, send.raw):
            self._came_to_nothing(send, told, self._claims(send))
            return
        detail = "Its deadline passed on the chain and its nonce was not used: nothing came of it."
        self._settle(send, _S.DROPPED, "deadline_passed", detail)

    def _reorganised(self, send: SendRecord) -> None:
        if not self._evidence.taken_back(send.tx_hash):
            return  # its block is where it was, or above what this node has: the node does not know better
        self._take_back(send.tx_hash, send)
        detail = "Its block was taken back; it is looked for again."
        news = SendNews(_S.UNKNOWN, "reorganised", detail, paid=Pusd(ZERO), gas_cost_wei=0)
        self._parts.stores.claims.settle(send.id, self._parts.lease, news)

    def _nonce_used(self, send: SendRecord) -> None:
        """Its nonce is used and it is in no block: by a replacement, or by something that was not ours."""
        now = self._parts.clock.boot_seconds()
        since, seen_at = self._elsewhere.setdefault(send.id, (now, self._parts.stores.intents.now()))
        if now - since < self._parts.settings.proof_seconds or self._parts.head().at <= seen_at:
            return  # a node that is behind has not seen by what
        claims = self._claims(send)
        conditions = [record.intent.condition_id for record in claims]
        others = self._evidence.others(send, conditions)
        own = self._evidence.own(send, others)
        receipt = None if own is None else self._parts.chain.receipt(own.tx_hash)
        if own is not None and receipt is not None:
            self._mined(own.send, receipt)
            return
        if {each.condition_id for each in others} >= set(conditions):
            self._already_paid(send, others, claims, None)
            return
        detail = f"Its nonce {send.nonce} was used by something else; it can never be mined."
        self._settle(send, _S.DROPPED, "nonce_used", detail)

    def _already_paid(
        self,
        send: SendRecord,
        others: Sequence[Payout],
        claims: Sequence[IntentRecord],
        receipt: Receipt | None,
    ) -> None:
        """No error: the money is there, it came by another transaction."""
        hashes = ", ".join(sorted({each.tx_hash for each in others}))
        news = SendNews(
            _S.ALREADY_PAID,
            "already_paid",
            f"{total_of(others)} pUSD came in by {hashes}.",
            gas_cost_wei=None if receipt is None else receipt.gas_cost_wei,
        )
        paid = {each.condition_id for each in others}
        rest = [record for record in claims if record.intent.condition_id not in paid]
        ends = [(record.id, "reverted", "Its batch came to nothing.") for record in rest]
        booked = booked_payouts(self._parts.stores, others, claims, "")
        self._parts.stores.claims.settle(send.id, self._parts.lease, news, booked=booked, ends=ends)
        log.info("claim.already_paid", send_id=send.id, by=hashes)

    def _waits(self, send: SendRecord) -> None:
        """Nothing is proven: the same bytes again after a while, or more gas for the same nonce."""
        self._elsewhere.pop(send.id, None)
        if self._parts.stopped():
            return  # what has left may still pay; no further byte of it leaves
        own_gas = send.status is _S.SENT and send.route is ClaimRoute.TRANSACTION
        if own_gas and self._replacing.replaced(send):
            return
        since = (self._parts.stores.intents.now() - send.updated_at).total_seconds()
        if send.raw is None or since < self._parts.settings.resend_seconds:
            return
        if send.route is ClaimRoute.RELAYER and send.status is _S.SENT:
            return  # the relayer has it, and its deadline ends it
        outcome = self._broadcast(_again(send))
        taken = outcome.kind is SendClass.ACCEPTED
        # A refusal of a second copy proves nothing about the first.
        code = "sent_again" if taken else "not_taken"
        self._parts.stores.claims.settle(
            send.id,
            self._parts.lease,
            SendNews(
                _S.SENT if taken else send.status,
                code,
                outcome.text,
                transaction_id=outcome.transaction_id or None,
            ),
        )

    # -- helpers -------------------------------------------------------------------------------

    def _claims(self, send: SendRecord) -> list[IntentRecord]:
        return [self._parts.stores.intents.get(member) for member in send.members]

    def _unpaid(self, record: IntentRecord, others: Sequence[Payout]) -> tuple[IntentId, str, str]:
        if any(each.condition_id == record.intent.condition_id for each in others):
            return record.id, "already_paid", "Another transaction paid it."
        return record.id, "paid_nothing", "Its part of the batch paid nothing."

    def _settle(self, send: SendRecord, status: SendStatus, code: str, detail: str) -> SendRecord:
        news = SendNews(status, code, detail)
        return self._parts.stores.claims.settle(send.id, self._parts.lease, news)


def _news(receipt: Receipt, status: SendStatus, code: str, detail: str, paid: Sequence[Payout]) -> SendNews:
    total = Pusd(sum((each.pusd for each in paid), ZERO))
    gas = receipt.gas_cost_wei
    return SendNews(status, code, detail, tx_hash=receipt.tx_hash, paid=total, gas_cost_wei=gas)


def _again(send: SendRecord) -> SignedClaim:
    """The stored bytes, as they were."""
    if send.raw is None:
        raise ConflictError(f"Claim {send.id} has no bytes any more.", code="not_open")
    return SignedClaim(send.route, send.nonce, send.raw, send.tx_hash, send.deadline)
