"""The doors for orders: place, cancel, read back. Every refusal is a `types.Refusal`."""

from collections.abc import Sequence
from dataclasses import replace

from polyb0t.sandbox.exchange import Order
from polyb0t.sandbox.rules import GTD_EARLY_S
from polyb0t.sandbox.ticks import Ticks
from polyb0t.sandbox.types import (
    Cancellation,
    OrderRequest,
    OrderStatus,
    OrderType,
    OrderView,
    Placement,
    TradeView,
)


class Trading(Ticks):
    """What a client does at the CLOB."""

    def place(self, request: OrderRequest) -> Placement:
        """Accept an order whose signature was checked.

        Raises:
            Refusal: the venue's status and text; nothing has changed.
        """
        request = replace(request, maker=self._wallet(request.maker))
        placement = self.engine.place(request, self.now_ms)
        order = self.engine.orders[request.order_id]
        if order.status is OrderStatus.DELAYED:
            delay = self.engine.markets[order.condition_id].spec.seconds_delay * 1_000
            self._at(self.now_ms + delay, "release", order.order_id)
        if order.order_type is OrderType.GTD:
            self._at((order.expiration_s - GTD_EARLY_S) * 1_000, "expire", order.order_id)
        self._watch_tick(self.engine.markets[order.condition_id])
        self._settle_up()
        return placement

    def cancel(self, owner: str, order_ids: Sequence[str]) -> Cancellation:
        """Take live orders of this API key out of the book."""
        canceled: list[str] = []
        refused: dict[str, str] = {}
        for order_id in dict.fromkeys(order_ids):
            reason = self.engine.cancel(owner, order_id, self.now_ms)
            if reason is None:
                canceled.append(order_id)
            else:
                refused[order_id] = reason
        self._settle_up()
        return Cancellation(tuple(canceled), refused)

    def cancel_all(self, owner: str) -> Cancellation:
        """All live orders of this API key."""
        return self.cancel(owner, [order.order_id for order in self._live(owner)])

    def cancel_market(self, owner: str, *, market: str = "", asset_id: str = "") -> Cancellation:
        """Its live orders in one market, or of one token."""
        return self.cancel(
            owner, [row.order_id for row in self.orders(owner, market=market, asset_id=asset_id)]
        )

    def order(self, order_id: str) -> OrderView | None:
        """A client's order in any status, or `None`."""
        order = self.engine.orders.get(order_id)
        return None if order is None or order.crowd else self.engine.news.view(order)

    def orders(
        self, owner: str, *, market: str = "", asset_id: str = "", order_id: str = ""
    ) -> list[OrderView]:
        """Live orders of `owner`; with `order_id` that one in any status. Oldest first."""
        if order_id:
            known = self.engine.orders.get(order_id)
            return (
                [self.engine.news.view(known)] if known and known.owner == owner and not known.crowd else []
            )
        views = [self.engine.news.view(order) for order in self._live(owner)]
        return [
            view
            for view in views
            if (not market or view.condition_id == market) and (not asset_id or view.token_id == asset_id)
        ]

    def trades(
        self,
        owner: str = "",
        *,
        maker: str = "",
        trade_id: str = "",
        market: str = "",
        asset_id: str = "",
        after_s: int | None = None,
        before_s: int | None = None,
    ) -> list[TradeView]:
        """Trades in which `owner` (API key) and `maker` (wallet) took part, newest first."""
        maker = self._wallet(maker) if maker else ""
        known = self.engine.trades
        chosen = [known[trade_id]] if trade_id in known else ([] if trade_id else reversed(known.values()))
        return [
            trade.current()
            for trade in chosen
            if _took_part(trade.view, owner, maker)
            and (not market or trade.view.condition_id == market)
            and (not asset_id or asset_id in _tokens(trade.view))
            and (after_s is None or trade.view.match_ms // 1_000 >= after_s)
            and (before_s is None or trade.view.match_ms // 1_000 <= before_s)
        ]

    def _live(self, owner: str) -> list[Order]:
        return sorted(self.engine.live.get(owner, {}).values(), key=lambda order: order.sequence)


def _took_part(view: TradeView, owner: str, maker: str) -> bool:
    owners = {view.owner, *(fill.owner for fill in view.maker_orders)}
    wallets = {view.maker, *(fill.maker for fill in view.maker_orders)}
    return (not owner or owner in owners) and (not maker or maker in wallets)


def _tokens(view: TradeView) -> set[str]:
    return {view.token_id, *(fill.token_id for fill in view.maker_orders)}
