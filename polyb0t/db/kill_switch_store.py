"""The KillSwitchStore in SQL: a trip rejects openings and raises the epoch in the same transaction."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import RowMapping, insert, select, update

from polyb0t.core.canonical import canonical_text
from polyb0t.core.errors import NotAuthorisedError
from polyb0t.db.moves import Present, present, transition
from polyb0t.db.tables import kill_switch_events, kill_switches, trade_intents
from polyb0t.db.unit import ENGINE, Unit, Units, switch_states, time_of
from polyb0t.execution.intents import IntentStatus, IntentType
from polyb0t.models.kill_switches import KillSwitchType, Override, SwitchEvent, SwitchState

TRIPPED: Final = "switch.tripped"
CLEARED: Final = "switch.cleared"
OVERRIDDEN: Final = "switch.overridden"


class SqlKillSwitchStore:
    """Switches as rows; a row that is missing counts as tripped."""

    def __init__(self, units: Units) -> None:
        self._units = units

    def list(self) -> Sequence[SwitchState]:
        scope, database = self._units.scope, self._units.database
        return self._units.read(
            lambda connection: switch_states(connection, scope, lambda: time_of(connection, database, scope))
        )

    def trip(
        self,
        switch: KillSwitchType,
        *,
        actor: str,
        reason: str,
        value: str | None = None,
        limit: str | None = None,
        known: Mapping[str, object] | None = None,
    ) -> bool:
        return self._units.write(
            lambda unit: trip_within(
                unit, switch, actor=actor, reason=reason, value=value, limit=limit, known=known
            )
        )

    def clear(
        self,
        switch: KillSwitchType,
        *,
        actor: str,
        reason: str,
        known: Mapping[str, object] | None = None,
    ) -> bool:
        _require_person(switch, "cleared", actor, reason)

        def cleared(unit: Unit) -> bool:
            state = _state(unit, switch)
            if state is not None and not state.tripped:
                return False
            new = SwitchState(switch, False, unit.now, actor, reason)
            _write(unit, CLEARED, new, unit.epoch, known or {}, existed=state is not None)
            return True

        return self._units.write(cleared)

    def override(
        self, switch: KillSwitchType, *, actor: str, reason: str, lasting: timedelta
    ) -> datetime | None:
        _require_person(switch, "overridden", actor, reason)

        def overridden(unit: Unit) -> datetime | None:
            state = _state(unit, switch)
            if state is None or not state.tripped:
                return None
            until = unit.now + lasting
            new = replace(state, override=Override(until, actor, reason))
            _write(unit, OVERRIDDEN, new, unit.epoch, {}, existed=True)
            return until

        return self._units.write(overridden)

    def last_trip(self, switch: KillSwitchType) -> SwitchEvent | None:
        table = kill_switch_events.c
        newest = (
            select(kill_switch_events)
            .where(
                table.scope == str(self._units.scope),
                table.name == switch,
                table.tripped.is_(True),
                table.until.is_(None),
            )
            .order_by(table.sequence.desc())
            .limit(1)
        )
        row = self._units.read(lambda connection: connection.execute(newest).mappings().one_or_none())
        return None if row is None else _event(row)


def trip_within(
    unit: Unit,
    switch: KillSwitchType,
    *,
    actor: str,
    reason: str,
    value: str | None = None,
    limit: str | None = None,
    known: Mapping[str, object] | None = None,
) -> bool:
    """Trip as part of a larger transaction; False when it was tripped already."""
    state = _state(unit, switch)
    if state is not None and state.tripped and not _ends_override(state, actor):
        return False
    epoch = unit.raise_epoch()
    openings = _openings(unit)
    ended = {
        "rejected": sum(opening.status is IntentStatus.PENDING for opening in openings),
        "stopped": sum(opening.status is IntentStatus.APPROVED for opening in openings),
    }
    new = SwitchState(switch, True, unit.now, actor, reason, value, limit)
    _write(unit, TRIPPED, new, epoch, {**(known or {}), **ended}, existed=state is not None)
    for opening in openings:
        _reject(unit, opening, new)
    return True


def _ends_override(state: SwitchState, actor: str) -> bool:
    """Its end has come, or a person trips what is overridden; the engine's cause is what was overridden."""
    return state.lapsed or (state.overridden and not actor.startswith(ENGINE))


def _state(unit: Unit, switch: KillSwitchType) -> SwitchState | None:
    return next((state for state in unit.switches() if state.type is switch), None)


def _write(
    unit: Unit, kind: str, state: SwitchState, epoch: int, known: Mapping[str, object], *, existed: bool
) -> None:
    """The row, its event and its journal entry."""
    override = state.override
    row = {
        "tripped": state.tripped,
        "changed_at": state.at,
        "changed_by": state.by,
        "reason": state.reason,
        "measured": state.value,
        "threshold": state.limit,
        "override_until": override.until if override else None,
        "override_by": override.by if override else "",
        "override_reason": override.reason if override else "",
    }
    key = {"scope": str(unit.scope), "name": state.type}
    if existed:
        where = (kill_switches.c.scope == key["scope"], kill_switches.c.name == state.type)
        unit.connection.execute(update(kill_switches).where(*where).values(**row))
    else:
        unit.connection.execute(insert(kill_switches).values(**key, **row))
    _tell(unit, kind, state, epoch, known, existed=existed)


def _tell(
    unit: Unit, kind: str, state: SwitchState, epoch: int, known: Mapping[str, object], *, existed: bool
) -> None:
    """Who did it and why: of an override its own, else the row's."""
    override = state.override if kind == OVERRIDDEN else None
    actor, reason = (override.by, override.reason) if override else (state.by, state.reason)
    until = override.until if override else None
    entry: dict[str, Any] = {"reason": reason, "value": state.value, "limit": state.limit, "epoch": epoch}
    entry |= {"row_was_missing": not existed, "known": known} | ({"until": until} if until else {})
    sequence = unit.note(kind, state.type, entry, actor=actor)
    unit.connection.execute(
        insert(kill_switch_events).values(
            scope=str(unit.scope),
            name=state.type,
            sequence=sequence,
            tripped=state.tripped,
            at=unit.now,
            actor=actor,
            reason=reason,
            measured=state.value,
            threshold=state.limit,
            epoch=epoch,
            until=until,
            known=canonical_text(known),
        )
    )


def _openings(unit: Unit) -> Sequence[Present]:
    """What is pending or approved would otherwise be sent when the switch is cleared."""
    table = trade_intents.c
    return present(
        unit,
        table.intent_type == IntentType.OPEN_POSITION,
        table.status.in_((IntentStatus.PENDING, IntentStatus.APPROVED)),
    )


def _reject(unit: Unit, opening: Present, state: SwitchState) -> None:
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


def _event(row: RowMapping) -> SwitchEvent:
    return SwitchEvent(
        type=KillSwitchType(row["name"]),
        tripped=row["tripped"],
        at=row["at"],
        actor=row["actor"],
        reason=row["reason"],
        value=row["measured"],
        limit=row["threshold"],
        until=row["until"],
        known=json.loads(row["known"]),
    )


def _require_person(switch: KillSwitchType, verb: str, actor: str, reason: str) -> None:
    kind, _, name = actor.partition(":")
    if kind in ("user", "token") and name and reason.strip():
        return
    raise NotAuthorisedError(
        f"{switch} was not {verb}.",
        why="Only a person does that, and gives a reason.",
        do="Do it under your own name, with --reason.",
        code="person_required",
    )
