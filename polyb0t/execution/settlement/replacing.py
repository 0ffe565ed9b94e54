"""A transaction that nobody takes at its price: the same call with the same nonce, paid better."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import structlog

from polyb0t.core.errors import ConflictError
from polyb0t.core.ids import new_intent_id
from polyb0t.execution.settlement.parts import ClaimParts
from polyb0t.execution.settlement.ports import Fees, SendClass, SendOutcome, SignedClaim
from polyb0t.execution.settlement.sends import NewSend, SendRecord, SendStatus
from polyb0t.execution.settlement.store import SendNews
from polyb0t.execution.settlement.terms import terms_of
from polyb0t.execution.store import Denied

log = structlog.get_logger(__name__)

# Nodes take a replacement that pays at least a tenth more, and some an eighth.
_RAISE: Final = (1_125, 1_000)


class Replacing:
    """For wallets with a key of their own; a relayer does this by itself."""

    def __init__(self, parts: ClaimParts, broadcast: Callable[[SignedClaim], SendOutcome]) -> None:
        self._parts = parts
        self._broadcast = broadcast

    def replaced(self, send: SendRecord) -> bool:
        """Whether a better paid copy was stored and sent just now."""
        stores, settings = self._parts.stores, self._parts.settings
        old = (stores.intents.now() - send.created_at).total_seconds()
        newer = [each for each in stores.claims.sends(open_only=True) if each.replaces == send.id]
        if old < settings.replace_seconds or newer:
            return False
        try:
            signed = self._signed(send)
        except ConflictError as error:  # more gas than is allowed: it waits as it is
            log.warning("claim.stuck", send_id=send.id, code=error.code, why=error.why)
            return False
        stored = stores.claims.prepare(
            self._new(send, signed), self._parts.lease, budget_seconds=settings.budget_seconds
        )
        if isinstance(stored, Denied):
            log.warning("claim.not_replaced", send_id=send.id, code=stored.code, detail=stored.detail)
            return False
        unanchored = self._parts.anchored()
        if unanchored:
            news = SendNews(SendStatus.DROPPED, "anchor_not_written", unanchored)
            stores.claims.settle(stored.id, self._parts.lease, news)
            return False
        if self._parts.stopped():
            news = SendNews(SendStatus.DROPPED, "halted", "Trading was halted. This copy was not sent.")
            stores.claims.settle(stored.id, self._parts.lease, news)
            return False
        outcome = self._broadcast(signed)
        # Either of the two may be mined, so a refusal ends neither.
        status = SendStatus.SENT if outcome.kind is SendClass.ACCEPTED else SendStatus.UNKNOWN
        stores.claims.settle(stored.id, self._parts.lease, SendNews(status, outcome.kind.value, outcome.text))
        log.info("claim.replaced", send_id=send.id, by=stored.id)
        return True

    def _signed(self, send: SendRecord) -> SignedClaim:
        chain = self._parts.chain
        terms = terms_of(self._parts.stores.intents.get(send.members[0]).intent)
        call = chain.build(send.wallet, terms.holding)
        if not terms.fits(call):
            raise ConflictError(
                "Not replaced.", why="The call is no longer the approved one.", code="call_differs"
            )
        simulation = chain.simulate((call,))
        if simulation.pays != call.expected:
            raise ConflictError(
                "Not replaced.", why="It would no longer pay the same.", code="payout_differs"
            )
        fresh = chain.fees(simulation.gas)
        raised = Fees(
            fresh.gas,
            max(fresh.max_fee_wei, _more(send.max_fee_wei)),
            max(fresh.priority_fee_wei, _more(send.priority_fee_wei)),
        )
        return chain.sign(call, send.nonce, raised)

    def _new(self, send: SendRecord, signed: SignedClaim) -> NewSend:
        new = NewSend(
            id=new_intent_id(),
            members=send.members,
            wallet=send.wallet,
            route=send.route,
            nonce=send.nonce,
            raw=signed.raw,
            tx_hash=signed.tx_hash,
            deadline=None,
            expected=send.expected,
            balance_before=send.balance_before,
            from_block=send.from_block,
            max_fee_wei=signed.max_fee_wei,
            priority_fee_wei=signed.priority_fee_wei,
        )
        return replace(new, replaces=send.id)


def _more(wei: int) -> int:
    times, parts = _RAISE
    return -(-wei * times // parts)
