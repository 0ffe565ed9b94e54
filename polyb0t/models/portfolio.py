"""What is held and what came of it: from our own fills, and from what was taken of it from outside.

Average cost with fees in it. Every figure is an exact decimal; when a sale takes a part of the cost
along, that part is rounded to the millionth and the rest stays, so no fraction is lost or made.
A fill may be seen any number of times, in any order; a FAILED one is as if it had never been.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, NamedTuple

from polyb0t.core.ids import AssetId, ConditionId, OrderId, TradeId
from polyb0t.core.units import E6, ZERO, Price, Pusd, Shares
from polyb0t.data.cash_flows import Booked, Taken
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
    """Cash, positions and results. `contradictions` are sentences about fills that do not add up;
    `brought` is what came in for shares that were taken from outside, and is in the cash."""

    cash: Pusd
    positions: Mapping[AssetId, Position] = field(default_factory=dict)
    contradictions: tuple[str, ...] = ()
    brought: Pusd = NO_MONEY

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


def portfolio_of(fills: Iterable[Fill], *, starting_cash: Pusd, booked: Sequence[Booked] = ()) -> Portfolio:
    """The portfolio after all `fills`, whatever their order and however often each was seen, and after
    what the movements in `booked` took of it."""
    return books_of(fills, starting_cash, booked).portfolio()


Order = tuple[datetime, bool, FillKey]


def order_of(fill: Fill) -> Order:
    """Where a fill comes among the others. The exchange's times are whole seconds: within one, purchases come
    first, as they must have."""
    return fill.matched_at, fill.side is Side.SELL, fill_key(fill)


class Books:
    """An account while its fills are gone through, and what was taken of it from outside."""

    def __init__(self, starting_cash: Pusd, booked: Sequence[Booked], contradictions: list[str]) -> None:
        self.lots: dict[AssetId, _Lot] = {}
        self.cash, self.brought = Decimal(starting_cash), ZERO
        self.contradictions = contradictions
        self.takings = sorted(
            ((entry.movement.at, one) for entry in booked for one in entry.taken), key=lambda pair: pair[0]
        )
        self.taken = 0  # so many of the takings are in it
        self.keys: set[FillKey] = set()
        self.newest: Order | None = None

    def copy(self) -> "Books":
        """To go on from here without changing it."""
        made = copy(self)
        made.lots = {asset: copy(lot) for asset, lot in self.lots.items()}
        made.contradictions = list(self.contradictions)
        return made

    def add(self, fill: Fill) -> None:
        """The next fill, in the order of `order_of`."""
        self.take(fill.matched_at)
        self.keys.add(fill_key(fill))
        self.newest = order_of(fill)
        lot = self.lots.get(fill.asset_id)
        if lot is None:
            lot = self.lots[fill.asset_id] = _Lot(fill.asset_id, fill.condition_id)
        notional = fill.notional
        if fill.side is Side.BUY:
            self.cash -= notional + fill.fee
            lot.buy(fill, notional)
            return
        self.cash += notional - fill.fee
        if fill.shares > lot.shares:
            self.contradictions.append(f"More of {fill.asset_id} was sold than these fills had bought.")
        lot.sell(fill, notional)

    def take(self, before: datetime | None) -> None:
        """What was taken before an instant; None: all that is left."""
        while self.taken < len(self.takings) and (before is None or self.takings[self.taken][0] < before):
            self.brought += _take(self.lots, self.takings[self.taken][1], self.contradictions)
            self.taken += 1

    def portfolio(self) -> Portfolio:
        """How it stands now."""
        positions = {asset: lot.position() for asset, lot in self.lots.items()}
        contradictions = tuple(dict.fromkeys(self.contradictions))
        return Portfolio(Pusd(self.cash + self.brought), positions, contradictions, Pusd(self.brought))


def books_of(fills: Iterable[Fill], starting_cash: Pusd, booked: Sequence[Booked]) -> Books:
    """The account after all `fills` and everything that was taken."""
    latest, contradictions = _latest(fills)
    books = Books(starting_cash, booked, contradictions)
    books.keys.update(map(fill_key, latest))
    for fill in sorted((fill for fill in latest if fill.status is not FillStatus.FAILED), key=order_of):
        books.add(fill)
    books.take(None)
    return books


class _Lot:
    """One asset while the fills are gone through."""

    __slots__ = (
        *("asset_id", "condition_id", "confirmed", "provisional", "selling"),
        *("cost", "realised", "fees"),
    )

    def __init__(self, asset_id: AssetId, condition_id: ConditionId) -> None:
        self.asset_id, self.condition_id = asset_id, condition_id
        self.confirmed = self.provisional = self.selling = ZERO
        self.cost = self.realised = self.fees = ZERO

    @property
    def shares(self) -> Decimal:
        return self.confirmed + self.provisional

    def buy(self, fill: Fill, notional: Decimal) -> None:
        self.cost += notional + fill.fee
        self.fees += fill.fee
        if fill.status is FillStatus.CONFIRMED:
            self.confirmed += fill.shares
        else:
            self.provisional += fill.shares

    def sell(self, fill: Fill, notional: Decimal) -> None:
        gone = self.cost_of(fill.shares)
        self.cost -= gone
        self.realised += notional - fill.fee - gone
        self.fees += fill.fee
        if fill.status is FillStatus.CONFIRMED:
            self.confirmed -= fill.shares
        else:
            self.provisional -= fill.shares
            self.selling += fill.shares

    def cost_of(self, shares: Decimal) -> Decimal:
        """The part of the cost that goes along with `shares`, to the millionth; all of it with the last."""
        held = self.shares
        if shares >= held:
            return self.cost
        return (self.cost * shares / held).quantize(E6, ROUND_HALF_EVEN)

    def position(self) -> Position:
        return Position(
            self.asset_id,
            self.condition_id,
            Shares(self.confirmed),
            Shares(self.provisional),
            Shares(self.selling),
            Pusd(self.cost),
            Pusd(self.realised),
            Pusd(self.fees),
        )


def _take(books: Mapping[AssetId, _Lot], taken: Taken, contradictions: list[str]) -> Decimal:
    """Shares leave without an order of ours; what they brought, which is their cost where nothing is said."""
    lot = books.get(taken.asset_id)
    if lot is None or taken.shares > lot.confirmed:
        contradictions.append(f"More of {taken.asset_id} was taken from outside than was ours.")
        if lot is None:
            return ZERO
    gone = lot.cost_of(taken.shares)
    brought = gone if taken.pusd is None else taken.pusd
    lot.cost -= gone
    lot.realised += brought - gone
    lot.confirmed -= min(taken.shares, lot.confirmed)
    return brought


def entry_bid(
    fills: Iterable[Fill], asset_id: AssetId, bid_of: Callable[[OrderId], Price | None]
) -> Price | None:
    """The bid when the shares were bought, averaged over what was bought since nothing was held.

    `bid_of` tells it of an order. None: not known of one of them, and then it is nobody's guess.
    """
    held, bought, weight = ZERO, ZERO, ZERO
    known = True
    for fill in sorted(fills, key=lambda each: (each.matched_at, each.side is Side.SELL)):
        if fill.asset_id != asset_id or fill.status is FillStatus.FAILED:
            continue
        if fill.side is Side.SELL:
            held -= fill.shares
            if held <= 0:
                held, bought, weight, known = ZERO, ZERO, ZERO, True
            continue
        bid = bid_of(fill.order_id)
        known = known and bid is not None
        held += fill.shares
        bought += fill.shares
        weight += fill.shares * (bid or ZERO)
    return Price(weight / bought) if known and bought else None


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
