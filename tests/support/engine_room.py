"""An executor with everything around it: real storage, a scripted exchange, a clock that is moved by hand.

`restart` is a crash and a new process on the same database and the same exchange.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, cast

from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import AssetId, OrderId
from polyb0t.core.units import ZERO, Price, Pusd, Shares
from polyb0t.data.fills import FillStatus
from polyb0t.data.order_book import Side
from polyb0t.execution.anchor import AnchorFile
from polyb0t.execution.dispatcher import Dispatcher
from polyb0t.execution.executor import BookSource, Executor, Preparing, Situation
from polyb0t.execution.gateway import OrderGateway
from polyb0t.execution.in_flight import InFlight
from polyb0t.execution.intents import IntentRecord, IntentStatus, TradeIntent
from polyb0t.execution.live_executor import ExecutorSettings, LiveExecutor
from polyb0t.execution.orders import OrderRecord
from polyb0t.execution.reconciler import Reconciler, ReconcileReport
from polyb0t.execution.rehearsing import Rehearser
from polyb0t.execution.scope import Regime
from polyb0t.execution.spool import AnswerSpool
from polyb0t.execution.store import IntentStore, Lease, OrderStore, Stores
from tests.support.clock import FakeClock
from tests.support.databases import World, sqlite_stores
from tests.support.fake_gateway import FakeGateway
from tests.support.trading import FakeBooks, FakeSituation


class CrashError(BaseException):
    """The process ends here; nothing may catch it."""


@dataclass
class Tripwire:
    """Crashes at the nth call that passes through any part wrapped by it, before or after the call."""

    at: int | None = None
    after: bool = False
    calls: list[str] = field(default_factory=list)

    def wrap(self, part: Any, name: str) -> Any:
        return _Wrapped(self, part, name)

    def pass_through(self, label: str, call: Callable[[], Any]) -> Any:
        self.calls.append(label)
        here = len(self.calls) == self.at
        if here and not self.after:
            raise CrashError(f"before {label}")
        result = call()
        if here:
            raise CrashError(f"after {label}")
        return result


class _Wrapped:
    def __init__(self, wire: Tripwire, part: Any, name: str) -> None:
        self._wire, self._part, self._name = wire, part, name

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(self._part, attribute)
        if not callable(found):
            return found
        label = f"{self._name}.{attribute}"
        return lambda *args, **kwargs: self._wire.pass_through(label, lambda: found(*args, **kwargs))


class EngineRoom:
    """One scope, one exchange, and the engine process that runs now."""

    def __init__(
        self, folder: Path | None = None, *, regime: Regime = Regime.LIVE, world: World | None = None
    ) -> None:
        """On a new SQLite database in `folder`, or on the database of a running `world`."""
        self.regime = regime
        self.clock = world.clock if world else FakeClock()
        self.gateway = FakeGateway()
        self.books = FakeBooks(self.clock)
        self.halted_by_file = False
        self.resolved: set[AssetId] = set()
        self.cancel_on_halt = True
        self.read_cash: Callable[[], Pusd | None] = self._cash_at_exchange
        self.read_held: Callable[[AssetId], Shares | None] = self._held_at_exchange
        self.stores: Stores = world.stores if world else sqlite_stores(_given(folder), self.clock)
        files = folder or Path(mkdtemp(prefix="room"))
        self.spool = AnswerSpool(files / "spool")
        self.anchor = AnchorFile(files / "anchor.json", self.stores.engine)
        self.situation = FakeSituation(self.stores, self.clock)
        self.lease = self._acquire(world.lease.token if world else None)
        self.start()

    def start(self, wire: Tripwire | None = None) -> None:
        """The parts of one process, optionally with a tripwire between them."""
        wrap = wire.wrap if wire else (lambda part, _name: part)
        stores = Stores(
            scope=self.stores.scope,
            intents=cast("IntentStore", wrap(self.stores.intents, "intents")),
            orders=cast("OrderStore", wrap(self.stores.orders, "orders")),
            engine=self.stores.engine,
            switches=self.stores.switches,
            books=self.stores.books,
            standing=self.stores.standing,
            by_hand=self.stores.by_hand,
            exits=self.stores.exits,
            prices=self.stores.prices,
            onlookers=self.stores.onlookers,
            access=self.stores.access,
        )
        live = self.regime is Regime.LIVE
        gateway = cast("OrderGateway", wrap(self.gateway, "gateway")) if live else None
        self.in_flight = InFlight()
        self.reconciler = Reconciler(
            stores,
            self.lease,
            gateway,
            held_shares=self.held_shares,
            clock=self.clock,
            in_flight=self.in_flight,
            cancel_on_halt=self.cancel_on_halt,
            cash=lambda: self.read_cash(),
            halt_file=lambda: self.halted_by_file,
            spool=self.spool,
            resolved=self._resolved_at_exchange,
        )
        books = cast("BookSource", wrap(self.books, "books"))
        situation = cast("Situation", wrap(self.situation, "situation"))
        self.executor: Executor
        if gateway is None:
            preparing = Preparing(
                stores, self.lease, self.regime, books, situation, lambda: self.halted_by_file
            )
            self.executor = Rehearser(preparing, self.in_flight)
            return
        self.executor = LiveExecutor(
            stores,
            self.lease,
            gateway=gateway,
            books=books,
            situation=situation,
            clock=self.clock,
            settings=ExecutorSettings(self.regime),
            halt_file=lambda: self.halted_by_file,
            in_flight=self.in_flight,
            spool=self.spool,
            anchor=self.anchor.advance,
            follow=self.reconciler.follow,
        )

    def restart(self) -> ReconcileReport:
        """A new process takes over and reconciles before anything else."""
        self.lease = self._acquire(self.lease.token)
        self.start()
        return self.reconciler.run()

    def advance(self, *, seconds: float = 0, minutes: float = 0) -> None:
        """Time passes while the engine keeps its lease."""
        self.clock.advance(seconds=seconds, minutes=minutes)
        self.stores.engine.beat(self.lease, cycle=1)

    def dispatcher(self, workers: int = 4) -> Dispatcher:
        return Dispatcher(self.executor, self.stores.intents, self.clock, workers=workers)

    def propose(self, intent: TradeIntent) -> IntentRecord:
        record = self.stores.intents.propose(intent, self.lease)
        assert isinstance(record, IntentRecord), record
        return record

    def approve(self, intent: TradeIntent) -> IntentRecord:
        """Proposed and approved by a person."""
        self.propose(intent)
        return self.stores.intents.approve(
            intent.id, digest=intent.digest, actor="user:anna", grace_seconds=10
        )

    def execute(self, intent: TradeIntent) -> IntentRecord:
        """Proposed, approved, executed."""
        return self.executor.execute(self.approve(intent).id)

    def status(self, intent: TradeIntent) -> IntentStatus:
        return self.stores.intents.get(intent.id).status

    def order(self, intent: TradeIntent) -> OrderRecord:
        order_id = self.stores.intents.get(intent.id).order_id
        assert order_id is not None, "the intent has no order"
        return self.stores.orders.order(order_id)

    def order_id(self, intent: TradeIntent) -> OrderId:
        return self.gateway.order_id(intent)

    def held_shares(self, asset_id: AssetId) -> Shares | None:
        return self.read_held(asset_id)

    def _held_at_exchange(self, asset_id: AssetId) -> Shares | None:
        return None if self.gateway.down else Shares(self.gateway.held().get(asset_id, ZERO))

    def _resolved_at_exchange(self, assets: Sequence[AssetId]) -> dict[AssetId, Price]:
        if getattr(self.gateway, "down", False):  # a real one is not told to be
            raise VenueUnreachableError("The exchange did not answer.")
        return {asset: Price(Decimal(1)) for asset in assets if asset in self.resolved}

    def _cash_at_exchange(self) -> Pusd | None:
        """10,000 pUSD and what confirmed trades paid and brought."""
        if self.gateway.down:
            return None
        cash = Decimal(10_000)
        for fill in self.gateway.trades.values():
            if fill.status is FillStatus.CONFIRMED:
                cash += (fill.notional if fill.side is Side.SELL else -fill.notional) - fill.fee
        return Pusd(cash)

    def _acquire(self, take_over_from: int | None) -> Lease:
        lease = self.stores.engine.acquire(
            "engine",
            holder="host:1",
            boot_id="boot",
            process_started="then",
            regime=self.regime,
            take_over_from=take_over_from,
        )
        assert isinstance(lease, Lease), lease
        return lease


def _given(folder: Path | None) -> Path:
    assert folder is not None, "a folder or a world"
    return folder
