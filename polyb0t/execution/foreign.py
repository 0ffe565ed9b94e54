"""What hangs on the wallet and is not from polyb0t: somebody's own orders and positions.

They are shown and counted as money at risk, and nothing here or anywhere else touches them. While an order
of ours on an asset has no proven end, nothing on that asset is foreign: what looks so may be ours.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from polyb0t.core.ids import AssetId, OrderId
from polyb0t.core.units import ONE, ZERO, Pusd, Shares
from polyb0t.data.account_state import AccountOrder, AccountPosition, AccountState
from polyb0t.data.order_book import Side
from polyb0t.models.exposure import AtRisk

DUST_SHARES: Final = Decimal("0.5")  # beside lots of ours: less than this is rounding and lag


@dataclass(frozen=True, slots=True)
class Foreign:
    """Open orders and positions that are none of ours. Of an asset that we hold as well, a position has only
    the shares beyond ours."""

    orders: tuple[AccountOrder, ...] = ()
    positions: tuple[AccountPosition, ...] = ()

    def at_risk(self) -> list[AtRisk]:
        """What may be lost with each: an order's whole price, a position's cost. A position whose cost is
        not known counts at its price, and at one pUSD a share where that is not known either; one that has
        resolved can lose nothing more."""
        buys = [
            AtRisk(
                order.condition_id,
                order.asset_id,
                left := Shares(order.original_shares - order.matched_shares),
                Pusd(left * order.price),
                certain=False,
            )
            for order in self.orders
            if order.side is Side.BUY
        ]
        held = [
            AtRisk(
                position.condition_id,
                position.asset_id,
                position.shares,
                Pusd(position.shares * _per_share(position)),
            )
            for position in self.positions
            if not position.redeemable
        ]
        return [*buys, *held]

    @property
    def cost_pusd(self) -> Pusd:
        """All of it together."""
        return Pusd(sum((each.cost for each in self.at_risk()), ZERO))


NOTHING_FOREIGN: Final = Foreign()


def foreign_in(
    account: AccountState | None,
    *,
    ours: Collection[OrderId],
    held: Mapping[AssetId, Shares],
    unresolved: Collection[AssetId],
) -> Foreign:
    """What of `account` is not ours: `ours` are our orders' ids, `held` our own lots with what is under way,
    `unresolved` the assets on which an order of ours has no proven end."""
    if account is None:
        return NOTHING_FOREIGN
    orders = (
        order
        for order in account.open_orders or ()
        if order.order_id not in ours and order.asset_id not in unresolved
    )
    positions = (each for each in account.positions or () if each.asset_id not in unresolved)
    return Foreign(tuple(orders), tuple(_beyond(positions, held)))


def _beyond(
    positions: Iterable[AccountPosition], held: Mapping[AssetId, Shares]
) -> Iterable[AccountPosition]:
    for position in positions:
        own = held.get(position.asset_id)
        beyond = Shares(position.shares - (own or ZERO))
        if beyond > (ZERO if own is None else DUST_SHARES):
            yield replace(position, shares=beyond)


def _per_share(position: AccountPosition) -> Decimal:
    known = position.average_price or position.current_price
    return ONE if known is None else known
