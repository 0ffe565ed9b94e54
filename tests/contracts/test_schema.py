"""What the database itself refuses, and that the migrations make exactly the tables of the code."""

import json

import pytest

from polyb0t.core.canonical import canonical_text, sha256_hex
from polyb0t.core.errors import ConflictError, DatabaseError
from polyb0t.core.ids import IntentId
from polyb0t.data.cash_flows import Booked
from polyb0t.db import current, migrate, open_stores, upgrade
from polyb0t.db.engine import open_database
from polyb0t.db.tables import complete_metadata, metadata
from polyb0t.db.triggers import GUARDED
from polyb0t.execution.store import Denied
from polyb0t.models.kill_switches import KillSwitchType
from tests.support.builders import a_deposit, a_scope
from tests.support.clock import FakeClock
from tests.support.databases import World


def refused(world: World, statement: str) -> str:
    with pytest.raises(DatabaseError) as error:
        world.sql(statement)
    assert error.value.code == "database_refused"
    return str(error.value.__cause__)


class TestTriggers:
    @pytest.fixture
    def full(self, world: World) -> World:
        world.permitted()
        world.switches.trip(KillSwitchType.MANUAL, actor="user:a", reason="r")
        world.stores.books.record_movements((Booked(a_deposit()),), world.lease)
        return world

    @pytest.mark.parametrize("table", list(GUARDED))
    def test_no_column_of_the_content_can_be_changed(self, full: World, table: str) -> None:
        for column in GUARDED[table][1]:
            value = "NOT tripped" if column == "tripped" else "'9'"
            refused(full, f"UPDATE {table} SET {column} = {value}")

    @pytest.mark.parametrize("table", list(GUARDED))
    def test_no_row_can_be_deleted_or_replaced(self, full: World, table: str) -> None:
        assert "cannot be changed" in refused(full, f"DELETE FROM {table}")
        if full.is_sqlite:
            assert "cannot be changed" in refused(
                full, f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"
            )
        else:
            assert "cannot be changed" in refused(full, f"TRUNCATE {table}")

    def test_every_column_of_an_intent_is_content_or_state(self) -> None:
        state = {"status", "decided_at", "decided_by", "approved_epoch", "execute_by", "claim_token"}
        state |= {"result", "result_detail", "seen_at", "updated_at"}
        columns = set(metadata.tables["trade_intents"].c.keys())
        assert columns == state | set(GUARDED["trade_intents"][1])

    def test_an_intent_whose_text_was_altered_all_the_same_is_not_used(self, world: World) -> None:
        record = world.proposed()
        if world.is_sqlite:
            world.sql("DROP TRIGGER trade_intents_content")
        else:
            world.sql("ALTER TABLE trade_intents DISABLE TRIGGER ALL")
        world.sql("UPDATE trade_intents SET canonical = replace(canonical, '\"10\"', '\"90\"')")
        for use in (world.intents.get, world.approve):
            with pytest.raises(DatabaseError) as error:
                use(record.id)
            assert error.value.code == "intent_damaged"
        # What stops trading does not depend on what is being stopped.
        assert world.switches.trip(KillSwitchType.MANUAL, actor="user:anna", reason="damaged")
        assert world.sql("SELECT status FROM trade_intents")[0][0] == "REJECTED"

    def test_an_intent_of_another_canonical_version_is_not_used(self, world: World) -> None:
        record = world.proposed()
        text = canonical_text({**json.loads(record.intent.canonical), "version": "polyb0t-intent-v0"})
        if world.is_sqlite:
            world.sql("DROP TRIGGER trade_intents_content")
        else:
            world.sql("ALTER TABLE trade_intents DISABLE TRIGGER ALL")
        quoted = text.replace("'", "''").replace(":", "\\:")
        world.sql(f"UPDATE trade_intents SET canonical = '{quoted}', digest = '{sha256_hex(text)}'")
        with pytest.raises(DatabaseError) as error:
            world.intents.get(record.id)
        assert error.value.code == "intent_damaged"
        assert "polyb0t-intent-v0" in error.value.why


class TestConstraints:
    @pytest.mark.parametrize(
        "change",
        [
            "decided_by = 'engine:paper'",
            "status = 'APPROVED'",
            "status = 'EXECUTED'",
            "status = 'SOLD'",
            "status = 'APPROVED', decided_by = 'engine', decided_at = 1, execute_by = 1, approved_epoch = 0",
            "status = 'APPROVED', decided_by = 'engine:paper', decided_at = 1, execute_by = 1, approved_epoch = 0",
        ],
    )
    def test_nobody_can_be_left_out_of_an_approval(self, world: World, change: str) -> None:
        world.proposed()
        refused(world, f"UPDATE trade_intents SET {change}")

    @pytest.mark.parametrize("change", ["filled_shares = -1", "status = 'LOST'", "provisional_shares = 1"])
    def test_an_order_cannot_hold_nonsense(self, world: World, change: str) -> None:
        world.permitted()
        refused(world, f"UPDATE orders SET {change}")

    @pytest.mark.parametrize(
        ("column", "value"),
        [("price", "0"), ("price", "1000000"), ("copies", "2"), ("shares", "0"), ("regime", "'dry_run'")],
    )
    def test_an_order_cannot_be_stored_with_it(self, world: World, column: str, value: str) -> None:
        world.permitted()
        names = [column.name for column in metadata.tables["orders"].c]
        values = [{"id": "'x'", "intent_id": "'x'", column: value}.get(name, name) for name in names]
        statement = f"INSERT INTO orders ({', '.join(names)}) SELECT {', '.join(values)} FROM orders"
        assert column if column != "copies" else "one_copy" in refused(world, statement)

    @pytest.mark.parametrize(
        ("column", "value"), [("worst_price", "0"), ("worst_price", "1000000"), ("amount", "0")]
    )
    def test_an_intent_cannot_be_stored_with_it(self, world: World, column: str, value: str) -> None:
        world.intents.reject(world.proposed().id, actor="user:a", reason="r")
        names = [column.name for column in metadata.tables["trade_intents"].c]
        values = [{"id": "'x'", column: value}.get(name, name) for name in names]
        refused(
            world,
            f"INSERT INTO trade_intents ({', '.join(names)}) SELECT {', '.join(values)} FROM trade_intents",
        )


class TestMigrations:
    def test_they_make_exactly_the_tables_of_the_code(self, database_url: str) -> None:
        from alembic.autogenerate import compare_metadata
        from alembic.migration import MigrationContext

        database = open_database(database_url)
        with database.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            differences = compare_metadata(context, complete_metadata())
        database.close()
        assert differences == []

    def test_check_constraints_are_those_of_the_code(self, database_url: str) -> None:
        from sqlalchemy import CheckConstraint, inspect

        database = open_database(database_url)
        for name, table in metadata.tables.items():
            found = {check["name"] for check in inspect(database.engine).get_check_constraints(name)}
            wanted = {rule.name for rule in table.constraints if isinstance(rule, CheckConstraint)}
            assert found == wanted, name
        database.close()

    def test_they_go_down_and_up_again(self, database_url: str, clock: FakeClock) -> None:
        assert current(database_url) == migrate.latest()
        migrate.downgrade(database_url, clock)
        assert current(database_url) is None
        with pytest.raises(DatabaseError) as error:
            open_stores(database_url, a_scope(), clock)
        assert error.value.code == "schema_missing"
        assert upgrade(database_url, clock) == migrate.latest()
        World(database_url, clock).close()

    def test_upgrading_twice_changes_nothing(self, world: World) -> None:
        record = world.proposed()
        upgrade(world.url, world.clock)
        assert world.intents.get(record.id) == record

    def test_a_newer_database_is_refused(self, database_url: str, clock: FakeClock) -> None:
        world = World(database_url, clock)
        world.sql("UPDATE alembic_version SET version_num = '9999'")
        world.close()
        with pytest.raises(DatabaseError) as error:
            upgrade(database_url, clock)
        assert error.value.code == "schema_newer"
        assert "9999" in error.value.why

    def test_nothing_is_migrated_under_a_running_engine(self, world: World) -> None:
        with pytest.raises(ConflictError) as error:
            migrate.downgrade(world.url, world.clock)
        assert error.value.code == "engine_running"
        assert "host:1" in error.value.why
        assert world.proposed().id

    def test_a_released_lease_does_not_stand_in_the_way(self, world: World) -> None:
        world.engine.release(world.lease)
        world.close()
        migrate.downgrade(world.url, world.clock)
        assert current(world.url) is None


def test_an_id_that_exists_is_never_inserted_again(world: World) -> None:
    record = world.proposed(id=IntentId("abcd000000000000"))
    world.intents.reject(record.id, actor="user:a", reason="r")
    again = world.intents.propose(world.intent(id=record.id, asset_id="other"), world.lease)
    assert isinstance(again, Denied)
    assert again.code == "duplicate"
    assert world.intents.get(record.id).intent == record.intent
