"""What goes wrong, by name. A scenario arranges its fault, lets the engine act, and leaves the rest to the judge."""

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from polyb0t.core.errors import PolybotError
from polyb0t.core.ids import IntentId
from polyb0t.execution import anchor
from polyb0t.execution.anchor import AnchorFile
from polyb0t.execution.intents import TradeIntent
from polyb0t.runtime import adopting
from polyb0t.sandbox.types import MILLION
from tests.faults.bad_input import BAD_ANSWER_SCENARIOS
from tests.faults.cancels import CANCEL_SCENARIOS
from tests.faults.history import History
from tests.faults.line import Trouble
from tests.faults.news import SOCKET_SCENARIOS
from tests.faults.points import CrashError, Point
from tests.faults.process import gateway_over
from tests.faults.scenario import Act, Scenario
from tests.faults.troubles import ABSURD, POSTS, READS, lost_after, placing, reading_trades
from tests.faults.underneath import UNDERNEATH_SCENARIOS
from tests.faults.windows import WINDOW_SCENARIOS


def at_a_point(name: str, act: Act) -> Scenario:
    """`act` at a point between claim and settlement, drawn from all that there are."""

    def run(history: History, intent: TradeIntent) -> None:
        intent_id = history.approve(intent)

        def strike(point: Point) -> None:
            history.faults.append(f"{name} {point.label} ({point.number})")
            act(history, point)

        history.points.action = strike
        if history.execute(intent_id):
            history.wait(1)
        else:
            _recover(history)

    return Scenario(name, run, counts=True, small_pages=act is _full, sqlite=act is _full)


def _recover(history: History) -> None:
    """After a crash: a new process; now and then it crashes too."""
    if history.random.random() < 0.3:
        again = history.random.randrange(40)
        history.points.passed.clear()
        history.points.at, history.points.action = again, crash_here(history)
        history.points.counting = True
        try:
            history.crash_and_restart()
        except CrashError:
            history.faults.append("crashed again while it reconciled")
        finally:
            history.points.counting = False
            history.points.action = None


def crash_here(history: History) -> Callable[[Point], None]:
    def strike(point: Point) -> None:
        raise CrashError(point.label)

    return strike


def _crash(_history: History, point: Point) -> None:
    raise CrashError(point.label)


def _suspend(history: History, point: Point) -> None:
    """Thirty seconds pass for everybody else; unless the lock is held, another engine takes over."""
    history.wait(31)
    if not point.locked:
        history.start(1)
        history.engine.turn()


def _forward(history: History, _point: Point) -> None:
    history.jump(300)


def _back(history: History, _point: Point) -> None:
    history.jump(-300)


def _trip(history: History, point: Point) -> None:
    if not point.locked:
        history.trip()


def _halt(history: History, point: Point) -> None:
    history.engine.halted = True
    sent = sum(len(line.posts) for line in history.lines)
    history.sends_allowed = sent + point.label.startswith("before POST")  # too late for that one


def _reject(history: History, point: Point) -> None:
    if point.locked:
        return
    try:
        person = history.machine.slot(3).stores
        person.intents.reject(history.intents[-1].id, actor="user:ben", reason="changed my mind")
    except PolybotError as error:
        history.faults.append(f"ben was told: {error.code}")


def _withdraw(history: History, _point: Point) -> None:
    """The account's owner takes nearly all of the money out."""
    world, wallet = history.exchange.world, history.exchange.wallet
    taken = world.ledger.available(wallet) - MILLION
    world.ledger.deposit(wallet, -taken)
    history.pusd_given -= taken


def _wipe(history: History, _point: Point) -> None:
    history.exchange.wipe_orders()


def _venue_ahead(history: History, _point: Point) -> None:
    history.venue_clock.jump_wall(seconds=300)
    history.venue_skew += 300


def _venue_behind(history: History, _point: Point) -> None:
    history.venue_clock.jump_wall(seconds=-300)
    history.venue_skew -= 300


def _book_moves(history: History, _point: Point) -> None:
    history.exchange.withdraw_quotes()


def _locked(history: History, point: Point) -> None:
    """Somebody else holds the database's lock for the next few writes."""
    if point.locked:
        return
    history.holding.append(history.machine.hold_lock())


def _full(history: History, point: Point) -> None:
    """No page may be added to the database of this process until it restarts."""
    if not point.locked:
        history.fill_disk()


AT_A_POINT: Final[Mapping[str, Act]] = {
    "crash": _crash,
    "suspended 31 s, takeover meanwhile": _suspend,
    "clock 5 min forward": _forward,
    "clock 5 min back": _back,
    "exchange's clock 5 min ahead": _venue_ahead,
    "exchange's clock 5 min behind": _venue_behind,
    "switch tripped": _trip,
    "HALT file": _halt,
    "rejected by another person": _reject,
    "money withdrawn": _withdraw,
    "exchange restarts, orders wiped": _wipe,
    "book emptied": _book_moves,
    "database locked": _locked,
    "disk full": _full,
}


def on_the_line(name: str) -> Scenario:
    """The order's request meets trouble; afterwards the reads may, and the process may crash."""

    def run(history: History, intent: TradeIntent) -> None:
        intent_id = history.approve(intent)
        reads = history.random.choice(list(READS))
        history.faults += [name, reads]
        history.must_trip = name == "another order's id"
        history.engine.line.troubles[:] = [Trouble(name, placing, POSTS[name]), *READS[reads]()]
        history.execute(intent_id)
        history.wait(history.random.choice((0, 1, 5)))
        if history.random.random() < 0.5:
            history.crash_and_restart()
        else:
            history.engine.turn()

    return Scenario(name, run)


def absurd(name: str) -> Scenario:
    """What is read of our trades cannot be true, for a while."""

    def run(history: History, intent: TradeIntent) -> None:
        intent_id = history.approve(intent)
        history.faults.append(name)
        history.engine.line.troubles.append(Trouble(name, reading_trades, ABSURD[name], 3))
        history.execute(intent_id)
        history.wait(1)
        history.engine.turn()

    return Scenario(name, run)


def _deciders(count: int) -> Scenario:
    """So many people decide at the same moment, and the engine does not wait for them."""

    def run(history: History, intent: TradeIntent) -> None:
        intent_id = history.propose(intent)
        gate = threading.Barrier(count)
        won: list[str] = []

        def decide(number: int) -> None:
            person = history.machine.slot(2 + number).stores.intents
            gate.wait(timeout=20)
            try:
                if number % 4 == 3:
                    person.reject(intent_id, actor=f"user:p{number}", reason="no")
                else:
                    digest = intent.digest
                    person.approve(intent_id, digest=digest, actor=f"user:p{number}", grace_seconds=10)
                    won.append(f"p{number}")
            except PolybotError as error:
                history.faults.append(f"p{number} was told: {error.code}")

        for number in range(count):
            history.machine.slot(2 + number)
        threads = [threading.Thread(target=decide, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        _execute_if_approved(history, intent_id)
        for thread in threads:
            thread.join(timeout=60)
        history.winners = len(won)
        _execute_if_approved(history, intent_id)

    return Scenario(f"{count} deciders", run)


def _execute_if_approved(history: History, intent_id: IntentId) -> None:
    try:
        history.engine.execute(intent_id)
    except PolybotError as error:
        history.faults.append(f"the engine was told: {error.code}")


def _two_engines(history: History, intent: TradeIntent) -> None:
    """A second engine takes over while the first does not know it; both go on."""
    intent_id = history.approve(intent)
    first = history.engine
    history.faults.append("a second engine took over")
    history.start(1)
    engines = [first, history.engine]
    history.random.shuffle(engines)
    for process in engines:
        try:
            process.execute(intent_id)
            process.reconciler.run()
        except PolybotError as error:
            history.faults.append(f"{process.name} was told: {error.code}")


def _ghost(history: History, intent: TradeIntent) -> None:
    """The exchange reports a match, and the chain never settles it."""
    intent_id = history.approve(intent)
    history.exchange.world.fail_next = 1
    history.faults.append("the next trade fails on chain")
    if history.random.random() < 0.5:
        history.engine.line.troubles.append(Trouble("reply lost", placing, lost_after))
        history.faults.append("reply lost")
    history.execute(intent_id)


def _restored(history: History, intent: TradeIntent) -> None:
    """A copy is made before, while or after the order is carried out, and later put in its place."""
    copies: list[Any] = []
    intent_id = history.propose(intent)
    moment = history.random.choice(("proposed", "approved", "executing", "executed"))
    if moment == "proposed":
        copies.append(history.machine.backup())
    history.decide(intent)
    if moment == "approved":
        copies.append(history.machine.backup())

    def copy(point: Point) -> None:
        copies.append(history.machine.backup())

    history.points.at = history.random.randrange(13) if moment == "executing" else None
    history.points.action = copy
    history.execute(intent_id)
    if not copies:
        copies.append(history.machine.backup())
    history.faults.append(f"a backup of when it was {moment} was restored")
    history.wait(history.random.choice((31, 45, 200)))  # the engine is stopped for longer than its lease
    history.machine.restore(copies[0])
    _take_over(history)


def _take_over(history: History) -> None:
    """What `polyb0t db adopt` does, if the engine refuses to start."""
    stores, gateway = history.machine.slot(0).stores, gateway_over(history.lines[0], history.machine.clock)
    file = AnchorFile(history.machine.files / "anchor.json", stores.engine)
    if anchor.restored(stores, file) is None:
        history.start(0)
        history.engine.turn()
        return
    history.faults.append("adopted")
    waiting = adopting.could_have_orders(stores)
    adopting.adopt_with(stores, gateway, file, waiting, actor="user:anna", reason="restored")
    history.start(0)
    history.engine.reconciler.run()


def _no_route(history: History, intent: TradeIntent) -> None:
    intent_id = history.approve(intent)
    history.faults.append("the exchange cannot be reached")
    history.engine.line.troubles.append(
        Trouble("unreachable", lambda _letter: True, POSTS["connection refused once"], 60)
    )
    history.execute(intent_id)


SCENARIOS: Final[tuple[Scenario, ...]] = (
    *(at_a_point(name, act) for name, act in AT_A_POINT.items()),
    *(on_the_line(name) for name in POSTS),
    *(absurd(name) for name in ABSURD),
    Scenario("unreachable", _no_route),
    Scenario("ghost fill", _ghost),
    Scenario("two engines", _two_engines),
    Scenario("backup restored", _restored),
    _deciders(2),
    _deciders(4),
    _deciders(8),
    *SOCKET_SCENARIOS,
    *CANCEL_SCENARIOS,
    *WINDOW_SCENARIOS,
    *UNDERNEATH_SCENARIOS,
    *BAD_ANSWER_SCENARIOS,
)
