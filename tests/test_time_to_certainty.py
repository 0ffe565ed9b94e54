"""How soon an order whose answer was lost is known for certain, once the exchange has it to show."""

from pathlib import Path

import pytest

from polyb0t.execution.intents import IntentStatus, TradeIntent
from polyb0t.execution.orders import OrderStatus
from polyb0t.runtime.agreement import Agreement
from polyb0t.runtime.jobs import COMPARE_SECONDS
from tests.support.builders import an_intent
from tests.support.engine_room import EngineRoom

PROMISED_SECONDS = 10.0
QUIET_SECONDS = 60.0


@pytest.fixture
def room(tmp_path: Path) -> EngineRoom:
    return EngineRoom(tmp_path)


def lost(room: EngineRoom) -> TradeIntent:
    """Accepted by the exchange, whose answer never came; its reads do not show it yet."""
    intent = an_intent()
    room.gateway.hidden.add(room.order_id(intent))
    room.gateway.answers.append(room.gateway.take_and_lose_the_reply)
    room.execute(intent)
    assert room.order(intent).status is OrderStatus.UNKNOWN
    return intent


def seconds_until_known(room: EngineRoom, agreement: Agreement, intent: TradeIntent) -> float:
    """With the engine's own job that compares when it is due, and nothing else."""
    begun = room.clock.boot_seconds()
    while room.order(intent).status is OrderStatus.UNKNOWN:
        room.advance(seconds=COMPARE_SECONDS)
        agreement.compare_when_due()
        assert room.clock.boot_seconds() - begun < 10 * PROMISED_SECONDS, "it is never known"
    return room.clock.boot_seconds() - begun


@pytest.mark.parametrize("shows_after", [0, 1, 4, 5, 6, 11, 23, 37, 51])
def test_a_positive_answer_is_recorded_soon_whenever_it_comes(room: EngineRoom, shows_after: int) -> None:
    agreement = Agreement(room.reconciler, room.clock, QUIET_SECONDS)
    agreement.compare()  # all was quiet: the next look would be due in a minute
    room.advance(seconds=1)
    intent = lost(room)
    agreement.follow(room.order_id(intent))
    for _ in range(shows_after):
        room.advance(seconds=1)
        agreement.compare_when_due()
    room.gateway.hidden.clear()

    assert seconds_until_known(room, agreement, intent) <= PROMISED_SECONDS
    assert room.status(intent) is IntentStatus.EXECUTED


def test_also_by_a_new_process_that_finds_it_unknown(room: EngineRoom) -> None:
    intent = lost(room)
    room.advance(seconds=3)
    room.restart()
    agreement = Agreement(room.reconciler, room.clock, QUIET_SECONDS)
    agreement.compare()
    room.gateway.hidden.clear()

    assert seconds_until_known(room, agreement, intent) <= PROMISED_SECONDS
