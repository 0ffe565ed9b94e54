"""`status`: problems first, each with what to do."""

from collections.abc import Iterator
from decimal import Decimal

from polyb0t.cli import words
from polyb0t.cli.account_words import health_doubts
from polyb0t.cli.intents_read import still_waiting
from polyb0t.cli.scene import Scene, context_line, look
from polyb0t.cli.status_more import at_risk_words, cycle_words, exit_lines, watchers, world_lines
from polyb0t.cli.terminal import Paint, Terminal
from polyb0t.cli.trade_words import Trade
from polyb0t.execution.intents import IntentRecord
from polyb0t.execution.refusals import person
from polyb0t.execution.scope import Regime
from polyb0t.models import wording
from polyb0t.models.kill_switches import KillSwitchType, Stance, SwitchState, overridden, tripped
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.overview import Overview, overview

_LABEL = 11
NOT_ALLOWED = 4
NO_ENGINE = 1


def show(terminal: Terminal, opened: OpenedStore) -> int:
    """Print the status; the exit code says whether it may trade and whether an engine runs."""
    state = overview(opened)
    if terminal.json:
        terminal.data(state.view())
    else:
        terminal.show(status_screen(state, look(opened), terminal.paint, terminal.columns))
    if not state.running:
        return NO_ENGINE
    return 0 if state.stance is Stance.ACTIVE and not opened.halt_file.present() else NOT_ALLOWED


def status_screen(state: Overview, scene: Scene, paint: Paint, columns: int) -> list[str]:
    """The whole screen; lines with a problem stand on top."""
    problems: list[str] = []
    facts: list[str] = []
    for name, text, wrong in _lines(state, scene):
        room = columns - _LABEL
        first, *rest = [text or "-"] if words.width(text) <= room else words.wrap(text, room)
        shown = [f"{name:<{_LABEL}}{paint.yellow(first) if wrong else first}"]
        shown += [" " * _LABEL + line for line in rest]
        (problems if wrong else facts).extend(shown)
    return [*context_line(scene, paint, columns).split("\n"), *problems, *facts]


def _lines(state: Overview, scene: Scene) -> Iterator[tuple[str, str, bool]]:
    yield _trading(state)
    yield _engine(state, scene)
    if state.running and state.facts.problem:
        yield "Problem", wording.one_line(state.facts.problem), True
    yield from _limits(state)
    yield from world_lines(state)
    if not state.window.takes_orders:
        yield "Exchange", window_line(state), True
    if state.running and state.facts.clock_skew_seconds is not None:
        yield "Clock", clock_line(state.facts.clock_skew_seconds), False
    if state.doubtful:
        ids = ", ".join(wording.short_hex(order.id) for order in state.doubtful[:3])
        several = len(state.doubtful) > 1
        what = (
            f"{len(state.doubtful)} of unknown outcome: {ids}. "
            f"{'Their' if several else 'Its'} money stays reserved."
        )
        yield "Unknown", f"{what} Look: polyb0t orders show {state.doubtful[0].id[:6]}", True
    yield "Waiting", _waiting(state, scene) + watchers(state), False
    held = wording.money(state.reserved)
    settling = len(state.open_orders) - len(state.resting) - len(state.doubtful)
    more = f"; {settling} filled, not final yet" if settling else ""
    counts = f"{len(state.resting)} open, {held} pUSD held; {len(state.doubtful)} unknown{more}"
    yield "Orders", counts, False
    yield from _money(state, scene)


def _limits(state: Overview) -> Iterator[tuple[str, str, bool]]:
    """Whether any order fits, and how far the first small ones have come."""
    if state.running and state.too_small:
        yield "Size", state.too_small, True
    if state.small_orders:
        yield "Small", f"orders with real money begin small: {state.small_orders}", False


def _trading(state: Overview) -> tuple[str, str, bool]:
    held = tripped(state.switches)
    file = state.opened.halt_file.present()
    aside = overridden(state.switches)
    if aside and not held and not file:
        return "Trading", " ".join(["ALLOWED.", *map(_overridden, aside)]), True
    if not held and not file:
        total = len(KillSwitchType)
        return "Trading", f"ALLOWED, {total} of {total} switches clear", False
    parts = [
        f"{switch.type.value} ({wording.one_line(switch.reason) or 'no reason noted'})" for switch in held
    ]
    if file:
        parts.append("the HALT file is there")
    manual = file or any(switch.type is KillSwitchType.MANUAL for switch in held)
    do = ' Go on: polyb0t resume --reason "..."' if manual else " Look: polyb0t kill-switches list"
    stance = state.stance.words if held else "halted by file: nothing new is sent"
    return "Trading", f"{stance.upper()}. {'; '.join(parts)}.{do}", True


def _overridden(switch: SwitchState) -> str:
    """`DAILY_LOSS is tripped and overridden until 14:46:05 UTC by anna (a hedge): then it holds again.`"""
    word = switch.override
    if word is None:
        return ""
    who = f"by {person(word.by)} ({wording.one_line(word.reason)})"
    until = wording.clock_time(word.until)
    return f"{switch.type.value} is tripped and overridden until {until} {who}: then it holds again."


def window_line(state: Overview) -> str:
    """What the exchange does not take, and until when nothing is proposed or sent for that."""
    until = state.window.until
    again = f" Nothing is proposed; orders are tried again at {until:%H:%M:%S} UTC." if until else ""
    return f"{state.window.sentence}{again} What is approved expires on time."


def clock_line(skew: Decimal) -> str:
    """How far this machine is from the exchange, which tells whole seconds: less is not proven."""
    if not skew:
        return "agrees with the exchange's"
    return f"at least {abs(skew):.1f} s {'ahead of' if skew > 0 else 'behind'} the exchange's"


def _engine(state: Overview, scene: Scene) -> tuple[str, str, bool]:
    if not state.running or state.engine is None:
        start = f"Start it: {scene.start}"
        missing = scene.no_engine(start) or f"The engine is silent. {start}"
        return "Engine", missing, True
    since = wording.coarse((scene.now - state.engine.started_at).total_seconds())
    text = f"running {since}, holds the lease; {cycle_words(state)}"
    return "Engine", f"{text}, heard {wording.span(scene.beat_seconds)} ago", False


def _waiting(state: Overview, scene: Scene) -> str:
    waiting = still_waiting(state.waiting, scene.now)
    if not waiting:
        return "nothing; see why: polyb0t universe --why"
    soonest = waiting[:3]
    short = state.opened.stores.intents.shortest_prefixes([record.id for record in soonest])
    shown = [f"{short[record.id]} {_soon(record, scene)}" for record in soonest]
    more = f" and {len(waiting) - 3} more" if len(waiting) > 3 else ""
    return ", ".join(shown) + more


def _soon(record: IntentRecord, scene: Scene) -> str:
    """`38 s BUY YES`, `22 h CLAIM YES`."""
    left = wording.left((record.intent.deadline - scene.now).total_seconds(), column=True)
    what = record.intent.side or record.intent.intent_type.value.partition("_")[0]
    return f"{left} {what} {Trade(record.intent).outcome}"


def _money(state: Overview, scene: Scene) -> Iterator[tuple[str, str, bool]]:
    account, facts = state.account, state.facts
    if state.cash_pusd is not None:
        equity = f"equity {wording.money(facts.equity_pusd)}   " if facts.equity_pusd is not None else ""
        today = (
            f"   today {wording.money(facts.day_result_pusd, sign=True)} pUSD (UTC day)"
            if facts.day_result_pusd is not None and state.running
            else ""
        )
        yield "Money", f"{equity}cash {wording.money(state.cash_pusd)} pUSD{today}", False
    elif scene.regime is Regime.DRY_RUN:
        yield "Money", "a dry run sizes against a pretend bankroll; the balance is not read", False
    else:
        why = (
            wording.one_line(account.missing.get("cash_pusd", ""))
            if account
            else "no account state is stored yet"
        )
        yield "Money", f"cash is not known: {why or 'it could not be read'}", True
    if facts.health is not None and state.running:
        yield from (("Books", sentence, True) for sentence in health_doubts(facts.health))
    yield "At risk", at_risk_words(state), False
    yield from exit_lines(state)
