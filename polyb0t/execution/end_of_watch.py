"""When an identity is looked for no longer: after its market has resolved, for nothing trades there then.

Until then one whose absence was inferred may still turn up, and one of which nothing could ever be proven
(its API credentials are gone, say) keeps its money reserved. After it the reservation is given back, and
everybody hears that nobody knows what became of that order.

One that matched and that the exchange has forgotten keeps the money of its rest reserved as long. After the
resolution rounds have to prove that there is nothing more of it; then its trades are all that it did.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import ConflictError, VenueUnreachableError
from polyb0t.core.ids import AssetId, OrderId
from polyb0t.core.units import ZERO, Price
from polyb0t.execution.order_truth import Notes
from polyb0t.execution.orders import MARKET_RESOLVED, OrderRecord, OrderStatus
from polyb0t.execution.store import Lease, Stores
from polyb0t.models.wording import shares

log = structlog.get_logger(__name__)

ASK_SECONDS: Final = 300.0  # between two questions about the same outcomes
LATE_SECONDS: Final = 600.0  # from the first word of a resolution on: what traded before it may still show
PROOF_SECONDS: Final = 86_400.0  # so long the rounds about a forgotten match are waited for besides
WATCHED: Final = frozenset({OrderStatus.UNKNOWN, OrderStatus.VANISHED, OrderStatus.ABSENT})
NOBODY_FORGOTTEN: Final[Mapping[OrderId, float | None]] = {}

Resolved = Callable[[Sequence[AssetId]], Mapping[AssetId, Price]]


def nothing_resolved(_assets: Sequence[AssetId]) -> Mapping[AssetId, Price]:
    """For who has no source of resolutions: then nothing is ever given up."""
    return {}


@dataclass
class EndOfWatch:
    """Of one thread. `resolved` raises VenueUnreachableError when it cannot be read: that ends nothing."""

    stores: Stores
    lease: Lease
    resolved: Resolved
    clock: Clock
    _asked_at: float | None = None
    _since: dict[AssetId, float] = field(default_factory=dict)  # boot seconds of the first word

    def end(
        self,
        orders: Collection[OrderRecord],
        notes: Notes,
        *,
        forgotten: Mapping[OrderId, float | None] = NOBODY_FORGOTTEN,
    ) -> None:
        """Give up what of `orders` is still not proven though its market resolved some time ago.

        `forgotten`: those that matched and are not found any more, with the boot seconds of the last round
        that proved that there is nothing more of them.

        Raises:
            DatabaseError, LeaseLostError: an end could not be written.
        """
        watched = [order for order in orders if order.status in WATCHED or order.id in forgotten]
        self._ask(sorted({order.asset_id for order in watched}))
        for order in watched:
            since = self._since.get(order.asset_id)
            if since is None or self.clock.boot_seconds() - since < LATE_SECONDS:
                continue
            if order.id in forgotten:
                self._end_matched(order, notes, since + LATE_SECONDS, forgotten[order.id])
            else:
                self._end(order, notes)

    def _ask(self, assets: Sequence[AssetId]) -> None:
        now = self.clock.boot_seconds()
        if not assets or (self._asked_at is not None and now - self._asked_at < ASK_SECONDS):
            return
        self._asked_at = now
        try:
            told = self.resolved(assets)
        except VenueUnreachableError as error:
            log.warning("order.resolution_not_read", reason=str(error))
            return
        # An outcome that is said not to be resolved after all begins anew.
        self._since = {asset: self._since.get(asset, now) for asset in assets if asset in told}

    def _end(self, order: OrderRecord, notes: Notes) -> None:
        proven = order.status is OrderStatus.ABSENT
        detail = (
            "Its market has resolved and it never turned up: it is no longer looked for."
            if proven
            else "Its market has resolved. What became of it was never proven: it was "
            f"{order.status} to the end. Its reservation is given back; compare what you hold with the "
            "exchange's website."
        )
        self._write(order, notes, OrderStatus.ABSENT, "absent" if proven else "never_proven", detail)

    def _end_matched(self, order: OrderRecord, notes: Notes, late: float, proof: float | None) -> None:
        """What traded before `late` is all, once a round begun after it proved so and each trade is final."""
        proven = proof is not None and proof >= late and not order.provisional_shares
        if not proven and self.clock.boot_seconds() < late + PROOF_SECONDS:
            return
        detail = "Its market has resolved and the exchange has forgotten it."
        if proven:
            detail += f" {shares(order.filled_shares)} shares were traded and no more."
        else:
            detail += " Whether more was traded than is stored was never proven. Its reservation is given "
            detail += "back; compare what you hold with the exchange's website."
        # A taker order ends FILLED with any part of it, as the exchange's own word on it would have it.
        traded = order.filled_shares > ZERO and order.order_type.takes
        status = OrderStatus.FILLED if traded else OrderStatus.CANCELLED
        self._write(order, notes, status, "market_resolved" if proven else "never_proven", detail)

    def _write(self, order: OrderRecord, notes: Notes, status: OrderStatus, code: str, detail: str) -> None:
        try:
            self.stores.orders.settle(
                order.id,
                self.lease,
                status=status,
                code=code,
                detail=detail,
                venue_status=MARKET_RESOLVED,
            )
        except ConflictError:
            return  # it moved in the last moment; the next pass sees it anew
        if code == "never_proven":
            log.critical("order.given_up", order_id=order.id, was=order.status)
            notes.alerts.append(f"Order {order.id}: {detail}")
        self.stores.engine.note(
            self.lease,
            kind="order.given_up",
            subject=order.id,
            payload={"was": order.status, "detail": detail},
            actor="engine:reconciliation",
        )
