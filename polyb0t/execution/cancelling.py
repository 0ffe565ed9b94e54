"""Cancels that a person types: to the exchange first, to the journal second, never blocked."""

from collections.abc import Sequence

import structlog

from polyb0t.core.errors import DatabaseError
from polyb0t.core.ids import OrderId
from polyb0t.execution.gateway import CancelAnswer, OrderGateway
from polyb0t.execution.store import EngineStore

log = structlog.get_logger(__name__)


def cancel_orders(
    gateway: OrderGateway,
    engine: EngineStore,
    order_ids: Sequence[OrderId],
    *,
    actor: str,
    noted: set[tuple[str, str]] | None = None,
) -> CancelAnswer:
    """Cancel by id at the exchange and note it. What became of each order the engine reads back.

    With `noted`, who cancels again and again journals each answer of an order once.

    A journal that cannot be written hides no cancel: the answer is returned, and the log has it.

    Raises:
        VenueUnreachableError: no answer came; each order may be cancelled or not.
    """
    answer = gateway.cancel(order_ids)
    try:
        for order_id in order_ids:
            result = (
                "cancelled"
                if order_id in answer.cancelled
                else answer.not_cancelled.get(order_id, "no answer")
            )
            if noted is not None and (order_id, result) in noted:
                continue
            engine.note(
                None, kind="cancel.requested", subject=order_id, payload={"answer": result}, actor=actor
            )
            if noted is not None:
                noted.add((order_id, result))
    except DatabaseError as error:
        log.critical("cancel.not_journalled", order_ids=list(order_ids), why=str(error))
    return answer
