"""The switches on a screen, and a person's word that lifts one."""

from polyb0t.cli import door
from polyb0t.cli.scene import context_line, look
from polyb0t.cli.table import Column, table
from polyb0t.cli.terminal import Paint, Terminal
from polyb0t.core.errors import NotFoundError, UsageError
from polyb0t.execution.refusals import person
from polyb0t.models.kill_switches import KillSwitchManager, KillSwitchType, SwitchState, stance_of, tripped
from polyb0t.models.wording import clock_time, one_line
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.views import switch_view

_COLUMNS = (Column("SWITCH"), Column("STATE"), Column("WHEN TRIPPED"), Column("SINCE"), Column("BY AND WHY"))
_HALTING = frozenset({KillSwitchType.MANUAL, KillSwitchType.RECONCILIATION, KillSwitchType.API_ERROR_RATE})


def show(terminal: Terminal, opened: OpenedStore) -> None:
    """Print every switch; a row that is missing counts as tripped and is named."""
    states = tuple(opened.stores.switches.list())
    if terminal.json:
        terminal.data([switch_view(state) for state in states])
        return
    known = {state.type: state for state in states}
    rows = [_row(switch, known.get(switch), terminal.paint) for switch in KillSwitchType]
    lines = [*context_line(look(opened), terminal.paint, terminal.columns).split("\n"), ""]
    lines += table(_COLUMNS, rows, terminal.columns)
    for state in tripped(states):
        lift = "resume" if state.type is KillSwitchType.MANUAL else f"kill-switches clear {state.type.value}"
        lines += ["", f'Trade again once its cause is gone: polyb0t {lift} --reason "..."']
    terminal.show(lines)


def clear(terminal: Terminal, opened: OpenedStore, name: str, reason: str) -> None:
    """Lift one switch.

    Raises:
        NotFoundError: there is no such switch.
        UsageError: no reason, or MANUAL, which has a command of its own that also removes the HALT file.
    """
    switch = _named(name)
    if not reason.strip():
        raise UsageError(
            f"Not cleared: no reason was given. {switch.value} holds as before.",
            why="The journal keeps why trading may go on, and who says so.",
            do=f'Give it: polyb0t kill-switches clear {switch.value} --reason "..."',
            code="reason_missing",
        )
    if switch is KillSwitchType.MANUAL:
        raise UsageError(
            "Not cleared: a halt that a person made is lifted with resume, which also removes the HALT file.",
            do='polyb0t resume --reason "..."',
        )
    changed = KillSwitchManager(opened.stores.switches).clear(switch, actor=door.actor(), reason=reason)
    states = tuple(opened.stores.switches.list())
    if terminal.json:
        terminal.data([switch_view(state) for state in states])
        return
    what = f"{switch.value} is clear" if changed else f"{switch.value} was clear already"
    terminal.show(
        [f"{what}: {stance_of(states).words}.", "While its cause holds, the engine trips it again."]
    )


def _named(name: str) -> KillSwitchType:
    try:
        return KillSwitchType(name.upper())
    except ValueError:
        raise NotFoundError(
            f"Not cleared: there is no switch {name!r:.40}.",
            why=f"There are {', '.join(switch.value for switch in KillSwitchType)}.",
            do="See them: polyb0t kill-switches list",
            code="switch_not_found",
        ) from None


def _row(switch: KillSwitchType, state: SwitchState | None, paint: Paint) -> list[str]:
    stance = "cancels only" if switch in _HALTING else "closes only"
    if state is None:
        return [
            switch.value,
            paint.yellow("MISSING"),
            stance,
            "-",
            "its row is gone, which counts as tripped",
        ]
    if not state.tripped:
        return [switch.value, "ok", stance, "-", ""]
    since = clock_time(state.at) if state.at else "-"
    return [
        switch.value,
        paint.yellow("TRIPPED"),
        stance,
        since,
        f"{person(state.by)}: {one_line(state.reason)}",
    ]
