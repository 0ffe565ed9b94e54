"""What we hold and what is under way, as the limits and the stakes count it."""

from collections.abc import Iterable, Sequence

from polyb0t.core.ids import OrderId
from polyb0t.core.units import ZERO, Pusd, Shares
from polyb0t.data.fills import Fill
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import TradeIntent
from polyb0t.execution.store import Stores
from polyb0t.models.event_stakes import EventBook, Holding
from polyb0t.models.exposure import AtRisk
from polyb0t.models.portfolio import Portfolio
from polyb0t.models.portfolio_tail import LossUnit, PortfolioTail
from polyb0t.runtime.watching import MarketWatch


class Origins:
    """Which purchases came of a model that only corrected the market's own price.

    That never changes, so each order is asked for once. Used by several threads: an answer that two of them
    look up is the same one.
    """

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._dependent: dict[OrderId, bool] = {}

    def at_risk(self, portfolio: Portfolio, fills: Iterable[Fill]) -> list[AtRisk]:
        """Positions at cost. One of which any part was bought so counts as bought so, all of it."""
        held = {position.asset_id for position in portfolio.held()}
        dependent = {
            fill.asset_id
            for fill in fills
            if fill.asset_id in held and fill.side is Side.BUY and self._asked(fill.order_id)
        }
        return [
            AtRisk(
                each.condition_id, each.asset_id, each.shares, each.cost, dependent=each.asset_id in dependent
            )
            for each in portfolio.held()
        ]

    def _asked(self, order_id: OrderId) -> bool:
        if order_id not in self._dependent:
            intent_id = self._stores.orders.order(order_id).intent_id
            self._dependent[order_id] = self._stores.intents.get(intent_id).intent.dependent
        return self._dependent[order_id]


def under_way(intent: TradeIntent) -> AtRisk:
    """A purchase at its greatest cost for the fewest shares, a sale at its worst price."""
    shares = intent.shares or intent.least_shares or Shares(ZERO)
    if intent.side is Side.SELL:
        brings = shares * (intent.worst_price or ZERO) - (intent.estimated_fee or ZERO)
        return AtRisk(intent.condition_id, intent.asset_id, Shares(-shares), Pusd(-brings), certain=False)
    cost = intent.max_cost or Pusd(ZERO)
    return AtRisk(intent.condition_id, intent.asset_id, shares, cost, False, intent.dependent)


def events_of(portfolio: Portfolio, pending: Iterable[TradeIntent], watch: MarketWatch) -> EventBook:
    """Our lots at what the bankroll counts them at, and purchases under way at their greatest cost.

    A sale under way may not fill: until it does, what it sells is held.
    """
    holdings = []
    for each in portfolio.held():
        bid = watch.bid(each.asset_id)
        worth = each.cost if bid is None else Pusd(bid * each.shares)
        holdings.append(Holding(each.condition_id, each.asset_id, each.shares, worth))
    holdings += [
        Holding(item.condition_id, item.asset_id, item.shares, item.cost, certain=False)
        for item in map(under_way, pending)
        if item.shares > 0
    ]
    markets = {each.condition_id: watch.market(each.condition_id) for each in holdings}
    known = {condition: market for condition, market in markets.items() if market is not None}
    return EventBook(holdings=tuple(holdings), markets=known, links=watch.links)


def tail_of(items: Iterable[AtRisk], watch: MarketWatch) -> PortfolioTail:
    """What may be lost together; the figure itself is asked for when a control needs it."""
    found = tuple(items)
    markets = {each.condition_id: watch.market(each.condition_id) for each in found}
    known = {condition: market for condition, market in markets.items() if market is not None}
    return PortfolioTail(found, known, watch.bid, _measured)


def _measured(units: Sequence[LossUnit]) -> Pusd:
    """Arrays are loaded by the first who asks: most commands never do."""
    from polyb0t.research.tail_risk import tail_loss  # noqa: PLC0415

    return tail_loss(units)
