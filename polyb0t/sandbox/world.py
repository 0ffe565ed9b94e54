"""The sandbox's world: markets, accounts, a crowd and a clock, in one process and one thread.

Nothing here waits or reads a wall clock: whoever owns the world advances it. With the same seed, the
same steps and the same requests the state is the same, byte for byte, also across a save and a load;
only the world's id is random, and it is not part of the state.
"""

import heapq
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Self

from polyb0t.core.errors import UsageError
from polyb0t.sandbox import accounts as practice
from polyb0t.sandbox import snapshot
from polyb0t.sandbox.archive import Archive
from polyb0t.sandbox.auto_redeem import AutoRedeeming
from polyb0t.sandbox.crowd import VISIT_MS, Opinion, logit, opinion_of
from polyb0t.sandbox.kinds import cast
from polyb0t.sandbox.market import Market
from polyb0t.sandbox.memory import restore
from polyb0t.sandbox.oracle import Oracle
from polyb0t.sandbox.paths import Past
from polyb0t.sandbox.trading import Trading
from polyb0t.sandbox.types import (
    MILLION,
    BookView,
    MarketSpec,
    MarketView,
    OrderStatus,
    TradeView,
)

CATCH_UP_MS: Final = 600_000  # after a longer absence the crowd does not live through every minute


class World(Trading, AutoRedeeming, Oracle):
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
        kinds: Iterable[str] = (),
        archive: int = 0,
        world_id: str | None = None,
    ) -> None:
        """A new world. Without `crowd` the books are empty and nothing happens by itself.

        `kinds` adds the markets of these kinds (kinds.py), `archive` so many that were over before it.
        """
        super().__init__(start_ms=start_ms, seed=seed, speed=speed, crowd=crowd, world_id=world_id)
        self.archive = Archive(seed, archive, start_ms)
        if accounts:
            self.accounts = practice.accounts(accounts, funding_e6)
        for account in self.accounts:
            self.fund(account.wallet, funding_e6)
        for spec in (*imported, *(() if isinstance(markets, int) else markets)):
            self._open(spec, _default_opinion(spec, start_ms))
        if isinstance(markets, int):
            for _ in range(markets):
                self._bear()
        for newborn in cast(seed, start_ms, kinds):
            self._admit(newborn)

    # --- market data ----------------------------------------------------------------------------

    def market(self, condition_id: str) -> MarketView:
        """A market of this world or of the archive. Raises KeyError when there is none."""
        market = self.engine.markets.get(condition_id)
        if market is not None:
            return market.view(self.now_ms)
        over = self.archive.find(condition_id)
        if over is None:
            raise KeyError(condition_id)
        return over

    def markets(self) -> list[MarketView]:
        """Every market of this world, also the closed ones, oldest first."""
        return [market.view(self.now_ms) for market in self.engine.markets.values()]

    def catalogue(self, *, closed: bool) -> list[MarketView]:
        """Every market, with those of the archive before the others if `closed` ones are asked for."""
        return [*(self.archive.views() if closed else ()), *self.markets()]

    def condition_of(self, token_id: str) -> str | None:
        """The market of an outcome token, or `None`."""
        place = self.engine.tokens.get(token_id)
        if place is not None:
            return place[0]
        over = self.archive.find_token(token_id)
        return None if over is None else over[0].spec.condition_id

    def book(self, token_id: str) -> BookView:
        """Raises KeyError when there is none; the same object until the book changes."""
        condition_id, outcome = self.engine.tokens[token_id]
        return self.engine.markets[condition_id].book_view(outcome)

    def tape(self, condition_id: str) -> list[TradeView]:
        """The market's last trades of anybody, newest first (bounded)."""
        market = self.engine.markets.get(condition_id)
        return [] if market is None else [trade.current() for trade in reversed(market.tape)]

    def price_history(
        self, token_id: str, since_ms: int = 0, until_ms: int | None = None, step_ms: int = 300_000
    ) -> list[tuple[int, int]]:
        """(at_ms, price_e6) of the midpoint, oldest first, invented where this world was not there yet.

        What the world saw itself is kept five minutes apart for a day and an hour apart for a week.
        """
        until_ms = self.now_ms if until_ms is None else min(until_ms, self.now_ms)
        window = (since_ms, until_ms, max(step_ms, 60_000))
        over = self.archive.find_token(token_id) if token_id not in self.engine.tokens else None
        if over is not None:
            view, outcome = over
            samples = [*self.archive.path(view).points(*window)]
        else:
            condition_id, outcome = self.engine.tokens[token_id]
            samples = self._seen(self.engine.markets[condition_id], window)
        return [(at, price if outcome == 0 else MILLION - price) for at, price in samples]

    def _seen(self, market: Market, window: tuple[int, int, int]) -> list[tuple[int, int]]:
        spec = market.spec
        samples = [*market.older, *market.history]
        kept = [sample for sample in samples if window[0] <= sample[0] <= window[1]]
        if spec.first_price_e6 is None or not spec.start_ms < market.opened_ms:
            return kept
        seed = int(spec.condition_id[2:34], 16)
        past = Past(seed, spec.start_ms, market.opened_ms, spec.first_price_e6)
        return [*past.points(*window), *kept]

    # --- control --------------------------------------------------------------------------------

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
        return snapshot.digest(self)

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
        restore(world, saved.state)
        world._canonical = {wallet.lower(): wallet for wallet in world.ledger.balances}
        return world

    # --- inside ---------------------------------------------------------------------------------

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
            case "list":
                self._list(whose)
            case "relay":
                self._relay(whose)
            case "auto":
                self._redeem_by_itself(whose)
            case "stand":
                self._stands(whose)
            case _:
                self._end(whose)

    def _visit(self, condition_id: str) -> None:
        if condition_id not in self.crowd.opinions:
            return
        wait = self.crowd.visit(condition_id, self.now_ms)
        self._at(self.now_ms + wait, "visit", condition_id)
        self._watch_tick(self.engine.markets[condition_id])


def _default_opinion(spec: MarketSpec, now_ms: int) -> Opinion:
    """The crowd's opinion of a market that was not invented here: its first book, price, or one half."""
    best = [price for price, _ in spec.first_bids[-1:] + spec.first_asks[-1:]]
    price = sum(best) // len(best) if best else (spec.first_price_e6 or MILLION // 2)
    middle = min(max(price / MILLION, 0.01), 0.99)
    opinion = opinion_of(spec, 0, 10_000, 300 * MILLION, now_ms)
    opinion.fair_e6 = opinion.belief_e6 = round(logit(middle) * opinion.bias_e3 * 1_000)
    return opinion
