"""What the sockets are told: level changes, prints, and each owner's orders and trades.

Nothing is kept while nobody listens, and listening changes nothing else.
"""

from collections.abc import Mapping

from polyb0t.sandbox.exchange import Order
from polyb0t.sandbox.market import Market
from polyb0t.sandbox.settlement import Trade
from polyb0t.sandbox.types import (
    MILLION,
    BookEvent,
    LastTrade,
    LevelChange,
    OrderEvent,
    OrderView,
    PriceChange,
    Side,
    TradeEvent,
    WorldEvent,
)


class News:
    """Events since the last `drain`."""

    def __init__(self, markets: Mapping[str, Market], orders: Mapping[str, Order]) -> None:
        self.listening = False
        self._markets = markets
        self._orders = orders
        self._events: list[WorldEvent] = []
        self._touched: dict[tuple[str, bool, int], None] = {}

    def add(self, event: WorldEvent) -> None:
        """Something that the world itself has to say."""
        if self.listening:
            self._events.append(event)

    def view(self, order: Order) -> OrderView:
        """The order for its owner."""
        spec = self._markets[order.condition_id].spec
        return OrderView(
            order_id=order.order_id,
            status=order.status,
            owner=order.owner,
            maker=order.maker,
            signer=order.signer,
            condition_id=order.condition_id,
            token_id=spec.token_ids[order.outcome],
            outcome=spec.outcomes[order.outcome],
            side=order.side,
            price_e6=order.price,
            size_e6=order.size,
            matched_e6=order.filled,
            order_type=order.order_type,
            post_only=order.post_only,
            expiration_s=order.expiration_s,
            created_ms=order.created_ms,
            trade_ids=tuple(order.trade_ids),
            signature_type=order.signature_type,
        )

    def touch(self, market: Market, order: Order, yes: int, now_ms: int, *, taken: bool = False) -> None:
        market.touch(now_ms)
        if self.listening:
            self._touched[(order.condition_id, order.bid != taken, yes)] = None

    def tell(self, order: Order, kind: str, now_ms: int) -> None:
        if self.listening and not order.crowd:
            self._events.append(OrderEvent(kind, self.view(order), now_ms))

    def announce(self, trade: Trade, now_ms: int) -> None:
        if not self.listening:
            return
        view = trade.view
        spec = self._markets[view.condition_id].spec
        self._events.append(
            LastTrade(
                view.condition_id,
                view.token_id,
                view.side,
                view.price_e6,
                view.size_e6,
                now_ms,
                trade.transaction_hash,
            )
        )
        self._events.append(BookEvent(view.condition_id, spec.token_ids, now_ms))
        self.tell_trade(trade, now_ms)
        for fill in view.maker_orders:
            maker = self._orders.get(fill.order_id)
            if maker is not None:
                self.tell(maker, "UPDATE", now_ms)

    def tell_trade(self, trade: Trade, now_ms: int) -> None:
        """Tell the owners of a client's trade what became of it."""
        view = trade.current()
        owners = {view.owner, *(fill.owner for fill in view.maker_orders)} - {""}
        if self.listening and owners:
            self._events.append(TradeEvent(view, tuple(sorted(owners)), now_ms))

    def drain(self, now_ms: int) -> list[WorldEvent]:
        """What happened since the last call: level changes first, then the rest in order."""
        if not self._touched and not self._events:
            return []
        by_market: dict[str, list[LevelChange]] = {}
        for condition, bid, yes in self._touched:
            by_market.setdefault(condition, []).extend(_changes(self._markets[condition], yes, bid=bid))
        levels: list[WorldEvent] = [
            PriceChange(condition, now_ms, tuple(changes)) for condition, changes in by_market.items()
        ]
        told = levels + self._events
        self._touched, self._events = {}, []
        return told


def _changes(market: Market, yes: int, *, bid: bool) -> list[LevelChange]:
    """A level's new size as both outcomes see it."""
    book, tokens = market.book, market.spec.token_ids
    size = book.side(bid=bid).totals.get(yes, 0)
    top, bottom = book.bids.best, book.asks.best
    side, other = (Side.BUY, Side.SELL) if bid else (Side.SELL, Side.BUY)
    return [
        LevelChange(tokens[0], side, yes, size, top, bottom),
        LevelChange(
            tokens[1],
            other,
            MILLION - yes,
            size,
            None if bottom is None else MILLION - bottom,
            None if top is None else MILLION - top,
        ),
    ]
