"""`open_store`: a scope's storage for commands and API, without SDK, network or scheduler."""

from dataclasses import dataclass

from polyb0t.config.settings import Settings
from polyb0t.core.clock import SystemClock
from polyb0t.core.errors import ConflictError, NotFoundError
from polyb0t.db.stores import open_stores, peek_scope
from polyb0t.execution.scope import Regime, Scope
from polyb0t.execution.settlement.store import ClaimStores
from polyb0t.execution.store import LeaseInfo
from polyb0t.runtime.current import CurrentRun, holder_is_gone, meant, read_current
from polyb0t.runtime.halt_file import HaltFile
from polyb0t.runtime.places import data_dir, scope_dir
from polyb0t.runtime.views import without_password


@dataclass(frozen=True, slots=True)
class OpenedStore:
    """What a command or a request works with."""

    settings: Settings
    scope: Scope
    stores: ClaimStores
    database_url: str
    run: CurrentRun | None  # what the last engine of this venue left behind

    @property
    def halt_file(self) -> HaltFile:
        return HaltFile(scope_dir(self.settings, self.scope) / "HALT")

    def engine(self) -> LeaseInfo | None:
        """The engine's own row; None if none ever ran on this database."""
        return self.stores.engine.lease_info("engine")

    def engine_alive(self) -> bool:
        """Whether an engine holds the lease and nothing proves that it has ended.

        Of one on another machine only its silence tells; `engine_runs` asks for that as well.
        """
        info = self.engine()
        return info is not None and not info.released and not holder_is_gone(info)

    def engine_runs(self) -> bool:
        """Whether an engine is alive and was heard within the lease time."""
        info = self.engine()
        if info is None or info.released or holder_is_gone(info):
            return False
        return (self.stores.intents.now() - info.beat_at).total_seconds() <= self.settings.lease_seconds

    def regime(self) -> Regime:
        """The engine's regime, which is what screens show; the dry run until one has run."""
        info = self.engine()
        if info is not None:
            return info.regime
        return Regime.PAPER if self.scope.is_paper else Regime.DRY_RUN


def open_store(settings: Settings) -> OpenedStore:
    """The database that a flag, the environment, `.env` or the last run names, in this order.

    Raises:
        NotFoundError: nothing has run here yet; says where it looked and where an engine runs.
        DatabaseError: the database cannot be used as it is.
    """
    runs = read_current(data_dir(settings))
    if settings.database_url:
        url, run = settings.database_url, _run_of(runs, settings.database_url)
    else:
        run = _chosen(settings, runs)
        url = run.database_url
    scope = peek_scope(url)
    if scope is None:
        raise NotFoundError(
            "Nothing shown: no engine has used this database yet.",
            why=f"It is {without_password(url)}.",
            do="Start one: make run",
            code="no_engine",
        )
    if "venue" in settings.model_fields_set and settings.venue != scope.venue:
        raise ConflictError(
            f"Nothing done: this database belongs to {scope.venue.upper()}, "
            f"and {settings.venue.upper()} was named. Nothing was sent.",
            why=f"It is {without_password(url)}, of {scope}.",
            do="Name the other venue, or leave the database's name out.",
            code="foreign_scope",
        )
    stores = open_stores(
        url,
        scope,
        SystemClock(),
        opening_cooldown_seconds=settings.cooldown_seconds,
        lease_seconds=settings.lease_seconds,
    )
    return OpenedStore(settings, scope, stores, url, run)


def _run_of(runs: dict[str, CurrentRun], url: str) -> CurrentRun | None:
    return next((run for run in runs.values() if run.database_url == url), None)


def _chosen(settings: Settings, runs: dict[str, CurrentRun]) -> CurrentRun:
    """The run of the venue and kind that are named; unnamed: the one that is alive, else the newest."""
    run = meant(runs, **settings.named("venue", "mode"))
    if run is None:
        raise _nothing_here(settings, runs)
    return run


def _nothing_here(settings: Settings, runs: dict[str, CurrentRun]) -> NotFoundError:
    elsewhere = ", ".join(
        f"{run.place} ({'an engine runs' if run.alive else 'none runs now'})" for run in runs.values()
    )
    named = f" on {settings.venue}" if "venue" in settings.model_fields_set else ""
    named += f" in the mode {settings.mode}" if "mode" in settings.model_fields_set else ""
    return NotFoundError(
        f"Nothing shown: no engine has run{named} here.",
        why=f"Looked in {data_dir(settings) / 'current'}" + (f"; found {elsewhere}." if elsewhere else "."),
        do="Start one: make run"
        if not elsewhere
        else f"Look there: {_how_to_look(_nearest(settings, runs))}",
        code="no_engine",
    )


def _nearest(settings: Settings, runs: dict[str, CurrentRun]) -> CurrentRun:
    """One of the same venue, if there is one."""
    return min(runs.values(), key=lambda run: run.venue != settings.venue)


def _how_to_look(run: CurrentRun) -> str:
    return f"POLYBOT_VENUE={run.venue}" + (" POLYBOT_MODE=paper" if run.is_paper else "")
