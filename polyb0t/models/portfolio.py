"""What is held and what came of it, from our own fills and nothing else.

Average cost with fees in it. Every figure is an exact decimal; when a sale takes a part of the cost
along, that part is rounded to the millionth and the rest stays, so no fraction is lost or made.
A fill may be seen any number of times, in any order; a FAILED one is as if it had never been.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, NamedTuple

from polyb0t.core.clock import utc
from polyb0t.core.ids import AssetId, ConditionId, OrderId, TradeId
from polyb0t.core.units import E6, ZERO, Price, Pusd, Shares
from polyb0t.data.fills import FILL_TRANSITIONS, Fill, FillStatus
from polyb0t.data.order_book import Side

NO_MONEY: Final = Pusd(ZERO)
NO_SHARES: Final = Shares(ZERO)


class FillKey(NamedTuple):
    """What makes two sightings the same fill."""

    trade_id: TradeId
    bucket_index: int
    order_id: OrderId


def fill_key(fill: Fill) -> FillKey:
    return FillKey(fill.trade_id, fill.bucket_index, fill.order_id)


@dataclass(frozen=True, slots=True)
class Position:
    """One asset. `confirmed` bought less sold on chain; `provisional` the net of what is not final yet;
    `cost` of the shares held, fees in it; `realised` what sales brought beyond their cost."""

    asset_id: AssetId
    condition_id: ConditionId
    confirmed: Shares = NO_SHARES
    provisional: Shares = NO_SHARES
    selling: Shares = NO_SHARES  # provisional sales alone: these shares cannot be sold again
    cost: Pusd = NO_MONEY
    realised: Pusd = NO_MONEY
    fees: Pusd = NO_MONEY

    @property
    def shares(self) -> Shares:
        """Held if everything under way becomes final."""
        return Shares(self.confirmed + self.provisional)

    @property
    def average_cost(self) -> Price | None:
        """pUSD per share with fees; None without shares."""
        return Price(self.cost / self.shares) if self.shares > 0 else None

    def closable(self, in_open_sells: Shares) -> Shares:
        """What may be sold now: confirmed shares of ours, less sales under way and unfilled open sells."""
        return Shares(max(ZERO, self.confirmed - self.selling - in_open_sells))


@dataclass(frozen=True, slots=True)
class Valuation:
    """Positions at the bid. `equity_pusd` is None while a held asset has no bid; `unmarked` names it."""

    positions_pusd: Pusd
    unrealised_pusd: Pusd
    equity_pusd: Pusd | None
    unmarked: tuple[AssetId, ...]


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Cash, positions and results. `contradictions` are sentences about fills that do not add up."""

    cash: Pusd
    positions: Mapping[AssetId, Position] = field(default_factory=dict)
    contradictions: tuple[str, ...] = ()

    @property
    def realised(self) -> Pusd:
        return Pusd(sum((position.realised for position in self.positions.values()), ZERO))

    @property
    def fees(self) -> Pusd:
        return Pusd(sum((position.fees for position in self.positions.values()), ZERO))

    @property
    def held_cost(self) -> Pusd:
        """What is at risk in positions: their cost."""
        return Pusd(sum((position.cost for position in self.positions.values()), ZERO))

    def held(self) -> tuple[Position, ...]:
        """Positions that have shares, by asset."""
        return tuple(self.positions[key] for key in sorted(self.positions) if self.positions[key].shares)

    def value(self, bids: Mapping[AssetId, Price]) -> Valuation:
        """Mark every held position at its bid, which is what it could be sold for."""
        held = self.held()
        unmarked = tuple(position.asset_id for position in held if position.asset_id not in bids)
        marked = [position for position in held if position.asset_id in bids]
        worth = sum((position.shares * bids[position.asset_id] for position in marked), ZERO)
        paid = sum((position.cost for position in marked), ZERO)
        equity = None if unmarked else Pusd(self.cash + worth)
        return Valuation(Pusd(worth), Pusd(worth - paid), equity, unmarked)


def portfolio_of(fills: Iterable[Fill], *, starting_cash: Pusd) -> Portfolio:
    """The portfolio after all `fills`, whatever their order and however often each was seen."""
    latest, contradictions = _latest(fills)
    counted = [fill for fill in latest if fill.status is not FillStatus.FAILED]
    # The exchange's times are whole seconds: within one, purchases come first, as they must have.
    counted.sort(key=lambda fill: (fill.matched_at, fill.side is Side.SELL, fill_key(fill)))
    cash = Decimal(starting_cash)
    positions: dict[AssetId, Position] = {}
    for fill in counted:
        before = positions.get(fill.asset_id) or Position(fill.asset_id, fill.condition_id)
        if fill.side is Side.BUY:
            cash -= fill.notional + fill.fee
            positions[fill.asset_id] = _bought(before, fill)
        else:
            cash += fill.notional - fill.fee
            if fill.shares > before.shares:
                contradictions.append(f"More of {fill.asset_id} was sold than these fills had bought.")
            positions[fill.asset_id] = _sold(before, fill)
    return Portfolio(Pusd(cash), positions, tuple(dict.fromkeys(contradictions)))


def _latest(fills: Iterable[Fill]) -> tuple[list[Fill], list[str]]:
    """The furthest sighting of each fill. Two final statuses for one fill contradict each other."""
    furthest: dict[FillKey, Fill] = {}
    contradictions: list[str] = []
    for fill in fills:
        key = fill_key(fill)
        seen = furthest.get(key)
        if seen is None or _reachable(seen.status, fill.status):
            furthest[key] = fill
        elif {seen.status, fill.status} == {FillStatus.FAILED, FillStatus.CONFIRMED}:
            contradictions.append(f"Trade {fill.trade_id} is said to have failed and to be confirmed.")
            furthest[key] = replace(fill, status=FillStatus.CONFIRMED)
    return list(furthest.values()), contradictions


def _reachable(old: FillStatus, new: FillStatus) -> bool:
    return new in FILL_TRANSITIONS[old]


def _bought(position: Position, fill: Fill) -> Position:
    return replace(
        _moved(position, fill, fill.shares),
        cost=Pusd(position.cost + fill.notional + fill.fee),
        fees=Pusd(position.fees + fill.fee),
    )


def _sold(position: Position, fill: Fill) -> Position:
    gone = _cost_of(position, fill.shares)
    return replace(
        _moved(position, fill, Shares(-fill.shares)),
        cost=Pusd(position.cost - gone),
        realised=Pusd(position.realised + fill.notional - fill.fee - gone),
        fees=Pusd(position.fees + fill.fee),
    )


def _cost_of(position: Position, shares: Shares) -> Decimal:
    """The part of the cost that goes along with `shares`, to the millionth; all of it with the last."""
    if shares >= position.shares:
        return position.cost
    return (position.cost * shares / position.shares).quantize(E6, ROUND_HALF_EVEN)


def _moved(position: Position, fill: Fill, shares: Shares) -> Position:
    if fill.status is FillStatus.CONFIRMED:
        return replace(position, confirmed=Shares(position.confirmed + shares))
    selling = position.selling + (-shares if shares < 0 else ZERO)
    return replace(position, provisional=Shares(position.provisional + shares), selling=Shares(selling))


@dataclass(frozen=True, slots=True)
class DayMark:
    """Equity at the first look of a UTC day, against which the day's result is measured."""

    day: str  # YYYY-MM-DD, UTC
    equity_pusd: Pusd


def day_mark(previous: DayMark | None, equity: Pusd, now: datetime) -> DayMark:
    """The mark of `now`'s day: the one that exists, or a new one at this equity."""
    today = utc(now).date().isoformat()
    return previous if previous is not None and previous.day == today else DayMark(today, equity)


def day_result(mark: DayMark, equity: Pusd) -> Pusd:
    """pUSD gained since the day's mark."""
    return Pusd(equity - mark.equity_pusd)
