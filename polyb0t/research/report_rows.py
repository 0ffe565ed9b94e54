"""A report's rows: one outcome of one market each, with what a period moved and what is held at its end."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import ZERO, Price, Pusd, Shares
from polyb0t.data.cash_flows import Booked, MovementKind
from polyb0t.data.fills import Fill
from polyb0t.data.order_book import Side
from polyb0t.models.portfolio import Portfolio, Position
from polyb0t.research.slippage import Slippage


@dataclass(frozen=True, slots=True)
class MarketRow:
    """One outcome of one market. Bought, sold, fees, paid out and settled are of the period; what is held
    and its open result stand at its end."""

    condition_id: ConditionId
    asset_id: AssetId
    question: str
    outcome_label: str
    bought_pusd: Pusd
    sold_pusd: Pusd
    paid_out_pusd: Pusd
    fees_pusd: Pusd
    settled_pusd: Pusd
    shares: Shares
    cost_pusd: Pusd
    open_pusd: Pusd | None
    category: str
    model: str
    saved_pusd: Pusd  # under (a sale: over) the worst prices that were approved


class Origin(NamedTuple):
    """What a person calls an outcome, and whose idea its first purchase was."""

    question: str = ""
    outcome_label: str = ""
    category: str = "unknown"
    model: str = "unknown"


class Key(NamedTuple):
    condition_id: ConditionId
    asset_id: AssetId


@dataclass(slots=True)
class Sums:
    """Of one outcome in the period, in pUSD."""

    bought: Decimal = ZERO
    sold: Decimal = ZERO
    fees: Decimal = ZERO
    paid_out: Decimal = ZERO
    fills: int = 0


def traded_sums(fills: Iterable[Fill], booked: Iterable[Booked], since: datetime) -> dict[Key, Sums]:
    """What was traded and paid out at `since` or later."""
    found: dict[Key, Sums] = {}
    conditions: dict[AssetId, ConditionId] = {}
    for fill in fills:
        conditions[fill.asset_id] = fill.condition_id
        if fill.matched_at >= since:
            _count(found.setdefault(Key(fill.condition_id, fill.asset_id), Sums()), fill)
    for entry in booked:
        if entry.movement.at < since or entry.movement.kind != MovementKind.REDEEM:
            continue
        for taken in entry.taken:
            key = Key(conditions.get(taken.asset_id, ConditionId("")), taken.asset_id)
            found.setdefault(key, Sums()).paid_out += taken.pusd or ZERO
    return found


def _count(sums: Sums, fill: Fill) -> None:
    sums.fills += 1
    sums.fees += fill.fee
    if fill.side is Side.BUY:
        sums.bought += fill.notional
    else:
        sums.sold += fill.notional


def market_rows(
    sums: Mapping[Key, Sums],
    after: Portfolio,
    before: Portfolio,
    bids: Mapping[AssetId, Price],
    *,
    names: Mapping[AssetId, Origin],
    slips: Mapping[AssetId, Slippage],
) -> tuple[MarketRow, ...]:
    """What moved in the period and what is held at its end, the largest turnover first."""
    rows = []
    for key in {*sums, *(Key(position.condition_id, position.asset_id) for position in after.held())}:
        none = Position(key.asset_id, key.condition_id)
        now = after.positions.get(key.asset_id, none)
        settled = now.realised - before.positions.get(key.asset_id, none).realised
        row = _row(now, sums.get(key, Sums()), bids, names.get(key.asset_id, Origin()))
        saved = slips.get(key.asset_id, Slippage()).saved_pusd
        rows.append(replace(row, settled_pusd=Pusd(settled), saved_pusd=saved))
    return tuple(
        sorted(rows, key=lambda row: (-(row.bought_pusd + row.sold_pusd), row.question, row.asset_id))
    )


def _row(now: Position, sums: Sums, bids: Mapping[AssetId, Price], name: Origin) -> MarketRow:
    return MarketRow(
        condition_id=now.condition_id,
        asset_id=now.asset_id,
        question=name.question,
        outcome_label=name.outcome_label,
        bought_pusd=Pusd(sums.bought),
        sold_pusd=Pusd(sums.sold),
        paid_out_pusd=Pusd(sums.paid_out),
        fees_pusd=Pusd(sums.fees),
        settled_pusd=Pusd(ZERO),
        shares=now.shares,
        cost_pusd=now.cost,
        open_pusd=open_result([now] if now.shares else [], bids),
        category=name.category,
        model=name.model,
        saved_pusd=Pusd(ZERO),
    )


def worth(position: Position, bids: Mapping[AssetId, Price]) -> Decimal:
    """At the bid; without one at cost."""
    bid = bids.get(position.asset_id)
    return Decimal(position.cost) if bid is None else position.shares * bid


def open_result(held: Iterable[Position], bids: Mapping[AssetId, Price]) -> Pusd | None:
    """At the bid against cost; None while one holding has no price."""
    positions = tuple(held)
    if any(position.asset_id not in bids for position in positions):
        return None
    return Pusd(sum((worth(position, bids) - position.cost for position in positions), ZERO))
