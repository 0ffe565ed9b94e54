"""Cancels: approved ones and those that a halt orders, crashed, lost, refused, and racing a fill."""

from collections.abc import Callable, Mapping
from typing import Final

from polyb0t.execution.intents import TradeIntent
from polyb0t.sandbox.types import MILLION
from polyb0t.venue.one_shot import Reply as Got
from tests.faults.history import History
from tests.faults.line import Letter, Line, Trouble
from tests.faults.points import CrashError, Point
from tests.faults.scenario import Scenario
from tests.faults.troubles import (
    ERROR,
    PAGE,
    Strike,
    answers,
    cancelling,
    held_up,
    lost_after,
    lost_before,
    never_left,
)

RESTING: Final = ("gtc", "gtd", "post_only", "gtc_crossing")


def filled_before(line: Line, letter: Letter) -> Got:
    """Somebody takes a part, or all, of what rests, and then the cancel arrives."""
    line.exchange.trade_into((len(letter.body) % 3 + 1) * 9 * MILLION)
    return line.deliver(letter)


def filled_and_lost(line: Line, letter: Letter) -> Got:
    line.exchange.trade_into(9 * MILLION)
    return lost_after(line, letter)


def refused_though_gone(line: Line, letter: Letter) -> Got:
    """It is cancelled, and the answer says that it could not be."""
    line.deliver(letter)
    return answers(200, {"canceled": [], "not_canceled": {"0x" + "00" * 32: "order not found"}})(line, letter)


CANCELS: Final[Mapping[str, Strike]] = {
    "cancel races a fill": filled_before,
    "cancel races a fill, reply lost": filled_and_lost,
    "cancel's reply lost": lost_after,
    "cancel never arrives": lost_before,
    "cancel arrives 20 s late": held_up(20),
    "cancel not sent, connection refused": never_left,
    "cancel answered 500 after it was done": answers(500, ERROR, after=True),
    "cancel answered 503 before": answers(503, ERROR),
    "cancel answered with a page": answers(200, PAGE, after=True),
    "cancel refused though it was done": refused_though_gone,
}


def _rest(history: History, intent: TradeIntent) -> None:
    """The order is at the exchange, as far as anybody knows."""
    history.execute(history.approve(intent))
    history.points.passed.clear()
    history.wait(1)


def _cancel(history: History) -> None:
    """A person has it cancelled, and the engine takes that up."""
    history.cancel_resting()
    cancel = history.cancels[-1] if history.cancels else None
    if cancel is not None:
        history.execute(cancel)


def _approved(name: str, strike: Strike) -> Scenario:
    def run(history: History, intent: TradeIntent) -> None:
        _rest(history, intent)
        history.faults.append(name)
        history.engine.line.troubles.append(
            Trouble(name, cancelling, strike, history.random.choice((1, 1, 2)))
        )
        _cancel(history)
        history.wait(history.random.choice((0, 1, 5)))
        if history.random.random() < 0.4:
            history.crash_and_restart()
        history.engine.turn()

    return Scenario(name, run, shapes=RESTING)


def _crash(history: History, intent: TradeIntent) -> None:
    _rest(history, intent)

    def strike(point: Point) -> None:
        history.faults.append(f"crash {point.label} ({point.number})")
        raise CrashError(point.label)

    history.points.action = strike
    _cancel(history)
    history.points.action = None
    if history.faults:
        history.crash_and_restart()
    history.engine.turn()


def _probe(history: History, intent: TradeIntent) -> None:
    _rest(history, intent)
    _cancel(history)


def _halted(name: str, strike: Strike, stop: Callable[[History], None]) -> Scenario:
    """Trading is halted while orders rest; the cancels that it orders meet trouble."""

    def run(history: History, intent: TradeIntent) -> None:
        _rest(history, intent)
        history.faults.append(name)
        history.all_dead = True
        history.engine.line.troubles.append(Trouble(name, cancelling, strike, 2))
        stop(history)
        for _ in range(2):
            history.engine.turn()
            history.wait(history.random.choice((1, 5)))
        if history.random.random() < 0.3:
            history.crash_and_restart()

    return Scenario(name, run, shapes=RESTING)


CANCEL_SCENARIOS: Final = (
    Scenario("crash while an order is cancelled", _crash, True, probe=_probe, way="cancel", shapes=RESTING),
    *(_approved(name, strike) for name, strike in CANCELS.items()),
    _halted("halted, cancels lost", lost_before, History.trip),
    _halted("halted, cancels race fills", filled_and_lost, History.trip),
)
