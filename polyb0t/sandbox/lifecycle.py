"""Markets come and go: they open, are paused, end, and pay out."""

from polyb0t.core.errors import ConflictError, UsageError
from polyb0t.sandbox.crowd import VISIT_MS, Opinion
from polyb0t.sandbox.kinds import Newborn
from polyb0t.sandbox.market import Market
from polyb0t.sandbox.markets import birth
from polyb0t.sandbox.pipeline import UNSETTLED, Pipeline
from polyb0t.sandbox.randomness import Random64
from polyb0t.sandbox.types import MILLION, MarketResolved, MarketSpec, NewMarket, OrderStatus

YES_WINS = (MILLION, 0)
NO_WINS = (0, MILLION)


def check_payouts(payouts_e6: tuple[int, int]) -> None:
    """Raises UsageError: they are not two amounts that make one pUSD."""
    if sum(payouts_e6) != MILLION or min(payouts_e6) < 0:
        raise UsageError(f"Payouts of {payouts_e6} millionths do not make one pUSD a set.")


class Lifecycle(Pipeline):
    """Opening and ending."""

    def open_market(self, spec: MarketSpec) -> None:
        """Open a market that nobody quotes until a client does."""
        self._open(spec, None)
        self._settle_up()

    def set_accepting(self, condition_id: str, accepting: bool) -> None:
        """Pause a market (new orders are refused, cancels are not) or let it go on.

        Raises:
            NotFoundError: no such market.
            ConflictError: it is resolved.
        """
        market = self._market(condition_id)
        if market.payouts is not None:
            raise ConflictError("The market was not changed.", why="It is resolved.")
        market.accepting = accepting
        market.touch(self.now_ms)

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
        check_payouts(payouts_e6)
        market.accepting = False
        for order in [*self.engine.orders.values()]:
            waits = order.status in (OrderStatus.LIVE, OrderStatus.DELAYED)
            if order.condition_id == condition_id and waits:
                self.engine.withdraw(order, OrderStatus.CANCELED_MARKET_RESOLVED, self.now_ms)
        for trade in self.engine.trades.values():
            if trade.view.condition_id == condition_id and trade.status in UNSETTLED:
                self._mine(trade, last=True)
        market.payouts, market.closed_ms, market.proposed = payouts_e6, self.now_ms, None
        market.touch(self.now_ms)
        self.crowd.leave(market)
        self._tell_resolution(market, payouts_e6)
        if self.auto_redeem.on:
            self._at(self.now_ms + self.auto_redeem.after_ms, "auto", condition_id)
        self._settle_up()

    def resolve_event(self, event_id: str, winner: str) -> None:
        """Pay out every open market of a neg-risk event: `winner` is the condition that comes true.

        Raises:
            UsageError: the winner is not an open market of this event.
        """
        markets = [m for m in self.engine.markets.values() if m.spec.event_id == event_id]
        names = [m.spec.condition_id for m in markets if m.payouts is None]
        if winner not in names:
            raise UsageError(f"{winner} is no open market of event {event_id}.")
        for name in names:
            self._ends(name, YES_WINS if name == winner else NO_WINS)

    def _ends(self, condition_id: str, payouts_e6: tuple[int, int]) -> None:
        """What happens to a market whose answer is known."""
        self.resolve(condition_id, payouts_e6)

    # --- inside ---------------------------------------------------------------------------------

    def _bear(self) -> None:
        newborn = birth(self.seed, self.born, self.now_ms)
        self.born += 1
        self._open(newborn.spec, newborn.opinion)
        if self.crowded:
            self._at(newborn.spec.end_ms, "end", newborn.spec.condition_id)

    def _admit(self, newborn: Newborn) -> None:
        """Open a market of a special kind, or know it as one that is over."""
        spec = newborn.spec
        self._open(spec, newborn.opinion)
        if newborn.payouts is not None:
            market = self.engine.markets[spec.condition_id]
            market.payouts, market.closed_ms, market.accepting = newborn.payouts, spec.end_ms, False
            last = newborn.payouts[0] if 0 < newborn.payouts[0] < MILLION else None
            market.last_price = last
        elif self.crowded and newborn.opinion is not None:
            self._at(spec.end_ms, "end", spec.condition_id)

    def _open(self, spec: MarketSpec, opinion: Opinion | None) -> None:
        market = Market(spec, spec.tick_e6, self.now_ms, volume=spec.volume_e6, last_price=spec.last_price_e6)
        market.opened_ms = self.now_ms
        market.accepting = spec.accepting and spec.books_from_ms <= self.now_ms
        market.hours[self.now_ms // 3_600_000] = spec.volume_24h_e6
        self.engine.add_market(market, self.now_ms)
        if self.crowded and opinion is not None and spec.quoted:
            self._quote_first(market, opinion)
        if spec.books_from_ms > self.now_ms:
            self._at(spec.books_from_ms, "list", spec.condition_id)
        else:
            self._tell_opening(market)

    def _quote_first(self, market: Market, opinion: Opinion) -> None:
        spec = market.spec
        if spec.books_from_ms > self.now_ms:
            self.crowd.opinions[spec.condition_id] = opinion  # the first book comes with the listing
            return
        self.crowd.open(market, opinion, self.now_ms)
        market.sample(self.now_ms)
        if spec.accepting:
            first = Random64(opinion.random).below(VISIT_MS)
            start_ms = max(self.now_ms, self._crowd_returns_ms)
            self._at(start_ms + max(int(first / self.speed), 1), "visit", spec.condition_id)

    def _list(self, condition_id: str) -> None:
        """The exchange knows a market that only the catalogue knew."""
        market = self.engine.markets[condition_id]
        market.accepting = market.spec.accepting
        self.engine.list_tokens(market)
        market.touch(self.now_ms)
        opinion = self.crowd.opinions.get(condition_id)
        if opinion is not None:
            opinion.last_ms = self.now_ms
            self._quote_first(market, opinion)
        self._tell_opening(market)

    def _end(self, condition_id: str) -> None:
        """A market reached its end: it resolves as its hidden probability has it.

        Of a neg-risk event one outcome comes true, each as likely as the crowd's odds have it.
        """
        opinion = self.crowd.opinions.get(condition_id)
        if opinion is None:
            return
        spec = self.engine.markets[condition_id].spec
        draw = Random64(opinion.random).unit()
        if spec.neg_risk:
            self.resolve_event(spec.event_id, self._winner(spec.event_id, draw))
        else:
            self._ends(condition_id, YES_WINS if draw < opinion.truth() else NO_WINS)
        self._bear()

    def _winner(self, event_id: str, draw: float) -> str:
        opinions = self.crowd.opinions
        markets = [m.spec.condition_id for m in self.engine.markets.values() if m.spec.event_id == event_id]
        chances = {name: opinions[name].truth() for name in markets if name in opinions}
        left = draw * sum(chances.values())
        for name, chance in chances.items():
            left -= chance
            if left < 0:
                return name
        return next(reversed(chances))

    def _tell_opening(self, market: Market) -> None:
        spec = market.spec
        self.engine.news.add(NewMarket(spec.condition_id, spec.token_ids, self.now_ms))

    def _tell_resolution(self, market: Market, payouts_e6: tuple[int, int]) -> None:
        winner = payouts_e6.index(MILLION) if MILLION in payouts_e6 else None
        self.engine.news.add(
            MarketResolved(
                market.spec.condition_id,
                market.spec.token_ids,
                payouts_e6,
                "" if winner is None else market.spec.token_ids[winner],
                "" if winner is None else market.spec.outcomes[winner],
                self.now_ms,
            )
        )
