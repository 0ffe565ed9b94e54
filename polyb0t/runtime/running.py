"""A run of an engine: threads started in order, and all of them ended within a promised time."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final

import structlog

from polyb0t.config.settings import Settings
from polyb0t.core.clock import Clock
from polyb0t.core.errors import LeaseLostError, PolybotError, VenueUnreachableError
from polyb0t.execution.intents import IntentStatus
from polyb0t.execution.onlookers import people
from polyb0t.execution.orders import DOUBTFUL_ORDER, OPEN_ORDER, OrderRecord, OrderStatus
from polyb0t.execution.store import JournalEntry, Stores
from polyb0t.runtime.choices import always_known, cycle_seconds, regime_of
from polyb0t.runtime.ending import Ending, beside
from polyb0t.runtime.facts import Publisher
from polyb0t.runtime.jobs import Jobs
from polyb0t.runtime.lease import LeaseKeeper
from polyb0t.runtime.places import log_file
from polyb0t.runtime.risk_facts import RISK
from polyb0t.runtime.rotating import ASKED as ROTATION_ASKED
from polyb0t.runtime.screen import Ended, Screen, StatusFacts, StopFacts
from polyb0t.runtime.tail import SizeNotice, StageFailures, Tail
from polyb0t.runtime.taking_back import SWITCHED, take_back_if_halted
from polyb0t.runtime.telling import Telling, cycle_fact
from polyb0t.runtime.wiring import Engine

log = structlog.get_logger()

TAIL_SECONDS: Final = 0.5
FINISH_SECONDS: Final = 5.0  # what is promised to a person who types Ctrl-C
PATIENT_SECONDS: Final = 20.0  # for an end that nobody waits for
READY_SECONDS: Final = 2.0
WATCHING_SECONDS: Final = 60.0
_HOLDINGS_MOVE: Final = ("fill.recorded", "order.settled")
_EXIT_CODES: Final = {Ended.ASKED: 0, Ended.TAKEN_OVER: LeaseLostError.exit_code, Ended.NOT_WRITTEN: 1}


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How `run` was called. `cycles` ends the engine after so many; `ready_file` appears after the first;
    `standby` waits behind a running engine in place of refusing."""

    yes: bool = False
    attended: bool = True  # somebody sits at the terminal of this start
    cycles: int | None = None
    ready_file: Path | None = None
    standby: bool = False


@dataclass
class Run:
    """One run, in the main thread: it waits and ends, everything else happens in other threads."""

    settings: Settings
    screen: Screen
    options: RunOptions
    clock: Clock
    stores: Stores
    keeper: LeaseKeeper
    engine: Engine
    ending: Ending
    _stop: threading.Event = field(default_factory=threading.Event)
    _interrupts: int = 0
    _cycles: int = 0
    _ready_at: float = float("-inf")  # when the ready file was made
    _orders: tuple[OrderRecord, ...] = ()  # those that may be at the exchange, as last read

    def __post_init__(self) -> None:
        self._publisher = Publisher(
            self.engine.desk, self.engine.books, self.engine.window, always_known(self.settings)
        )
        self.keeper.facts = self._facts
        self._tail = Tail(self.stores.engine, self.screen, self.clock, self._status, self._noticed)
        self._tail.begin()
        self._telling = Telling(
            self.settings, self.stores, self.engine.live_book, self.clock, self._tail.tell
        )
        self._failures = StageFailures(self._tail.tell)
        self._size = SizeNotice(self._tail.tell)
        self._cycle_ended = self.clock.boot_seconds()
        self._looking = threading.Thread(target=self._look, name="screen", daemon=True)

    def until_stopped(self) -> int:
        """Run until Ctrl-C, a signal, the last of `options.cycles` or a lost lease; the exit code.

        What `ending.left_behind` names then still hangs.
        """
        self._note("engine.started", {"regime": str(regime_of(self.settings)), "pid": os.getpid()})
        jobs = Jobs(
            cycle=self._one_cycle,
            compare=self._compare,
            cycle_seconds=cycle_seconds(self.settings),
            clock=self.clock,
        )
        with self._signals():
            begun = self._finished(self._compare)  # before anything: our records against the exchange's
            if begun:
                self._begin(jobs)
                self._wait()
            self._end(jobs if begun else None)
        ended = self.keeper.ended
        if ended is Ended.ASKED and not self._interrupts and not self._failures.market_read:
            return VenueUnreachableError.exit_code
        return _EXIT_CODES[ended]

    # -- while it runs ------------------------------------------------------------------------

    def _begin(self, jobs: Jobs) -> None:
        if self.engine.recorder is not None:
            self.engine.recorder.start()
        if self.engine.outside is not None:
            self.engine.outside.start()
        if self.engine.histories is not None:
            self.engine.histories.start()
        if self.engine.listening is not None:
            self.engine.listening.start()
        self.engine.executor.start()
        self.engine.cycle.begin_now = jobs.wake
        jobs.start()
        self._looking.start()
        self._telling.start()

    def _wait(self) -> None:
        while not self._stop.wait(TAIL_SECONDS) and not self.keeper.lost.is_set():
            pass
        self._stop.set()

    def _finished(self, action: Callable[[], None]) -> bool:
        """Whether `action` came to its end before somebody asked to stop."""
        thread = beside("first comparison", action)
        while thread.is_alive() and not self._stop.is_set():
            thread.join(TAIL_SECONDS / 10)
        if thread.is_alive():
            self.ending.left_behind.append(thread.name)
        return not thread.is_alive() and not self._stop.is_set()

    def _one_cycle(self) -> None:
        try:
            report = self.engine.cycle.run()
        except LeaseLostError:
            self.keeper.lose(Ended.TAKEN_OVER)
            self._stop.set()
            return
        self._failures.seen(report)
        self._publish()
        self._cycles += 1
        self._cycle_ended = self.clock.boot_seconds()
        self.keeper.cycle = self._cycles
        if self._cycles == 1 and self.options.ready_file is not None:
            self._ready_at = self.clock.boot_seconds()
            self.options.ready_file.touch()
        if self.options.cycles is not None and self._cycles >= self.options.cycles:
            self._stop.set()

    def _publish(self) -> None:
        try:
            self._publisher.collect(self.stores.intents.now(), self._problem())
            self._size.seen(self._publisher.facts().get(RISK))
        except PolybotError as error:
            log.warning("facts.not_collected", reason=str(error))

    def _noticed(self, entry: JournalEntry) -> None:
        """What is held has changed: cash and bid are shown now, not after the next cycle."""
        self._telling.happened(entry)
        if entry.kind in _HOLDINGS_MOVE:
            try:
                self.engine.cycle.look_at_account()
            except PolybotError as error:
                log.warning("account.not_read", reason=str(error))
            self._publish()
            self.keeper.hurry()
        if entry.kind == ROTATION_ASKED and self.engine.rotation is not None:
            self.engine.rotation.begin(entry)
        if entry.kind in SWITCHED:
            take_back_if_halted(entry, lambda: self._compare(now=True))
            self.keeper.hurry()

    def _facts(self) -> Mapping[str, object]:
        cycle = cycle_fact(self.engine.cycle.last)
        return {**self._publisher.facts(), **self.engine.switches.facts(), **cycle}

    def _compare(self, *, now: bool = False) -> None:
        agreement = self.engine.agreement
        try:
            agreement.compare() if now else agreement.compare_when_due()
        except LeaseLostError:
            self.keeper.lose(Ended.TAKEN_OVER)
            self._stop.set()
        except PolybotError as error:
            log.warning("reconciliation.not_run", reason=str(error))

    def _look(self) -> None:
        while not self._stop.wait(TAIL_SECONDS):
            try:
                if not self._launcher_is_writing():
                    self._tail.look()
            except Exception:
                log.exception("screen.crashed")  # the engine lives on: its screen is not its purpose

    def _launcher_is_writing(self) -> bool:
        """A launcher that shares this terminal ends its line first: it takes the ready file away then. Who
        lets it lie is waited for no longer than a moment."""
        ready = self.options.ready_file
        if ready is None or self._ready_at == float("-inf"):
            return ready is not None
        return ready.exists() and self.clock.boot_seconds() - self._ready_at < READY_SECONDS

    # -- its end ------------------------------------------------------------------------------

    def _end(self, jobs: Jobs | None) -> None:
        """Begin nothing more, wait for what runs as long as was promised, and say what stays."""
        ending = self.ending
        # Without the lease as fast as a person is promised: whoever waits for it takes over soon.
        ending.within(FINISH_SECONDS if self.keeper.lost.is_set() else PATIENT_SECONDS)
        if self._interrupts:
            self._say(lambda: self.screen.stopping(tuple(o.id for o in self._of(OPEN_ORDER))))
        if jobs is not None:
            looking = self._looking.join
            sends = self.engine.executor.close
            ending.run(("screen", looking), ("cycle", jobs.close), ("sends", sends), keep=1.5)
            ending.run(("connections", self.engine.close), keep=1.0)
        ending.run(("last words", self._last_words), keep=0.25)
        if jobs is not None:
            ending.run(("telling", self._telling.close), keep=0.2)
        unknown, still_open = len(self._of(DOUBTFUL_ORDER)), len(self._of(OPEN_ORDER))
        facts = StopFacts(still_open, unknown, self._cycles, str(log_file(self.settings)), self.keeper.ended)
        self._say(lambda: self.screen.stopped(facts))

    def _last_words(self) -> None:
        self._read_orders()
        if not self._looking.is_alive():
            self._tail.news()
        if self.keeper.ended is not Ended.TAKEN_OVER:
            self._note("engine.stopped", {"cycles": self._cycles})
        if not self._looking.is_alive():
            self._tail.news()  # the owner's program is told of the end as well

    def _say(self, words: Callable[[], None]) -> None:
        with suppress(OSError):  # the terminal is gone; nobody is there to be told
            words()

    def _note(self, kind: str, payload: dict[str, object]) -> None:
        self.stores.engine.note(
            self.keeper.lease, kind=kind, subject="engine", payload=payload, actor="engine"
        )

    # -- what is known ------------------------------------------------------------------------

    def _read_orders(self) -> None:
        self._orders = self.stores.orders.watched()

    def _of(self, statuses: frozenset[OrderStatus]) -> tuple[OrderRecord, ...]:
        return tuple(order for order in self._orders if order.status in statuses)

    def _status(self) -> StatusFacts:
        self._read_orders()
        now = self.clock.now()
        pending = self.stores.intents.list(statuses=(IntentStatus.PENDING,), limit=100)
        waiting = [record for record in pending if record.intent.deadline > now]
        last = self.engine.cycle.last
        shown = any(
            (now - record.seen_at).total_seconds() < WATCHING_SECONDS
            for record in waiting
            if record.seen_at is not None
        )
        watching = len(people(self.stores.onlookers.onlookers()))
        return StatusFacts(
            now=now,
            cycle=self._cycles,
            cycle_seconds=last.seconds if last else 0.0,
            cycle_age_seconds=self.clock.boot_seconds() - self._cycle_ended,
            waiting=len(waiting),
            next_deadline=min((record.intent.deadline for record in waiting), default=None),
            watchers=watching or int(shown),
            cash_pusd=self.engine.desk.cash_pusd(),
            switches=tuple(self.stores.switches.list()),
            problem=self._problem(),
        )

    def _problem(self) -> str | None:
        if self.engine.trader.stopped:
            return self.engine.trader.stopped
        wrong_clock = self.engine.desk.clock_facts()[1]
        if wrong_clock is not None:
            return wrong_clock
        report = self.engine.agreement.last
        if report is not None and not report.ok:
            return f"Our records and the exchange's could not be compared: {report.problems[0]}"
        last = self.engine.cycle.last
        if last is not None and last.failed:
            stage, reason = next(iter(last.failed.items()))
            return f"The last cycle could not do {stage}: {reason}"
        return None

    # -- signals ------------------------------------------------------------------------------

    @contextmanager
    def _signals(self) -> Iterator[None]:
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        for number in before:
            signal.signal(number, self._interrupted)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _interrupted(self, _number: int, _frame: FrameType | None) -> None:
        """The first finishes the cycle; the second ends at once, and what is unknown is looked up later."""
        self._interrupts += 1
        if self._interrupts > 1:
            os._exit(0)
        self.ending.within(FINISH_SECONDS)
        self._stop.set()
