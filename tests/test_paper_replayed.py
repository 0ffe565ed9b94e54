"""A paper run and its replay are twins: what an engine did with nobody's money it does again from its recording.

The engine is joined as `polyb0t run --paper --sandbox` joins it and reads a sandbox over HTTP; only its clock is
moved by hand, and its orders go one after the other. Its market socket leads nowhere: books are then read, and no
message comes sooner or later than in another run of this test.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from polyb0t.config.settings import load_settings
from polyb0t.core.units import Pusd
from polyb0t.db import open_stores
from polyb0t.db.stores import peek_scope
from polyb0t.execution.dispatcher import Dispatcher
from polyb0t.execution.intents import IntentRecord, IntentStatus, IntentType
from polyb0t.execution.paper_account import PaperAccount
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Stores
from polyb0t.research.convert import convert
from polyb0t.runtime.account import Account
from polyb0t.runtime.lease import acquire_lease
from polyb0t.runtime.paper import open_account
from polyb0t.runtime.places import database_url, scope_dir
from polyb0t.runtime.replay.backtests import Backtests
from polyb0t.runtime.replay.inline import Inline
from polyb0t.runtime.replay.request import RECORDED, Request
from polyb0t.runtime.replay.running import BOOK
from polyb0t.runtime.surroundings import Surroundings, look_around
from polyb0t.runtime.wiring import Engine, build_engine
from tests.support.clock import FakeClock
from tests.support.databases import migrated_file
from tests.support.sandbox import RunningSandbox, running_sandbox

EVERY: Final = timedelta(minutes=4)  # after five without a look a recording knows no book any more
NOWHERE: Final = "ws://127.0.0.1:9/"
EARLY_EXITS: Final = {"exit_stop_loss_fraction": "0.02", "exit_take_profit_fraction": "0.05"}
# Of an intent: names that are made at random, and whose database it is in.
OWN: Final = ("id", "parent_id", "scope")
NOT_BEGUN: Final = (IntentStatus.PENDING, IntentStatus.APPROVED)  # "at once" is a millisecond in a replay


@dataclass(frozen=True)
class Came:
    """What came of an account, in the order of time. A fill stands at the instant of its proposal: which of two
    orders of one cycle goes first is not told."""

    intents: list[dict[str, Any]]
    fills: list[tuple[Any, ...]]
    cash: Pusd | None

    @classmethod
    def of(cls, stores: Stores) -> "Came":
        records = stores.intents.list(limit=None)
        asked = {record.order_id: record.intent.created_at for record in records}
        fills = [
            (asked[each.order_id], each.asset_id, each.side, each.role, each.price, each.shares, each.fee)
            for each in stores.orders.fills()
        ]
        return cls(
            sorted(map(_told, records), key=lambda each: (each["created_at"], each["asset_id"])),
            sorted(fills),
            PaperAccount(stores, FakeClock()).cash_pusd(),
        )

    def types(self) -> set[IntentType]:
        return {each["intent_type"] for each in self.intents}


def _told(record: IntentRecord) -> dict[str, Any]:
    status = None if record.status in NOT_BEGUN else record.status
    return {**asdict(record.intent), "status": status, **dict.fromkeys(OWN)}


class Flight(FakeClock):
    """On the way of an order the sandbox's markets move as well, where there is a sandbox."""

    moves: RunningSandbox | None = None

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self.moves is not None:
            self.moves.step(round(seconds * 1_000))


@dataclass
class PaperRun:
    """One engine on paper in `folder`, whose cycles a test begins."""

    sandbox: RunningSandbox
    folder: Path
    changed: dict[str, str]
    clock: Flight = field(default_factory=Flight)

    @property
    def flags(self) -> dict[str, Any]:
        return {"venue": "sandbox", "sandbox_url": self.sandbox.url, "data_dir": self.folder, **self.changed}

    def lived(self, cycles: int) -> Came:
        """So many cycles, with what they decide carried out; of the last what it proposed."""
        with self._engine() as (engine, stores):
            due = self.clock.now()
            engine.agreement.compare()
            sending = Dispatcher(engine.trader, stores.intents, self.clock, pool=Inline)
            for _ in range(cycles - 1):
                self._cycle(engine, due)
                fills = len(stores.orders.fills())
                sending.run_due(trading=engine.agreement.agreed)
                if len(stores.orders.fills()) > fills:
                    engine.cycle.look_at_account()
                due += EVERY
            self._cycle(engine, due)
            return Came.of(stores)

    def replayed(self) -> Came:
        """As `polyb0t backtest run recorded --human at-once` replays it."""
        request = Request(tapes=(RECORDED,), human="at-once", every_seconds=EVERY.total_seconds())
        done = Backtests(self.flags).run(request)
        url = f"sqlite:///{done.folder / BOOK}"
        scope = peek_scope(url)
        assert scope is not None
        stores = open_stores(url, scope, self.clock)
        try:
            return Came.of(stores)
        finally:
            stores.close()

    def _cycle(self, engine: Engine, due: datetime) -> None:
        late = (due - self.clock.now()).total_seconds()
        self.clock.advance(seconds=late)
        self.sandbox.step(round(late * 1_000))
        assert engine.cycle.run().failed == {}

    @contextmanager
    def _engine(self) -> Iterator[tuple[Engine, Stores]]:
        settings = load_settings(**{**self.flags, "mode": "paper"})
        found = look_around(settings)
        around = Surroundings(
            replace(found.environment, market_ws_url=NOWHERE), found.wallet, found.signature_type
        )
        place = scope_dir(settings, around.scope)
        url = database_url(settings, around.scope)
        Path(url.removeprefix("sqlite:///")).write_bytes(migrated_file())
        stores = open_stores(
            url,
            around.scope,
            self.clock,
            opening_cooldown_seconds=settings.cooldown_seconds,
            lease_seconds=1e6,
        )
        lease = acquire_lease(stores.engine, Regime.PAPER)
        open_account(settings, stores, lease)
        engine = build_engine(settings, around, stores, lease, account=Account(), clock=self.clock)
        assert engine.recorder is not None
        engine.recorder.start()
        try:
            yield engine, stores
        finally:
            engine.close()
            stores.engine.release(lease)
            stores.close()
        convert(place / "record", writer=os.getpid())  # as the next start does


@contextmanager
def paper_run(folder: Path, *, seed: int, markets: int, **changed: str) -> Iterator[PaperRun]:
    clock = Flight()
    with running_sandbox(clock=clock, seed=seed, markets=markets) as sandbox:
        yield PaperRun(sandbox, folder, changed, clock)


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("POLYBOT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_a_paper_run_replays_to_the_same_intents_the_same_fills_and_the_same_cash(tmp_path: Path) -> None:
    """Nine orders, two of them exits, in an hour and a half: every field of every intent, every millionth."""
    with paper_run(tmp_path, seed=5, markets=24, **EARLY_EXITS) as run:
        lived = run.lived(20)
        replayed = run.replayed()
    assert lived.types() == {IntentType.OPEN_POSITION, IntentType.CLOSE_POSITION}
    assert len(lived.fills) > 5
    assert replayed.intents == lived.intents
    assert replayed.fills == lived.fills
    assert replayed.cash == lived.cash


def test_what_moves_on_the_way_of_an_order_is_all_that_a_replay_does_not_know(tmp_path: Path) -> None:
    """The books of the cycles are recorded, not those between them: where the market moves on the way of an order
    its replay meets the book of the cycle. Whatever else differs comes after such a fill, and from it."""
    with paper_run(tmp_path, seed=5, markets=24, paper_delay_seconds="30", most_waiting="1") as run:
        run.clock.moves = run.sandbox
        lived = run.lived(7)
        replayed = run.replayed()
    other_fill = min(fill[0] for fill in {*lived.fills} ^ {*replayed.fills})
    other_intent = min(
        ours["created_at"]
        for ours, again in zip(lived.intents, replayed.intents, strict=True)
        if {**ours, "status": again["status"]} != again
    )
    assert lived.intents[0]["created_at"] < other_fill < other_intent
