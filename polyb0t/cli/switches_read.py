"""`kill-switches list`: what each switch measures now, where it trips, and how trading goes on."""

from collections.abc import Iterator
from datetime import datetime

from polyb0t.cli.scene import context_line, look
from polyb0t.cli.table import Column, table
from polyb0t.cli.terminal import Paint, Terminal
from polyb0t.cli.words import hang
from polyb0t.core.clock import utc
from polyb0t.execution.refusals import person
from polyb0t.models.kill_switches import OVERRIDABLE, KillSwitchType, Stance
from polyb0t.models.wording import clock_time, one_line
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.switching import SwitchLine, switch_lines

_COLUMNS = (
    Column("SWITCH"),
    Column("STATE"),
    Column("NOW", widest=40),
    Column("TRIPS AT"),
    Column("WHEN TRIPPED"),
)
_INDENT = 16
_LEAVES = {Stance.REDUCING: "closes only", Stance.HALTED: "cancels only"}


def show(terminal: Terminal, opened: OpenedStore) -> None:
    """Print every switch, what holds first; a row that is missing counts as tripped and is named."""
    lines = switch_lines(opened)
    if terminal.json:
        terminal.data([line.view() for line in lines])
        return
    scene = look(opened)
    shown = [*context_line(scene, terminal.paint, terminal.columns).split("\n"), ""]
    shown += switch_table(lines, scene.now, terminal)
    for line in (line for line in lines if line.tripped):
        shown.append("")
        for words, command in ways_out(line):
            shown += _with_command(words, command, terminal.columns)
    terminal.show(shown)


def switch_table(lines: tuple[SwitchLine, ...], now: datetime, terminal: Terminal) -> list[str]:
    """The rows, each tripped one with when, by what, and what it ended."""
    ordered = sorted(lines, key=lambda line: not line.tripped)
    rows = [_row(line, terminal.paint) for line in ordered]
    heading, *body = table(_COLUMNS, rows, terminal.columns)
    shown = [heading]
    for line, text in zip(ordered, body, strict=True):
        shown.append(text)
        for detail in _details(line, now):
            shown += hang(" " * _INDENT + detail, terminal.columns, _INDENT)
    return shown


def ways_out(line: SwitchLine) -> list[tuple[str, str]]:
    """What to do about a tripped switch: words, and the complete command."""
    name = line.type.value
    clear = f'polyb0t kill-switches clear {name} --reason "..."'
    if line.type is KillSwitchType.MANUAL and line.state is not None:
        return [("Trade again:", 'polyb0t resume --reason "..."')]
    if line.state is None:
        return [(f"The row of {name} is missing. Put it back:", clear)]
    if line.fact is None:
        return [(f"Trade again once the cause of {name} is gone:", clear)]
    if not line.fact.cause:
        return [(f"The cause of {name} is gone. Trade again:", clear)]
    return [(f"{name} still holds: {line.fact.cause}.", ""), *_meanwhile(line.type)]


def _meanwhile(switch: KillSwitchType) -> list[tuple[str, str]]:
    start, end = "polyb0t kill-switches", f'{switch.value} --reason "..."'
    found = []
    if switch is KillSwitchType.DRAWDOWN:
        found.append(("Accept the loss, go on from here:", f"{start} clear --accept-loss {end}"))
    if switch in OVERRIDABLE:
        found.append(("Go on for a while:", f"{start} override --for 2h {end}"))
    return found


def _with_command(words: str, command: str, columns: int) -> list[str]:
    """On one line, or the command on a line of its own, so that it can be copied whole."""
    if len(words) + 1 + len(command) <= columns:
        return [f"{words} {command}".rstrip()]
    return [*hang(words, columns, 2), *(hang(f"  {command}", columns, 4) if command else [])]


def _row(line: SwitchLine, paint: Paint) -> list[str]:
    now, at = (line.fact.now, line.fact.trips_at) if line.fact is not None else ("-", "-")
    return [line.type.value, _state(line, paint), now, at, _LEAVES[line.stance]]


def _state(line: SwitchLine, paint: Paint) -> str:
    if line.state is None:
        return paint.yellow("MISSING")
    if line.state.overridden:
        return paint.yellow("OVERRIDDEN")
    if line.state.tripped:
        return paint.yellow("TRIPPED")
    return "off" if line.type is KillSwitchType.MANUAL else "ok"


def _details(line: SwitchLine, now: datetime) -> Iterator[str]:
    """`12:44:02 at 74 s. Rejected 1 proposal, stopped 1 approved trade.`"""
    state = line.state
    if state is None:
        yield "its row is gone, which counts as tripped"
        return
    if not state.tripped:
        return
    when = moment(state.at, now) if state.at is not None else "-"
    by_measure = state.by == "engine" and state.value and not state.reason.startswith("its override")
    cause = f"at {state.value}" if by_measure else f"by {person(state.by)}: {one_line(state.reason)}"
    yield f"{when} {cause.rstrip('.')}.{_ended(line)}"
    if state.override is not None:
        word = "Overridden until" if state.overridden else "Its override ended at"
        until = moment(state.override.until, now)
        yield f"{word} {until} by {person(state.override.by)}: {one_line(state.override.reason)}"


def _ended(line: SwitchLine) -> str:
    known = line.trip.known if line.trip is not None else {}
    rejected, stopped = int(str(known.get("rejected", 0))), int(str(known.get("stopped", 0)))
    parts = []
    if rejected:
        parts.append(f"rejected {rejected} proposal{'s' if rejected > 1 else ''}")
    if stopped:
        parts.append(f"stopped {stopped} approved trade{'s' if stopped > 1 else ''}")
    return f" {', '.join(parts).capitalize()}." if parts else ""


def moment(at: datetime, now: datetime) -> str:
    """`12:44:02`, with its day when that is not today."""
    day = "" if utc(at).date() == utc(now).date() else f"{utc(at).day} {utc(at):%b} "
    return f"{day}{clock_time(at)[:-4]}"
