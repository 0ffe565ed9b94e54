"""While the exchange takes no orders: nothing is proposed, nothing approved is sent, and it expires on time."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from polyb0t.cli.status_read import window_line
from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import Shares
from polyb0t.data.windows import OPEN, Window, WindowKind
from polyb0t.execution.intents import IntentStatus, OrderType, TradeIntent
from polyb0t.runtime.agreement import Agreement
from polyb0t.runtime.cycle import Cycle
from polyb0t.runtime.executor_thread import ExecutorThread
from polyb0t.runtime.facts import EngineFacts
from polyb0t.runtime.overview import Overview
from tests.support.builders import NOW, an_intent
from tests.support.engine_room import EngineRoom
from tests.test_cycle import Desk

PATIENCE_SECONDS = 10
RESTARTING = Window(WindowKind.RESTARTING, NOW, NOW + timedelta(seconds=90))


def test_nothing_is_proposed_while_the_exchange_takes_no_orders(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    takes = False
    cycle = Cycle(replace(desk.cycle._parts, takes_orders=lambda: takes))
    assert (cycle.run().proposed, desk.waiting()) == (0, [])
    takes = True
    assert cycle.run().proposed == 2


class Gate:
    """What the exchange takes, and how often that was asked."""

    def __init__(self) -> None:
        self.window = RESTARTING
        self.asked = threading.Semaphore(0)

    def __call__(self) -> Window:
        self.asked.release()
        return self.window

    def looked_at(self, times: int = 3) -> None:
        while self.asked.acquire(blocking=False):
            pass  # what was asked before now says nothing
        for _ in range(times):
            assert self.asked.acquire(timeout=PATIENCE_SECONDS)


class Running:
    """An executor's thread at an exchange that takes no orders."""

    def __init__(self, folder: Path) -> None:
        self.room, self.gate = EngineRoom(folder), Gate()
        agreement = Agreement(self.room.reconciler, self.room.clock, 60)
        assert agreement.compare().ok
        self.ready = True
        self.thread = ExecutorThread(
            self.room.dispatcher(), agreement, 0.01, window=self.gate, ready=lambda: self.ready
        )


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path)
    running.thread.start()
    yield running
    running.thread.close()


def test_what_is_approved_is_not_sent_into_a_window_and_goes_when_it_is_over(running: Running) -> None:
    intent = an_intent()
    running.room.approve(intent)
    running.gate.looked_at(5)
    assert (running.room.gateway.sent, running.room.gateway.signed) == ([], [])
    assert running.room.status(intent) is IntentStatus.APPROVED
    running.gate.window = OPEN
    assert goes(running, intent)


def test_what_was_approved_before_a_start_waits_until_the_account_was_read(running: Running) -> None:
    running.ready, running.gate.window = False, OPEN
    intent = an_intent()
    running.room.approve(intent)
    running.gate.looked_at(5)
    assert running.room.status(intent) is IntentStatus.APPROVED
    running.ready = True
    assert goes(running, intent)


def goes(running: Running, intent: TradeIntent) -> bool:
    """Whether it is executed before long."""
    for _ in range(200):
        running.gate.looked_at(1)
        if running.room.status(intent) is IntentStatus.EXECUTED:
            return True
    return False


def test_while_only_resting_orders_are_taken_a_post_only_one_goes_and_one_that_takes_waits(
    running: Running,
) -> None:
    running.gate.window = replace(RESTARTING, kind=WindowKind.POST_ONLY)
    taker = an_intent(asset_id=AssetId("1"), condition_id=ConditionId("0x1"))
    maker = an_intent(
        asset_id=AssetId("2"),
        condition_id=ConditionId("0x2"),
        order_type=OrderType.GTC,
        post_only=True,
        amount=None,
        least_shares=None,
        shares=Shares(Decimal(20)),
    )
    for intent in (taker, maker):
        running.room.approve(intent)
    assert goes(running, maker)
    running.gate.looked_at(5)
    assert running.room.status(taker) is IntentStatus.APPROVED
    assert running.room.gateway.sent == [running.room.order_id(maker)]


@pytest.mark.parametrize(
    "kind", [kind for kind in WindowKind if kind not in (WindowKind.OPEN, WindowKind.POST_ONLY)]
)
def test_every_other_window_takes_neither(kind: WindowKind) -> None:
    window = replace(RESTARTING, kind=kind)
    assert not window.takes(post_only=True)
    assert not window.takes(post_only=False)


def test_a_window_does_not_stretch_the_life_of_an_approval(running: Running) -> None:
    intent = an_intent()
    running.room.approve(intent)
    running.gate.looked_at()
    running.room.advance(seconds=71)  # past the deadline and the grace
    running.gate.window = OPEN
    running.gate.looked_at(5)
    running.room.stores.intents.expire_due(running.room.lease)
    assert running.room.status(intent) is IntentStatus.EXPIRED
    assert running.room.gateway.sent == []


def an_overview(window: Window, *, running: bool = True) -> Overview:
    content: dict[str, Any] = dict.fromkeys(
        ("opened", "engine", "switches", "waiting", "approved", "account", "holdings", "reserved")
    )
    return Overview(**content, open_orders=(), running=running, facts=EngineFacts(window=window))


def test_status_says_what_the_exchange_does_not_take_and_until_when() -> None:
    assert window_line(an_overview(RESTARTING)) == (
        "The exchange restarts and takes no orders. Nothing is proposed; orders are tried again at "
        "12:01:30 UTC. What is approved expires on time."
    )
    assert an_overview(RESTARTING).window is RESTARTING


def test_a_window_that_a_dead_engine_saw_is_not_shown() -> None:
    assert an_overview(RESTARTING, running=False).window == OPEN


@pytest.mark.parametrize("kind", [kind for kind in WindowKind if kind is not WindowKind.OPEN])
def test_each_window_has_a_sentence_of_its_own(kind: WindowKind) -> None:
    sentences = {Window(other).sentence for other in WindowKind}
    assert len(sentences) == len(WindowKind)
    assert not Window(kind).takes_orders
