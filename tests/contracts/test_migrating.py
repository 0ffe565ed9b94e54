"""A database with a history goes back step by step and forward again; what both versions know stays as it was."""

from sqlalchemy import text

from polyb0t.db import current, migrate, open_stores
from polyb0t.db.engine import open_database
from polyb0t.execution.orders import OrderStatus
from polyb0t.models.kill_switches import KillSwitchType
from tests.support.clock import FakeClock
from tests.support.databases import World

REVISIONS = [f"{number:04d}" for number in range(1, int(migrate.latest()) + 1)]
CORE = ("trade_intents", "orders", "fills", "journal", "kill_switches", "reservations")


def held(url: str) -> dict[str, int]:
    """Rows of the tables that were there from the first version on."""
    database = open_database(url)
    try:
        return {
            name: int(database.read(lambda c, name=name: c.scalar(text(f"SELECT count(*) FROM {name}"))))  # type: ignore[misc]
            for name in CORE
        }
    finally:
        database.close()


def schema_version(url: str) -> int:
    database = open_database(url)
    try:
        return int(database.read(lambda c: c.scalar(text("SELECT schema_version FROM gates"))))
    finally:
        database.close()


def test_every_step_back_and_forward_keeps_the_history(database_url: str, clock: FakeClock) -> None:
    world = World(database_url, clock)
    order = world.permitted()
    world.orders.settle(order.id, world.lease, status=OrderStatus.LIVE, code="accepted", detail="")
    world.proposed(asset_id="77")
    world.switches.trip(KillSwitchType.MANUAL, actor="user:anna", reason="looking")
    world.engine.release(world.lease)
    journal = world.engine.journal(limit=1_000)
    world.close()
    before = held(database_url)

    for revision in reversed(REVISIONS[:-1]):
        migrate.downgrade(database_url, clock, to=revision)
        assert current(database_url) == revision
        assert schema_version(database_url) == int(revision)  # so that another program refuses it
        assert held(database_url) == before
    for revision in REVISIONS[1:]:
        assert migrate.upgrade(database_url, clock, to=revision) == revision
        assert schema_version(database_url) == int(revision)
        assert held(database_url) == before

    again = open_stores(database_url, world.scope, clock)
    assert again.engine.journal(limit=1_000) == journal
    assert again.engine.audit().findings == ()
    assert again.orders.order(order.id).status is OrderStatus.LIVE
    again.close()
