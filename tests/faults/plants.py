"""One planted bug for each class of fault: what the suite has to notice. Nothing here is in the product.

Each plant is the opposite of one sentence of the protocol, put into the running code for a while.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from unittest.mock import patch

from sqlalchemy import select

from polyb0t.core.errors import ConflictError
from polyb0t.db import carrying_out, fill_book, order_store, reservations, unit
from polyb0t.db.intent_store import SqlIntentStore
from polyb0t.db.moves import load
from polyb0t.db.tables import engine_lease, trade_intents
from polyb0t.execution import anchor, order_truth, sending
from polyb0t.execution.absence import AbsenceProof
from polyb0t.execution.gateway import Accepted, AcceptedStatus, Refused, SendOutcome, Unknown
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.reconciliation import Correction, absurd_fill, correct
from polyb0t.execution.sending import Sender
from polyb0t.venue.gateway import PolymarketGateway
from tests.faults.more_plants import MORE_PLANTS, Plant, Planted

__all__ = ["PLANTS", "Plant", "Planted"]


def unknown_becomes(outcome: SendOutcome) -> Plant:
    """Whatever proves nothing is taken for `outcome`."""

    @contextmanager
    def planted() -> Iterator[None]:
        send = PolymarketGateway.send

        def wrong(self: PolymarketGateway, prepared: Any) -> SendOutcome:
            got = send(self, prepared)
            return outcome if not isinstance(got, Accepted) else got

        with patch.object(PolymarketGateway, "send", wrong):
            yield

    return planted


@contextmanager
def sent_again() -> Iterator[None]:
    """Without an answer the same bytes are sent once more."""
    send = PolymarketGateway.send

    def wrong(self: PolymarketGateway, prepared: Any) -> SendOutcome:
        got = send(self, prepared)
        return send(self, prepared) if isinstance(got, Unknown) else got

    with patch.object(PolymarketGateway, "send", wrong):
        yield


@contextmanager
def sent_again_when_not_written() -> Iterator[None]:
    """An answer that the database does not take is asked for again with a second copy."""
    submit = Sender.submit

    def wrong(self: Any, record: Any, permitted: Any, prepared: Any, *, begun: float) -> None:
        submit(self, record, permitted, prepared, begun=begun)
        if self._spool.waiting():
            self._gateway.send(prepared)

    with patch.object(Sender, "submit", wrong):
        yield


@contextmanager
def signed_was_never_sent() -> Iterator[None]:
    """An order that is SIGNED and not found at once is taken for one that never left."""

    def wrong(order: Any, lookup: Any, fills: Any, now: Any) -> Correction:
        if order.status is OrderStatus.SIGNED:
            return Correction(OrderStatus.REFUSED, "interrupted", "It never left.")
        return correct(order, lookup, fills, now)

    with patch.object(order_truth, "correct", wrong):
        yield


@contextmanager
def absent_at_once() -> Iterator[None]:
    """One look that finds nothing proves absence, and nobody looks again."""

    def wrong(self: AbsenceProof, order: Any, glance: Any, known: Any = ()) -> Any:
        seen = right(self, order, glance, known)
        return type(seen)(**{**_fields(seen), "proven": seen.found is None and not seen.fills})

    right = AbsenceProof.round
    with (
        patch.object(AbsenceProof, "round", wrong),
        patch.object(order_store.SqlOrderStore, "absent", lambda _self: ()),
    ):
        yield


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


@contextmanager
def permit_checks_nothing() -> Iterator[None]:
    """The permit stores the order without looking at claim, lease, switches and time again."""

    def wrong(unit: Any, order: Any, lease: Any, *, post_budget_seconds: float) -> Any:
        record = load(unit, order.intent_id)
        return carrying_out.store_order(unit, record.intent, order)

    with patch.object(carrying_out, "permit", wrong):
        yield


@contextmanager
def halt_is_ignored() -> Iterator[None]:
    """The HALT file is looked at before the signature only."""
    send = Sender._send

    def wrong(self: Any, *given: Any) -> Any:
        self._halt_file = lambda: False
        return send(self, *given)

    with patch.object(Sender, "_send", wrong):
        yield


@contextmanager
def time_goes_back() -> Iterator[None]:
    """Database time is the machine's, whatever the journal says."""
    with patch.object(unit, "monotonic_now", lambda connection, database, _scope: database.now(connection)):
        yield


@contextmanager
def money_stays_reserved() -> Iterator[None]:
    """What a proven end sets free stays reserved."""
    whole = reservations.whole
    with patch.object(reservations, "remaining", lambda intent, _order: whole(intent)):
        yield


@contextmanager
def not_found_means_nothing() -> Iterator[None]:
    """An order that the exchange no longer knows goes on resting here."""

    def wrong(order: Any, lookup: Any, fills: Any, now: Any) -> Correction:
        found = correct(order, lookup, fills, now)
        return Correction() if found.status is OrderStatus.VANISHED else found

    with patch.object(order_truth, "correct", wrong):
        yield


@contextmanager
def no_fill_is_a_match() -> Iterator[None]:
    """A FAK that found nothing is written down as matched."""
    right = sending._verdict

    def wrong(outcome: Any) -> tuple[OrderStatus, str, str]:
        status, code, detail = right(outcome)
        return (OrderStatus.MATCHED, "accepted", "") if code == "no_fill" else (status, code, detail)

    with patch.object(sending, "_verdict", wrong):
        yield


@contextmanager
def failed_trades_count() -> Iterator[None]:
    """A trade that failed on chain keeps its shares in our books."""
    right = fill_book._moves_forward
    with patch.object(
        fill_book, "_moves_forward", lambda before, fill: fill.status != "FAILED" and right(before, fill)
    ):
        yield


@contextmanager
def nobody_is_fenced() -> Iterator[None]:
    """Engine writes do not compare the lease's token."""

    def wrong(self: Any, lease: Any) -> Any:
        query = select(engine_lease).where(engine_lease.c.role == lease.role)
        return self.connection.execute(query).mappings().one()

    with (
        patch.object(unit.Unit, "require_lease", wrong),
        patch.object(carrying_out, "_not_ours", lambda *_: None),
    ):
        yield


@contextmanager
def trades_are_read_once() -> Iterator[None]:
    """After a reading of a trade that led to nothing it is taken for never made."""
    fills = PolymarketGateway.fills
    asked: set[object] = set()

    def wrong(self: PolymarketGateway, order_id: Any, trade_ids: Any) -> Any:
        fresh = [one for one in trade_ids if one not in asked]
        asked.update(trade_ids)
        return fills(self, order_id, fresh) if len(fresh) == len(trade_ids) else ()

    with patch.object(PolymarketGateway, "fills", wrong):
        yield


@contextmanager
def everything_is_believed() -> Iterator[None]:
    """A trade counts, however much more it is than the order permits."""
    with patch.object(order_truth, "beyond_belief", absurd_only):
        yield


def absurd_only(order: Any, new: Any, _known: Any = ()) -> str | None:
    """The first of `new` that is not of this order at all."""
    return next(filter(None, (absurd_fill(order, fill) for fill in new)), None)


@contextmanager
def restored_passes_for_present() -> Iterator[None]:
    """Nobody notices that the database is an older one."""
    with (
        patch.object(anchor, "restored", lambda _stores, _anchor: None),
        patch.object(anchor.AnchorFile, "_reached", lambda _anchor, _point: 0),
    ):
        yield


@contextmanager
def every_approval_wins() -> Iterator[None]:
    """Who approves what is decided already is told that it worked."""
    approve = SqlIntentStore.approve

    def wrong(self: SqlIntentStore, intent_id: Any, **given: Any) -> Any:
        try:
            return approve(self, intent_id, **given)
        except ConflictError:
            return self.get(intent_id)

    with patch.object(SqlIntentStore, "approve", wrong):
        yield


@contextmanager
def rejection_is_lost() -> Iterator[None]:
    """A rejection is journalled and answered, and the row stays APPROVED."""
    claim = carrying_out.claim

    def wrong(unit_: Any, intent_id: Any, lease: Any, regime: Any, limits: Any) -> Any:
        table = trade_intents
        rejected = (table.c.id == intent_id, table.c.status == "REJECTED")
        unit_.connection.execute(table.update().where(*rejected).values(status="APPROVED"))
        return claim(unit_, intent_id, lease, regime, limits)

    with patch.object(carrying_out, "claim", wrong):
        yield


@contextmanager
def another_id_is_fine() -> Iterator[None]:
    """An answer that names another order counts as an acceptance of ours."""
    send = PolymarketGateway.send

    def wrong(self: PolymarketGateway, prepared: Any) -> SendOutcome:
        got = send(self, prepared)
        foreign = isinstance(got, Unknown) and got.foreign_id
        return Accepted(AcceptedStatus.MATCHED, ()) if foreign else got

    with patch.object(PolymarketGateway, "send", wrong):
        yield


AS_REFUSED: Final = Planted(
    "an answer that proves nothing is taken for a refusal", unknown_becomes(Refused("planted", ""))
)
AS_ACCEPTED: Final = Planted(
    "an answer that proves nothing is taken for an acceptance",
    unknown_becomes(Accepted(AcceptedStatus.MATCHED, ())),
)
AGAIN: Final = Planted("without an answer the same bytes are sent again", sent_again)
ABSENT: Final = Planted("one look that finds nothing proves absence", absent_at_once)
UNCHECKED: Final = Planted("the permit checks nothing again", permit_checks_nothing)
GHOST: Final = Planted("a trade that failed on chain stays in the books", failed_trades_count)
_RESERVED: Final = Planted("what a refusal sets free stays reserved", money_stays_reserved)

PLANTS: Final[Mapping[str, Planted]] = {
    "crash": Planted("SIGNED is taken for never sent", signed_was_never_sent),
    "suspended 31 s, takeover meanwhile": UNCHECKED,
    "clock 5 min forward": UNCHECKED,
    "clock 5 min back": Planted("database time may go back", time_goes_back),
    "exchange's clock 5 min ahead": _RESERVED,
    "exchange's clock 5 min behind": _RESERVED,
    "switch tripped": UNCHECKED,
    "HALT file": Planted("the HALT file is not looked at before a send", halt_is_ignored),
    "rejected by another person": Planted("a rejected intent can be claimed", rejection_is_lost),
    "money withdrawn": _RESERVED,
    "exchange restarts, orders wiped": Planted(
        "an order that is not found goes on resting", not_found_means_nothing
    ),
    "book emptied": Planted("a FAK without a fill counts as matched", no_fill_is_a_match),
    "database locked": Planted(
        "an answer that was not written is asked for with a second copy", sent_again_when_not_written
    ),
    "disk full": Planted(
        "an answer that was not written is asked for with a second copy", sent_again_when_not_written
    ),
    "reply lost after acceptance": AGAIN,
    "timeout before it arrives": AS_ACCEPTED,
    "arrives 3 s late": ABSENT,
    "arrives 20 s late": ABSENT,
    "arrives 70 s late": AS_ACCEPTED,
    "cut mid-body": AS_REFUSED,
    "500 after acceptance": AS_REFUSED,
    "500 before": AS_ACCEPTED,
    "502 page after acceptance": AGAIN,
    "503 after acceptance": AS_REFUSED,
    "503 before": AS_ACCEPTED,
    "425 before": AS_ACCEPTED,
    "425 after acceptance": AS_REFUSED,
    "429 bare after acceptance": AGAIN,
    "429 bare before": AS_ACCEPTED,
    "429 with the exchange's headers": _RESERVED,
    "HTML with 200 after acceptance": AS_REFUSED,
    "HTML with 400 after acceptance": AS_REFUSED,
    "unknown status word": AS_REFUSED,
    "success with an error text": AS_REFUSED,
    "success without an id": AS_REFUSED,
    "unknown text with 400 after acceptance": AS_REFUSED,
    "context canceled after acceptance": AS_REFUSED,
    "Duplicated after acceptance": AS_REFUSED,
    "another order's id": Planted("another order's id counts as acceptance", another_id_is_fine),
    "trades read with a negative size": Planted("no trade is asked for again", trades_are_read_once),
    "trades read with a price above one": Planted("no trade is asked for again", trades_are_read_once),
    "trades read 10,000 times too large": Planted(
        "a trade beyond what was signed is stored", everything_is_believed
    ),
    "trades read as another order's": Planted("no trade is asked for again", trades_are_read_once),
    "connection refused once": Planted(
        "a request that never left is taken for an accepted one", AS_ACCEPTED.plant
    ),
    "unreachable": Planted("a request that never left is taken for an accepted one", AS_ACCEPTED.plant),
    "ghost fill": GHOST,
    "two engines": Planted("engine writes do not compare the lease", nobody_is_fenced),
    "backup restored": Planted("a restored database passes for the present one", restored_passes_for_present),
    "2 deciders": Planted("every approval wins", every_approval_wins),
    "4 deciders": Planted("every approval wins", every_approval_wins),
    "8 deciders": Planted("every approval wins", every_approval_wins),
    "FAILED after MATCHED on the socket": GHOST,
    "FAILED and MATCHED in any order, repeated": GHOST,
    "shares leave the account": _RESERVED,
    "reply lost, visible late": ABSENT,
    **MORE_PLANTS,
}
