"""`polyb0t run`: everything from the settings to a running engine and back to nothing."""

import os
from contextlib import suppress

import structlog

from polyb0t.config.settings import Settings
from polyb0t.core.clock import Clock, SystemClock, iso
from polyb0t.core.errors import ConfigurationError, ConflictError
from polyb0t.core.units import Pusd
from polyb0t.db import migrate
from polyb0t.db.stores import open_stores
from polyb0t.execution.anchor import AnchorFile, require_present
from polyb0t.execution.intents import IntentStatus
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Lease, LeaseInfo, Stores
from polyb0t.runtime.account import Account, build_account, credentials_file
from polyb0t.runtime.choices import decides_itself, regime_of
from polyb0t.runtime.current import CurrentRun, process_started, write_current
from polyb0t.runtime.database_check import check_database
from polyb0t.runtime.ending import Ending, leave
from polyb0t.runtime.interpreter import switch_quickly
from polyb0t.runtime.keys import KEY_NAME, engines_key
from polyb0t.runtime.ladder import next_climb, require_gates
from polyb0t.runtime.lease import LeaseKeeper, acquire_lease, stand_by
from polyb0t.runtime.logging import configure_logging
from polyb0t.runtime.paper import open_account
from polyb0t.runtime.places import anchor_path, data_dir, database_url, log_file
from polyb0t.runtime.running import PATIENT_SECONDS, Run, RunOptions
from polyb0t.runtime.screen import CheckFacts, Screen, StartFacts
from polyb0t.runtime.signing_in import sign_in
from polyb0t.runtime.surroundings import Surroundings, look_around
from polyb0t.runtime.views import without_password
from polyb0t.runtime.wallet_lock import WalletLock
from polyb0t.runtime.wiring import build_engine
from polyb0t.venue.preflight import CheckState, run_preflight
from polyb0t.venue.signing import SigningKey

log = structlog.get_logger()


def run_engine(settings: Settings, screen: Screen, options: RunOptions) -> int:
    """Run until Ctrl-C, a signal, or the last of `options.cycles`; the exit code.

    Raises:
        PolybotError: it could not start; nothing was sent.
    """
    clock = SystemClock()
    regime = regime_of(settings)
    switch_quickly()
    configure_logging(log_file(settings), settings.log_level)
    around = look_around(settings)
    key = engines_key(settings, around) if regime is Regime.LIVE else None
    os.environ.pop(KEY_NAME, None)  # no process that this one starts signs anything
    url = database_url(settings, around.scope)
    migrate.upgrade(url)
    stores = open_stores(
        url,
        around.scope,
        clock,
        opening_cooldown_seconds=settings.cooldown_seconds,
        lease_seconds=settings.lease_seconds,
    )
    anchor = AnchorFile(anchor_path(settings, around.scope), stores.engine)
    if regime is Regime.LIVE:
        require_present(stores, anchor)
    lease = _lease(settings, stores, clock, screen, options)
    write_current(data_dir(settings), _current_run(settings, around, url, clock))
    keeper = LeaseKeeper(stores.engine, lease, clock, settings.lease_seconds)
    keeper.start()
    ending = Ending(clock)
    wallet = WalletLock(around.scope, without_password(url))
    try:
        if regime is Regime.LIVE:
            if not around.environment.is_sandbox:
                require_gates(settings, stores, attended=options.attended)
            wallet.take(lambda sentence: _warn(stores, lease, screen, sentence))
        opened_with = open_account(settings, stores, lease) if regime is Regime.PAPER else None
        start = _start_facts(settings, around, regime, stores, opened_with)
        screen.started(start)
        screen.climbing(next_climb(settings, around, stores).lines)
        _end_other_regimes(stores, regime)
        account = Account()
        if key is not None:
            anchor.advance()
            account = _sign_in(settings, around, stores, key, clock)
            ours = check_database(stores.engine, lease, url, data_dir(settings))
            _check(around, account, screen, clock, ours)
            if not (options.yes or around.environment.is_sandbox or screen.confirm(start)):
                return 0
        engine = build_engine(settings, around, stores, lease, account=account, clock=clock)
        if engine.rotation is not None:
            engine.rotation.finish("engine")
        code = Run(settings, screen, options, clock, stores, keeper, engine, ending).until_stopped()
    finally:
        _let_go(ending, keeper, wallet)
    if ending.left_behind:
        leave(code)
    return code


def _let_go(ending: Ending, keeper: LeaseKeeper, wallet: WalletLock) -> None:
    """Give the lease back, unless something still runs that could send: then only this process's end frees
    it, which the next start on this machine sees at once."""
    ending.within(PATIENT_SECONDS)
    if not ending.left_behind:
        ending.run(("lease", keeper.stop))
    if not ending.left_behind:
        wallet.release()


def _lease(settings: Settings, stores: Stores, clock: Clock, screen: Screen, options: RunOptions) -> Lease:
    regime = regime_of(settings)
    if not options.standby:
        return acquire_lease(stores.engine, regime)

    def waiting(info: LeaseInfo) -> None:
        screen.told(f"Standing by behind {info.holder}; taking over when it ends or falls silent.")

    return stand_by(stores.engine, regime, clock, waiting=waiting, lease_seconds=settings.lease_seconds)


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


def _start_facts(
    settings: Settings, around: Surroundings, regime: Regime, stores: Stores, opened_with: Pusd | None
) -> StartFacts:
    pretend = None if regime is Regime.LIVE else Pusd(settings.bankroll_pusd)
    return StartFacts(
        scope=around.scope,
        regime=regime,
        stores=stores,
        log_file=str(log_file(settings)),
        pretend_cash_pusd=pretend if opened_with is None else opened_with,
        continued=bool(stores.intents.list(limit=1)),
        decides_itself=decides_itself(settings),
        budget_pusd=None if settings.budget_pusd is None else Pusd(settings.budget_pusd),
    )


def _sign_in(
    settings: Settings, around: Surroundings, stores: Stores, key: SigningKey, clock: Clock
) -> Account:
    """API credentials: the stored ones, else derived with the key and stored for commands that cancel."""
    path = credentials_file(settings, around)
    credentials = sign_in(around, stores, path, key, clock)
    budget = settings.post_budget_seconds
    return build_account(
        around,
        stores,
        credentials,
        key,
        clock,
        post_budget_seconds=budget,
        calls_seconds=float(settings.api_error_window_seconds),
    )


def _check(around: Surroundings, account: Account, screen: Screen, clock: Clock, ours: CheckFacts) -> None:
    """The preflight of the live regime; `ours` is what was found on this computer.

    Raises:
        ConfigurationError: a check failed; its remedy is named and nothing was sent.
    """
    theirs = run_preflight(around.environment, around.wallet, account.api, clock)
    checks = (ours, *(CheckFacts(c.name, c.state.value, c.detail, c.do) for c in theirs))
    screen.checked(checks)
    failed = next((check for check in checks if check.state == CheckState.FAILED.value), None)
    if failed is not None:
        raise ConfigurationError(
            f"Not started: the check of {failed.name} failed.",
            why=failed.detail,
            do=failed.do,
            code="preflight_failed",
        )
