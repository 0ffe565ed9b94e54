"""A test order from its approval to the proof: resting, found by our id, cancelled by it, gone.

The engine carries it out like any approved intent. What is done here is only reading and cancelling,
with the stored credentials; the signing key is never read.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from polyb0t.core.clock import Clock, SystemClock
from polyb0t.core.errors import ConflictError, PolybotError
from polyb0t.core.ids import IntentId, OrderId
from polyb0t.data.markets import Market
from polyb0t.execution.cancelling import cancel_orders
from polyb0t.execution.gateway import Found, OrderGateway, VenueOrder
from polyb0t.execution.identity_proof import IdentityRule, is_proven, note_proof
from polyb0t.execution.intents import IntentStatus, TradeIntent
from polyb0t.execution.orders import TERMINAL_ORDER, OrderRecord, OrderStatus
from polyb0t.execution.scope import Regime
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.proofs_check import proven_exchanges
from polyb0t.runtime.reaching import account_of, gateway_of
from polyb0t.runtime.surroundings import Surroundings

_Seen = TypeVar("_Seen")
_LOOK_SECONDS: Final = 0.25
_WITHIN_SECONDS: Final = 60.0  # for each step


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that the test proved, or did not."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the test; `proven` only when every step passed and the proof is stored."""

    order_id: OrderId | None
    steps: tuple[Step, ...]
    proven: bool


def require_engine(opened: OpenedStore) -> None:
    """Raises ConflictError: nobody would carry the order out."""
    if opened.engine_runs() and opened.regime() is Regime.LIVE:
        return
    raise ConflictError(
        "No test order: no engine runs that sends orders. Nothing was sent.",
        why="The engine carries it out like any approved trade; before the proof it sends no other opening.",
        do="Start it in another terminal: polyb0t run --live --no-dry-run",
        code="engine_needed",
    )


def untested(opened: OpenedStore) -> tuple[Surroundings, Callable[[Market], bool]]:
    """The surroundings, and which markets are signed for under a contract that is not proven yet."""
    around = account_of(opened)[0]
    environment = around.environment
    proven = {environment.contracts[name] for name in proven_exchanges(around, opened.stores)}

    def wanted(market: Market) -> bool:
        try:
            domain = environment.exchange(market.version, neg_risk=market.neg_risk)
        except PolybotError:
            return False
        return market.trade_ready and domain.contract not in proven

    return around, wanted


class Proving:
    """Follows one approved test order. One use, one thread."""

    def __init__(
        self, opened: OpenedStore, around: Surroundings, actor: str, clock: Clock | None = None
    ) -> None:
        self._opened = opened
        self._stores = opened.stores
        self._around = around
        self._actor = actor
        self._clock = clock or SystemClock()
        self._gateway: OrderGateway = gateway_of(opened)
        self._steps: list[Step] = []

    def follow(self, intent: TradeIntent) -> Outcome:
        """Wait for it to rest, read it, cancel it, read it again, write the proof.

        Whatever goes wrong, an order that may rest is cancelled, and it ends by itself in minutes.
        """
        order = self._resting(intent.id)
        if order is None:
            return Outcome(None, tuple(self._steps), proven=False)
        try:
            known = self._named(intent, order)
        finally:
            gone = self._cancelled(order.id)
        if not (known and gone and self._ended(order.id)):
            return Outcome(order.id, tuple(self._steps), proven=False)
        rule = self._rule(intent, order)
        note_proof(self._stores, rule, order.id, actor=self._actor)
        return Outcome(order.id, tuple(self._steps), proven=is_proven(self._stores, rule))

    def _rule(self, intent: TradeIntent, order: OrderRecord) -> IdentityRule:
        """What the order was signed for, as its stored form says: this shell may name another kind."""
        domain = self._around.environment.exchange(intent.protocol_version, neg_risk=intent.neg_risk)
        told = json.loads(order.signed_order or "{}").get("signatureType")
        kind = told if isinstance(told, int) else self._around.signature_type
        return IdentityRule(kind, domain.contract)

    def _resting(self, intent_id: IntentId) -> OrderRecord | None:
        """The order once the exchange has taken it; None when it has not."""

        def look() -> OrderRecord | None:
            record = self._stores.intents.get(intent_id)
            if record.order_id is not None:
                order = self._stores.orders.order(record.order_id)
                if order.status is not OrderStatus.SIGNED:
                    return order
            ended = record.status in (IntentStatus.FAILED, IntentStatus.EXPIRED, IntentStatus.REJECTED)
            if ended and record.order_id is None:
                raise _OverError(record.result_detail or record.result or record.status.value)
            return None

        try:
            order = self._until(look)
        except _OverError as over:
            self._step("rests", passed=False, detail=str(over))
            return None
        if order is None:
            self._step("rests", passed=False, detail="The engine did not send it in time.")
            return None
        if order.status is not OrderStatus.LIVE:
            self._step("rests", passed=False, detail=f"It is {order.status.value}: {order.detail}")
            return order if order.status not in TERMINAL_ORDER else None
        self._step(
            "rests", passed=True, detail="The exchange took it under the id that we had stored before."
        )
        return order

    def _named(self, intent: TradeIntent, order: OrderRecord) -> bool:
        """Whether the exchange tells this very order when it is asked for our id."""
        found = self._until(lambda: _told(self._gateway, order.id))
        if found is None:
            self._step("id", passed=False, detail="Asked for our id, the exchange told of no order.")
            return False
        same = (
            found.asset_id == intent.asset_id
            and found.price == intent.worst_price
            and found.original_size == intent.shares
            and found.side is intent.side
        )
        detail = "Asked for our id, the exchange tells this order" if same else "It tells another order"
        self._step("id", passed=same, detail=f"{detail}: {found.original_size} at {found.price}.")
        return same and order.status is OrderStatus.LIVE

    def _cancelled(self, order_id: OrderId) -> bool:
        try:
            answer = cancel_orders(self._gateway, self._stores.engine, [order_id], actor=self._actor)
        except PolybotError as error:
            self._step("cancel", passed=False, detail=f"{error.what} It ends by itself in 5 minutes.")
            return False
        done = order_id in answer.cancelled
        why = answer.not_cancelled.get(order_id, "The exchange gave no reason.")
        self._step("cancel", passed=done, detail="The exchange cancelled it by our id." if done else why)
        return done

    def _ended(self, order_id: OrderId) -> bool:
        """Whether the engine has read its end: cancelled, nothing filled."""

        def look() -> OrderRecord | None:
            order = self._stores.orders.order(order_id)
            return order if order.status in TERMINAL_ORDER else None

        order = self._until(look)
        if order is None:
            self._step("gone", passed=False, detail="Its end was not seen in time; run this again.")
            return False
        gone = order.status is OrderStatus.CANCELLED and not order.filled_shares
        detail = "It is gone, nothing was bought." if gone else f"It ended as {order.status.value}."
        self._step("gone", passed=gone, detail=detail)
        return gone

    def _until(self, look: Callable[[], _Seen | None]) -> _Seen | None:
        end = self._clock.boot_seconds() + _WITHIN_SECONDS
        while True:
            found = look()
            if found is not None or self._clock.boot_seconds() > end:
                return found
            self._clock.sleep(_LOOK_SECONDS)

    def _step(self, name: str, *, passed: bool, detail: str) -> None:
        self._steps.append(Step(name, passed, detail))


class _OverError(Exception):
    """The intent ended without an order."""


def _told(gateway: OrderGateway, order_id: OrderId) -> VenueOrder | None:
    answer = gateway.lookup(order_id)
    return answer.order if isinstance(answer, Found) else None
