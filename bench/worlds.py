"""What the sections share: a sandbox as a process of its own, and an engine built in this one."""

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from polyb0t.config.settings import Settings, load_settings
from polyb0t.core.clock import Clock, SystemClock
from polyb0t.db import migrate
from polyb0t.db.stores import SqlStores, open_stores
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Lease
from polyb0t.runtime.account import Account
from polyb0t.runtime.lease import acquire_lease
from polyb0t.runtime.logging import configure_logging
from polyb0t.runtime.places import database_url, log_file
from polyb0t.runtime.surroundings import look_around
from polyb0t.runtime.wiring import Engine, build_engine
from tests.e2e.household import Household, household

# Every market of the sandbox, however wide or near its end: the work of a cycle at its most.
EVERY_MARKET = {"min_liquidity_pusd": "0", "max_spread": "0.99", "min_hours_to_end": "0"}
_PAUSE = threading.Event()


def pause(seconds: float) -> None:
    _PAUSE.wait(seconds)


class ShiftedClock:
    """The system's clock, moved on by hand: an hour of cycles in a minute or two."""

    def __init__(self) -> None:
        self._real = SystemClock()
        self._ahead = 0.0

    def now(self) -> datetime:
        return self._real.now() + timedelta(seconds=self._ahead)

    def boot_seconds(self) -> float:
        return self._real.boot_seconds() + self._ahead

    def sleep(self, seconds: float) -> None:
        self._real.sleep(seconds)

    def advance(self, seconds: float) -> None:
        self._ahead += seconds


@dataclass(frozen=True, slots=True)
class Workbench:
    """An engine in this process, its threads not started: the section calls the cycle itself."""

    settings: Settings
    stores: SqlStores
    lease: Lease
    engine: Engine
    database: Path


@contextmanager
def home_with_sandbox(markets: int, *more: str) -> Iterator[Household]:
    """A fresh data directory and a sandbox process with so many markets."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # commands are measured as they are when installed
    with tempfile.TemporaryDirectory(prefix="polyb0t-bench-") as folder, household(Path(folder)) as home:
        home.start_sandbox("--markets", str(markets), *more)
        yield home


@contextmanager
def engine_here(home: Household, clock: Clock, **flags: object) -> Iterator[Workbench]:
    """A dry-run engine on `home`'s sandbox, joined by the wiring that `polyb0t run` uses."""
    settings = load_settings(
        venue="sandbox", sandbox_url=home.sandbox_url, data_dir=home.folder / "engine", **flags
    )
    (home.folder / "engine").mkdir(exist_ok=True)
    configure_logging(log_file(settings), settings.log_level)
    around = look_around(settings)
    url = database_url(settings, around.scope)
    migrate.upgrade(url)
    stores = open_stores(url, around.scope, clock, opening_cooldown_seconds=settings.cooldown_seconds)
    lease = acquire_lease(stores.engine, Regime.DRY_RUN)
    engine = build_engine(settings, around, stores, lease, account=Account(), clock=clock)
    try:
        yield Workbench(settings, stores, lease, engine, Path(url.removeprefix("sqlite:///")))
    finally:
        engine.close()  # the executor's thread was never started
        stores.engine.release(lease)
        stores.close()
        structlog.contextvars.clear_contextvars()
