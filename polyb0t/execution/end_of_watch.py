"""When an identity is looked for no longer: after its market has resolved, for nothing trades there then.

Until then one whose absence was inferred may still turn up, and one of which nothing could ever be proven
(its API credentials are gone, say) keeps its money reserved. After it the reservation is given back, and
everybody hears that nobody knows what became of that order.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import ConflictError, VenueUnreachableError
from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price
from polyb0t.execution.order_truth import Notes
from polyb0t.execution.orders import MARKET_RESOLVED, OrderRecord, OrderStatus
from polyb0t.execution.store import Lease, Stores

log = structlog.get_logger(__name__)

ASK_SECONDS: Final = 300.0  # between two questions about the same outcomes
LATE_SECONDS: Final = 600.0  # from the first word of a resolution on: what traded before it may still show
WATCHED: Final = frozenset({OrderStatus.UNKNOWN, OrderStatus.VANISHED, OrderStatus.ABSENT})

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

    def end(self, orders: Collection[OrderRecord], notes: Notes) -> None:
        """Give up what of `orders` is still not proven though its market resolved some time ago.

        Raises:
            DatabaseError, LeaseLostError: an end could not be written.
        """
        watched = [order for order in orders if order.status in WATCHED]
        self._ask(sorted({order.asset_id for order in watched}))
        for order in watched:
            since = self._since.get(order.asset_id)
            if since is not None and self.clock.boot_seconds() - since >= LATE_SECONDS:
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
        try:
            self.stores.orders.settle(
                order.id,
                self.lease,
                status=OrderStatus.ABSENT,
                code="absent" if proven else "never_proven",
                detail=detail,
                venue_status=MARKET_RESOLVED,
            )
        except ConflictError:
            return  # it moved in the last moment; the next pass sees it anew
        if not proven:
            log.critical("order.given_up", order_id=order.id, was=order.status)
            notes.alerts.append(f"Order {order.id}: {detail}")
        self.stores.engine.note(
            self.lease,
            kind="order.given_up",
            subject=order.id,
            payload={"was": order.status, "detail": detail},
            actor="engine:reconciliation",
        )
