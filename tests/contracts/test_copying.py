"""An SQLite database moved to PostgreSQL: everything arrives, it goes on there, and only there."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from polyb0t.config.settings import load_settings
from polyb0t.core.errors import ConflictError, DatabaseError, PolybotError, UsageError
from polyb0t.core.ids import Wallet
from polyb0t.data.account_state import AccountState
from polyb0t.db import copying, open_stores
from polyb0t.db.engine import open_database
from polyb0t.db.tables import complete_metadata
from polyb0t.execution.anchor import AnchorFile, require_present
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.scope import Lease, Regime
from polyb0t.models.kill_switches import KillSwitchType
from polyb0t.runtime.copying import move_database
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.places import anchor_path
from tests.support.builders import WALLET, a_scope
from tests.support.clock import FakeClock
from tests.support.databases import PostgresServer, World, migrated_file, sqlite_url

ANNA = "user:anna"


@pytest.fixture
def target(postgres: PostgresServer) -> Iterator[str]:
    """An empty database; one without even tables is given its tables first."""
    url = postgres.migrated_database()
    yield url
    postgres.drop(url)


@pytest.fixture
def bare(postgres: PostgresServer) -> Iterator[str]:
    """A database as the server makes it."""
    url = postgres.empty_database()
    yield url
    postgres.drop(url)


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A database with a history: orders with and without an end, a trip, notes."""
    monkeypatch.setenv("POLYBOT_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "polyb0t.db").write_bytes(migrated_file())
    world = World(sqlite_url(tmp_path), FakeClock())
    open_order = world.permitted()
    world.orders.settle(open_order.id, world.lease, status=OrderStatus.LIVE, code="accepted", detail="")
    world.proposed(asset_id="77")
    world.switches.trip(KillSwitchType.MANUAL, actor=ANNA, reason="looking at it")
    for number in range(5):
        note = {"number": number, "text": "Größe ¢ 🎲"}
        world.engine.note(world.lease, kind="test.noted", subject="x", payload=note, actor="engine")
    for _ in range(3):
        world.engine.save_account_state(looked_at(world), world.lease)
    anchor(world).advance()  # as before every send
    world.engine.release(world.lease)
    yield world
    world.close()


def looked_at(world: World) -> AccountState:
    return AccountState(Wallet(WALLET), world.clock.now(), None, None, None, None, {"cash": "no key"})


def opened(world: World) -> OpenedStore:
    settings = load_settings(venue="sandbox")
    return OpenedStore(settings, world.scope, world.stores, world.url, None)


def entries(url: str, world: World) -> int:
    """How long the journal of a database is."""
    database = open_database(url, world.clock)
    try:
        return int(database.read(lambda c: c.scalar(text("SELECT count(*) FROM journal"))))
    finally:
        database.close()


def anchor(world: World) -> AnchorFile:
    one = opened(world)
    return AnchorFile(anchor_path(one.settings, one.scope), world.engine)


def test_everything_arrives_and_the_journal_proves_it(source: World, bare: str) -> None:
    target = bare
    before = source.engine.anchor_point()
    audit = source.engine.audit()

    moved = move_database(opened(source), target, actor=ANNA, clock=source.clock)

    there = open_stores(target, source.scope, source.clock)
    point = there.engine.anchor_point()
    assert point.database_id == before.database_id == moved.copied.database_id
    assert moved.copied.rows["trade_intents"] == 2
    assert moved.copied.rows["journal"] == before.sequence
    assert set(moved.copied.rows) == set(complete_metadata().tables)
    assert there.intents.list(limit=None) == source.intents.list(limit=None)
    assert there.orders.orders(limit=None) == source.orders.orders(limit=None)
    assert there.engine.journal(limit=10_000)[: before.sequence] == source.engine.journal(limit=10_000)
    assert there.engine.audit().findings == audit.findings == ()
    [entry] = [one for one in there.engine.journal(limit=10_000) if one.kind == "database.moved"]
    assert entry.actor == ANNA
    there.close()


def test_it_goes_on_there_with_a_new_lease_and_new_numbers(source: World, target: str) -> None:
    move_database(opened(source), target, actor=ANNA, clock=source.clock)
    there = open_stores(target, source.scope, source.clock)
    lease = there.engine.acquire(
        "engine", holder="host:2", boot_id="b", process_started="1", regime=Regime.LIVE
    )
    assert isinstance(lease, Lease)
    assert lease.token > source.lease.token
    there.engine.save_account_state(looked_at(source), lease)  # under a number that is free
    [order] = there.orders.watched()
    there.orders.settle(order.id, lease, status=OrderStatus.CANCELLED, code="cancelled", detail="by hand")
    assert there.engine.audit().findings == ()
    there.close()


def test_an_engine_with_money_goes_on_there_and_refuses_the_old_file(source: World, target: str) -> None:
    require_present(source.stores, anchor(source))

    move_database(opened(source), target, actor=ANNA, clock=source.clock)

    there = open_stores(target, source.scope, source.clock)
    one = opened(source)
    require_present(there, AnchorFile(anchor_path(one.settings, one.scope), there.engine))
    with pytest.raises(ConflictError) as refused:
        require_present(source.stores, anchor(source))
    assert refused.value.code == "database_restored"
    there.close()


def test_a_second_time_it_says_that_it_is_there(source: World, target: str) -> None:
    copying.copy_database(source.url, target, source.clock)  # and then the machine lost power
    moved = move_database(opened(source), target, actor=ANNA, clock=source.clock)
    assert moved.copied.again
    with pytest.raises(ConflictError):  # its journal has gone on: it is another history now
        move_database(opened(source), target, actor=ANNA, clock=source.clock)


class TestWhatIsRefused:
    def test_while_an_engine_runs(self, source: World, target: str) -> None:
        source.start_engine()
        with pytest.raises(ConflictError) as refused:
            move_database(opened(source), target, actor=ANNA, clock=source.clock)
        assert refused.value.code == "engine_running"

    def test_while_the_claims_process_runs(self, source: World, target: str) -> None:
        source.engine.acquire("claims", holder="h:1", boot_id="b", process_started="1", regime=Regime.LIVE)
        with pytest.raises(ConflictError) as refused:
            move_database(opened(source), target, actor=ANNA, clock=source.clock)
        assert refused.value.code == "engine_running"

    def test_a_target_that_holds_another_database(
        self, source: World, target: str, postgres: PostgresServer
    ) -> None:
        used = postgres.migrated_database()
        open_stores(used, a_scope(world="another"), source.clock).close()
        with pytest.raises(ConflictError) as refused:
            move_database(opened(source), used, actor=ANNA, clock=source.clock)
        assert refused.value.code == "database_not_empty"
        postgres.drop(used)

    def test_a_restored_file_is_no_way_around_taking_it_over(
        self, source: World, target: str, tmp_path: Path
    ) -> None:
        anchor(source).advance()
        point = anchor(source).read()
        assert point is not None
        anchor(source).replace(replace(point, sequence=point.sequence + 100))
        with pytest.raises(ConflictError) as refused:
            move_database(opened(source), target, actor=ANNA, clock=source.clock)
        assert refused.value.code == "database_restored"
        assert entries(target, source) == 0  # nothing was brought there either

    @pytest.mark.parametrize(
        "url",
        ["sqlite:////tmp/x.db", "postgresql://anna:geheim@127.0.0.1/x", "mysql://x/y", "not a url"],
    )
    def test_a_target_that_is_none_or_tells_its_password(self, source: World, url: str) -> None:
        with pytest.raises(PolybotError) as refused:
            move_database(opened(source), url, actor=ANNA, clock=source.clock)
        assert refused.value.exit_code == UsageError.exit_code
        assert "geheim" not in str(refused.value)


class TestWhatGoesWrong:
    @pytest.fixture
    def lossy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One row of the journal's is altered on its way."""
        true_batches = copying._batches

        def altered(connection: Connection, table: object) -> Iterator[list[dict[str, object]]]:
            for rows in true_batches(connection, table):  # type: ignore[arg-type]
                if getattr(table, "name", "") == "journal" and connection.dialect.name == "sqlite":
                    rows[-1]["actor"] = "user:somebody else"
                yield rows

        original = copying._copy

        def copy(reading: Connection, writing: Connection, table: object) -> int:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(copying, "_batches", altered)
                return original(reading, writing, table)  # type: ignore[arg-type]

        monkeypatch.setattr(copying, "_copy", copy)

    @pytest.mark.usefixtures("lossy")
    def test_what_arrives_otherwise_than_it_was_sent_is_not_kept(self, source: World, target: str) -> None:
        with pytest.raises(DatabaseError) as refused:
            move_database(opened(source), target, actor=ANNA, clock=source.clock)
        assert refused.value.code == "copy_differs"
        assert "journal" in str(refused.value)
        assert entries(target, source) == 0
        require_present(source.stores, anchor(source))  # nothing has changed for it
