"""A replay's database: fast, for nobody's money, and with the same answers as any other."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, select, text, update

import polyb0t
from polyb0t.core.clock import Clock
from polyb0t.core.errors import ConflictError, DatabaseError, NotFoundError, PolybotError
from polyb0t.core.ids import AssetId, ConditionId, IntentId, OrderId, TradeId
from polyb0t.core.units import Pusd, Shares
from polyb0t.data.fills import FillStatus
from polyb0t.db.decisions import PAPER_ENGINE
from polyb0t.db.scratch import FOR_EVER, ScratchDatabase, scratch_stores
from polyb0t.db.stores import SqlStores, open_stores, stores_on
from polyb0t.db.tables import account_states, journal
from polyb0t.db.touched import Memory
from polyb0t.execution.cancelling import MAY_BE_ALIVE
from polyb0t.execution.intents import LIVE_STATUSES, IntentRecord, IntentStatus, IntentType, TradeIntent
from polyb0t.execution.orders import UNRESOLVED_ORDER, OrderRecord, OrderStatus
from polyb0t.execution.scope import PAPER_WALLET, SANDBOX, Lease, Regime, Scope
from polyb0t.models.kill_switches import KillSwitchType
from polyb0t.runtime.replay.ids import seeded_ids
from polyb0t.runtime.replay.wiring import replay_scope
from tests.support.builders import NOW, a_close, a_fill, a_scope, an_intent, an_order_for, wide_limits
from tests.support.clock import FakeClock

SCOPE = replay_scope("polymarket")
REGIME = Regime.PAPER
STEPS = 120
OFTEN = (*6 * ("propose", "approve", "claim", "permit"), *2 * ("settle", "fill"))
ENDS = {IntentStatus.EXECUTED, IntentStatus.EXPIRED, IntentStatus.FAILED, IntentStatus.REJECTED}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def stores(tmp_path: Path, clock: FakeClock) -> Any:
    made = scratch(tmp_path, clock)
    yield made
    made.close()


def scratch(folder: Path, clock: Clock, scope: Scope = SCOPE) -> SqlStores:
    return scratch_stores(folder / "book.db", scope, clock, opening_cooldown_seconds=0)


def engine_of(stores: SqlStores) -> Lease:
    lease = stores.engine.acquire(
        "engine", holder="replay", boot_id="replay", process_started="replay", regime=REGIME
    )
    assert isinstance(lease, Lease)
    return lease


class TestNobodysMoney:
    @pytest.mark.parametrize(
        "scope",
        [
            a_scope(),
            a_scope(venue="polymarket", world=""),
            a_scope(world="replay"),
            Scope("polymarket", 137, PAPER_WALLET),
            Scope(SANDBOX, 137, PAPER_WALLET, "w0rld"),
        ],
        ids=["sandbox", "real money", "a world called so", "paper", "paper at a sandbox"],
    )
    def test_it_is_made_for_a_replay_and_for_no_account(self, tmp_path, clock, scope):
        with pytest.raises(ValueError, match="not the scope of a replay"):
            scratch(tmp_path, clock, scope)
        assert list(tmp_path.iterdir()) == []

    def test_a_database_that_is_there_is_never_opened_so(self, tmp_path, clock):
        (tmp_path / "book.db").write_bytes(b"somebody's")
        with pytest.raises(FileExistsError):
            scratch(tmp_path, clock)
        assert (tmp_path / "book.db").read_bytes() == b"somebody's"

    @pytest.mark.parametrize("scope", [a_scope(), Scope("polymarket", 137, PAPER_WALLET)], ids=str)
    def test_no_engine_takes_up_what_a_replay_left(self, tmp_path, clock, scope):
        scratch(tmp_path, clock).close()
        with pytest.raises(ConflictError) as refused:
            open_stores(f"sqlite:///{tmp_path / 'book.db'}", scope, clock)
        assert refused.value.code == "foreign_scope"

    def test_only_a_replay_makes_one(self):
        package = Path(polyb0t.__file__).parent
        users = {
            path.relative_to(package).as_posix()
            for path in package.rglob("*.py")
            if re.search(
                r"\bimport.*\b(scratch|remembered)\b|polyb0t\.db\.(scratch|remembered)",
                path.read_text("utf-8"),
            )
        }
        assert users == {"db/scratch.py", "runtime/replay/running.py"}

    def test_every_other_database_waits_for_the_disk(self, tmp_path, clock):
        """What is told to be written is written, whatever a replay may do without."""
        scratch(tmp_path, clock).close()
        stores = open_stores(f"sqlite:///{tmp_path / 'book.db'}", SCOPE, clock)
        pragmas = {name: stores.database.read(_pragma(name)) for name in ("synchronous", "journal_mode")}
        stores.close()
        assert pragmas == {"synchronous": 2, "journal_mode": "wal"}


def _pragma(name: str) -> Any:
    return lambda connection: connection.scalar(text(f"PRAGMA {name}"))


class TestTheSameRules:
    def test_a_write_that_fails_is_undone_whole(self, stores):
        database = stores.database

        def half(connection: Connection) -> None:
            connection.execute(_state_row())
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            database.write(half)
        assert database.read(lambda connection: connection.execute(select(account_states)).all()) == []
        database.write(lambda connection: connection.execute(_state_row()))
        assert len(database.read(lambda connection: connection.execute(select(account_states)).all())) == 1

    def test_what_was_read_in_a_write_that_failed_is_forgotten(self, stores):
        database: ScratchDatabase = stores.database
        memory = Memory(database.touched)

        def states() -> int:
            return database.read(lambda connection: len(connection.execute(select(account_states)).all()))

        def half(connection: Connection) -> None:
            connection.execute(_state_row())
            assert memory.answer("states", states) == 1
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            database.write(half)
        assert memory.answer("states", states) == 0

    def test_the_journal_cannot_be_changed(self, stores):
        with pytest.raises(DatabaseError) as refused:
            stores.database.write(lambda connection: connection.execute(update(journal).values(actor="me")))
        assert refused.value.code == "database_refused"

    def test_its_journal_holds_when_it_is_closed(self, tmp_path, clock):
        stores = scratch(tmp_path, clock)
        walk = Walk(stores, clock, Random(4))
        for _ in range(100):
            walk.step()
        assert stores.verify_journal().intact
        stores.close()
        assert [path.name for path in tmp_path.iterdir()] == ["book.db"]
        kept = sqlite3.connect(tmp_path / "book.db")
        assert kept.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert kept.execute("SELECT count(*) FROM orders").fetchone()[0] > 3
        kept.close()


def _state_row() -> Any:
    return insert(account_states).values(scope=str(SCOPE), observed_at=NOW, content="{}")


class TestTheSameAnswers:
    @pytest.mark.parametrize("seed", [8, 11])
    def test_every_question_is_answered_as_by_who_asks_each_time(self, stores, clock, seed):
        """After each of many writes, by everything that a replay does and by what it does not."""
        asking = stores_on(stores.database, SCOPE, opening_cooldown_seconds=0, lease_seconds=FOR_EVER)
        walk, taken = Walk(stores, clock, Random(seed)), set()
        for _ in range(STEPS):
            step = walk.step()
            taken.add(step)
            assert questions(stores) == questions(asking), step
        assert taken == walk.steps.keys()
        assert {each.status for each in asking.intents.list(limit=None)} >= ENDS

    def test_what_ends_by_itself_is_not_remembered(self, stores, clock):
        until = stores.intents.now() + timedelta(seconds=30)
        stores.by_hand.mute(ConditionId("0x1"), question="Who?", until=until, actor="user:anna", reason="")
        stores.switches.trip(KillSwitchType.DAILY_LOSS, actor="engine", reason="lost")
        stores.switches.override(
            KillSwitchType.DAILY_LOSS, actor="user:anna", reason="seen", lasting=timedelta(seconds=30)
        )
        assert (len(stores.by_hand.mutes()), _overridden(stores)) == (1, [True])
        clock.advance(seconds=31)
        assert (len(stores.by_hand.mutes()), _overridden(stores)) == (0, [False])

    def test_what_was_told_is_told_again_without_asking(self, stores, clock):
        walk = Walk(stores, clock, Random(1))
        for _ in range(40):
            walk.step()
        told, asked = questions(stores), []
        event.listen(stores.database.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
        assert questions(stores) == told
        # What a screen asks for, what is not there, and what depends on the time.
        assert len(asked) < 12


def _overridden(stores: SqlStores) -> list[bool]:
    """Of each override whether it is in force."""
    return [not each.override.over for each in stores.switches.list() if each.override is not None]


def questions(stores: SqlStores) -> dict[str, Any]:
    """What a cycle asks, and more."""
    intents, orders = stores.intents, stores.orders
    hour = intents.now() - timedelta(minutes=3)
    everything = intents.list(limit=None)
    return {
        "all": everything,
        "a page": intents.list(),
        "the newest": intents.list(limit=2),
        "behind": intents.list(before=everything[1].id) if len(everything) > 1 else (),
        "live": intents.list(statuses=tuple(LIVE_STATUSES), limit=None),
        "pending": intents.list(statuses=(IntentStatus.PENDING,), limit=None),
        "lately": intents.list(types=(IntentType.OPEN_POSITION,), changed_since=hour, limit=None),
        "failed lately": intents.list(statuses=(IntentStatus.FAILED,), changed_since=hour, limit=3),
        "sales": intents.list(types=(IntentType.CLOSE_POSITION,), limit=None),
        "each": [intents.get(each.id) for each in everything[:4]],
        "named": intents.named([each.id for each in everything[:3]]),
        "no intent": _refusal(lambda: intents.get(IntentId("nothing2"))),
        "no order": _refusal(lambda: orders.order(OrderId("0x00"))),
        "interrupted": intents.executing_without_order(),
        "orders": orders.orders(limit=None),
        "some orders": orders.orders(limit=3),
        "orders behind": orders.orders(before=orders.orders()[0].id) if orders.orders() else (),
        "unresolved": orders.orders(statuses=tuple(UNRESOLVED_ORDER), limit=None),
        "alive": orders.orders(statuses=tuple(MAY_BE_ALIVE), limit=1),
        "each order": [orders.order(each.id) for each in orders.orders(limit=4)],
        "named orders": orders.named([each.id for each in orders.orders(limit=2)]),
        "watched": orders.watched(),
        "absent": orders.absent(),
        "fills": orders.fills(),
        "of one": [orders.fills(order_id=each.id) for each in orders.orders(limit=1)],
        "reserved": orders.reserved_pusd(),
        "reserved shares": orders.reserved_shares(AssetId("1")),
        "now": intents.now(),
        "marks": (stores.books.marks(REGIME), stores.books.opening(REGIME), stores.books.movements()),
        "switches": stores.switches.list(),
        "journal": (stores.engine.last_sequence(), stores.engine.latest_entry("market-1")),
        "mutes": stores.by_hand.mutes(),
        "exits": stores.exits.unresolved(),
    }


def _refusal(ask: Any) -> str:
    with pytest.raises(NotFoundError) as refused:
        ask()
    return str(refused.value)


# -- a walk ---------------------------------------------------------------------------------------


class Walk:
    """Steps of a replay and a few that it never takes, each with what is there at the time."""

    def __init__(self, stores: SqlStores, clock: FakeClock, chance: Random) -> None:
        self.stores, self.clock, self.chance = stores, clock, chance
        self.lease = engine_of(stores)
        stores.books.open_books(REGIME, Pusd(Decimal(1000)), self.lease)
        self.made, self.ids = 0, seeded_ids(1)
        self.steps: dict[str, Callable[[], Any]] = {
            "propose": lambda: self._intents.propose(self._intent(), self.lease),
            "supersede": lambda: self._supersede(*self._of(IntentStatus.PENDING)),
            "approve": lambda: self._approve(*self._of(IntentStatus.PENDING)),
            "reject": lambda: self._reject(*self._of(IntentStatus.PENDING)),
            "claim": lambda: self._claim(*self._of(IntentStatus.APPROVED)),
            "permit": lambda: self._permit(*self._of(IntentStatus.EXECUTING)),
            "fail": lambda: self._fail(*self._of(IntentStatus.EXECUTING)),
            "expire one": lambda: self._expire(*self._of(IntentStatus.PENDING)),
            "expire": lambda: self._intents.expire_due(self.lease),
            "settle": lambda: self._settle(*self._unresolved()),
            "fill": lambda: self._fill(*self._unresolved()),
            "look up": lambda: self._look_up(*self._unresolved()),
            "record exits": lambda: stores.exits.record_ended(self.lease),
            "mark": self._mark,
            "note": self._note,
            "trip": self._trip,
            "mute": self._mute,
            "wait": lambda: clock.advance(seconds=chance.choice((0, 5, 70))),
        }

    def step(self) -> str:
        """One step, by its name. What is refused is refused."""
        name = self.chance.choice([*self.steps, *OFTEN])
        with suppress(PolybotError):
            self.steps[name]()
        return name

    @property
    def _intents(self) -> Any:
        return self.stores.intents

    def _of(self, status: IntentStatus) -> list[IntentRecord]:
        found = self._intents.list(statuses=(status,), limit=None)
        return self.chance.sample(found, min(1, len(found)))

    def _unresolved(self) -> list[OrderRecord]:
        found = self.stores.orders.orders(statuses=tuple(UNRESOLVED_ORDER), limit=None)
        return self.chance.sample(found, min(1, len(found)))

    def _intent(self) -> TradeIntent:
        self.made += 1
        asset, market = AssetId(str(self.made % 7)), ConditionId(f"0x{self.made % 7}")
        make = a_close if self.chance.random() < 0.3 else an_intent
        return make(
            scope=str(SCOPE),
            regime=REGIME,
            asset_id=asset,
            condition_id=market,
            created_at=self._intents.now(),
            id=next(self.ids),
        )

    def _supersede(self, *old: IntentRecord) -> None:
        for each in old:
            new = replace(each.intent, id=next(self.ids), created_at=self._intents.now())
            self._intents.supersede(each.id, new, self.lease)

    def _approve(self, *asked: IntentRecord) -> None:
        for each in asked:
            self._intents.approve(each.id, digest=each.digest, actor=PAPER_ENGINE, grace_seconds=5)

    def _reject(self, *asked: IntentRecord) -> None:
        for each in asked:
            self._intents.reject(each.id, actor=PAPER_ENGINE, reason="no")

    def _claim(self, *approved: IntentRecord) -> None:
        for each in approved:
            most = Pusd(Decimal(self.chance.choice((5, 250, 250, 250, 250))))
            self._intents.claim(each.id, self.lease, REGIME, wide_limits(max_order_pusd=most))

    def _permit(self, *claimed: IntentRecord) -> None:
        for each in claimed:
            self._intents.permit(an_order_for(each.intent), self.lease, post_budget_seconds=10)

    def _fail(self, *claimed: IntentRecord) -> None:
        for each in claimed:
            self._intents.fail(each.id, self.lease, code="price_worse", detail="It moved.")

    def _expire(self, *asked: IntentRecord) -> None:
        for each in asked:
            self._intents.expire(each.id, actor="user:anna")

    def _settle(self, *orders: OrderRecord) -> None:
        for each in orders:
            status = self.chance.choice((OrderStatus.LIVE, OrderStatus.MATCHED, OrderStatus.CANCELLED))
            self.stores.orders.settle(each.id, self.lease, status=status, code="said", detail="by the book")

    def _fill(self, *orders: OrderRecord) -> None:
        for each in orders:
            number = TradeId(f"trade-{self.made}-{self.chance.randrange(9)}")
            shares = Shares(Decimal(self.chance.choice((1, 5, 20))))
            of = {"asset_id": each.asset_id, "condition_id": each.condition_id, "side": each.side}
            status = self.chance.choice((FillStatus.MATCHED, FillStatus.CONFIRMED))
            made = a_fill(each.id, trade_id=number, shares=shares, status=status, **of)
            self.stores.orders.record_fills(each.id, [made], self.lease)

    def _look_up(self, *orders: OrderRecord) -> None:
        for each in orders:
            self.stores.orders.record_lookup(each.id, self.lease, detail="asked")

    def _mark(self) -> None:
        equity = Pusd(Decimal(self.chance.choice((900, 1000, 1100))))
        self.stores.books.mark(REGIME, equity, Pusd(Decimal(0)), self.lease)

    def _note(self) -> None:
        self.stores.engine.note(self.lease, kind="day.noted", subject="market-1", payload={}, actor="engine")

    def _trip(self) -> None:
        if any(each.tripped for each in self.stores.switches.list()):
            self.stores.switches.clear(KillSwitchType.DAILY_LOSS, actor="user:anna", reason="seen")
            return
        self.stores.switches.trip(KillSwitchType.DAILY_LOSS, actor="engine", reason="lost")
        self.stores.switches.override(
            KillSwitchType.DAILY_LOSS, actor="user:anna", reason="seen", lasting=timedelta(seconds=30)
        )

    def _mute(self) -> None:
        until = self._intents.now() + timedelta(seconds=30)
        condition = ConditionId(f"0x{self.chance.randrange(7)}")
        self.stores.by_hand.mute(condition, question="Who?", until=until, actor="user:anna", reason="")
