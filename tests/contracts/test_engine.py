"""What lease, snapshots, journal and scope promise."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from polyb0t.core.errors import ConflictError, DatabaseError, LeaseLostError, UsageError
from polyb0t.core.ids import AssetId, ConditionId, OrderId, Wallet
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.account_state import AccountOrder, AccountPosition, AccountState
from polyb0t.data.order_book import Side
from polyb0t.db import open_stores, peek_scope
from polyb0t.db.unit import SCHEMA_VERSION
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Lease, LeaseInfo
from tests.support.builders import NOW, WALLET, a_scope
from tests.support.clock import FakeClock
from tests.support.databases import World


class TestLease:
    def test_a_held_lease_says_who_holds_it(self, world: World) -> None:
        answer = world.engine.acquire(
            "engine", holder="host:2", boot_id="b", process_started="2", regime=Regime.LIVE
        )
        assert isinstance(answer, LeaseInfo)
        assert (answer.holder, answer.regime, answer.token) == ("host:1", Regime.LIVE, world.lease.token)

    def test_a_released_lease_is_given_with_a_larger_token(self, world: World) -> None:
        world.engine.release(world.lease)
        assert world.start_engine().token == world.lease.token + 1

    def test_take_over_needs_the_token_that_was_seen_silent(self, world: World) -> None:
        answer = world.engine.acquire(
            "engine",
            holder="host:2",
            boot_id="b",
            process_started="2",
            regime=Regime.LIVE,
            take_over_from=world.lease.token - 1,
        )
        assert isinstance(answer, LeaseInfo)
        assert world.start_engine(take_over_from=world.lease.token).token == world.lease.token + 1

    def test_a_beat_shows_cycle_and_time(self, world: World) -> None:
        world.advance(5)
        world.engine.beat(world.lease, cycle=7)
        info = world.engine.lease_info("engine")
        assert info is not None
        assert info.cycle == 7
        assert info.beat_at - info.started_at >= timedelta(seconds=5)

    def test_a_released_lease_beats_no_more(self, world: World) -> None:
        world.engine.release(world.lease)
        with pytest.raises(LeaseLostError):
            world.engine.beat(world.lease, cycle=1)
        info = world.engine.lease_info("engine")
        assert info is not None
        assert info.released

    def test_a_token_that_nobody_was_given_is_refused(self, world: World) -> None:
        with pytest.raises(LeaseLostError):
            world.engine.beat(Lease("engine", world.lease.token + 1), cycle=1)

    def test_roles_do_not_know_each_other(self, world: World) -> None:
        claims = world.engine.acquire(
            "claims", holder="host:9", boot_id="b", process_started="1", regime=Regime.LIVE
        )
        assert isinstance(claims, Lease)
        world.engine.beat(world.lease, cycle=1)
        assert world.engine.lease_info("other") is None

    def test_an_unknown_role_is_refused(self, world: World) -> None:
        with pytest.raises(UsageError):
            world.engine.acquire("boss", holder="h", boot_id="b", process_started="1", regime=Regime.LIVE)


class TestAccountStates:
    def test_a_snapshot_comes_back_as_it_was(self, world: World) -> None:
        state = AccountState(
            wallet=Wallet(WALLET),
            observed_at=NOW,
            positions=(
                AccountPosition(
                    AssetId("1"),
                    ConditionId("0x1"),
                    "Yes",
                    "Will it?",
                    Shares(Decimal("152.5")),
                    Price(Decimal("0.624")),
                    None,
                    redeemable=False,
                ),
            ),
            cash_pusd=Pusd(Decimal("904.123456")),
            allowances_pusd={"0xabc": Pusd(Decimal(7))},
            open_orders=(
                AccountOrder(
                    OrderId("0x2"),
                    ConditionId("0x1"),
                    AssetId("1"),
                    Side.SELL,
                    Price(Decimal("0.7")),
                    Shares(Decimal(10)),
                    Shares(Decimal(0)),
                    "LIVE",
                ),
            ),
        )
        world.engine.save_account_state(state, world.lease)
        assert world.engine.latest_account_state() == state

    def test_what_was_not_read_stays_not_read(self, world: World) -> None:
        state = AccountState(Wallet(WALLET), NOW, None, None, None, None, {"cash": "no key"})
        world.engine.save_account_state(state, world.lease)
        assert world.engine.latest_account_state() == state

    def test_before_the_first_snapshot_there_is_none(self, world: World) -> None:
        assert world.engine.latest_account_state() is None


class TestJournal:
    def test_entries_follow_each_other_and_can_be_read_on(self, world: World) -> None:
        for n in range(5):
            world.engine.note(None, kind="test.noted", subject=str(n), payload={"n": n}, actor="user:anna")
        entries = world.engine.journal()
        assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
        assert all(b.previous_hash == a.hash for a, b in pairwise(entries))
        assert world.engine.journal(after=entries[-3].sequence, limit=1) == entries[-2:-1]
        assert [entry.payload for entry in world.engine.journal(subject="3")] == ['{"n":3}']

    def test_the_chain_is_verified(self, world: World) -> None:
        world.claimed()
        report = world.stores.verify_journal()
        assert report.intact
        assert report.entries == len(world.engine.journal())

    @pytest.mark.parametrize(
        ("fault", "broken_at"),
        [
            ("UPDATE journal SET payload = '{}' WHERE sequence = 2", 2),
            ("UPDATE journal SET actor = 'user:eve' WHERE sequence = 2", 2),
            ("UPDATE journal SET at = at + 1 WHERE sequence = 2", 2),
            ("DELETE FROM journal WHERE sequence = 2", 2),
            ("DELETE FROM journal WHERE sequence = 4", 4),
            ("UPDATE journal_head SET sequence = 3", 5),
        ],
    )
    def test_whoever_gets_past_the_triggers_is_found_out(
        self, world: World, fault: str, broken_at: int
    ) -> None:
        world.proposed()
        world.engine.note(None, kind="test.noted", subject="x", payload={"n": 1}, actor="user:anna")
        if world.is_sqlite:
            for trigger in ("journal_content", "journal_delete"):
                world.sql(f"DROP TRIGGER {trigger}")
        else:
            world.sql("ALTER TABLE journal DISABLE TRIGGER ALL")
        world.sql(fault)
        report = world.stores.verify_journal()
        assert report.broken_at == broken_at, report

    def test_a_note_with_a_lost_lease_is_not_written(self, world: World) -> None:
        before = len(world.engine.journal())
        with pytest.raises(LeaseLostError):
            world.engine.note(Lease("engine", 0), kind="a.b", subject="x", payload={}, actor="engine")
        assert len(world.engine.journal()) == before


class TestScope:
    def test_first_use_writes_the_scope(self, database_url: str, clock: FakeClock) -> None:
        assert peek_scope(database_url) is None
        open_stores(database_url, a_scope(), clock).close()
        assert peek_scope(database_url) == a_scope()

    @pytest.mark.parametrize("other", [{"wallet": "0x" + "1" * 40}, {"world": "another"}, {"chain_id": 1}])
    def test_any_other_scope_is_refused_by_name(self, world: World, other: dict[str, object]) -> None:
        with pytest.raises(ConflictError) as error:
            open_stores(world.url, a_scope(**other), world.clock)
        assert error.value.code == "foreign_scope"
        assert str(a_scope()) in error.value.why
        assert str(a_scope(**other)) in error.value.why

    def test_a_missing_gate_is_damage_and_not_a_first_use(self, world: World) -> None:
        world.sql("DELETE FROM gates")
        for use in (world.another, world.proposed):
            with pytest.raises(DatabaseError) as error:
                use()
            assert error.value.code == "database_damaged"

    @pytest.mark.parametrize(("version", "code"), [(SCHEMA_VERSION + 1, "schema_newer"), (0, "schema_older")])
    def test_a_database_of_another_version_is_refused(self, world: World, version: int, code: str) -> None:
        world.sql(f"UPDATE gates SET schema_version = {version}")
        for use in (world.another, world.proposed, lambda: peek_scope(world.url)):
            with pytest.raises(DatabaseError) as error:
                use()
            assert error.value.code == code
