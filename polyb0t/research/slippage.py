"""How far from the worst price trades were filled, and how far from the price that was proposed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from polyb0t.core.ids import AssetId, OrderId
from polyb0t.core.units import ZERO, Pusd
from polyb0t.data.fills import Fill
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import IntentRecord, TradeIntent

NOTHING: Final = Pusd(ZERO)


@dataclass(frozen=True, slots=True)
class Slippage:
    """Of the fills of a period, in pUSD, without fees.

    `saved_pusd`: better than the worst prices that were approved allowed. `drift_pusd`: better (negative:
    worse) than the prices in the book when it was proposed. `past_worst` fills were worse than approved,
    which the exchange's own matching rules out.
    """

    fills: int = 0
    saved_pusd: Pusd = NOTHING
    drift_pusd: Pusd = NOTHING
    past_worst: int = 0

    def and_(self, other: "Slippage") -> "Slippage":
        return Slippage(
            self.fills + other.fills,
            Pusd(self.saved_pusd + other.saved_pusd),
            Pusd(self.drift_pusd + other.drift_pusd),
            self.past_worst + other.past_worst,
        )


def slippage_by_asset(
    fills: Iterable[Fill], intents: Iterable[IntentRecord], since: datetime
) -> dict[AssetId, Slippage]:
    """Of the fills at `since` or later whose approval is known."""
    approved: Mapping[OrderId, TradeIntent] = {
        record.order_id: record.intent for record in intents if record.order_id is not None
    }
    found: dict[AssetId, Slippage] = {}
    for fill in fills:
        intent = approved.get(fill.order_id)
        if intent is not None and intent.worst_price is not None and fill.matched_at >= since:
            found[fill.asset_id] = found.get(fill.asset_id, Slippage()).and_(_of(fill, intent))
    return found


def _of(fill: Fill, intent: TradeIntent) -> Slippage:
    better_by = _better(fill, intent.worst_price)
    drift = _better(fill, intent.reference_price)
    return Slippage(1, Pusd(better_by * fill.shares), Pusd(drift * fill.shares), int(better_by < 0))


def _better(fill: Fill, than: Decimal | None) -> Decimal:
    """pUSD a share; nothing where the other price is not known."""
    if than is None:
        return ZERO
    return than - fill.price if fill.side is Side.BUY else fill.price - than
