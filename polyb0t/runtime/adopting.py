"""Taking a restored database over: first every identity is looked for, then nothing waits any more."""

import socket
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import structlog

from polyb0t.core.clock import milliseconds
from polyb0t.core.errors import ConflictError, NotAuthorisedError, VenueUnreachableError
from polyb0t.core.units import ZERO
from polyb0t.data.markets import FeeSchedule
from polyb0t.execution.anchor import AnchorFile, Restored, restored
from polyb0t.execution.gateway import Found, OrderGateway, Unreadable
from polyb0t.execution.intents import IntentRecord, IntentStatus
from polyb0t.execution.orders import NewOrder
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Adoption, Lease, Stores
from polyb0t.runtime.current import holder_is_gone
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.places import anchor_path
from polyb0t.runtime.reaching import gateway_of

# What is looked for has no row here, and whether it traded is all that is asked: what that cost is read
# when the order is followed.
ANY_FEE: Final = FeeSchedule(ZERO, Decimal(1))

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Adopted:
    """What came of it, for the screen."""

    why: str  # what told that it was restored
    asked: int  # identities that were looked for
    adoption: Adoption


def adopt(opened: OpenedStore, *, actor: str, reason: str) -> Adopted:
    """Take the database over.

    Raises:
        ConflictError: it was not restored, or an engine runs. NotAuthorisedError: no credentials, no person.
        VenueUnreachableError: not every identity could be looked for; nothing was changed.
    """
    anchor = AnchorFile(anchor_path(opened.settings, opened.scope), opened.stores.engine)
    found = restored(opened.stores, anchor)
    if found is None:
        raise ConflictError(
            "Nothing taken over: this is the database that traded last.",
            why="It goes on from its anchor.",
            code="not_restored",
        )
    gone = _gone(opened.stores)
    open_intents = could_have_orders(opened.stores)
    gateway = gateway_of(opened, lambda _order_id: ANY_FEE) if open_intents else None
    adoption, asked = adopt_with(
        opened.stores,
        gateway,
        anchor,
        open_intents,
        actor=actor,
        reason=f"{reason} ({_short(found)})",
        gone=gone,
    )
    return Adopted(found.why, asked, adoption)


def adopt_with(
    stores: Stores,
    gateway: OrderGateway | None,
    anchor: AnchorFile,
    open_intents: Iterable[IntentRecord],
    *,
    actor: str,
    reason: str,
    gone: Collection[Lease] = (),
) -> tuple[Adoption, int]:
    """The work itself: look, write, anchor. How many identities were asked for is the second part."""
    seen: list[NewOrder] = []
    doubtful: list[NewOrder] = []
    asked = 0
    for record in open_intents:
        if gateway is None:
            raise NotAuthorisedError("Nothing taken over.", why="There are no credentials to look with.")
        asked += 1
        order = _identity(stores, gateway, record)
        if _exists(gateway, order, record):
            seen.append(order)
        elif record.status is IntentStatus.EXECUTING:
            doubtful.append(order)  # the permit may have come after the backup
    adoption = stores.engine.adopt(
        actor=actor, reason=reason, above_token=_token(anchor), found=seen, doubtful=doubtful, gone=gone
    )
    anchor.replace(adoption.point)
    log.warning("database.adopted", recovered=list(adoption.recovered), expired=len(adoption.expired))
    return adoption, asked


def could_have_orders(stores: Stores) -> tuple[IntentRecord, ...]:
    """What had no end and no order when the backup was made, and may have got both since."""
    waiting = (IntentStatus.PENDING, IntentStatus.APPROVED, IntentStatus.EXECUTING)
    records = stores.intents.list(statuses=waiting, limit=None)
    return tuple(
        record
        for record in records
        if record.intent.intent_type.places_order
        and record.intent.regime is Regime.LIVE
        and record.order_id is None
    )


def _identity(stores: Stores, gateway: OrderGateway, record: IntentRecord) -> NewOrder:
    return NewOrder(
        id=gateway.order_id(record.intent),
        intent_id=record.id,
        signed_order="",  # what was signed is not known any more, and not needed: it is only asked about
        l2_timestamp=milliseconds(stores.intents.now()) // 1_000,
        credential_id=gateway.credential_id,
    )


def _exists(gateway: OrderGateway, order: NewOrder, record: IntentRecord) -> bool:
    """By id, and by trades of its market: a killed order may be forgotten, its fills are not."""
    lookup = gateway.lookup(order.id)
    if isinstance(lookup, Unreadable):
        raise VenueUnreachableError(
            "Nothing taken over: the exchange could not be asked about every order.",
            why=lookup.reason,
            do="Try again when it answers.",
        )
    if isinstance(lookup, Found):
        return True
    return bool(gateway.market_fills(order.id, record.intent.condition_id, record.intent.created_at))


def _token(anchor: AnchorFile) -> int:
    try:
        last = anchor.read()
    except ValueError:
        return 0
    return last.token if last is not None else 0


def _gone(stores: Stores) -> tuple[Lease, ...]:
    """Leases whose process has ended on this machine; a copy says of them that they beat a moment ago. Of
    others the store asks that they were silent for the lease time.

    Raises:
        ConflictError: one runs on this machine.
    """
    held = [(role, stores.engine.lease_info(role)) for role in ("engine", "claims")]
    open_here = [(role, info) for role, info in held if info is not None and not info.released]
    for _, info in open_here:
        if not holder_is_gone(info) and info.holder.rpartition(":")[0] == socket.gethostname():
            raise ConflictError(
                "The database was not taken over.",
                why=f"{info.holder} runs on it.",
                do="Stop that engine first, then try again.",
                code="engine_running",
            )
    return tuple(Lease(role, info.token) for role, info in open_here if holder_is_gone(info))


def _short(found: Restored) -> str:
    return found.why.rstrip(".")
