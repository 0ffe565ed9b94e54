"""A fill: one piece of one of our orders that the exchange says was traded."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from polyb0t.core.ids import AssetId, ConditionId, OrderId, TradeId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.order_book import Side


class FillStatus(StrEnum):
    """Where a trade is on its way to the chain. FAILED takes the fill back."""

    MATCHED = "MATCHED"
    MINED = "MINED"
    RETRYING = "RETRYING"
    CONFIRMED = "CONFIRMED"
    FAILED = "FAILED"


FINAL_FILL: Final = frozenset({FillStatus.CONFIRMED, FillStatus.FAILED})

# Matched by the engine, but no balance shows it yet.
NOT_ON_CHAIN: Final = frozenset({FillStatus.MATCHED, FillStatus.RETRYING})

# Forward only. RETRYING is a transaction sent anew, so it may come after MINED and go back to it.
FILL_TRANSITIONS: Final = {
    FillStatus.MATCHED: frozenset(
        {FillStatus.MINED, FillStatus.RETRYING, FillStatus.CONFIRMED, FillStatus.FAILED}
    ),
    FillStatus.MINED: frozenset({FillStatus.RETRYING, FillStatus.CONFIRMED, FillStatus.FAILED}),
    FillStatus.RETRYING: frozenset({FillStatus.MINED, FillStatus.CONFIRMED, FillStatus.FAILED}),
    FillStatus.CONFIRMED: frozenset[FillStatus](),
    FillStatus.FAILED: frozenset[FillStatus](),
}


class Role(StrEnum):
    """Whether our order took or rested; takers pay the fee."""

    TAKER = "TAKER"
    MAKER = "MAKER"


@dataclass(frozen=True, slots=True)
class Fill:
    """Keyed by (trade, bucket, order): seeing it twice is harmless.

    `fee` is computed from the market's schedule; the exchange's own fee field is legacy noise.
    """

    trade_id: TradeId
    bucket_index: int
    order_id: OrderId
    condition_id: ConditionId
    asset_id: AssetId
    side: Side
    role: Role
    price: Price
    shares: Shares
    fee: Pusd
    status: FillStatus
    matched_at: datetime
    transaction_hash: str

    @property
    def notional(self) -> Pusd:
        """pUSD that changed hands, without the fee."""
        return Pusd(self.price * self.shares)
