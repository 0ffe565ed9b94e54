"""What one order's reads prove, written down: the part of reconciliation that deals with a single order."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from polyb0t.core.errors import ConflictError, VenueUnreachableError
from polyb0t.core.ids import OrderId
from polyb0t.data.fills import Fill, FillStatus
from polyb0t.execution.absence import IN_DOUBT, AbsenceProof, Glance, ProofTimes, market_fills, news_of
from polyb0t.execution.gateway import Found, Lookup, NotFound, OrderGateway
from polyb0t.execution.in_flight import InFlight
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.reconciliation import (
    Correction,
    Problem,
    beyond_belief,
    correct,
    moves,
    overspent,
)
from polyb0t.execution.store import Lease, Stores
from polyb0t.models.kill_switches import KillSwitchType

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Notes:
    """What a pass found so far: `problems` stop trading, `alerts` are shown."""

    problems: list[str] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)


class OrderTruth:
    """Asks about one order at a time and corrects its row. What is `in_flight` belongs to its thread."""

    def __init__(
        self, stores: Stores, lease: Lease, gateway: OrderGateway, in_flight: InFlight, times: ProofTimes
    ) -> None:
        self._stores = stores
        self._orders = stores.orders
        self._lease = lease
        self._gateway = gateway
        self._in_flight = in_flight
        self._absence = AbsenceProof(gateway, times)
        self.noted: set[tuple[str, str]] = set()  # what was journalled once and need not be again
        # MATCHED and not found any more, with the boot seconds of the last round that proved that there
        # is nothing more of it; None while nothing did.
        self.forgotten: dict[OrderId, float | None] = {}

    def look_up(
        self,
        order: OrderRecord,
        notes: Notes,
        glance: Glance | None = None,
        known: Sequence[Fill] = (),
    ) -> None:
        """Ask by id; with the rest of a pass (`glance`, and the fills `known` at its start) a doubt may also
        come to its end, and an order of which there is nothing new costs no read of our own."""
        if order.intent_id in self._in_flight:
            return  # SIGNED belongs to the thread that is sending it
        lookup = self._gateway.lookup(order.id)
        if isinstance(lookup, Found) or order.status is not OrderStatus.MATCHED:
            self.forgotten.pop(order.id, None)
        if glance is not None and _nothing_new(order, lookup, known, glance):
            return
        if isinstance(lookup, NotFound) and glance is not None and order.status in IN_DOUBT:
            about = self._round(order, glance, known, notes)
            if about is None:
                return
            lookup = about
        if isinstance(lookup, NotFound) and glance is not None and order.status is OrderStatus.MATCHED:
            if self._traded_unseen(order, known, notes):
                return
            lookup = self._forgotten(order, glance, known) or lookup
        if isinstance(lookup, Found) and order.status is OrderStatus.ABSENT:
            self._reappeared(order, notes)
        self._believe(order, lookup, notes)

    def _round(self, order: OrderRecord, glance: Glance, known: Sequence[Fill], notes: Notes) -> Found | None:
        """A round about an order that is not found by id. What it found is to be believed; None: done."""
        seen = self._absence.round(order, glance, known)
        if seen.found is not None:
            return seen.found
        if self._orders.order(order.id).updated_at != order.updated_at:
            return None  # it moved while we asked
        if seen.fills:
            self._record(order, seen.fills, notes)
        elif seen.proven:
            code = "vanished" if order.status is OrderStatus.VANISHED else "absent"
            self._absence.forget(order.id)
            self._settle(order, Correction(OrderStatus.ABSENT, code, seen.detail))
        else:
            self._orders.record_lookup(order.id, self._lease, detail=seen.detail)
        return None

    def _traded_unseen(self, order: OrderRecord, known: Sequence[Fill], notes: Notes) -> bool:
        """It matched, and the exchange has forgotten it: nobody but the market's trades names its own.
        Whether any of them were new."""
        try:
            read = market_fills(self._gateway, order)
        except VenueUnreachableError as error:
            notes.problems.append(f"The trades of order {order.id} could not be read. {error}")
            return False
        new = news_of(read, known)
        return bool(new) and self._record(order, new, notes) is not None

    def _forgotten(self, order: OrderRecord, glance: Glance, known: Sequence[Fill]) -> Found | None:
        """It matched, and nobody finds it by id. What a round found in its place, if anything; that there is
        nothing more of it is remembered for the end of its market."""
        seen = self._absence.round(order, glance, known)
        if seen.found is None and not seen.fills:
            before = self.forgotten.get(order.id)
            self.forgotten[order.id] = glance.begun if seen.proven else before
        return seen.found

    def _believe(self, order: OrderRecord, lookup: Lookup, notes: Notes) -> None:
        try:
            seen = self._read_fills(order, lookup)
        except VenueUnreachableError as error:
            notes.problems.append(f"The trades of order {order.id} could not be read. {error}")
            return
        if self._orders.order(order.id).updated_at != order.updated_at:
            return  # it moved while we asked; the next pass sees both sides anew
        current = self._record(order, seen, notes) if seen else order
        if current is None:
            return
        stored = self._orders.fills(order_id=order.id)
        self._apply(current, correct(current, lookup, stored, self._stores.intents.now()), notes)
        beyond = overspent(current)
        if beyond is not None:
            self._contradict(current, beyond, notes)

    def _record(self, order: OrderRecord, fills: tuple[Fill, ...], notes: Notes) -> OrderRecord | None:
        """Store fills; None when they cannot be ours, which stops trading and stores nothing."""
        nonsense = beyond_belief(order, fills, self._orders.fills(order_id=order.id))
        if nonsense is not None:
            self._contradict(order, nonsense, notes)
            return None
        if order.status is OrderStatus.ABSENT:
            self._reappeared(order, notes)
        try:
            current = self._orders.record_fills(order.id, fills, self._lease)
        except ConflictError as error:
            self._contradict(order, str(error), notes)
            return None
        for fill in fills:
            if fill.status is FillStatus.FAILED:
                detail = f"Trade {fill.trade_id} failed on chain: {fill.shares} shares are taken back."
                notes.alerts.append(f"Order {order.id}: {detail}")
                self._note_once(order, detail)
        return current

    def _reappeared(self, order: OrderRecord, notes: Notes) -> None:
        """The inference of its absence was wrong. What is seen counts, and everybody is to hear of it."""
        detail = "It was taken for never accepted, and the exchange shows it."
        log.critical("order.reappeared", order_id=order.id)
        notes.alerts.append(f"Order {order.id}: {detail}")
        self._note_once(order, detail, kind="order.reappeared")

    def _read_fills(self, order: OrderRecord, lookup: Lookup) -> tuple[Fill, ...]:
        """Fills of the trades that the lookup names and of ours that are not final, read by id; those
        that say nothing new are left out."""
        stored = {(fill.trade_id, fill.bucket_index): fill for fill in self._orders.fills(order_id=order.id)}
        named = set(lookup.order.trade_ids) if isinstance(lookup, Found) else set()
        sure = {fill.trade_id for fill in stored.values() if fill.status is FillStatus.CONFIRMED}
        wanted = sorted((named | {fill.trade_id for fill in stored.values()}) - sure)
        if not wanted:
            return ()
        read = self._gateway.fills(order.id, wanted)
        return tuple(fill for fill in read if _is_news(fill, stored.get((fill.trade_id, fill.bucket_index))))

    def _apply(self, order: OrderRecord, correction: Correction, notes: Notes) -> None:
        about = f"Order {order.id}: {correction.detail}"
        match correction.problem:
            case Problem.UNREADABLE:
                notes.problems.append(about)
            case Problem.CONTRADICTION:
                self._contradict(order, correction.detail, notes)
            case Problem.DIFFERENCE:
                notes.alerts.append(about)
                self._note_once(order, correction.detail)
            case None:
                pass
        if correction.problem in (Problem.UNREADABLE, Problem.CONTRADICTION):
            return
        if correction.status is None:
            self._orders.record_lookup(order.id, self._lease, detail=correction.detail)
        elif moves(order, correction):
            self._settle(order, correction)

    def _settle(self, order: OrderRecord, correction: Correction) -> None:
        assert correction.status is not None
        try:
            self._orders.settle(
                order.id,
                self._lease,
                status=correction.status,
                code=correction.code,
                detail=correction.detail,
                venue_status=correction.venue_status,
            )
        except ConflictError as error:  # it moved in the last moment; the next pass sees it anew
            log.warning("order.not_corrected", order_id=order.id, why=str(error))

    def _contradict(self, order: OrderRecord, detail: str, notes: Notes) -> None:
        """Something that cannot be: stop everything until a person has looked."""
        reason = f"Order {order.id}: {detail}"
        notes.problems.append(reason)
        self._note_once(order, detail, kind="order.contradicted")
        self.trip(reason)

    def trip(self, reason: str, value: str | None = None, limit: str | None = None) -> None:
        self._stores.switches.trip(
            KillSwitchType.RECONCILIATION,
            actor="engine:reconciliation",
            reason=reason,
            value=value,
            limit=limit,
        )

    def _note_once(self, order: OrderRecord, detail: str, *, kind: str = "order.differed") -> None:
        if (order.id, detail) in self.noted:
            return
        self.noted.add((order.id, detail))
        log.warning("order.differs", order_id=order.id, detail=detail)
        self._stores.engine.note(
            self._lease,
            kind=kind,
            subject=order.id,
            payload={"detail": detail},
            actor="engine:reconciliation",
        )


def _is_news(fill: Fill, stored: Fill | None) -> bool:
    return stored is None or (stored.status, stored.transaction_hash) != (fill.status, fill.transaction_hash)


def _nothing_new(order: OrderRecord, lookup: Lookup, known: Sequence[Fill], glance: Glance) -> bool:
    """The exchange shows what is stored, every trade of it is final, and the sums meet."""
    if not isinstance(lookup, Found) or order.status is OrderStatus.ABSENT:
        return False
    sure = {fill.trade_id for fill in known if fill.status is FillStatus.CONFIRMED}
    if not sure.issuperset(lookup.order.trade_ids) or len(sure) != len({fill.trade_id for fill in known}):
        return False
    correction = correct(order, lookup, known, glance.now)
    return correction.problem is None and correction.status is order.status and overspent(order) is None
