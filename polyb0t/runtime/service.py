"""`polyb0t run`: everything from the settings to a running engine and back to nothing."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

import structlog

from polyb0t.config.settings import Settings
from polyb0t.core.clock import Clock, SystemClock, iso
from polyb0t.core.errors import ConfigurationError, ConflictError, LeaseLostError, PolybotError
from polyb0t.core.units import Pusd
from polyb0t.db import migrate
from polyb0t.db.stores import open_stores
from polyb0t.execution.anchor import AnchorFile, require_present
from polyb0t.execution.intents import IntentStatus
from polyb0t.execution.orders import DOUBTFUL_ORDER, OPEN_ORDER, OrderRecord, OrderStatus
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Lease, LeaseInfo, Stores
from polyb0t.runtime.current import CurrentRun, process_started, write_current
from polyb0t.runtime.facts import DayBook, Publisher
from polyb0t.runtime.jobs import Jobs
from polyb0t.runtime.keys import signing_key
from polyb0t.runtime.lease import LeaseKeeper, acquire_lease, stand_by
from polyb0t.runtime.logging import configure_logging
from polyb0t.runtime.places import anchor_path, data_dir, database_url, log_file
from polyb0t.runtime.screen import CheckFacts, Screen, StartFacts, StatusFacts, StopFacts
from polyb0t.runtime.surroundings import Surroundings, look_around
from polyb0t.runtime.views import without_password
from polyb0t.runtime.wallet_lock import WalletLock
from polyb0t.runtime.wiring import Account, Engine, build_account, build_engine, credentials_file, regime_of
from polyb0t.venue.credentials import load_credentials, obtain_credentials, save_credentials
from polyb0t.venue.one_shot import OneShot
from polyb0t.venue.preflight import CheckState, run_preflight
from polyb0t.venue.signing import SigningKey

log = structlog.get_logger()

TAIL_SECONDS: Final = 0.5
FINISH_SECONDS: Final = 5.0
WATCHING_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How `run` was called. `cycles` ends the engine after so many; `ready_file` appears after the first;
    `standby` waits behind a running engine in place of refusing."""

    yes: bool = False
    cycles: int | None = None
    ready_file: Path | None = None
    standby: bool = False


def run_engine(settings: Settings, screen: Screen, options: RunOptions) -> int:
    """Run until Ctrl-C, a signal, or the last of `options.cycles`; the exit code.

    Raises:
        PolybotError: it could not start; nothing was sent.
    """
    clock = SystemClock()
    regime = regime_of(settings)
    if regime is Regime.PAPER:
        raise ConfigurationError(
            "Not started: paper trading is not part of this version.",
            why="It comes with the risk controls. Nothing was simulated.",
            do="Dry run on the sandbox: make run",
            code="paper_not_available",
        )
    configure_logging(log_file(settings), settings.log_level)
    around = look_around(settings)
    key = signing_key(around) if regime is Regime.LIVE else None
    url = database_url(settings, around.scope)
    migrate.upgrade(url)
    stores = open_stores(url, around.scope, clock, opening_cooldown_seconds=settings.cooldown_seconds)
    anchor = AnchorFile(anchor_path(settings, around.scope), stores.engine)
    if regime is Regime.LIVE:
        require_present(stores, anchor)
    lease = _lease(stores, regime, clock, screen, options)
    write_current(data_dir(settings), _current_run(settings, around, url, clock))
    keeper = LeaseKeeper(stores.engine, lease, clock)
    keeper.start()
    wallet = WalletLock(around.scope, without_password(url))
    try:
        if regime is Regime.LIVE:
            wallet.take(lambda sentence: _warn(stores, lease, screen, sentence))
        start = _start_facts(settings, around, regime, stores)
        screen.started(start)
        _end_other_regimes(stores, regime)
        account = Account()
        if key is not None:
            anchor.advance()
            account = _sign_in(settings, around, stores, key, clock)
            _check(around, account, screen, clock)
            if not (options.yes or around.environment.is_sandbox or screen.confirm(start)):
                return 0
        engine = build_engine(settings, around, stores, lease, account=account, clock=clock)
        return _Run(_Running(settings, screen, options, clock, stores, keeper, engine)).until_stopped()
    finally:
        wallet.release()
        keeper.stop()


def _lease(stores: Stores, regime: Regime, clock: Clock, screen: Screen, options: RunOptions) -> Lease:
    if not options.standby:
        return acquire_lease(stores.engine, regime)

    def waiting(info: LeaseInfo) -> None:
        screen.told(f"Standing by behind {info.holder}; taking over when it ends or falls silent.")

    return stand_by(stores.engine, regime, clock, waiting=waiting)


def _warn(stores: Stores, lease: Lease, screen: Screen, sentence: str) -> None:
    log.warning("wallet.shared", detail=sentence)
    screen.told(sentence)
    stores.engine.note(
        lease, kind="wallet.shared", subject="engine", payload={"detail": sentence}, actor="engine"
    )


def _end_other_regimes(stores: Stores, regime: Regime) -> None:
    """What was proposed by a run of another regime can never be sent by this one: say so now."""
    undecided = stores.intents.list(statuses=(IntentStatus.PENDING, IntentStatus.APPROVED), limit=1_000)
    for record in undecided:
        if record.intent.regime is not regime:
            with suppress(ConflictError):  # somebody decides it at this very moment; the claim refuses it
                stores.intents.expire(record.id, actor="engine", code="other_regime")


def _current_run(settings: Settings, around: Surroundings, url: str, clock: Clock) -> CurrentRun:
    return CurrentRun(
        scope=str(around.scope),
        database_url=url,
        sandbox_url=settings.sandbox_url,
        pid=os.getpid(),
        process_started=process_started(),
        written_at=iso(clock.now()),
    )


def _start_facts(settings: Settings, around: Surroundings, regime: Regime, stores: Stores) -> StartFacts:
    return StartFacts(
        scope=around.scope,
        regime=regime,
        stores=stores,
        log_file=str(log_file(settings)),
        pretend_cash_pusd=None if regime is Regime.LIVE else Pusd(settings.bankroll_pusd),
        continued=bool(stores.intents.list(limit=1)),
    )


def _sign_in(
    settings: Settings, around: Surroundings, stores: Stores, key: SigningKey, clock: Clock
) -> Account:
    """API credentials: the stored ones, else derived with the key and stored for commands that cancel."""
    path = credentials_file(settings, around)
    credentials = load_credentials(path)
    if credentials is None or credentials.address != key.address:
        environment = around.environment
        credentials = obtain_credentials(
            OneShot(clock), environment.clob_url, key, chain_id=environment.chain_id, at=clock.now()
        )
        save_credentials(path, credentials)
    return build_account(around, stores, credentials, key, clock)


def _check(around: Surroundings, account: Account, screen: Screen, clock: Clock) -> None:
    """The preflight of the live regime.

    Raises:
        ConfigurationError: a check failed; its remedy is named and nothing was sent.
    """
    checks = run_preflight(around.environment, around.wallet, account.api, clock)
    screen.checked(tuple(CheckFacts(c.name, str(c.state), c.detail, c.do) for c in checks))
    failed = next((check for check in checks if check.state is CheckState.FAILED), None)
    if failed is not None:
        raise ConfigurationError(
            f"Not started: the check of {failed.name} failed.",
            why=failed.detail,
            do=failed.do,
            code="preflight_failed",
        )


@dataclass(frozen=True, slots=True)
class _Running:
    """What one run holds."""

    settings: Settings
    screen: Screen
    options: RunOptions
    clock: Clock
    stores: Stores
    keeper: LeaseKeeper
    engine: Engine


class _Run:
    """One run of an engine: threads started in order, stopped in reverse."""

    def __init__(self, running: _Running) -> None:
        self._settings = running.settings
        self._screen = running.screen
        self._options = running.options
        self._clock = running.clock
        self._stores = running.stores
        self._keeper = running.keeper
        self._lease = running.keeper.lease
        self._engine = running.engine
        days = DayBook(running.stores.engine, running.keeper.lease)
        self._publisher = Publisher(running.engine.desk, running.engine.watch, days, running.engine.window)
        self._keeper.facts = self._publisher.facts
        self._stop = threading.Event()
        self._interrupts = 0
        self._cycles = 0
        self._cycle_ended = self._clock.boot_seconds()
        self._told = self._stores.engine.last_sequence()

    def until_stopped(self) -> int:
        note = {"regime": str(regime_of(self._settings)), "pid": os.getpid()}
        self._stores.engine.note(
            self._lease, kind="engine.started", subject="engine", payload=note, actor="engine"
        )
        jobs = Jobs(
            cycle=self._one_cycle,
            compare=self._compare,
            cycle_seconds=self._settings.loop_interval_seconds,
            clock=self._clock,
        )
        with self._signals():
            self._compare()  # before anything else: our records against the exchange's
            if self._engine.recorder is not None:
                self._engine.recorder.start()
            if self._engine.listening is not None:
                self._engine.listening.start()
            self._engine.executor.start()
            jobs.start()
            try:
                self._tail_until_stopped()
            finally:
                self._shut_down(jobs)
        return 4 if self._keeper.lost.is_set() else 0

    def _one_cycle(self) -> None:
        try:
            self._engine.cycle.run()
        except LeaseLostError:
            self._keeper.lost.set()
            self._stop.set()
            return
        self._publish()
        self._cycles += 1
        self._cycle_ended = self._clock.boot_seconds()
        self._keeper.cycle = self._cycles
        if self._cycles == 1 and self._options.ready_file is not None:
            self._options.ready_file.touch()
        if self._options.cycles is not None and self._cycles >= self._options.cycles:
            self._stop.set()

    def _publish(self) -> None:
        try:
            self._publisher.collect(self._stores.intents.now(), self._problem())
        except PolybotError as error:
            log.warning("facts.not_collected", reason=str(error))

    def _compare(self) -> None:
        try:
            self._engine.agreement.compare_when_due()
        except LeaseLostError:
            self._keeper.lost.set()
            self._stop.set()
        except PolybotError as error:
            log.warning("reconciliation.not_run", reason=str(error))

    def _tail_until_stopped(self) -> None:
        """Show what is journalled, by whom ever, until it is time to end."""
        while not self._stop.wait(TAIL_SECONDS):
            if self._keeper.lost.is_set():
                return
            self._tail()
            self._screen.status(self._status())
        if self._interrupts:
            self._screen.stopping(tuple(order.id for order in self._orders(OPEN_ORDER)))

    def _tail(self) -> None:
        try:
            for entry in self._stores.engine.journal(after=self._told):
                self._screen.happened(entry)
                self._told = entry.sequence
        except PolybotError as error:
            log.warning("journal.unreadable", reason=str(error))

    def _shut_down(self, jobs: Jobs) -> None:
        jobs.close()
        self._engine.executor.close()
        self._engine.close()
        self._tail()
        lost = self._keeper.lost.is_set()
        if not lost:
            payload = {"cycles": self._cycles}
            self._stores.engine.note(
                self._lease, kind="engine.stopped", subject="engine", payload=payload, actor="engine"
            )
        still_open, unknown = len(self._orders(OPEN_ORDER)), len(self._orders(DOUBTFUL_ORDER))
        log_at = str(log_file(self._settings))
        self._screen.stopped(StopFacts(still_open, unknown, self._cycles, log_at, lost))

    def _orders(self, statuses: frozenset[OrderStatus]) -> tuple[OrderRecord, ...]:
        return self._stores.orders.orders(statuses=tuple(statuses), limit=1_000)

    def _status(self) -> StatusFacts:
        now = self._clock.now()
        pending = self._stores.intents.list(statuses=(IntentStatus.PENDING,), limit=100)
        waiting = [record for record in pending if record.intent.deadline > now]
        last = self._engine.cycle.last
        deadlines = [record.intent.deadline for record in waiting]
        seen = [record for record in waiting if record.seen_at is not None]
        watched = any(
            (now - record.seen_at).total_seconds() < WATCHING_SECONDS for record in seen if record.seen_at
        )
        return StatusFacts(
            now=now,
            cycle=self._cycles,
            cycle_seconds=last.seconds if last else 0.0,
            cycle_age_seconds=self._clock.boot_seconds() - self._cycle_ended,
            waiting=len(waiting),
            next_deadline=min(deadlines, default=None),
            watchers=int(watched),
            cash_pusd=self._engine.desk.cash_pusd(),
            switches=tuple(self._stores.switches.list()),
            problem=self._problem(),
        )

    def _problem(self) -> str | None:
        if self._engine.live_executor.stopped:
            return self._engine.live_executor.stopped
        report = self._engine.agreement.last
        if report is not None and not report.ok:
            return f"Our records and the exchange's could not be compared: {report.problems[0]}"
        last = self._engine.cycle.last
        if last is not None and last.failed:
            stage, reason = next(iter(last.failed.items()))
            return f"The last cycle could not do {stage}: {reason}"
        return None

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
        self._stop.set()
