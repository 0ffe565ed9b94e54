"""What happens to real processes, by name: at a point of an order's way, and to engines, exchange and database."""

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from tests.faults.real.children import Child
from tests.faults.real.history import Passed, RealHistory
from tests.faults.real.home import SCOPE, StuckError, eventually, pause
from tests.faults.real.lines import LINE, ORDER, on_the_line
from tests.faults.real.people import deciders
from tests.faults.real.scenario import Scenario

Act = Callable[[RealHistory, Child, Passed], None]


def _killed(history: RealHistory) -> None:
    """kill -9 at the point; another start, which now and then is killed too while it reconciles."""
    engine = history.begin("kill")
    history.approve()
    if history.wait_for_strike(engine) is not None and history.random.random() < 0.3:
        _killed_again(history)


def _killed_again(history: RealHistory) -> None:
    engine = history.home.start_engine(history.plan("kill", at=history.random.randrange(12)), wait=False)
    end = time.monotonic() + 8
    while engine.running and time.monotonic() < end:
        pause(0.05)
    if history.struck(2) is not None:
        history.faults.append("killed again while it reconciled")
    engine.kill()


def stopped(name: str, act: Act, *, sqlite: bool = False) -> Scenario:
    """The engine is stopped at the point, something happens, and it goes on as if nothing had been."""

    def run(history: RealHistory) -> None:
        engine = history.begin("stop")
        if act is _taken_over:
            _standby(history)
        history.approve()
        point = history.wait_for_strike(engine)
        if point is not None:
            act(history, engine, point)
            engine.go_on()

    return Scenario(name, run, counts=True, sqlite=sqlite)


def _taken_over(history: RealHistory, engine: Child, point: Passed) -> None:
    """Suspended for longer than a lease while a standby waits behind it; unless the lock is held, that one
    has the lease by the time when it goes on."""
    before = history.home.lease_token()
    pause(history.times.stop)
    if not point.locked:
        with suppress(StuckError):  # another thread of the one that is stopped may hold the lock
            eventually(lambda: history.home.lease_token() > before, within=20, what="the takeover")
            pause(history.random.choice((0.1, 2)))  # and it has reconciled, or has not
            history.faults.append("taken over")
    assert engine.look().stopped, "it was to be stopped all the time"


def _standby(history: RealHistory) -> Child:
    """Another engine that waits behind the one that runs."""
    standby = history.home.start_engine(None, "--standby", wait=False)
    eventually(lambda: "Standing by" in standby.output, within=30, what="a standby")
    return standby


def _suspended(history: RealHistory, _engine: Child, _point: Passed) -> None:
    """Nobody is there to take over."""
    pause(history.times.stop)


def _halted(history: RealHistory, _engine: Child, _point: Passed) -> None:
    begun = sum(point.label == "before a call" for point in history.passed())
    history.sends_allowed = begun + history.sent_before  # that one has passed the last look
    history.faults.append(f"halt: {history.home.command('halt').code}")


def _rejected(history: RealHistory, _engine: Child, _point: Passed) -> None:
    done = history.home.command("intents", "reject", history.intent.id, "--reason", "changed my mind")
    history.faults.append(f"reject: {done.code}")


def _locked(history: RealHistory, engine: Child, point: Passed) -> None:
    """Another process keeps the database to itself, for longer than anybody waits for it."""
    if point.locked:
        return
    locker = history.home.lock_database()
    engine.go_on()
    pause(history.random.choice((1, 6)))
    locker.kill()


def _withdrawn(history: RealHistory, _engine: Child, _point: Passed) -> None:
    """Nearly all of the money goes elsewhere."""
    change = -9_900
    history.home.panel.ask("POST", "/sandbox/balances", {"wallet": SCOPE.wallet, "change": change})
    history.pusd_given += change * 1_000_000


def _wiped(history: RealHistory, _engine: Child, _point: Passed) -> None:
    """The exchange restarts for a moment and forgets every order that rests."""
    body = {"mode": "restart", "for_ms": 800, "orders": "forget"}
    history.home.panel.ask("PUT", "/sandbox/venue", body)


def _exchange_killed(history: RealHistory, engine: Child, _point: Passed) -> None:
    """kill -9 of the exchange; it is back a little later with all that it had acknowledged."""
    history.home.exchange.kill()
    engine.go_on()
    pause(history.random.choice((0.2, 1, 3)))
    history.home.start_exchange()


def _full(history: RealHistory) -> None:
    """From the point on no file of the engine's grows beyond a page: its database is full. Later it restarts."""
    history.ends_by_strike = False
    engine = history.begin("full")
    history.approve()
    if history.wait_for_strike(engine) is not None:
        pause(history.random.choice((1, 4)))
        engine.kill() if history.random.random() < 0.5 else _ended(engine)


def _ended(engine: Child) -> None:
    engine.signal(signal.SIGTERM)
    end = time.monotonic() + 25
    while engine.running and time.monotonic() < end:
        pause(0.1)
    engine.kill()


def _two_engines(history: RealHistory) -> None:
    """A second engine stands by; the first is stopped again and again at any moment, for longer than a lease."""
    first = history.begin()
    second = _standby(history)
    refused = history.home.command("run", "--live", "--sandbox", "--yes")
    history.faults.append(f"a third one without --standby ended with {refused.code}")
    if history.random.random() < 0.6:  # two that think that they are the one, when the approval comes
        first.signal(signal.SIGSTOP)
        pause(history.times.stop)
        first.go_on()
    history.approve()
    for engine in (first, second):
        pause(history.random.random() * 0.3)
        engine.signal(signal.SIGSTOP)
        history.faults.append(f"{engine.name} stopped")
        pause(history.times.stop)
        engine.go_on()


def _any_moment(history: RealHistory) -> None:
    """kill -9 some time after the approval, wherever every thread of the engine happens to be."""
    engine = history.begin()
    history.approve()
    pause(history.random.random() * 0.25)
    engine.kill()
    history.faults.append("killed at any moment")


def _ghost(history: RealHistory) -> None:
    """The exchange reports a match that the chain never settles; half of the time the reply is lost as well."""
    history.begin()
    history.home.panel.ask("PUT", "/sandbox/ghost-fills", {"count": 1})
    history.faults.append("the next trade fails on chain")
    if history.random.random() < 0.5:
        history.home.panel.break_with({**ORDER, "action": "drop_after", "count": 1})
        history.faults.append("reply lost")
    history.approve()
    history.wait_for_answer()


def _restored(history: RealHistory) -> None:
    """A copy made with `db backup` before or after the order is put in its place, and taken over."""
    engine = history.begin()
    early = history.random.random() < 0.6
    copy = history.home.backup() if early else None
    history.approve()
    if history.random.random() < 0.7:
        history.wait_for_answer()
    copy = copy or history.home.backup()
    pause(history.random.choice((0, 6)))
    engine.kill()
    history.home.restore(copy)
    history.faults.append(f"restored a copy from {'before' if early else 'after'} the approval")
    again = history.home.start_engine(wait=False)
    pause(1)
    eventually(
        lambda: not again.running or again.ready.exists(),  # type: ignore[attr-defined]
        within=30,
        what="a start or its refusal",
    )
    if again.running:
        return  # nothing had been sent since the copy was made
    pause(history.times.lease)
    adopted = history.home.command("db", "adopt", "--reason", "the fault suite restored it")
    history.faults.append(f"adopted: {adopted.code}")
    if adopted.code != 0:
        raise StuckError(f"not adopted: {adopted.output[-500:]}")


STOPPED: Final = (
    stopped("stopped for longer than a lease, a standby takes over", _taken_over),
    stopped("stopped for longer than a lease", _suspended),
    stopped("halted by another process", _halted),
    stopped("rejected by another process", _rejected),
    stopped("database locked by another process", _locked, sqlite=True),
    stopped("money withdrawn", _withdrawn),
    stopped("exchange restarts, orders wiped", _wiped),
    stopped("exchange killed", _exchange_killed),
)
SCENARIOS: Final[tuple[Scenario, ...]] = (
    Scenario("killed", _killed, counts=True),
    *STOPPED,
    Scenario("disk full", _full, counts=True, sqlite=True),
    Scenario("killed at any moment", _any_moment),
    *(on_the_line(name) for name in LINE),
    Scenario("ghost fill", _ghost),
    Scenario("two engines", _two_engines),
    Scenario("backup restored and adopted", _restored, sqlite=True),
    *(deciders(count, way) for count in (2, 4, 8) for way in ("commands", "HTTP", "both")),
)
