"""What a world consists of, and the few things that every part of it needs."""

import heapq
import secrets
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from polyb0t.core.errors import NotFoundError, UsageError
from polyb0t.sandbox.archive import Archive
from polyb0t.sandbox.crowd import WALLETS, Crowd
from polyb0t.sandbox.engine import Engine
from polyb0t.sandbox.ledger import Ledger
from polyb0t.sandbox.market import Market
from polyb0t.sandbox.node import Node
from polyb0t.sandbox.portfolio import Portfolio
from polyb0t.sandbox.relayed import AutoRedeem, Relayed, RelayFaults
from polyb0t.sandbox.settlement import FEE_WALLET, hex_of
from polyb0t.sandbox.types import MarketSpec, PracticeAccount, WorldEvent

HOUSE: Final = frozenset((*WALLETS, FEE_WALLET))


class ChainPort(Protocol):
    """What the world asks of a local chain."""

    @property
    def node(self) -> Node:
        """Its node, for clients' own calls."""
        ...

    def relay(self, batch: Relayed) -> str:
        """Send a batch; the transaction's hash. Raises RevertedError."""
        ...

    def tick(self) -> None:
        """Bring over what has a result, book what was paid there."""
        ...

    def redeem_for(self, wallet: str, spec: MarketSpec, outcomes: Sequence[int]) -> None:
        """Redeem as the venue's own operator does. Raises RevertedError."""
        ...


class WorldState:
    """The parts, the agenda of what will happen, and those who listen."""

    def __init__(self, *, start_ms: int, seed: int, speed: float, crowd: bool, world_id: str | None) -> None:
        """An empty world.

        Raises:
            UsageError: the speed is not above 0 and at most 1000.
        """
        if not 0 < speed <= 1_000:
            raise UsageError(f"A speed of {speed} is not possible.", do="Choose one above 0, at most 1000.")
        self.archive = Archive(seed, 0, start_ms)  # markets that were over before this world began
        self.world_id = world_id or secrets.token_hex(8)
        self.seed = seed
        self.now_ms = start_ms
        self.paused = False
        self.crowded = crowd
        self.ledger = Ledger()
        self.engine = Engine(seed, self.ledger)
        self.crowd = Crowd(self.engine, speed)
        self.portfolio = Portfolio(HOUSE, self.engine.markets)
        self.agenda: list[tuple[int, int, str, str]] = []  # at, number, what, whose
        self.agenda_number = 0
        self.born = 0
        self._crowd_returns_ms = 0  # markets that open during an absence are visited from then on
        self.fail_next = 0  # so many of the next trades fail instead of being mined
        self.retry_next = 0  # so many of the next transactions fail and are sent again
        self.liveness_ms = 0  # how long a proposed result waits for a dispute; 0: it stands at once
        self.data_lag_ms = 0  # how far the Data API is behind the chain
        self.relayed: dict[str, Relayed] = {}  # batches of deposit wallets by the relayer's id
        self.wallet_nonces: dict[str, int] = {}  # of deposit wallets, lower case
        self.relay_faults = RelayFaults()
        self.auto_redeem = AutoRedeem(on=False)
        self.chain: ChainPort | None = None  # a local chain that pays; not part of the state
        self.chain_block = 0  # up to which block its redemptions are booked
        self.on_chain: set[str] = set()  # conditions whose shares were brought there
        self.accounts: tuple[PracticeAccount, ...] = ()
        self.sessions: dict[str, tuple[str, int]] = {}  # session key, lower case: wallet, valid until (s)
        self._canonical: dict[str, str] = {}
        self._callbacks: list[Callable[[WorldEvent], None]] = []

    @property
    def speed(self) -> float:
        """How much faster than the clock the crowd lives."""
        return self.crowd.speed

    def subscribe(self, callback: Callable[[WorldEvent], None]) -> Callable[[], None]:
        """Call `callback` with every event from now on; returns the way to stop."""
        self._callbacks.append(callback)
        self.engine.news.listening = True

        def stop() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)
            self.engine.news.listening = bool(self._callbacks)

        return stop

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

    def _at(self, at_ms: int, what: str, whose: str) -> None:
        self.agenda_number += 1
        heapq.heappush(self.agenda, (at_ms, self.agenda_number, what, whose))

    def _settle_up(self) -> None:
        """Put new trades on the agenda and tell the listeners what happened."""
        for trade in self.engine.unsettled:
            self._at(trade.view.match_ms + self.engine.settling.mined_ms, "mine", trade.view.trade_id)
        self.engine.unsettled.clear()
        if self._callbacks:
            for event in self.engine.news.drain(self.now_ms):
                for callback in tuple(self._callbacks):
                    callback(event)
