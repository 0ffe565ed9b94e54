"""What has to hold when a signed claim is stored: that commit is the permission to send it."""

from datetime import timedelta

from sqlalchemy import select

from polyb0t.core.errors import LeaseLostError
from polyb0t.core.ids import IntentId
from polyb0t.db.moves import load
from polyb0t.db.permission import halted
from polyb0t.db.tables import claim_members, claim_sends
from polyb0t.db.unit import Unit
from polyb0t.execution.intents import IntentStatus, IntentType
from polyb0t.execution.scope import Lease, Regime
from polyb0t.execution.settlement.ports import ClaimRoute
from polyb0t.execution.settlement.sends import OPEN_SEND, NewSend, SendStatus
from polyb0t.execution.store import Denied

CLAIMS_ROLE = "claims"
_PAID = (SendStatus.CONFIRMED, SendStatus.ALREADY_PAID)
_USED = (SendStatus.CONFIRMED, SendStatus.REVERTED)


def require_claims(unit: Unit, lease: Lease) -> None:
    """Only the claims process moves claims.

    Raises:
        LeaseLostError: another one has taken over, or it is not the lease of claims.
    """
    if lease.role != CLAIMS_ROLE:
        raise LeaseLostError("Nothing was written.", why=f"The lease is of {lease.role}, not of claims.")
    unit.require_lease(lease)


def why_not(unit: Unit, send: NewSend, lease: Lease, budget_seconds: float) -> Denied | None:
    """Why this must not be sent, or None. The gate is held; the order of locks is the usual one."""
    require_claims(unit, lease)
    unit.switches()
    if unit.lease_lasts_until(lease) < unit.now + timedelta(seconds=budget_seconds):
        return Denied("lease_short", "The lease ends before a send would.")
    copy = _copies_what_is_open(unit, send)
    for member in sorted(send.members):
        denied = _member(unit, member, in_time=not copy)
        if denied is not None:
            return denied
    return _beside(unit, send)


def _copies_what_is_open(unit: Unit, send: NewSend) -> bool:
    """Whether it only pays more gas for a transaction whose bytes have left and stay valid: it permits
    nothing that was not permitted in time, and without it the wallet's next nonce could wait for ever."""
    table = claim_sends.c
    query = select(table.route, table.nonce, table.status).where(
        table.scope == str(unit.scope), table.wallet == send.wallet, table.id == send.replaces
    )
    row = unit.connection.execute(query).one_or_none()
    return (
        row is not None
        and send.route is ClaimRoute.TRANSACTION
        and (row.route, row.nonce) == (send.route, send.nonce)
        and row.status in OPEN_SEND
        and _members(unit, str(send.replaces)) == set(send.members)
    )


def _member(unit: Unit, intent_id: IntentId, *, in_time: bool) -> Denied | None:
    """`in_time`: whether its time to be sent must not be over."""
    record = load(unit, intent_id)
    intent = record.intent
    if intent.intent_type is not IntentType.CLAIM_SETTLEMENT or intent.regime is not Regime.LIVE:
        return Denied("not_a_claim", f"Intent {intent_id} is a {intent.intent_type} of {intent.regime}.")
    if record.status is not IntentStatus.EXECUTING:
        return Denied("not_executing", f"Intent {intent_id} is {record.status}.")
    if in_time and (record.execute_by is None or unit.now >= record.execute_by):
        return Denied("expired", f"The time of intent {intent_id} to be sent was over.")
    return halted(unit, intent)


def _beside(unit: Unit, send: NewSend) -> Denied | None:
    """Nothing else of this wallet may be under way, and nothing of these members may have paid."""
    table = claim_sends.c
    query = select(table.id, table.status, table.route, table.nonce, table.replaces).where(
        table.scope == str(unit.scope), table.wallet == send.wallet
    )
    for row in unit.connection.execute(query.order_by(table.created_at)).all():
        members = _members(unit, row.id)
        ours = members & set(send.members)
        if row.status in _PAID and ours:
            return Denied("already_paid", f"{row.id} has paid for {', '.join(sorted(ours))}.")
        same_nonce = row.route == send.route and row.nonce == send.nonce
        if row.status in _USED and same_nonce:
            return Denied("nonce_used", f"The nonce {send.nonce} was used by {row.id}.")
        replaces = (
            same_nonce
            and send.replaces is not None
            and send.route is ClaimRoute.TRANSACTION
            and members == set(send.members)
        )
        if row.status in OPEN_SEND and not replaces:
            return Denied("under_way", f"{row.id} is {row.status}; what becomes of it is not known yet.")
    return None


def _members(unit: Unit, send_id: str) -> set[str]:
    query = select(claim_members.c.intent_id).where(claim_members.c.send_id == send_id)
    return set(unit.connection.scalars(query))
