"""What is foreign, from the stored records; and positions that are confirmed before they are believed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from polyb0t.core.clock import Clock
from polyb0t.core.ids import AssetId
from polyb0t.core.units import ZERO, Pusd, Shares
from polyb0t.data.account_state import AccountOrder, AccountPosition, AccountState, AccountStateProvider
from polyb0t.execution.foreign import DUST_SHARES, Foreign, foreign_in
from polyb0t.execution.store import Stores
from polyb0t.models.portfolio import Portfolio, portfolio_of

CONFIRMED_FOR_SECONDS: Final = 300.0
READS_AT_ONCE: Final = 5  # of one look at the account; the others are believed as listed until their turn


def read_foreign(stores: Stores, account: AccountState | None, portfolio: Portfolio) -> Foreign:
    """Orders and positions of `account` that are not from polyb0t. Raises DatabaseError."""
    if account is None or not (account.open_orders or account.positions):
        return Foreign()
    listed = [order.order_id for order in account.open_orders or ()]
    return foreign_in(
        account,
        ours=stores.orders.ours(listed) if listed else frozenset(),
        held=own_shares(portfolio),
        unresolved=frozenset(order.asset_id for order in stores.orders.watched()),
    )


def foreign_orders(stores: Stores) -> tuple[AccountOrder, ...]:
    """What is open on the wallet and not polyb0t's, as the account was last read. Raises DatabaseError."""
    portfolio = portfolio_of(stores.orders.fills(), starting_cash=Pusd(ZERO))
    return read_foreign(stores, stores.engine.latest_account_state(), portfolio).orders


def own_shares(portfolio: Portfolio) -> Mapping[AssetId, Shares]:
    """Our lots, and zero for what we had and sold: its index entry may be minutes old."""
    return {asset: position.shares for asset, position in portfolio.positions.items()}


@dataclass(frozen=True, slots=True)
class _Read:
    listed: Shares
    held: Shares
    at: float  # boot seconds


class ConfirmedAccount:
    """An account whose positions are discovered in the public index, which is minutes late and knows what
    was sold, and confirmed by the exchange's own ledger where they are more than ours. A ledger that cannot
    be read proves nothing: then the index is believed."""

    def __init__(
        self, account: AccountStateProvider, own: Callable[[], Mapping[AssetId, Shares]], clock: Clock
    ) -> None:
        self._account = account
        self._own = own
        self._clock = clock
        self._reads: dict[AssetId, _Read] = {}

    def read(self) -> AccountState:
        """Implements `AccountStateProvider`."""
        state = self._account.read()
        if not state.positions or state.open_orders is None:  # None: not the live regime, or not readable
            return state
        own = self._own()
        doubtful = [position for position in state.positions if self._doubtful(position, own)]
        for position in doubtful[:READS_AT_ONCE]:
            self._ask(position)
        confirmed = map(self._as_confirmed, state.positions)
        return replace(state, positions=tuple(one for one in confirmed if one.shares > ZERO))

    def held_shares(self, asset_id: AssetId) -> Shares | None:
        """Implements `AccountStateProvider`."""
        return self._account.held_shares(asset_id)

    def _doubtful(self, position: AccountPosition, own: Mapping[AssetId, Shares]) -> bool:
        """More than ours, and the ledger was not asked lately, or about another figure."""
        if position.redeemable or position.shares - own.get(position.asset_id, ZERO) <= DUST_SHARES:
            return False
        read = self._reads.get(position.asset_id)
        return (
            read is None
            or read.listed != position.shares
            or self._clock.boot_seconds() - read.at >= CONFIRMED_FOR_SECONDS
        )

    def _ask(self, position: AccountPosition) -> None:
        held = self._account.held_shares(position.asset_id)
        if held is None:
            self._reads.pop(position.asset_id, None)
        else:
            self._reads[position.asset_id] = _Read(position.shares, held, self._clock.boot_seconds())

    def _as_confirmed(self, position: AccountPosition) -> AccountPosition:
        read = self._reads.get(position.asset_id)
        if read is None or read.listed != position.shares:
            return position
        return replace(position, shares=read.held)
