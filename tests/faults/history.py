"""One history: a fresh database and account, approvals, a fault, then everything put right and run to rest."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from polyb0t.core.errors import PolybotError
from polyb0t.core.ids import IntentId
from polyb0t.execution.intents import IntentRecord, IntentStatus, TradeIntent
from polyb0t.models.kill_switches import KillSwitchType
from polyb0t.sandbox.house import Mode
from polyb0t.sandbox.types import MILLION, Side
from tests.faults.exchange import Exchange
from tests.faults.line import Line
from tests.faults.machine import Machine
from tests.faults.points import CrashError, Points
from tests.faults.process import Process
from tests.faults.socket import Socket, Wire, as_told
from tests.support.builders import a_cancel
from tests.support.clock import FakeClock

# Seconds before each turn that leads to rest: the first is enough for the chain, the next four for a proof
# of absence, all of them for an order that dies by its own date.
REST: Final = (6, 20, 45, 15, 15, 60, 120, 120)
S = IntentStatus


@dataclass
class History:
    """What a scenario acts on. `shares_given` and `pusd_given` are what others did to the account."""

    machine: Machine
    random: Random
    small_pages: bool = False
    exchange: Exchange = field(init=False)
    venue_clock: FakeClock = field(init=False)
    points: Points = field(default_factory=Points)
    engines: list[Process] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    intents: list[TradeIntent] = field(default_factory=list)
    cancels: list[IntentId] = field(default_factory=list)  # approved ones
    faults: list[str] = field(default_factory=list)  # what struck, in order
    pusd_given: int = 0  # millionths; negative when taken
    shares_given: int = 0
    skew: float = 0.0
    skewed: bool = False  # the clock was set at some time
    venue_skew: float = 0.0
    winners: int = 0  # approvals that people were told of
    sends_allowed: int | None = None  # how many orders may have left, once the HALT file is there
    must_trip: bool = False  # what happened has to stop trading
    holding: list[Callable[[], None]] = field(default_factory=list)  # what keeps the database locked
    wire: Wire | None = None  # what happens to the news of the account's socket; None: there is none
    socket: Socket | None = None
    broken: list[tuple[str, str]] = field(default_factory=list)  # promises that a scenario saw broken
    all_dead: bool = False  # at the end no order of ours may rest

    def __post_init__(self) -> None:
        self.machine.fresh(small_pages=self.small_pages)
        self.venue_clock = FakeClock(self.machine.clock.now())
        self.exchange = Exchange(self.venue_clock, self.random.randrange(1 << 30))
        self.start(0)

    @property
    def engine(self) -> Process:
        return self.engines[-1]

    @property
    def scope(self) -> str:
        return str(self.machine.scope)

    def start(self, slot: int) -> Process:
        """A new engine process; whoever held the lease before is gone or silent."""
        place = self.machine.slot(slot)
        place.renew()
        place.points = self.points if slot == 0 else Points()
        line = Line(self.exchange, place.points)
        self.lines.append(line)
        process = Process(place, line, self.machine.clock, f"engine-{len(self.engines)}", self.machine.files)
        self.engines.append(process)
        self._listen(process)
        return process

    def listen(self, wire: Wire) -> None:
        """The engine's socket is open; what it tells is treated so until everything is put right."""
        self.wire = wire
        self._listen(self.engine)

    def _listen(self, process: Process) -> None:
        if self.socket is not None:
            self.socket.close()
        if self.wire is not None:
            self.socket = Socket(process, self.exchange, self.wire)

    def crash_and_restart(self, slot: int = 0) -> None:
        """What was in memory is gone; a new process reconciles before anything else."""
        old = self.engines[-1]
        self.start(slot).line.troubles.extend(old.line.troubles)
        self.engine.reconciler.run()

    def propose(self, intent: TradeIntent) -> IntentId:
        record = self.engine.stores.intents.propose(intent, self.engine.lease)
        assert isinstance(record, IntentRecord), record
        self.intents.append(intent)
        return record.id

    def try_to_approve(self, intent: TradeIntent) -> bool:
        """Propose and approve a further one, unless something stands in the way, such as the first."""
        if not isinstance(self.engine.stores.intents.propose(intent, self.engine.lease), IntentRecord):
            return False
        self.intents.append(intent)
        self.decide(intent)
        return True

    def approve(self, intent: TradeIntent) -> IntentId:
        """Proposed by the engine, approved by a person at another process."""
        self.propose(intent)
        return self.decide(intent)

    def decide(self, intent: TradeIntent) -> IntentId:
        person = self.machine.slot(2).stores
        person.intents.approve(intent.id, digest=intent.digest, actor="user:anna", grace_seconds=10)
        return intent.id

    def execute(self, intent_id: IntentId) -> bool:
        """The engine takes it up; False when it crashed on the way."""
        self.points.counting = True
        try:
            self.engine.execute(intent_id)
        except CrashError:
            return False
        except PolybotError as error:
            self.faults.append(f"told: {error.code}")
        finally:
            self.points.counting = False
        return True

    def wait(self, seconds: float) -> None:
        """Time passes for everybody; what is held up on the way arrives."""
        self.machine.clock.advance(seconds=seconds)
        self.venue_clock.advance(seconds=seconds)
        self.exchange.pass_time(seconds)
        for line in self.lines:
            line.pass_time(seconds)
        if self.socket is not None:
            self.socket.pass_time()

    def jump(self, seconds: float) -> None:
        """Somebody sets this machine's clock."""
        self.machine.clock.jump_wall(seconds=seconds)
        self.skew += seconds
        self.skewed = True

    def fill_disk(self) -> None:
        """The database of the engine cannot grow by one more page."""
        self.faults.append("no page left")
        self.machine.slot(0).limit_pages()

    def let_go(self) -> None:
        """Locks are released, and there is room again."""
        for release in self.holding:
            release()
        self.holding.clear()
        self.machine.slot(0).lift_limit()

    def trip(self) -> None:
        person = self.machine.slot(2).stores
        person.switches.trip(KillSwitchType.MANUAL, actor="user:anna", reason="the fault suite")

    def cancel_resting(self) -> None:
        """A person has every order of ours that rests cancelled, one intent each."""
        for order in self.engine.stores.orders.orders():
            if order.status == "LIVE":
                self._cancel(order.id, order.asset_id)

    def _cancel(self, order_id: str, asset_id: str) -> None:
        intent = a_cancel(
            order_id,  # type: ignore[arg-type]
            scope=self.scope,
            created_at=self.engine.stores.intents.now(),
            asset_id=asset_id,
            condition_id=self.exchange.spec.condition_id,
        )
        answer = self.engine.stores.intents.propose(intent, self.engine.lease)
        if isinstance(answer, IntentRecord):
            person = self.machine.slot(2).stores
            person.intents.approve(intent.id, digest=intent.digest, actor="user:anna", grace_seconds=10)
            self.cancels.append(intent.id)

    # -- to rest -------------------------------------------------------------------------------

    def come_to_rest(self) -> None:
        """Faults are over, a process runs, time passes; resting orders are filled or cancelled."""
        for line in self.lines:
            line.lift()
        self.let_go()
        self.venue_clock.jump_wall(seconds=-self.venue_skew)
        house = self.exchange.app.house
        house.enter(Mode.NORMAL, None)
        house.order_lag_ms = 0
        if self.skew:
            self.jump(-self.skew)
            self.skew = 0.0
        if self.wire is not None:
            self.wire.bend, self.wire.breaks = as_told, False
        self.start(0)  # a new process: also what it had noticed of clock and locks is gone
        fate = self.random.choice(("filled", "cancelled", "left"))
        for number, seconds in enumerate(REST):
            self.wait(seconds)
            report = self.engine.turn()
            if not report.open_orders and self._quiet():
                return
            if number == 0:
                self._decide(fate)

    def _decide(self, fate: str) -> None:
        if fate == "filled":
            self.exchange.withdraw_quotes()
            self.exchange.quote(400_000, Side.SELL, 100 * MILLION)
        elif fate == "cancelled":
            self.cancel_resting()

    def _quiet(self) -> bool:
        stores = self.engine.stores
        if any(line.delayed for line in self.lines):
            return False
        return not stores.intents.list(statuses=(S.APPROVED, S.EXECUTING))
