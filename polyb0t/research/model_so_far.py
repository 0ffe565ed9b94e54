"""What a model promised when its trades were bought, beside what came of them so far."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from polyb0t.core.ids import AssetId, OrderId
from polyb0t.core.units import ZERO, Pusd, floor_e6
from polyb0t.data.fills import Fill
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import IntentRecord
from polyb0t.research.groups import model_of
from polyb0t.research.report_rows import MarketRow

# At an edge of 3 cents and a spread of results of 40 cents a share it takes about (2 x 0.4 / 0.03)^2 = 711
# settled trades until luck alone is an unlikely reason; prices near the middle need more.
ENOUGH_SETTLED: Final = 1_000


@dataclass(frozen=True, slots=True)
class ModelSoFar:
    """One model. `expected_pusd` is its own probability times the shares that were bought, less what they
    cost with fees; `so_far_pusd` is settled and open result of the same outcomes, None without a price."""

    model: str
    trades: int
    settled: int
    expected_pusd: Pusd
    so_far_pusd: Pusd | None

    @property
    def enough(self) -> bool:
        return self.settled >= ENOUGH_SETTLED


def models_so_far(
    fills: Iterable[Fill], intents: Iterable[IntentRecord], rows: Sequence[MarketRow]
) -> tuple[ModelSoFar, ...]:
    """Of the purchases among `fills` that a model proposed, by model."""
    proposed: Mapping[OrderId, IntentRecord] = {
        record.order_id: record
        for record in intents
        if record.order_id is not None and record.intent.model_probability is not None
    }
    expected: dict[str, Decimal] = {}
    trades: dict[str, set[OrderId]] = {}
    assets: dict[str, set[AssetId]] = {}
    for fill in fills:
        record = proposed.get(fill.order_id)
        if record is None or fill.side is not Side.BUY:
            continue
        name = model_of(record)
        q = record.intent.model_probability or ZERO
        expected[name] = expected.get(name, ZERO) + q * fill.shares - fill.notional - fill.fee
        trades.setdefault(name, set()).add(fill.order_id)
        assets.setdefault(name, set()).add(fill.asset_id)
    by_asset = {row.asset_id: row for row in rows}
    return tuple(
        _so_far(name, expected[name], len(trades[name]), [by_asset[a] for a in assets[name] if a in by_asset])
        for name in sorted(expected)
    )


def _so_far(name: str, expected: Decimal, trades: int, rows: Sequence[MarketRow]) -> ModelSoFar:
    unknown = any(row.open_pusd is None for row in rows)
    result = sum((row.settled_pusd + (row.open_pusd or ZERO) for row in rows), ZERO)
    return ModelSoFar(
        model=name,
        trades=trades,
        settled=sum(not row.shares for row in rows),
        expected_pusd=Pusd(floor_e6(expected)),
        so_far_pusd=None if unknown else Pusd(result),
    )
