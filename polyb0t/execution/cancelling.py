"""Cancels that a person types: to the exchange first, to the journal second, never blocked."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from polyb0t.core.errors import DatabaseError
from polyb0t.core.ids import OrderId
from polyb0t.data.account_state import AccountOrder
from polyb0t.execution.gateway import CancelAnswer, OrderGateway
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.store import EngineStore, OrderStore

# What of ours may be alive. What has matched, or is held back, the exchange does not cancel.
MAY_BE_ALIVE: Final = (OrderStatus.SIGNED, OrderStatus.UNKNOWN, OrderStatus.LIVE, OrderStatus.VANISHED)
REQUESTED: Final = "cancel.requested"
CANCELLED: Final = "cancelled"  # the exchange's answer, as it is journalled

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a cancel of everything would hit: `ours` by id, and the rest that hangs on the key."""

    ours: tuple[OrderId, ...]
    others: tuple[AccountOrder, ...] = ()

    @property
    def ids(self) -> tuple[OrderId, ...]:
        return (*self.ours, *(order.order_id for order in self.others))


def plan_of_all(orders: OrderStore, gateway: OrderGateway, *, everything: bool) -> Plan:
    """Ours that may be alive; with `everything` also what else hangs on the key, to be shown first.

    Raises:
        VenueUnreachableError: what else there is could not be read; nothing was cancelled.
    """
    ours = tuple(order.id for order in orders.orders(statuses=MAY_BE_ALIVE, limit=None))
    if not everything:
        return Plan(ours)
    known = set(ours)
    return Plan(ours, tuple(one for one in gateway.open_on_the_key() if one.order_id not in known))


def cancelled_before(engine: EngineStore, order_ids: Sequence[OrderId]) -> tuple[OrderId, ...]:
    """Those of which the exchange has said to one of ours that it cancelled them: that it does not find them
    now is their end and no failure, although nobody has read them since.

    Raises:
        DatabaseError: the journal could not be read.
    """
    return tuple(
        order_id
        for order_id in order_ids
        if any(
            entry.kind == REQUESTED and json.loads(entry.payload).get("answer") == CANCELLED
            for entry in engine.journal(subject=order_id)
        )
    )


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
                CANCELLED if order_id in answer.cancelled else answer.not_cancelled.get(order_id, "no answer")
            )
            if noted is not None and (order_id, result) in noted:
                continue
            engine.note(None, kind=REQUESTED, subject=order_id, payload={"answer": result}, actor=actor)
            if noted is not None:
                noted.add((order_id, result))
    except DatabaseError as error:
        log.critical("cancel.not_journalled", order_ids=list(order_ids), why=str(error))
    return answer
