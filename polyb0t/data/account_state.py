"""The account as observed. Every part may be missing, and then the state says which and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from polyb0t.core.ids import AssetId, ConditionId, OrderId, Wallet
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.order_book import Side


@dataclass(frozen=True, slots=True)
class AccountPosition:
    """Shares that the wallet holds, as the public index shows them (minutes late, dust hidden)."""

    asset_id: AssetId
    condition_id: ConditionId
    outcome_label: str
    question: str
    shares: Shares
    average_price: Price | None
    current_price: Price | None
    redeemable: bool


@dataclass(frozen=True, slots=True)
class AccountOrder:
    """An order that the exchange says is open."""

    order_id: OrderId
    condition_id: ConditionId
    asset_id: AssetId
    side: Side
    price: Price
    original_shares: Shares
    matched_shares: Shares
    status: str


@dataclass(frozen=True, slots=True)
class AccountState:
    """None means not read; `missing` has the reason under the part's name. Never read as empty."""

    wallet: Wallet
    observed_at: datetime
    positions: tuple[AccountPosition, ...] | None
    cash_pusd: Pusd | None
    allowances_pusd: Mapping[str, Pusd] | None  # spender contract, checksummed, to allowance
    open_orders: tuple[AccountOrder, ...] | None
    missing: Mapping[str, str] = field(default_factory=dict)  # part -> reason, one sentence


class AccountStateProvider(Protocol):
    """Reads the account. A part that cannot be read is missing with its reason; nothing is raised."""

    def read(self) -> AccountState: ...

    def held_shares(self, asset_id: AssetId) -> Shares | None:
        """Shares of one asset by the exchange's own ledger, refreshed first; None when not readable."""
        ...
