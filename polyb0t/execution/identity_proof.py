"""That an exchange gives our orders the id that we compute, and takes them back by it: seen once, kept.

The proof is made by a test order of its own (`Purpose.TEST_ORDER`) and is a journal entry for one kind of
wallet and one contract that orders are signed for. It counts only together with that order's own row.
"""

import json
from dataclasses import dataclass
from typing import Final

from polyb0t.core.errors import NotFoundError
from polyb0t.core.ids import OrderId
from polyb0t.execution.intents import Purpose
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import JournalEntry, Stores

PROVEN: Final = "identity.proven"


@dataclass(frozen=True, slots=True)
class IdentityRule:
    """What a proof is about: who signs (kind of wallet, 0 to 3), and for which contract (checksummed)."""

    signature_type: int
    contract: str

    @property
    def subject(self) -> str:
        return f"identity:{self.signature_type}:{self.contract}"


def is_proven(stores: Stores, rule: IdentityRule) -> bool:
    """Whether a test order under this rule was named and cancelled as we predicted.

    Raises:
        DatabaseError: that could not be read.
    """
    entry = stores.engine.latest_entry(rule.subject)
    order_id = None if entry is None else _order_of(entry)
    return order_id is not None and _ended_as_it_should(stores, order_id)


def note_proof(stores: Stores, rule: IdentityRule, order_id: OrderId, *, actor: str) -> None:
    """Write the proof down; it counts from the moment when the order's row has its end."""
    payload = {"order_id": order_id, "signature_type": rule.signature_type, "contract": rule.contract}
    stores.engine.note(None, kind="identity.proven", subject=rule.subject, payload=payload, actor=actor)


def _order_of(entry: JournalEntry) -> OrderId | None:
    told = json.loads(entry.payload).get("order_id") if entry.kind == PROVEN else None
    return OrderId(told) if isinstance(told, str) and told else None


def _ended_as_it_should(stores: Stores, order_id: OrderId) -> bool:
    try:
        order = stores.orders.order(order_id)
        intent = stores.intents.get(order.intent_id).intent
    except NotFoundError:
        return False
    cancelled = order.status is OrderStatus.CANCELLED and not order.filled_shares
    return cancelled and order.regime is Regime.LIVE and intent.purpose is Purpose.TEST_ORDER
