"""The halt: a file first, since it works when nothing else does, then the MANUAL switch and its journal."""

from polyb0t.cli import door
from polyb0t.cli.terminal import Terminal
from polyb0t.config.settings import Settings
from polyb0t.core.errors import DatabaseError, UsageError
from polyb0t.execution.orders import OPEN_ORDER
from polyb0t.execution.scope import Scope
from polyb0t.models.kill_switches import KillSwitchManager, stance_of, tripped
from polyb0t.runtime.current import meant, read_current
from polyb0t.runtime.facts import read_facts
from polyb0t.runtime.halt_file import HaltFile
from polyb0t.runtime.opened import OpenedStore, open_store
from polyb0t.runtime.places import data_dir, scope_dir
from polyb0t.runtime.views import switch_view


def halt(terminal: Terminal, settings: Settings, reason: str) -> None:
    """Halt. When the database cannot be written the file alone holds, and that is said.

    Raises:
        NotFoundError: nothing has run here, so there is nothing to halt.
        DatabaseError: neither the database nor a known place for the file could be used.
    """
    written = _write_files(settings, reason)
    try:
        opened = open_store(settings)
        opened.halt_file.write(f"{door.actor()}: {reason or 'halted by hand'}")
        written = True
        changed = halt_now(opened, reason)
    except DatabaseError as error:
        if not written:
            raise
        terminal.say(f"The journal could not be written: {error.what} {error.why}".rstrip())
        if terminal.json:
            terminal.data({"halt_file": True, "journalled": False})
        else:
            terminal.show(["Halted by file: nothing new is sent. Open orders stay at the exchange."])
        return
    if terminal.json:
        terminal.data([switch_view(state) for state in opened.stores.switches.list()])
        return
    open_orders = len(opened.stores.orders.orders(statuses=tuple(OPEN_ORDER)))
    lines = [
        "Halted: nothing new is sent, cancels only." if changed else "Trading was halted already.",
        _open_orders(opened, open_orders),
        'Go on: polyb0t resume --reason "..."',
    ]
    terminal.show(lines)


def _open_orders(opened: OpenedStore, number: int) -> str:
    """What becomes of them: an engine that runs takes them back, again and again until they are gone."""
    takes_back = read_facts(opened.engine()).cancels_on_halt and opened.engine_runs()
    if number and takes_back:
        return f"Open orders: {number}. The engine takes them back now; follow it: polyb0t orders list --open"
    cancel = " Cancel them: polyb0t orders cancel-all" if number else ""
    return f"Open orders stay at the exchange: {number}.{cancel}"


def halt_now(opened: OpenedStore, reason: str) -> bool:
    """File, then switch; False when a person had halted before."""
    opened.halt_file.write(f"{door.actor()}: {reason or 'halted by hand'}")
    return KillSwitchManager(opened.stores.switches).halt(actor=door.actor(), reason=reason)


def resume(terminal: Terminal, settings: Settings, reason: str) -> None:
    """Clear MANUAL, then remove the file: the switch still holds if that fails.

    Raises:
        UsageError: no reason.
    """
    if not reason.strip():
        raise UsageError(
            "Not resumed: no reason was given. Nothing has changed.",
            why="The journal keeps why trading may go on, and who says so.",
            do='Give it: polyb0t resume --reason "..."',
            code="reason_missing",
        )
    opened = open_store(settings)
    manager = KillSwitchManager(opened.stores.switches)
    manager.resume(actor=door.actor(), reason=reason)
    opened.halt_file.remove()
    states = opened.stores.switches.list()
    if terminal.json:
        terminal.data([switch_view(state) for state in states])
        return
    held = ", ".join(state.type.value for state in tripped(states))
    stance = stance_of(states).words
    terminal.show([f"Resumed: {stance}." + (f" Still tripped: {held}. Look: polyb0t status" if held else "")])


def _write_files(settings: Settings, reason: str) -> bool:
    """The HALT file of the run that is meant, without opening its database."""
    runs = read_current(data_dir(settings))
    if settings.database_url:
        runs = {name: run for name, run in runs.items() if run.database_url == settings.database_url}
    else:
        run = meant(runs, **settings.named("venue", "mode"))
        runs = {} if run is None else {run.place: run}
    for run in runs.values():
        path = scope_dir(settings, Scope.parse(run.scope)) / "HALT"
        HaltFile(path).write(f"{door.actor()}: {reason or 'halted by hand'}")
    return bool(runs)
