"""When it may be inferred that an order does not exist: an inference, made late and twice.

One *round* asks by id, reads the open orders and the market's trades, and ends with a control read
that has to succeed, all with the credential that placed the order. A round counts only if it was begun
after the time of the request's header plus what the exchange tolerates plus its lag. Two counting
rounds, some seconds apart, prove absence; anything positive beats them, also later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from polyb0t.core.errors import PolybotError
from polyb0t.core.ids import OrderId
from polyb0t.data.account_state import AccountOrder
from polyb0t.data.fills import Fill
from polyb0t.execution.gateway import Found, OrderGateway, VenueOrder
from polyb0t.execution.orders import OrderRecord, OrderStatus

IN_DOUBT: Final = frozenset({OrderStatus.UNKNOWN, OrderStatus.VANISHED})
OVERLAP: Final = timedelta(minutes=5)  # trades are read from so long before the order was signed


@dataclass(frozen=True, slots=True)
class ProofTimes:
    """`delay_seconds`: the exchange's tolerance for an old header, and its lag, together."""

    delay_seconds: float = 60.0
    apart_seconds: float = 10.0
    rounds: int = 2


@dataclass(frozen=True, slots=True)
class Glance:
    """The part of a round that one pass reads for all orders. `open_orders` None: it failed."""

    begun: float  # boot seconds, before the first read
    now: datetime  # of the database, then
    open_orders: tuple[AccountOrder, ...] | None


@dataclass(frozen=True, slots=True)
class Round:
    """What one round found: something, or nothing, or why it proves neither."""

    found: Found | None = None
    fills: tuple[Fill, ...] = ()
    proven: bool = False
    detail: str = ""


@dataclass(slots=True)
class _Doubt:
    first_age: float  # seconds since the header's time when this process first looked
    first_boot: float
    status: OrderStatus
    rounds: int = 0
    last: float = 0.0  # boot seconds when the last counting round was begun


class AbsenceProof:
    """Counts rounds in this process only: a restart begins anew, which costs some seconds."""

    def __init__(self, gateway: OrderGateway, times: ProofTimes) -> None:
        self._gateway = gateway
        self._times = times
        self._doubts: dict[OrderId, _Doubt] = {}

    def forget(self, order_id: OrderId) -> None:
        """Something positive was seen, or it is over."""
        self._doubts.pop(order_id, None)

    def round(self, order: OrderRecord, glance: Glance, known: Sequence[Fill] = ()) -> Round:
        """One round about an order that is not found by id. The caller asked by id after `glance.begun`.
        Its `known` fills say that it was there, not that the rest of it still is."""
        listed = _listed(order.id, glance.open_orders or ())
        if listed is not None:
            self.forget(order.id)
            return Round(found=listed)
        doubt = self._doubt(order, glance)
        waiting = self._too_early(doubt, glance)
        if waiting:
            return Round(detail=waiting)
        if order.credential_id != self._gateway.credential_id:
            return Round(detail="It was placed with other API credentials, so nothing can be proven.")
        if glance.open_orders is None:
            return Round(detail="The open orders could not be read, so this round proves nothing.")
        return self._ask(order, doubt, glance, known)

    def _ask(self, order: OrderRecord, doubt: _Doubt, glance: Glance, known: Sequence[Fill]) -> Round:
        try:
            fills = news_of(market_fills(self._gateway, order), known)
            self._gateway.control_read()
        except PolybotError as error:
            return Round(detail=f"A read of the round failed, so it proves nothing. {error}")
        if fills:
            self.forget(order.id)
            return Round(fills=fills)
        doubt.rounds, doubt.last = doubt.rounds + 1, glance.begun
        nothing = "no further trade" if known else "neither order nor trade"
        asked = f"Round {doubt.rounds} of {self._times.rounds}: the exchange shows {nothing}."
        return Round(proven=doubt.rounds >= self._times.rounds, detail=asked)

    def _doubt(self, order: OrderRecord, glance: Glance) -> _Doubt:
        """A wall clock that is set after the first look changes nothing: from there boot time counts."""
        doubt = self._doubts.get(order.id)
        if doubt is None or doubt.status is not order.status:
            since = float(order.l2_timestamp)
            if order.status is OrderStatus.VANISHED:  # it was there: its lag begins when it was gone
                since = max(since, order.updated_at.timestamp())
            doubt = _Doubt(glance.now.timestamp() - since, glance.begun, order.status)
            self._doubts[order.id] = doubt
        return doubt

    def _too_early(self, doubt: _Doubt, glance: Glance) -> str:
        age = doubt.first_age + glance.begun - doubt.first_boot
        if age < self._times.delay_seconds:
            return f"It may still arrive; it is looked for until {self._times.delay_seconds:g} s have passed."
        if doubt.rounds and glance.begun - doubt.last < self._times.apart_seconds:
            return f"Not found; the next round comes {self._times.apart_seconds:g} s after the last."
        return ""


def market_fills(gateway: OrderGateway, order: OrderRecord) -> tuple[Fill, ...]:
    """The order's fills among the trades of its market, for when it cannot be asked about itself.

    Raises:
        VenueUnreachableError: they could not be read.
    """
    since = datetime.fromtimestamp(order.l2_timestamp, UTC) - OVERLAP
    return gateway.market_fills(order.id, order.condition_id, since)


def news_of(read: Sequence[Fill], known: Sequence[Fill]) -> tuple[Fill, ...]:
    """Those of `read` that are not among the `known` ones, or stand otherwise there."""
    stored = {(fill.trade_id, fill.bucket_index): fill.status for fill in known}
    return tuple(fill for fill in read if stored.get((fill.trade_id, fill.bucket_index)) is not fill.status)


def _listed(order_id: OrderId, open_orders: Sequence[AccountOrder]) -> Found | None:
    """Found in the list of open orders though not by id."""
    for order in open_orders:
        if order.order_id == order_id:
            return Found(
                VenueOrder(
                    order_id=order.order_id,
                    status=order.status,
                    condition_id=order.condition_id,
                    asset_id=order.asset_id,
                    side=order.side,
                    price=order.price,
                    original_size=order.original_shares,
                    matched_shares=order.matched_shares,
                    trade_ids=(),
                )
            )
    return None
