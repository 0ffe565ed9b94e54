"""The switches as a person sees and moves them, from whatever process: the same rules for both doors."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from polyb0t.core.errors import ConflictError, NotFoundError, UsageError
from polyb0t.core.units import Pusd
from polyb0t.models.kill_switches import (
    STANCE_WHEN_TRIPPED,
    KillSwitchManager,
    KillSwitchType,
    Stance,
    SwitchEvent,
    SwitchState,
)
from polyb0t.models.wording import money
from polyb0t.runtime.facts import EngineFacts, read_facts
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.switch_facts import SwitchFact
from polyb0t.runtime.views import View, switch_view, value_view

FRESH_SECONDS: Final = 90.0  # a paper run looks once a minute


@dataclass(frozen=True, slots=True)
class SwitchLine:
    """One switch: its row, its last trip while it is tripped, and what the engine measures now.

    `state` None: the row is missing. `fact` None: no engine has measured it lately.
    """

    type: KillSwitchType
    state: SwitchState | None
    trip: SwitchEvent | None
    fact: SwitchFact | None

    @property
    def stance(self) -> Stance:
        """What it leaves possible when it is tripped."""
        return STANCE_WHEN_TRIPPED[self.type]

    @property
    def tripped(self) -> bool:
        return self.state is None or self.state.tripped

    def view(self) -> View:
        """The same as data."""
        fact, known = self.fact, self.trip.known if self.trip is not None else {}
        state = self.state or SwitchState(self.type, tripped=True)
        return {
            **switch_view(state),
            "missing": self.state is None,
            "stance": self.stance.value,
            "now": fact.now if fact is not None else None,
            "trips_at": fact.trips_at if fact is not None else None,
            "cause": (fact.cause or None) if fact is not None else None,
            "cause_holds": None if fact is None else bool(fact.cause),
            "known": value_view(known),
        }


def switch_lines(opened: OpenedStore) -> tuple[SwitchLine, ...]:
    """All of them, in the order of the enum."""
    states = {state.type: state for state in opened.stores.switches.list()}
    facts = _fresh_facts(opened)
    return tuple(_line(opened, switch, states.get(switch), facts) for switch in KillSwitchType)


def switch_named(name: str) -> KillSwitchType:
    """The switch of that name, in any case.

    Raises:
        NotFoundError: there is none; names all seven.
    """
    try:
        return KillSwitchType(name.upper())
    except ValueError:
        raise NotFoundError(
            f"Nothing done: there is no switch {name!r:.40}.",
            why=f"There are {', '.join(switch.value for switch in KillSwitchType)}.",
            do="See them: polyb0t kill-switches list",
            code="switch_not_found",
        ) from None


def trip(opened: OpenedStore, switch: KillSwitchType, *, actor: str, reason: str) -> bool:
    """Trip by hand; False when it was tripped already. MANUAL also writes the HALT file, first.

    Raises:
        UsageError: no reason.
    """
    manager = KillSwitchManager(opened.stores.switches)
    if switch is KillSwitchType.MANUAL:
        opened.halt_file.write(f"{actor}: {reason or 'halted by hand'}")
        return manager.halt(actor=actor, reason=reason)
    return manager.trip(switch, actor=actor, reason=reason)


def clear(
    opened: OpenedStore, switch: KillSwitchType, *, actor: str, reason: str, accept_loss: bool = False
) -> bool:
    """Lift one switch; False when it was clear already. MANUAL takes the HALT file away as well, last.

    `accept_loss`: DRAWDOWN is measured from today's equity on.

    Raises:
        UsageError: no person or no reason; a loss can be accepted for DRAWDOWN only.
        ConflictError: `cause_holds`; `equity_unknown`, and then no loss can be accepted.
    """
    manager = KillSwitchManager(opened.stores.switches)
    if accept_loss:
        manager.require_clearing(switch, actor=actor, reason=reason)
        _accept(opened, switch, actor, reason)
    else:
        _refuse_while_it_holds(opened, switch)
    changed = manager.clear(switch, actor=actor, reason=reason)
    if switch is KillSwitchType.MANUAL:
        opened.halt_file.remove()
    return changed


def override(
    opened: OpenedStore, switch: KillSwitchType, *, actor: str, reason: str, lasting: timedelta
) -> datetime:
    """Let trading go on until the end that is answered.

    Raises:
        UsageError, ConflictError: as `KillSwitchManager.override`.
    """
    manager = KillSwitchManager(opened.stores.switches)
    return manager.override(switch, actor=actor, reason=reason, lasting=lasting)


def loss_to_accept(opened: OpenedStore, switch: KillSwitchType) -> tuple[Pusd, str]:
    """Today's equity, and how far under its peak it is in words.

    Raises:
        UsageError: another switch than DRAWDOWN. ConflictError: `equity_unknown`.
    """
    if switch is not KillSwitchType.DRAWDOWN:
        raise UsageError(
            f"{switch.value} was not cleared.",
            why="A loss is accepted for DRAWDOWN; nothing else has a peak.",
        )
    facts, fact = read_facts(opened.engine()), _fresh_facts(opened).get(switch)
    if fact is None or facts.equity_pusd is None:
        raise ConflictError(
            f"{switch.value} was not cleared.",
            why="What the account is worth now is not known: no engine has measured it in the last minute.",
            do="Start the engine, then try again.",
            code="equity_unknown",
        )
    return facts.equity_pusd, fact.now


def _accept(opened: OpenedStore, switch: KillSwitchType, actor: str, reason: str) -> None:
    """The new peak is committed before the switch is: the engine never judges by the old one after."""
    equity, _ = loss_to_accept(opened, switch)
    rebased = opened.stores.books.rebase_peak(opened.regime(), actor=actor, reason=reason, equity=equity)
    if not rebased:
        raise ConflictError(
            f"{switch.value} was not cleared.",
            why=f"There is no peak to measure from {money(equity)} pUSD instead.",
            code="equity_unknown",
        )


def _refuse_while_it_holds(opened: OpenedStore, switch: KillSwitchType) -> None:
    fact = _fresh_facts(opened).get(switch)
    if fact is None or not fact.cause:
        return
    more = " --accept-loss" if switch is KillSwitchType.DRAWDOWN else ""
    do = (
        f'To go on from here: polyb0t kill-switches clear {switch.value}{more} --reason "..."' if more else ""
    )
    raise ConflictError(f"Not cleared: {fact.cause}. It would trip again at once.", do=do, code="cause_holds")


def _line(
    opened: OpenedStore,
    switch: KillSwitchType,
    state: SwitchState | None,
    facts: Mapping[KillSwitchType, SwitchFact],
) -> SwitchLine:
    tripped = state is not None and state.tripped
    event = opened.stores.switches.last_trip(switch) if tripped else None
    return SwitchLine(switch, state, event, facts.get(switch))


def _fresh_facts(opened: OpenedStore) -> Mapping[KillSwitchType, SwitchFact]:
    """What a running engine measured in the last minute; nothing is known of what another one left."""
    facts: EngineFacts = read_facts(opened.engine())
    if facts.switches_at is None or not opened.engine_runs():
        return {}
    age = (opened.stores.intents.now() - facts.switches_at).total_seconds()
    return facts.switches if age <= FRESH_SECONDS else {}
