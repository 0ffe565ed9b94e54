"""Orders in, trades out: the book, the ledger and the settlement of one venue, without a clock.

Every public call takes the present instant and leaves the state consistent. What the sockets should
be told is collected in `news`.
"""

from typing import Final

from polyb0t.sandbox import rules
from polyb0t.sandbox.exchange import Fill, Ladder, Order, by_price, exact_unit
from polyb0t.sandbox.funds import Funds
from polyb0t.sandbox.ledger import Ledger
from polyb0t.sandbox.market import Market
from polyb0t.sandbox.news import News
from polyb0t.sandbox.settlement import Settling, Trade, make_trade
from polyb0t.sandbox.types import (
    MILLION,
    OrderRequest,
    OrderStatus,
    OrderType,
    Placement,
    Side,
    TradeStatus,
)

GONE: Final = "Order not found or already canceled"
DONE: Final = "Order already matched"
HELD: Final = "Order is delayed and cannot be canceled"


class Engine:
    """The venue's matching engine with its accounts."""

    def __init__(self, seed: int, ledger: Ledger) -> None:
        self.seed = seed
        self.ledger = ledger
        self.settling = Settling()
        self.markets: dict[str, Market] = {}
        self.tokens: dict[str, tuple[str, int]] = {}  # token id -> condition, outcome
        self.orders: dict[str, Order] = {}  # every order of a client; the crowd's while they rest
        self.trades: dict[str, Trade] = {}  # those that a client took part in
        self.unsettled: list[Trade] = []  # matched since the world last looked
        self.funds = Funds(ledger, self.markets)
        self.order_sequence = 0
        self.trade_sequence = 0
        self.live: dict[str, dict[str, Order]] = {}  # API key -> its live and held orders
        self.news = News(self.markets, self.orders)

    # --- doors ----------------------------------------------------------------------------------

    def add_market(self, market: Market, now_ms: int) -> None:
        """Know a market; before its books open nobody can name its outcomes."""
        self.markets[market.spec.condition_id] = market
        if market.spec.books_from_ms <= now_ms:
            self.list_tokens(market)

    def list_tokens(self, market: Market) -> None:
        """Let orders and readers name the market's outcomes."""
        for outcome, token in enumerate(market.spec.token_ids):
            self.tokens[token] = (market.spec.condition_id, outcome)

    def place(self, request: OrderRequest, now_ms: int) -> Placement:
        """Accept, match and rest a client's order.

        Raises:
            Refusal: with the venue's status and text; nothing has changed.
        """
        market = self._open_market(request)
        self.order_sequence += 1
        order = rules.to_order(request, market.spec, market.tick, now_ms, self.order_sequence)
        self.funds.check_allowance(order, market)
        fills, satisfied = market.book.plan(order)
        self.funds.check(order, market, fills)
        self._check_matching(request, order, fills, satisfied)
        if fills and market.spec.seconds_delay:
            return self._delay(order, market)
        return self.execute(order, market, fills, now_ms)

    def release_delayed(self, order_id: str, now_ms: int) -> None:
        """The taker delay of a held order is over: match it now or give up on it."""
        order = self.orders[order_id]
        if order.status is not OrderStatus.DELAYED:
            return
        market = self.markets[order.condition_id]
        self.funds.release(order)
        fills, satisfied = market.book.plan(order)
        if (order.order_type is OrderType.FOK and not satisfied) or (
            order.order_type is OrderType.FAK and not fills
        ):
            self._end(order, OrderStatus.UNMATCHED, now_ms)
            return
        if not self.funds.suffice(order, market, fills):
            self._end(order, OrderStatus.CANCELED_NOT_ENOUGH_BALANCE, now_ms)
            return
        order.status = OrderStatus.LIVE
        self.execute(order, market, fills, now_ms)

    def cancel(self, owner: str, order_id: str, now_ms: int) -> str | None:
        """Take a live order out; the reason when it could not be."""
        order = self.orders.get(order_id)
        if order is None or order.owner != owner:
            return GONE
        if order.status is OrderStatus.DELAYED:
            return HELD
        if order.status is OrderStatus.MATCHED:
            return DONE
        if order.status is not OrderStatus.LIVE:
            return GONE
        self.withdraw(order, OrderStatus.CANCELED, now_ms)
        return None

    def withdraw(self, order: Order, status: OrderStatus, now_ms: int) -> None:
        """End an order that waits, for whatever reason, and give back what it reserved."""
        market = self.markets[order.condition_id]
        if order.status is OrderStatus.LIVE:
            market.book.side(bid=order.bid).remove(order)
            self.news.touch(market, order, order.yes, now_ms)
        self.funds.release(order)
        self._end(order, status, now_ms)

    def keep(self, order: Order) -> None:
        """Know this order by its id, and by its owner while it lives."""
        self.orders[order.order_id] = order
        if not order.crowd:
            self.live.setdefault(order.owner, {})[order.order_id] = order

    # --- matching -------------------------------------------------------------------------------

    def execute(self, order: Order, market: Market, fills: list[Fill], now_ms: int) -> Placement:
        """Apply planned fills and rest, drop or end what is left."""
        self.keep(order)
        trades = [self._trade(order, market, group, i, now_ms) for i, group in enumerate(by_price(fills))]
        making = sum(t.view.pusd_e6 if order.side is Side.BUY else t.view.size_e6 for t in trades)
        taking = sum(t.view.size_e6 if order.side is Side.BUY else t.view.pusd_e6 for t in trades)
        if trades:
            # What is smaller than the unit of any price that it crosses can neither trade nor rest.
            crumb = market.book.crosses(order)
            order.left -= order.left if crumb else order.left % exact_unit(order.price)
        if order.order_type in rules.RESTING and order.left > 0:
            self._rest(order, market, now_ms)
        else:
            self._end(order, OrderStatus.MATCHED, now_ms)
        for trade in trades:
            self.news.announce(trade, now_ms)
        return Placement(
            order_id=order.order_id,
            status="matched" if trades else "live",
            making_e6=making,
            taking_e6=taking,
            trade_ids=tuple(trade.view.trade_id for trade in trades),
            transaction_hashes=tuple(trade.transaction_hash for trade in trades if trade.hashed),
        )

    def _trade(self, order: Order, market: Market, fills: list[Fill], bucket: int, now_ms: int) -> Trade:
        self.trade_sequence += 1
        trade = make_trade(
            market.spec,
            order,
            fills,
            seed=self.seed,
            sequence=self.trade_sequence,
            bucket=bucket,
            now_ms=now_ms,
        )
        ladder = market.book.side(bid=not order.bid)
        for fill in fills:
            self._fill_maker(fill, ladder, trade)
        order.left = max(order.left - trade.view.size_e6, 0)
        order.filled += trade.view.size_e6
        order.trade_ids.append(trade.view.trade_id)
        market.traded(trade.view.pusd_e6, fills[0].yes, now_ms)
        market.tape.append(trade)
        self.news.touch(market, order, fills[0].yes, now_ms, taken=True)
        self._file(trade, market, crowd_only=order.crowd and all(fill.maker.crowd for fill in fills))
        return trade

    def _fill_maker(self, fill: Fill, ladder: Ladder, trade: Trade) -> None:
        maker = fill.maker
        ladder.reduce(maker, fill.shares)
        maker.filled += fill.shares
        spent = fill.shares * maker.price // MILLION if maker.side is Side.BUY else fill.shares
        self.funds.release(maker, spent)
        if not maker.crowd:
            maker.trade_ids.append(trade.view.trade_id)
        if maker.left == 0:
            self.funds.release(maker)
            maker.status = OrderStatus.MATCHED
            if maker.crowd:
                del self.orders[maker.order_id]
            else:
                del self.live[maker.owner][maker.order_id]

    def _file(self, trade: Trade, market: Market, *, crowd_only: bool) -> None:
        """The crowd's own trades settle at once; a client's wait for their block, and for its hash."""
        trade.hashed = crowd_only or self.settling.hashes_at_once
        if crowd_only:
            trade.status = TradeStatus.CONFIRMED
            self.ledger.settle(market.spec.condition_id, market.spec.token_ids, trade.legs, trade.minted)
            trade.legs = ()
            return
        self.ledger.hold(trade.legs)
        self.trades[trade.view.trade_id] = trade
        self.unsettled.append(trade)

    def _rest(self, order: Order, market: Market, now_ms: int) -> None:
        market.book.side(bid=order.bid).add(order)
        self.funds.reserve(order)
        self.news.touch(market, order, order.yes, now_ms)
        self.news.tell(order, "PLACEMENT", now_ms)

    def _delay(self, order: Order, market: Market) -> Placement:
        """Hold a marketable order of a sports market; what it may cost at worst is reserved."""
        self.keep(order)
        order.status = OrderStatus.DELAYED
        self.funds.reserve(order, self.funds.cost(order, market))
        return Placement(order.order_id, "delayed")

    def _end(self, order: Order, status: OrderStatus, now_ms: int) -> None:
        order.status = status
        if order.crowd:
            self.orders.pop(order.order_id, None)
            return
        self.live[order.owner].pop(order.order_id, None)
        kind = "CANCELLATION" if status.value.startswith("CANCELED") else "PLACEMENT"
        self.news.tell(order, kind, now_ms)

    # --- checks ---------------------------------------------------------------------------------

    def _open_market(self, request: OrderRequest) -> Market:
        if request.order_id in self.orders:
            raise rules.refuse(f"order {request.order_id} is invalid. Duplicated.", request.order_id)
        place = self.tokens.get(request.token_id)
        market = self.markets[place[0]] if place else None
        if market is None or not market.accepting:
            raise rules.refuse(rules.NOT_READY)
        return market

    def _check_matching(
        self, request: OrderRequest, order: Order, fills: list[Fill], satisfied: bool
    ) -> None:
        if order.post_only and fills:
            raise rules.refuse(rules.POST_ONLY_CROSSES)
        if fills or order.market_buy:
            rules.check_marketable(request)
        if order.order_type is OrderType.FOK and not satisfied:
            raise rules.refuse(rules.FOK_KILLED, order.order_id)
        if order.order_type is OrderType.FAK and not fills:
            raise rules.refuse(rules.FAK_KILLED, order.order_id)
