"""When the exchange takes no orders, or not all of them."""

from typing import Final

from polyb0t.execution.intents import TradeIntent
from polyb0t.sandbox.house import Mode
from tests.faults.history import History
from tests.faults.process import buying
from tests.faults.scenario import Scenario

WINDOWS: Final = {
    "exchange restarts (425)": Mode.RESTART,
    "exchange takes post-only orders": Mode.POST_ONLY,
    "exchange takes cancels only": Mode.CANCEL_ONLY,
    "exchange has stopped trading": Mode.DISABLED,
}


def _window(name: str, mode: Mode) -> Scenario:
    """The window begins before an order is sent, or while it rests; another one is approved in it."""

    def run(history: History, intent: TradeIntent) -> None:
        house, random = history.exchange.app.house, history.random
        history.faults.append(name)
        seconds = random.choice((20, 45, 90, 200))
        rests = random.random() < 0.3
        if rests:
            history.execute(history.approve(intent))
            house.enter(mode, seconds * 1_000)
            history.cancel_resting()
        else:
            house.enter(mode, seconds * 1_000)
            history.execute(history.approve(intent))
        sent, told = _sent(history), not rests and _told(history, intent)
        history.wait(2)
        history.engine.turn()
        _on_the_other_market(history)
        history.engine.turn()
        if told and _sent(history) > sent:
            history.broken.append(("late", "an order was sent into a window that the exchange had told of"))
        if random.random() < 0.4:
            history.crash_and_restart()
        for wait in (15, 30):
            history.wait(wait)
            history.engine.turn()

    return Scenario(name, run)


def _sent(history: History) -> int:
    return sum(len(line.posts) for line in history.lines)


def _told(history: History, intent: TradeIntent) -> bool:
    """Whether the exchange refused our order because of the window."""
    return bool(_sent(history)) and not history.exchange.our_orders() and not intent.post_only


def _on_the_other_market(history: History) -> None:
    """Where nothing is in doubt, so that only the window can hold it back."""
    exchange = history.exchange
    exchange.open_other()
    changes = {"asset_id": exchange.other_token, "condition_id": exchange.other.condition_id}
    history.approve(buying(exchange, history.machine.clock, history.scope, **changes))


WINDOW_SCENARIOS: Final = tuple(_window(name, mode) for name, mode in WINDOWS.items())
