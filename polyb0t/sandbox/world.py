"""The sandbox's world: markets, accounts, a crowd and a clock, in one process and one thread.

Nothing here waits or reads a wall clock: whoever owns the world advances it. With the same seed, the
same steps and the same requests the state is the same, byte for byte, also across a save and a load;
only the world's id is random, and it is not part of the state.
"""

import heapq
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Self

from polyb0t.core.errors import ConflictError, NotFoundError, UsageError
from polyb0t.sandbox import accounts as practice
from polyb0t.sandbox import snapshot
from polyb0t.sandbox.crowd import VISIT_MS, WALLETS, Crowd, Opinion, logit, opinion_of
from polyb0t.sandbox.engine import Engine
from polyb0t.sandbox.exchange import Order
from polyb0t.sandbox.ledger import PUSD, Ledger
from polyb0t.sandbox.market import Market
from polyb0t.sandbox.markets import birth
from polyb0t.sandbox.portfolio import Portfolio
from polyb0t.sandbox.randomness import Random64
from polyb0t.sandbox.rules import GTD_EARLY_S
from polyb0t.sandbox.settlement import CONFIRMED_AFTER_MS, FEE_WALLET, MINED_AFTER_MS, Trade, hex_of
from polyb0t.sandbox.types import (
    MILLION,
    ActivityRow,
    BookView,
    Cancellation,
    MarketResolved,
    MarketSpec,
    MarketView,
    OrderRequest,
    OrderStatus,
    OrderType,
    OrderView,
    Placement,
    PositionView,
    PracticeAccount,
    TickSizeChange,
    TradeStatus,
    TradeView,
    WorldEvent,
)

CATCH_UP_MS: Final = 600_000  # after a longer absence the crowd does not live through every minute
FINE_TICK_E6: Final = 1_000
EDGE_E6: Final = 40_000  # below 0.04 and above 0.96 the tick is finer
HOUSE: Final = frozenset((*WALLETS, FEE_WALLET))
ERC1155: Final = "ERC1155"


class World:
    """The whole state of the sandbox and every way to change it."""

    def __init__(
        self,
        *,
        start_ms: int,
        seed: int = 1,
        markets: int | Sequence[MarketSpec] = 60,
        imported: Sequence[MarketSpec] = (),
        speed: float = 1.0,
        accounts: int = 10,
        funding_e6: int = 10_000 * MILLION,
        crowd: bool = True,
        world_id: str | None = None,
    ) -> None:
        """A new world. Without `crowd` the books are empty and nothing happens by itself."""
        if not 0 < speed <= 1_000:
            raise UsageError(f"A speed of {speed} is not possible.", do="Choose one above 0, at most 1000.")
        self.world_id = world_id or secrets.token_hex(8)
        self.seed = seed
        self.now_ms = start_ms
        self.paused = False
        self.crowded = crowd
        self.ledger = Ledger()
        self.engine = Engine(seed, self.ledger)
        self.crowd = Crowd(self.engine, speed)
        self.portfolio = Portfolio(HOUSE)
        self.agenda: list[tuple[int, int, str, str]] = []  # at, number, what, whose
        self.agenda_number = 0
        self.born = 0
        self.fail_next = 0  # so many of the next trades fail instead of being mined
        self.accounts: tuple[PracticeAccount, ...] = ()
        self._canonical: dict[str, str] = {}
        self._crowd_returns_ms = 0  # markets that open during an absence are visited from then on
        self._callbacks: list[Callable[[WorldEvent], None]] = []
        if accounts:
            self.accounts = practice.accounts(accounts, funding_e6)
        for account in self.accounts:
            self.fund(account.wallet, funding_e6)
        for spec in (*imported, *(() if isinstance(markets, int) else markets)):
            self._open(spec, _default_opinion(spec, start_ms))
        if isinstance(markets, int):
            for _ in range(markets):
                self._bear()

    @property
    def speed(self) -> float:
        """How much faster than the clock the crowd lives."""
        return self.crowd.speed

    # --- orders; every refusal is a types.Refusal -----------------------------------------------

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
        return None if order is None or order.crowd else self.engine.view(order)

    def orders(
        self, owner: str, *, market: str = "", asset_id: str = "", order_id: str = ""
    ) -> list[OrderView]:
        """Live orders of `owner`; with `order_id` that one in any status. Oldest first."""
        if order_id:
            known = self.engine.orders.get(order_id)
            return [self.engine.view(known)] if known and known.owner == owner and not known.crowd else []
        views = [self.engine.view(order) for order in self._live(owner)]
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

    # --- market data ----------------------------------------------------------------------------

    def market(self, condition_id: str) -> MarketView:
        """Raises KeyError when there is none."""
        return self.engine.markets[condition_id].view(self.now_ms)

    def markets(self) -> list[MarketView]:
        """Every market, also the closed ones, oldest first."""
        return [market.view(self.now_ms) for market in self.engine.markets.values()]

    def condition_of(self, token_id: str) -> str | None:
        """The market of an outcome token, or `None`."""
        place = self.engine.tokens.get(token_id)
        return None if place is None else place[0]

    def book(self, token_id: str) -> BookView:
        """Raises KeyError when there is none; the same object until the book changes."""
        condition_id, outcome = self.engine.tokens[token_id]
        return self.engine.markets[condition_id].book_view(outcome)

    def tape(self, condition_id: str) -> list[TradeView]:
        """The market's last trades of anybody, newest first (bounded)."""
        return [trade.current() for trade in reversed(self.engine.markets[condition_id].tape)]

    def price_history(self, token_id: str) -> list[tuple[int, int]]:
        """(at_ms, price_e6) samples of the midpoint, oldest first, five minutes apart, a day at most."""
        condition_id, outcome = self.engine.tokens[token_id]
        samples = self.engine.markets[condition_id].history
        return [(at, price if outcome == 0 else MILLION - price) for at, price in samples]

    # --- accounts -------------------------------------------------------------------------------

    def balance(self, wallet: str, token_id: str | None = None) -> int:
        """What the wallet owns on the chain: settled, whether or not orders reserve it."""
        return self.ledger.balance(self._wallet(wallet), token_id or PUSD)

    def reserved(self, wallet: str, token_id: str | None = None) -> int:
        """What its active orders and unsettled trades speak for."""
        wallet, asset = self._wallet(wallet), token_id or PUSD
        return self.ledger.active(wallet, asset) + self.ledger.unsettled(wallet, asset)

    def allowance(self, wallet: str, spender: str, token_id: str | None = None) -> int:
        """What the spender may take; unlimited for everybody until `set_allowance`."""
        return self.engine.allowance(wallet, spender, ERC1155 if token_id else PUSD)

    def set_allowance(self, wallet: str, spender: str, amount: int, token_id: str | None = None) -> None:
        """Approve so much; for shares an approval covers every token (ERC-1155)."""
        asset = ERC1155 if token_id else PUSD
        self.engine.allowances[(wallet.lower(), spender.lower(), asset)] = amount

    def fund(self, wallet: str, pusd_e6: int) -> None:
        """Deposit practice money.

        Raises:
            UsageError: the amount is not positive.
        """
        if pusd_e6 <= 0:
            raise UsageError(f"{pusd_e6} millionths cannot be deposited.", do="Deposit a positive amount.")
        self._canonical.setdefault(wallet.lower(), wallet)
        wallet = self._wallet(wallet)
        self.ledger.deposit(wallet, pusd_e6)
        self.portfolio.deposited(wallet, pusd_e6, self.now_ms)

    def split(self, wallet: str, condition_id: str, shares_e6: int) -> None:
        """pUSD into complete sets; a negative count merges them back.

        Raises:
            NotFoundError: no such market.
            ConflictError: the wallet has not so much available, or the market is resolved.
        """
        market, wallet = self._market(condition_id), self._wallet(wallet)
        assets = (PUSD,) if shares_e6 > 0 else market.spec.token_ids
        enough = all(self.ledger.available(wallet, asset) >= abs(shares_e6) for asset in assets)
        if shares_e6 == 0 or not enough or market.payouts is not None:
            raise ConflictError(
                f"{shares_e6} millionths of complete sets were not made or merged.",
                why="The wallet has not so much available, or the market is resolved.",
            )
        self.ledger.split(wallet, condition_id, market.spec.token_ids, shares_e6)
        self.portfolio.split(
            wallet, market.spec, shares_e6, at_ms=self.now_ms, transaction=self._transaction()
        )

    def redeem(self, wallet: str, condition_id: str) -> int:
        """Pay out both outcomes of a resolved market; the pUSD received.

        Raises:
            NotFoundError: no such market.
            ConflictError: it is not resolved.
        """
        market, wallet = self._market(condition_id), self._wallet(wallet)
        if market.payouts is None:
            raise ConflictError("Nothing was redeemed.", why="The market is not resolved.")
        transaction, received = self._transaction(), 0
        for token, payout in zip(market.spec.token_ids, market.payouts, strict=True):
            shares, pusd = self.ledger.redeem(wallet, condition_id, token, payout)
            received += pusd
            if shares:
                self.portfolio.redeemed(
                    wallet,
                    market.spec,
                    token,
                    shares=shares,
                    pusd=pusd,
                    at_ms=self.now_ms,
                    transaction=transaction,
                )
        return received

    def positions(self, wallet: str) -> list[PositionView]:
        """Every outcome the wallet ever held, in the order of first contact."""
        wallet, views = self._wallet(wallet), list[PositionView]()
        for token, held in self.portfolio.holdings.get(wallet, {}).items():
            market = self.engine.markets[held.condition_id]
            views.append(
                PositionView(
                    wallet=wallet,
                    token_id=token,
                    condition_id=held.condition_id,
                    outcome_index=held.outcome,
                    shares_e6=held.shares,
                    cost_e6=held.cost,
                    fees_e6=held.fees,
                    bought_e6=held.bought,
                    realized_e6=held.realized,
                    price_e6=market.mark(held.outcome),
                    first_ms=held.first_ms,
                    last_ms=held.last_ms,
                    resolved=market.payouts is not None,
                )
            )
        return views

    def activity(self, wallet: str) -> list[ActivityRow]:
        """Settled movements, newest first."""
        return self.portfolio.activity.get(self._wallet(wallet), [])[::-1]

    # --- control --------------------------------------------------------------------------------

    def resolve(self, condition_id: str, payouts_e6: tuple[int, int]) -> None:
        """Pay a market out: its orders are cancelled, what was matched settles first.

        Raises:
            NotFoundError: no such market.
            ConflictError: it is resolved already.
            UsageError: the payouts are not two amounts that make one pUSD.
        """
        market = self._market(condition_id)
        if market.payouts is not None:
            raise ConflictError("The market was not resolved.", why="It is resolved already.")
        if sum(payouts_e6) != MILLION or min(payouts_e6) < 0:
            raise UsageError(f"Payouts of {payouts_e6} millionths do not make one pUSD a set.")
        market.accepting = False
        for order in [*self.engine.orders.values()]:
            if order.condition_id == condition_id and order.status in (
                OrderStatus.LIVE,
                OrderStatus.DELAYED,
            ):
                self.engine.withdraw(order, OrderStatus.CANCELED_MARKET_RESOLVED, self.now_ms)
        for trade in self.engine.trades.values():
            if trade.view.condition_id == condition_id:
                self._mine(trade)
        market.payouts, market.closed_ms = payouts_e6, self.now_ms
        market.touch(self.now_ms)
        self.crowd.leave(market)
        self._tell_resolution(market, payouts_e6)
        self._settle_up()

    def pause(self) -> None:
        """Stop the clock: `advance_to` does nothing, `step` still works."""
        self.paused = True

    def resume(self) -> None:
        """Let the clock run again."""
        self.paused = False

    def step(self, milliseconds: int) -> None:
        """Live through so many milliseconds, paused or not; in one go or in many, the same.

        Raises:
            UsageError: the clock does not go back.
        """
        if milliseconds < 0:
            raise UsageError("The clock was not moved.", why="It does not go back.")
        self._run_to(self.now_ms + milliseconds)

    def advance_to(self, now_ms: int) -> None:
        """Follow a wall clock, unless paused; an instant in the past is ignored.

        After an absence of more than ten minutes the crowd looks at each market once, as if it had
        been away too: a world that was saved last week is up to date in a moment.
        """
        if self.paused or now_ms <= self.now_ms:
            return
        if now_ms - self.now_ms > CATCH_UP_MS:
            self._crowd_returns_ms = now_ms - VISIT_MS
            self.agenda = [
                (self._crowd_returns_ms + entry[0] % VISIT_MS, *entry[1:]) if entry[2] == "visit" else entry
                for entry in self.agenda
            ]
            heapq.heapify(self.agenda)
        self._run_to(now_ms)

    def state(self) -> dict[str, object]:
        """Everything that decides the future, as plain JSON values; not the world's id."""
        return snapshot.state_of(self)

    def state_hash(self) -> str:
        """SHA-256 of the canonical text of `state`."""
        return snapshot.digest(self.state())

    def save(self, path: Path) -> None:
        """Write the world to a file that is complete or not there at all."""
        snapshot.save(self, path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """The same world, as it was saved.

        Raises:
            SaveFileError: the file is missing, damaged, or of another version.
        """
        saved = snapshot.read(path)
        world = cls(start_ms=0, markets=0, accounts=0, crowd=False, world_id=saved.world_id)
        snapshot.restore(world, saved.state)
        world._canonical = {wallet.lower(): wallet for wallet in world.ledger.balances}
        return world

    def subscribe(self, callback: Callable[[WorldEvent], None]) -> Callable[[], None]:
        """Call `callback` with every event from now on; returns the way to stop."""
        self._callbacks.append(callback)
        self.engine.listening = True

        def stop() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)
            self.engine.listening = bool(self._callbacks)

        return stop

    # --- inside ---------------------------------------------------------------------------------

    def _live(self, owner: str) -> list[Order]:
        live = (OrderStatus.LIVE, OrderStatus.DELAYED)
        return [
            o for o in self.engine.orders.values() if o.owner == owner and not o.crowd and o.status in live
        ]

    def _wallet(self, wallet: str) -> str:
        return self._canonical.get(wallet.lower(), wallet)

    def _market(self, condition_id: str) -> Market:
        market = self.engine.markets.get(condition_id)
        if market is None:
            raise NotFoundError(f"There is no market {condition_id}.")
        return market

    def _transaction(self) -> str:
        self.engine.trade_sequence += 1
        return "0x" + hex_of(self.seed, "transaction", self.engine.trade_sequence)

    def _bear(self) -> None:
        newborn = birth(self.seed, self.born, self.now_ms)
        self.born += 1
        self._open(newborn.spec, newborn.opinion)
        if self.crowded:
            self._at(newborn.spec.end_ms, "end", newborn.spec.condition_id)

    def _open(self, spec: MarketSpec, opinion: Opinion) -> None:
        market = Market(spec, spec.tick_e6, self.now_ms, volume=spec.volume_e6, last_price=spec.last_price_e6)
        market.hours[self.now_ms // 3_600_000] = spec.volume_24h_e6
        self.engine.add_market(market)
        if self.crowded:
            self.crowd.open(market, opinion, self.now_ms)
            market.sample(self.now_ms)
            first = Random64(opinion.random).below(VISIT_MS)
            start_ms = max(self.now_ms, self._crowd_returns_ms)
            self._at(start_ms + max(int(first / self.speed), 1), "visit", spec.condition_id)

    def _at(self, at_ms: int, what: str, whose: str) -> None:
        self.agenda_number += 1
        heapq.heappush(self.agenda, (at_ms, self.agenda_number, what, whose))

    def _run_to(self, target_ms: int) -> None:
        while self.agenda and self.agenda[0][0] <= target_ms:
            at_ms, _, what, whose = heapq.heappop(self.agenda)
            self.now_ms = max(at_ms, self.now_ms)
            self._happen(what, whose)
            self._settle_up()
        self.now_ms = target_ms

    def _happen(self, what: str, whose: str) -> None:
        match what:
            case "visit":
                self._visit(whose)
            case "mine":
                self._mine(self.engine.trades[whose])
            case "confirm":
                self._confirm(self.engine.trades[whose])
            case "expire":
                order = self.engine.orders[whose]
                if order.status is OrderStatus.LIVE:
                    self.engine.withdraw(order, OrderStatus.CANCELED_EXPIRED_ORDER, self.now_ms)
            case "release":
                self.engine.release_delayed(whose, self.now_ms)
            case _:
                self._end(whose)

    def _visit(self, condition_id: str) -> None:
        if condition_id not in self.crowd.opinions:
            return
        wait = self.crowd.visit(condition_id, self.now_ms)
        self._at(self.now_ms + wait, "visit", condition_id)
        market = self.engine.markets[condition_id]
        middle = market.midpoint()
        if middle is not None and market.tick > FINE_TICK_E6 and not EDGE_E6 <= middle <= MILLION - EDGE_E6:
            old, market.tick = market.tick, FINE_TICK_E6
            market.touch(self.now_ms)
            self._tell(TickSizeChange(condition_id, market.spec.token_ids, old, FINE_TICK_E6, self.now_ms))

    def _mine(self, trade: Trade) -> None:
        """The block came: balances move, or the trade fails and nothing does."""
        if trade.status is not TradeStatus.MATCHED:
            return
        self.ledger.hold(trade.legs, release=True)
        trade.update_ms = self.now_ms
        market = self.engine.markets[trade.view.condition_id]
        if self.fail_next > 0:
            self.fail_next -= 1
            trade.status = TradeStatus.FAILED
        else:
            trade.status = TradeStatus.MINED
            self.ledger.settle(market.spec.condition_id, market.spec.token_ids, trade.legs, trade.minted)
            self.portfolio.settled(market.spec, trade.view, self.now_ms)
            wait = CONFIRMED_AFTER_MS - MINED_AFTER_MS
            self._at(self.now_ms + wait, "confirm", trade.view.trade_id)
        self.engine.tell_trade(trade, self.now_ms)

    def _confirm(self, trade: Trade) -> None:
        trade.status, trade.update_ms = TradeStatus.CONFIRMED, self.now_ms
        self.engine.tell_trade(trade, self.now_ms)

    def _end(self, condition_id: str) -> None:
        """A generated market reached its end: it resolves as its hidden probability has it."""
        opinion = self.crowd.opinions.get(condition_id)
        if opinion is None:
            return
        yes = Random64(opinion.random).unit() < opinion.truth()
        self.resolve(condition_id, (MILLION, 0) if yes else (0, MILLION))
        self._bear()

    def _tell_resolution(self, market: Market, payouts_e6: tuple[int, int]) -> None:
        winner = payouts_e6.index(MILLION) if MILLION in payouts_e6 else None
        self._tell(
            MarketResolved(
                market.spec.condition_id,
                market.spec.token_ids,
                payouts_e6,
                "" if winner is None else market.spec.token_ids[winner],
                "" if winner is None else market.spec.outcomes[winner],
                self.now_ms,
            )
        )

    def _tell(self, event: WorldEvent) -> None:
        if self.engine.listening:
            self.engine.events.append(event)

    def _settle_up(self) -> None:
        """Put new trades on the agenda and tell the listeners what happened."""
        for trade in self.engine.unsettled:
            self._at(trade.view.match_ms + MINED_AFTER_MS, "mine", trade.view.trade_id)
        self.engine.unsettled.clear()
        if self._callbacks:
            for event in self.engine.drain(self.now_ms):
                for callback in tuple(self._callbacks):
                    callback(event)


def _took_part(view: TradeView, owner: str, maker: str) -> bool:
    owners = {view.owner, *(fill.owner for fill in view.maker_orders)}
    wallets = {view.maker, *(fill.maker for fill in view.maker_orders)}
    return (not owner or owner in owners) and (not maker or maker in wallets)


def _tokens(view: TradeView) -> set[str]:
    return {view.token_id, *(fill.token_id for fill in view.maker_orders)}


def _default_opinion(spec: MarketSpec, now_ms: int) -> Opinion:
    """The crowd's opinion of a market that was not invented here: its first book, price, or one half."""
    best = [price for price, _ in spec.first_bids[-1:] + spec.first_asks[-1:]]
    price = sum(best) // len(best) if best else (spec.first_price_e6 or MILLION // 2)
    middle = min(max(price / MILLION, 0.01), 0.99)
    opinion = opinion_of(spec, 0, 10_000, 300 * MILLION, now_ms)
    opinion.fair_e6 = opinion.belief_e6 = round(logit(middle) * opinion.bias_e3 * 1_000)
    return opinion
