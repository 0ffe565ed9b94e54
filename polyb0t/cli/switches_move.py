"""`kill-switches trip|clear|override`: a person's word, with a reason, in the journal."""

from dataclasses import dataclass

from polyb0t.cli import door
from polyb0t.cli.scene import look
from polyb0t.cli.switches_read import moment
from polyb0t.cli.terminal import Terminal
from polyb0t.core.errors import ConflictError, UsageError
from polyb0t.models.durations import parse_duration
from polyb0t.models.kill_switches import KillSwitchType, stance_of, tripped
from polyb0t.models.wording import money
from polyb0t.runtime import switching
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.views import switch_view

ACCEPT = "accept"


@dataclass(frozen=True, slots=True)
class Clearing:
    """What `clear` was asked for; `yes` stands for both answers where no real money is."""

    name: str
    reason: str
    accept_loss: bool = False
    yes: bool = False


def trip(terminal: Terminal, opened: OpenedStore, name: str, reason: str) -> None:
    """Trip one switch.

    Raises:
        NotFoundError: there is no such switch. UsageError: no reason.
    """
    switch = switching.switch_named(name)
    changed = switching.trip(opened, switch, actor=door.actor(), reason=reason)
    done = f"{switch.value} is tripped" if changed else f"{switch.value} was tripped already"
    _said(terminal, opened, done, [])


def clear(terminal: Terminal, opened: OpenedStore, request: Clearing) -> None:
    """Lift one switch.

    Raises:
        NotFoundError: there is no such switch.
        ConflictError: its cause holds.
        UsageError: no reason, nobody to ask, or MANUAL, which has a command of its own.
    """
    switch = switching.switch_named(request.name)
    if not request.reason.strip():
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
    if request.accept_loss and not _accepts(terminal, opened, switch, request):
        terminal.say(f"Nothing changed: {switch.value} holds as before.")
        return
    changed = switching.clear(
        opened, switch, actor=door.actor(), reason=request.reason, accept_loss=request.accept_loss
    )
    done = f"{switch.value} is clear" if changed else f"{switch.value} was clear already"
    _said(terminal, opened, done, ["If its cause comes back, the engine trips it again."])


def override(terminal: Terminal, opened: OpenedStore, name: str, lasting: str, reason: str) -> None:
    """Let trading go on for a while.

    Raises:
        NotFoundError, ConflictError, UsageError: as `switching.override`; no length of time was given.
    """
    switch = switching.switch_named(name)
    if not lasting:
        raise UsageError(
            f"Not overridden: it was not said for how long. {switch.value} holds as before.",
            do=f'polyb0t kill-switches override {switch.value} --for 2h --reason "..."',
        )
    until = switching.override(
        opened, switch, actor=door.actor(), reason=reason, lasting=parse_duration(lasting)
    )
    end = moment(until, opened.stores.intents.now())
    done = f"{switch.value} is overridden until {end} UTC"
    back = f'End it sooner: polyb0t kill-switches trip {switch.value} --reason "..."'
    _said(terminal, opened, done, ["Then it holds again, and what waits to open is rejected.", back])


def _accepts(terminal: Terminal, opened: OpenedStore, switch: KillSwitchType, request: Clearing) -> bool:
    """Show what is accepted, and ask twice: once for the loss, once for going on."""
    equity, now = switching.loss_to_accept(opened, switch)
    if request.yes and not look(opened).real_money:
        return True
    if terminal.json or not terminal.somebody_sits_here:
        raise ConflictError(
            "Not cleared: nobody can be asked here, and accepting a loss asks twice.",
            do="Type it in a terminal; with practice money --yes stands for both answers.",
            code="confirmation_required",
        )
    terminal.say(f"Equity is {money(equity)} pUSD, {now}. From here on this is the peak.")
    if terminal.ask_text(f"To accept that loss type {ACCEPT}:").lower() != ACCEPT:
        return False
    return terminal.ask("Clear DRAWDOWN and trade on? [y/N]")


def _said(terminal: Terminal, opened: OpenedStore, done: str, more: list[str]) -> None:
    states = tuple(opened.stores.switches.list())
    if terminal.json:
        terminal.data([switch_view(state) for state in states])
        return
    held = ", ".join(state.type.value for state in tripped(states))
    still = f" Tripped: {held}." if held else ""
    terminal.show([f"{done}: {stance_of(states).words}.{still}", *more])
