"""Where the money came from: parts that sum exactly to the net result, in Decimal.

A purchase of n shares, proposed at a middle of m and a likely price of a, filled at p with the fee f,
is worth v a share in the end. Its result n (v - p) - f is, without a remainder,

    n (v - m)    model edge: what the middle of the proposal turned out to be wrong by
    - n (a - m)  spread: half of it, and the depth that our size had to reach into
    - n (p - a)  wait: what the price did between the proposal and the fill
    - f          fee.

A sale gives up what the shares turn out to be worth: n (m' - v) is exit timing against keeping them,
n (a' - m') spread, n (p' - a') wait, and the fee. Where a market paid both outcomes the model was neither
right nor wrong, so n (v - m) is dispute or void there. What left without an order of ours, and the
rounding of payouts, is `outside`. A fill without a proposal of ours has its result before the fee in
`unproposed`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, NamedTuple

from polyb0t.core.ids import AssetId
from polyb0t.core.units import E6, ONE, ZERO, Price, Pusd
from polyb0t.data.cash_flows import Booked
from polyb0t.data.fills import Fill
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import TradeIntent
from polyb0t.models.portfolio import Portfolio, portfolio_of
from polyb0t.research.analytics.markouts import middle_of
from polyb0t.research.analytics.records import Records

NOTHING: Final = Pusd(ZERO)


@dataclass(frozen=True, slots=True)
class Parts:
    """pUSD; what was lost is negative. They sum to the net result."""

    model_edge: Decimal = ZERO
    spread: Decimal = ZERO
    wait: Decimal = ZERO
    fee: Decimal = ZERO
    exit_timing: Decimal = ZERO
    dispute_void: Decimal = ZERO
    outside: Decimal = ZERO
    unproposed: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return sum((getattr(self, each.name) for each in fields(self)), ZERO)

    def and_(self, other: "Parts") -> "Parts":
        return Parts(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


@dataclass(frozen=True, slots=True)
class Attribution:
    """Of `outcomes` that were traded; `net_pusd` comes from the books and not from the parts. Left out are
    `unpriced` ones, which are held and have no price, and `earlier` ones, bought before the period."""

    parts: Parts
    net_pusd: Pusd
    outcomes: int
    unpriced: int
    earlier: int
    without_middle: int  # fills whose proposal saw a one-sided book: their spread counts as model edge


class _Prices(NamedTuple):
    """Of a proposal, pUSD a share: the middle, and what its book would have given our size."""

    middle: Decimal
    likely: Decimal


def attribution(records: Records) -> Attribution:
    """Of every outcome that was first traded in the period."""
    made, net = Parts(), ZERO
    outcomes = unpriced = earlier = one_sided = 0
    for asset, fills in _by_asset(records.counted_fills).items():
        if min(fill.matched_at for fill in fills) < records.since:
            earlier += 1
            continue
        taken = _takings(asset, records.counted_moves)
        own = portfolio_of(fills, starting_cash=NOTHING, booked=taken)
        value = _value(asset, fills, own, records)
        if value is None:
            unpriced += 1
            continue
        outcomes += 1
        one_sided += sum(_one_sided(records, fill) for fill in fills)
        net += own.cash + own.positions[asset].shares * value
        made = made.and_(_of_asset(asset, fills, own, value, records))
    return Attribution(made, Pusd(net), outcomes, unpriced, earlier, one_sided)


def _by_asset(fills: Iterable[Fill]) -> dict[AssetId, list[Fill]]:
    found: dict[AssetId, list[Fill]] = {}
    for fill in fills:
        found.setdefault(fill.asset_id, []).append(fill)
    return found


def _takings(asset: AssetId, moves: Sequence[Booked]) -> list[Booked]:
    """What left of one outcome without an order of ours."""
    return [
        Booked(entry.movement, tuple(one for one in entry.taken if one.asset_id == asset))
        for entry in moves
        if any(one.asset_id == asset for one in entry.taken)
    ]


def _value(asset: AssetId, fills: Sequence[Fill], own: Portfolio, records: Records) -> Price | None:
    """Of a share at the end. Of what is gone without a known one, the middle at its last sale: then exit
    timing says nothing, and the sum holds all the same."""
    known = records.value_of(asset)
    if known is not None or own.positions[asset].shares:
        return known
    last = max(fills, key=lambda fill: (fill.matched_at, fill.side is Side.SELL, fill.trade_id))
    return Price(_prices(records, last).middle)


def _of_asset(asset: AssetId, fills: Sequence[Fill], own: Portfolio, value: Price, records: Records) -> Parts:
    made, bought, sold = Parts(), ZERO, ZERO
    void = asset in records.pays and value not in (ZERO, ONE)
    for fill in fills:
        if fill.side is Side.BUY:
            bought += fill.shares
        else:
            sold += fill.shares
        made = made.and_(_of_fill(fill, value, records, void=void))
    left = bought - sold - own.positions[asset].shares  # without an order of ours
    return made.and_(Parts(outside=own.brought - left * value))


def _of_fill(fill: Fill, value: Price, records: Records, *, void: bool) -> Parts:
    sign = 1 if fill.side is Side.BUY else -1
    shares = sign * fill.shares
    if fill.order_id not in records.intent_of:
        return Parts(fee=-fill.fee, unproposed=shares * (value - fill.price))
    seen = _prices(records, fill)
    drift = shares * (value - seen.middle)
    costs = Parts(
        spread=-shares * (seen.likely - seen.middle),
        wait=-shares * (fill.price - seen.likely),
        fee=-fill.fee,
    )
    if fill.side is Side.SELL:
        return costs.and_(Parts(exit_timing=drift))
    return costs.and_(Parts(dispute_void=drift) if void else Parts(model_edge=drift))


def _prices(records: Records, fill: Fill) -> _Prices:
    """Of the proposal behind a fill; the fill's own price stands where the proposal did not see one."""
    record = records.intent_of.get(fill.order_id)
    if record is None:
        return _Prices(fill.price, fill.price)
    likely = _likely(record.intent)
    if likely is None:
        likely = fill.price
    middle = middle_of(record.intent)
    return _Prices(likely if middle is None else middle, likely)


def _likely(intent: TradeIntent) -> Decimal | None:
    """The average price that the book of the proposal would have given, to the millionth: as a resting
    order its own limit."""
    if intent.post_only:
        return intent.worst_price
    shares = intent.estimated_shares if intent.estimated_shares is not None else intent.shares
    if not shares or intent.estimated_cost is None or intent.estimated_fee is None:
        return intent.reference_price
    fee = intent.estimated_fee if intent.side is Side.BUY else -intent.estimated_fee
    return ((intent.estimated_cost - fee) / shares).quantize(E6, ROUND_HALF_EVEN)


def _one_sided(records: Records, fill: Fill) -> bool:
    record = records.intent_of.get(fill.order_id)
    return record is not None and middle_of(record.intent) is None
