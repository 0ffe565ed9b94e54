"""One history's household: a folder, a database, an exchange, and whatever processes run on them."""

import os
import shutil
import signal
import socket
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy import NullPool, create_engine, text

from polyb0t.core.clock import SystemClock
from polyb0t.core.errors import DatabaseError
from polyb0t.core.practice import practice_key
from polyb0t.db import SqlStores, open_stores
from polyb0t.execution.intents import IntentRecord, TradeIntent
from polyb0t.execution.scope import SANDBOX, Lease, Regime, Scope
from tests.faults.exchange import WORLD, signing_key
from tests.faults.real.children import Child, fork, program
from tests.faults.real.exchange import Moves, PanelDoor, new_world, nothing_moves, serve
from tests.faults.real.strike import Plan, install

SCOPE: Final = Scope(SANDBOX, 137, signing_key().address, WORLD)
LOOK_SECONDS: Final = 0.04
TRIES: Final = 5
UNSETTLED: Final = ("SIGNED", "UNKNOWN", "VANISHED", "DELAYED", "MATCHED")


class StuckError(AssertionError):
    """Something did not happen that had to."""


@dataclass(frozen=True, slots=True)
class Times:
    """True times by this factor; 1 is what users have."""

    factor: float = 5.0

    @property
    def lease(self) -> float:
        return 30 / self.factor

    @property
    def stop(self) -> float:
        """How long a process is suspended: longer than a lease and a standby's look."""
        return 33 / self.factor

    @property
    def environment(self) -> dict[str, str]:
        return {
            "POLYBOT_LEASE_SECONDS": f"{self.lease:g}",
            "POLYBOT_POST_BUDGET_SECONDS": f"{10 / self.factor:g}",
            "POLYBOT_PROOF_DELAY_SECONDS": f"{60 / self.factor:g}",
            "POLYBOT_PROOF_APART_SECONDS": f"{10 / self.factor:g}",
        }


def pause(seconds: float) -> None:
    """Real processes take real time."""
    SystemClock().sleep(seconds)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(look: Callable[[], object], *, within: float, what: str) -> None:
    end = time.monotonic() + within
    while not look():
        if time.monotonic() > end:
            raise StuckError(f"{what} did not come within {within:g} s")
        pause(LOOK_SECONDS)


@dataclass
class Home:
    """`url` is the database's; every process of it is ended by `close`."""

    folder: Path
    url: str
    times: Times
    seed: int
    moves: Moves = nothing_moves
    children: list[Child] = field(default_factory=list)
    port: int = field(default_factory=free_port)
    api_port: int = field(default_factory=free_port)
    _started: int = 0

    def __post_init__(self) -> None:
        (self.folder / "data").mkdir(parents=True)
        new_world(self.exchange_folder, self.seed)
        self.exchange = self.start_exchange()

    @property
    def exchange_folder(self) -> Path:
        return self.folder / "exchange"

    @property
    def scope_folder(self) -> Path:
        return self.folder / "data" / str(SCOPE).replace(":", "-")

    @property
    def panel(self) -> PanelDoor:
        return PanelDoor(f"http://127.0.0.1:{self.port}")

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("POLYB")}
        return {
            **inherited,
            **self.times.environment,
            "TMPDIR": str(self.folder),
            "POLYBOT_VENUE": "sandbox",
            "POLYBOT_DATA_DIR": str(self.folder / "data"),
            "POLYBOT_DATABASE_URL": self.url,
            "POLYBOT_SANDBOX_URL": f"http://127.0.0.1:{self.port}",
            "POLYBOT_API_PORT": str(self.api_port),
            "POLYBOT_LOOP_INTERVAL_SECONDS": "20",
            "POLYBOT_EXECUTION_POLL_SECONDS": "1",
            "POLYBOT_RECORD": "false",
            "POLYBOT_COOLDOWN_SECONDS": "0",
            "POLYBOT_DRY_RUN": "false",
            "POLYBOT_PRIVATE_KEY": practice_key(0),
            "COLUMNS": "100",
        }

    # -- processes -----------------------------------------------------------------------------

    def start_exchange(self) -> Child:
        listening = self.exchange_folder / "listening"
        listening.unlink(missing_ok=True)
        run = partial(serve, self.exchange_folder, self.port, self.moves)
        self.exchange = self._fork("exchange", run)
        self._until(self.exchange, listening.exists, "the exchange")
        return self.exchange

    def start_engine(self, plan: Plan | None = None, *more: str, wait: bool = True) -> Child:
        """An engine; `wait` until its first cycle is over. With a `plan` something will happen to it."""
        self._started += 1
        ready = self.folder / f"ready-{self._started}"
        engine = program("run", "--live", "--sandbox", "--yes", "--ready-file", str(ready), *more)

        def run() -> object:
            if plan is not None:
                install(plan)
            return engine()

        child = self._fork(f"engine-{self._started}", run)
        child.ready = ready  # type: ignore[attr-defined]
        if wait:
            self._until(child, ready.exists, "the engine's first cycle")
        return child

    def command(self, *arguments: str, wait: bool = True) -> Child:
        """`polyb0t ...`, to its end unless told otherwise."""
        self._started += 1
        child = self._fork(f"{arguments[0]}-{self._started}", program(*arguments))
        if wait:
            eventually(lambda: not child.running, within=60, what=" ".join(arguments))
        return child

    def start_api(self) -> Child:
        child = self._fork("api", program("api"))
        door = PanelDoor(f"http://127.0.0.1:{self.api_port}")

        def up() -> bool:
            with suppress(OSError):
                door.ask("GET", "/health")
                return True
            return not child.running

        eventually(up, within=30, what="the API")
        return child

    def lock_database(self) -> Child:
        """Another process takes the database's lock and keeps it until it is killed."""
        locked = self.folder / "locked"
        locked.unlink(missing_ok=True)

        def hold() -> None:
            with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"), timeout=5)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                locked.touch()
                pause(600)

        child = self._fork("locker", hold)
        eventually(lambda: locked.exists() or not child.running, within=10, what="the lock")
        return child

    def end(self, child: Child) -> None:
        """As Ctrl-C and a service manager do; killed if that takes too long."""
        child.go_on()
        child.signal(signal.SIGTERM)
        try:
            eventually(lambda: not child.running, within=30, what=f"the end of {child.name}")
        except StuckError:
            child.kill()
            raise

    def close(self) -> None:
        for child in self.children:
            child.kill()

    def _fork(self, name: str, run: Callable[[], object]) -> Child:
        out = self.folder / f"{name}.out"
        child = fork(name, run, folder=self.folder, environment=self.environment, out=out)
        self.children.append(child)
        return child

    def _until(self, child: Child, look: Callable[[], object], what: str) -> None:
        eventually(lambda: look() or not child.running, within=60, what=what)
        if not look():
            raise StuckError(f"{child.name} ended with {child.code}: {child.output[-800:]}")

    # -- the database --------------------------------------------------------------------------

    def stores(self) -> SqlStores:
        """To be closed before the next fork."""
        return open_stores(self.url, SCOPE, SystemClock(), lease_seconds=self.times.lease)

    def propose(self, intent: TradeIntent) -> None:
        """As the engine would, before it starts; again if a busy machine was too slow for a transaction."""
        for _ in range(TRIES):
            with suppress(DatabaseError):
                self._propose(intent)
                return
        raise StuckError("the database did not take the proposal")

    def _propose(self, intent: TradeIntent) -> None:
        with closing(self.stores()) as stores:
            held = stores.engine.lease_info("engine")
            lease = stores.engine.acquire(
                "engine",
                holder="suite:1",
                boot_id="suite",
                process_started="1",
                regime=Regime.LIVE,
                take_over_from=None if held is None or held.released else held.token,
            )
            assert isinstance(lease, Lease), lease
            record = stores.intents.propose(intent, lease)
            assert isinstance(record, IntentRecord), record
            stores.engine.release(lease)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """What a query finds now, over a connection of its own."""
        url = self.url.replace("postgresql://", "postgresql+psycopg://")
        engine = create_engine(url, poolclass=NullPool)
        try:
            with engine.connect() as connection:
                return [tuple(row) for row in connection.execute(text(query))]
        finally:
            engine.dispose()

    def status_of(self, intent_id: str) -> str:
        return str(self.rows(f"SELECT status FROM trade_intents WHERE id = '{intent_id}'")[0][0])

    def lease_token(self) -> int:
        """Of the engine that has the lease, or had it last."""
        return int(str(self.rows("SELECT engine_token FROM gates")[0][0]))

    def answered(self, intent_id: str) -> bool:
        """Whether what was approved has come to an end, or its order to an answer or to none."""
        if self.status_of(intent_id) not in ("PENDING", "APPROVED", "EXECUTING"):
            return True
        return bool(self.rows(f"SELECT 1 FROM orders WHERE intent_id = '{intent_id}' AND status <> 'SIGNED'"))

    def at_rest(self) -> bool:
        """Nothing is under way: every decision has its end, every order is proven or rests."""
        marks = ", ".join(f"'{status}'" for status in UNSETTLED)
        busy = self.rows(
            "SELECT 1 FROM trade_intents WHERE status IN ('APPROVED', 'EXECUTING')"
            f" UNION ALL SELECT 1 FROM orders WHERE status IN ({marks})"
            " UNION ALL SELECT 1 FROM fills WHERE status NOT IN ('CONFIRMED', 'FAILED')"
        )
        return not busy

    def backup(self) -> Path:
        """A copy that somebody made while everything ran."""
        target = self.folder / f"copy-{time.monotonic_ns()}.db"
        done = self.command("db", "backup", str(target))
        if done.code != 0:
            raise StuckError(f"no backup: {done.output}")
        return target

    def restore(self, copy: Path) -> None:
        path = Path(self.url.removeprefix("sqlite:///"))
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(copy, path)
