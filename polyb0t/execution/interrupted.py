"""What a crash between claim and permit left: proof that nothing came of it."""

from polyb0t.core.errors import ConflictError
from polyb0t.core.ids import IntentId
from polyb0t.execution.in_flight import InFlight
from polyb0t.execution.intents import IntentType, TradeIntent
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Lease, Stores


def end_interrupted(stores: Stores, lease: Lease, in_flight: InFlight) -> tuple[IntentId, ...]:
    """EXECUTING without an order is ended as FAILED, but for cancels and claims. What is
    `in_flight` belongs to its thread.

    Raises:
        DatabaseError, LeaseLostError: our own rows could not be read or written.
    """
    ended = []
    for record in stores.intents.executing_without_order():
        if _goes_on(record.intent) or record.id in in_flight:
            continue
        detail = "It was interrupted before its order was permitted. Nothing was sent."
        try:
            stores.intents.fail(record.id, lease, code="interrupted", detail=detail)
        except ConflictError:
            continue  # a thread brought it to its end meanwhile
        ended.append(record.id)
    return tuple(ended)


def _goes_on(intent: TradeIntent) -> bool:
    """A cancel is sent again; what a claim has come to is known by its own process, from what it stored."""
    if intent.intent_type is IntentType.CLAIM_SETTLEMENT:
        return intent.regime is Regime.LIVE
    return intent.intent_type is IntentType.CANCEL_ORDER
