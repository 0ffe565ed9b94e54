"""A paper run with everything around it: real storage, books and results that tests write, a clock moved by hand.

`restart` is a crash and a new process on the same database.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.order_book import OrderBook
from polyb0t.execution.executor import Preparing
from polyb0t.execution.in_flight import InFlight
from polyb0t.execution.intents import IntentRecord, TradeIntent
from polyb0t.execution.orders import OrderRecord
from polyb0t.execution.paper import PaperExecutor
from polyb0t.execution.paper_account import PaperAccount, PaperKeeper
from polyb0t.execution.paper_exchange import PaperExchange
from polyb0t.execution.reconciler import ReconcileReport
from polyb0t.execution.scope import PAPER_WALLET, Lease, Regime
from polyb0t.execution.store import Stores
from polyb0t.models.limits import RiskLimits
from tests.support.builders import a_close, a_scope, an_intent
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_stores
from tests.support.engine_room import Tripwire
from tests.support.trading import FakeBooks, FakeSituation

SCOPE = a_scope(wallet=PAPER_WALLET)
ANY_PRICE = RiskLimits(collar_pusd=Decimal(1), collar_fraction=Decimal(1), spread_max=Decimal(1))
BANKROLL = Pusd(Decimal(1000))


@dataclass
class Results:
    """What resolved markets pay, or nothing while `down`."""

    pays: dict[AssetId, Price] = field(default_factory=dict)
    down: bool = False
    asked: int = 0

    def resolved(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, Price]:
        self.asked += 1
        if self.down:
            raise VenueUnreachableError("The results could not be read.")
        return {asset: self.pays[asset] for asset in asset_ids if asset in self.pays}


class PaperRoom:
    """One paper scope and the engine process that runs now."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.books = FakeBooks(self.clock)
        self.results = Results()
        self.on_the_way: Callable[[TradeIntent], float] = lambda _intent: 1.0  # seconds, and what happens
        self.halted_by_file = False
        self.shown: dict[AssetId, OrderBook] = {}  # what the cycle saw last
        self.stores: Stores = sqlite_stores(folder, self.clock, SCOPE)
        self.situation = FakeSituation(self.stores, self.clock)
        self.situation.changes = {"limits": ANY_PRICE}
        self.lease = self._acquire(None)
        self.stores.books.open_books(Regime.PAPER, BANKROLL, self.lease)
        self.start()

    def start(self, wire: Tripwire | None = None) -> None:
        """The parts of one process, optionally with a tripwire between them."""
        stores = self.stores if wire is None else _wired(self.stores, wire)
        self.in_flight = InFlight()
        self.account = PaperAccount(stores, self.clock)
        self.exchange = PaperExchange(stores, self.lease, self.in_flight)
        self.keeper = PaperKeeper(
            stores,
            self.lease,
            self.account,
            self.exchange,
            self.in_flight,
            self.clock,
            self.results,
            self.shown.get,
            lambda: self.halted_by_file,
            60,
        )
        preparing = Preparing(
            stores, self.lease, Regime.PAPER, self.books, self.situation, lambda: self.halted_by_file
        )
        self.executor = PaperExecutor(
            preparing,
            self.in_flight,
            self.exchange,
            self.clock,
            delay_of=lambda intent: self.on_the_way(intent),
        )

    def restart(self) -> ReconcileReport:
        """A new process takes over and compares before anything else."""
        self.lease = self._acquire(self.lease.token)
        self.start()
        return self.keeper.run()

    def advance(self, *, seconds: float = 0, minutes: float = 0) -> None:
        """Time passes while the engine keeps its lease."""
        self.clock.advance(seconds=seconds, minutes=minutes)
        self.stores.engine.beat(self.lease, cycle=1)

    def intent(self, **changes: Any) -> TradeIntent:
        """A taker BUY of 10 pUSD at 0.50 or better."""
        given = {"scope": str(SCOPE), "regime": Regime.PAPER, "created_at": self.clock.now()}
        return an_intent(**{**given, **changes})

    def sale(self, shares: str = "20", **changes: Any) -> TradeIntent:
        """A taker SELL at 0.40 or better."""
        given = {"scope": str(SCOPE), "regime": Regime.PAPER, "created_at": self.clock.now()}
        return a_close(**{**given, "shares": Shares(Decimal(shares)), **changes})

    def approve(self, intent: TradeIntent) -> IntentRecord:
        """Proposed, and decided by the engine itself."""
        record = self.stores.intents.propose(intent, self.lease)
        assert isinstance(record, IntentRecord), record
        return self.stores.intents.approve(
            intent.id, digest=intent.digest, actor="engine:paper", grace_seconds=10
        )

    def execute(self, intent: TradeIntent) -> IntentRecord:
        """Proposed, approved, executed."""
        return self.executor.execute(self.approve(intent).id)

    def order(self, intent: TradeIntent) -> OrderRecord:
        order_id = self.stores.intents.get(intent.id).order_id
        assert order_id is not None, "the intent has no order"
        return self.stores.orders.order(order_id)

    def show(self, book: OrderBook) -> None:
        """The market shows this from now on, to the cycle and to orders that arrive."""
        self.books.book = book
        self.shown[book.asset_id] = self.books.fresh_book(book.asset_id)

    @property
    def cash(self) -> Pusd:
        cash = self.account.cash_pusd()
        assert cash is not None
        return cash

    def held(self, asset_id: AssetId) -> Shares:
        shares = self.account.held_shares(asset_id)
        assert shares is not None
        return shares

    def _acquire(self, take_over_from: int | None) -> Lease:
        lease = self.stores.engine.acquire(
            "engine",
            holder="host:1",
            boot_id="boot",
            process_started="then",
            regime=Regime.PAPER,
            take_over_from=take_over_from,
        )
        assert isinstance(lease, Lease), lease
        return lease


def _wired(stores: Stores, wire: Tripwire) -> Stores:
    parts = {name: wire.wrap(getattr(stores, name), name) for name in ("intents", "orders", "books")}
    others = {name: getattr(stores, name) for name in Stores.__dataclass_fields__ if name not in parts}
    return Stores(**cast("dict[str, Any]", {**others, **parts}))
