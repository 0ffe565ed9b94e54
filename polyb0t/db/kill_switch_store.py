"""The KillSwitchStore in SQL: a trip rejects openings and raises the epoch in the same transaction."""

from collections.abc import Sequence

from sqlalchemy import insert, update

from polyb0t.core.errors import NotAuthorisedError
from polyb0t.db.moves import present, transition
from polyb0t.db.tables import kill_switch_events, kill_switches, trade_intents
from polyb0t.db.unit import Unit, Units, switch_states
from polyb0t.execution.intents import IntentStatus, IntentType
from polyb0t.models.kill_switches import KillSwitchType, SwitchState


class SqlKillSwitchStore:
    """Switches as rows; a row that is missing counts as tripped."""

    def __init__(self, units: Units) -> None:
        self._units = units

    def list(self) -> Sequence[SwitchState]:
        return self._units.read(lambda connection: switch_states(connection, self._units.scope))

    def trip(
        self,
        switch: KillSwitchType,
        *,
        actor: str,
        reason: str,
        value: str | None = None,
        limit: str | None = None,
    ) -> bool:
        return self._units.write(
            lambda unit: trip_within(unit, switch, actor=actor, reason=reason, value=value, limit=limit)
        )

    def clear(self, switch: KillSwitchType, *, actor: str, reason: str) -> bool:
        _require_person(switch, actor, reason)

        def cleared(unit: Unit) -> bool:
            state = _state(unit, switch)
            if state is not None and not state.tripped:
                return False
            new = SwitchState(switch, False, unit.now, actor, reason)
            _write(unit, new, unit.epoch, existed=state is not None)
            return True

        return self._units.write(cleared)


def trip_within(
    unit: Unit,
    switch: KillSwitchType,
    *,
    actor: str,
    reason: str,
    value: str | None = None,
    limit: str | None = None,
) -> bool:
    """Trip as part of a larger transaction; False when it was tripped already."""
    state = _state(unit, switch)
    if state is not None and state.tripped:
        return False
    epoch = unit.raise_epoch()
    new = SwitchState(switch, True, unit.now, actor, reason, value, limit)
    _write(unit, new, epoch, existed=state is not None)
    _reject_openings(unit, new)
    return True


def _state(unit: Unit, switch: KillSwitchType) -> SwitchState | None:
    return next((state for state in unit.switches() if state.type is switch), None)


def _write(unit: Unit, state: SwitchState, epoch: int, *, existed: bool) -> None:
    """The row, its event and its journal entry."""
    row = {
        "tripped": state.tripped,
        "changed_at": state.at,
        "changed_by": state.by,
        "reason": state.reason,
        "measured": state.value,
        "threshold": state.limit,
    }
    key = {"scope": str(unit.scope), "name": state.type}
    if existed:
        where = (kill_switches.c.scope == key["scope"], kill_switches.c.name == state.type)
        unit.connection.execute(update(kill_switches).where(*where).values(**row))
    else:
        unit.connection.execute(insert(kill_switches).values(**key, **row))
    kind = "switch.tripped" if state.tripped else "switch.cleared"
    entry = {"reason": state.reason, "value": state.value, "limit": state.limit, "epoch": epoch}
    sequence = unit.note(kind, state.type, {**entry, "row_was_missing": not existed}, actor=state.by)
    unit.connection.execute(
        insert(kill_switch_events).values(
            **key,
            sequence=sequence,
            tripped=state.tripped,
            at=state.at,
            actor=state.by,
            reason=state.reason,
            measured=state.value,
            threshold=state.limit,
            epoch=epoch,
        )
    )


def _reject_openings(unit: Unit, state: SwitchState) -> None:
    """What is pending or approved would otherwise be sent when the switch is cleared."""
    table = trade_intents.c
    openings = present(
        unit,
        table.intent_type == IntentType.OPEN_POSITION,
        table.status.in_((IntentStatus.PENDING, IntentStatus.APPROVED)),
    )
    for opening in openings:
        transition(
            unit,
            opening,
            IntentStatus.REJECTED,
            actor=state.by,
            code="halted",
            detail=f"{state.type} tripped: {state.reason}",
            decided_at=unit.now,
            decided_by=state.by,
        )


def _require_person(switch: KillSwitchType, actor: str, reason: str) -> None:
    kind, _, name = actor.partition(":")
    if kind in ("user", "token") and name and reason.strip():
        return
    raise NotAuthorisedError(
        f"{switch} was not cleared.",
        why="Only a person clears a switch, and gives a reason.",
        do="Clear it under your own name, with --reason.",
        code="person_required",
    )
