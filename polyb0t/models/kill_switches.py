"""Kill switches: what stops trading, how far, and who may lift it.

A switch is a row. A missing row counts as tripped, rows latch over restarts, and only a person
clears one. A new switch is one member of `KillSwitchType`, its stance in `STANCE_WHEN_TRIPPED`, and
one function that decides when it trips (`switch_rules`); the store and the screens need no change.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol

from polyb0t.core.errors import ConflictError, PolybotError, UsageError


class KillSwitchType(StrEnum):
    """What can stop trading."""

    DRAWDOWN = "DRAWDOWN"
    DAILY_LOSS = "DAILY_LOSS"
    STALE_DATA = "STALE_DATA"
    SPREAD_ANOMALY = "SPREAD_ANOMALY"
    API_ERROR_RATE = "API_ERROR_RATE"
    RECONCILIATION = "RECONCILIATION"
    MANUAL = "MANUAL"


class Stance(StrEnum):
    """What may be done now."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"

    @property
    def words(self) -> str:
        """The stance as screens write it."""
        return _WORDS[self]


_WORDS: Final = {
    Stance.ACTIVE: "trading allowed",
    Stance.REDUCING: "closes only",
    Stance.HALTED: "halted: cancels only",
}

STANCE_WHEN_TRIPPED: Final[Mapping[KillSwitchType, Stance]] = MappingProxyType(
    {
        KillSwitchType.DRAWDOWN: Stance.REDUCING,
        KillSwitchType.DAILY_LOSS: Stance.REDUCING,
        KillSwitchType.STALE_DATA: Stance.REDUCING,
        KillSwitchType.SPREAD_ANOMALY: Stance.REDUCING,
        KillSwitchType.API_ERROR_RATE: Stance.HALTED,
        KillSwitchType.RECONCILIATION: Stance.HALTED,
        KillSwitchType.MANUAL: Stance.HALTED,
    }
)

# Kinds of intent by name: the enum itself lives one layer up. A name that is not here is not permitted.
PERMITTED: Final[Mapping[Stance, frozenset[str]]] = MappingProxyType(
    {
        Stance.ACTIVE: frozenset({"OPEN_POSITION", "CLOSE_POSITION", "CLAIM_SETTLEMENT", "CANCEL_ORDER"}),
        Stance.REDUCING: frozenset({"CLOSE_POSITION", "CLAIM_SETTLEMENT", "CANCEL_ORDER"}),
        Stance.HALTED: frozenset({"CANCEL_ORDER"}),
    }
)


# A difference that nothing explains and a person's own halt are lifted or kept, never looked away from.
OVERRIDABLE: Final = frozenset(KillSwitchType) - {KillSwitchType.RECONCILIATION, KillSwitchType.MANUAL}
LONGEST_OVERRIDE: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Override:
    """A person's word that trading goes on, until its end, although the switch is tripped."""

    until: datetime
    by: str
    reason: str
    over: bool = False  # its end had come when the row was read, by the database's clock


@dataclass(frozen=True, slots=True)
class SwitchState:
    """One switch as its row says. `value` and `limit` are what was measured when it tripped, as text."""

    type: KillSwitchType
    tripped: bool
    at: datetime | None = None  # of the last trip or clearing
    by: str = ""
    reason: str = ""
    value: str | None = None
    limit: str | None = None
    override: Override | None = None

    @property
    def overridden(self) -> bool:
        """Tripped, and a person lets trading go on for now."""
        return self.tripped and self.override is not None and not self.override.over

    @property
    def holds(self) -> bool:
        """Tripped, and nobody's override speaks against it."""
        return self.tripped and not self.overridden

    @property
    def lapsed(self) -> bool:
        """Tripped, with an override that has come to its end: it is to be tripped anew."""
        return self.tripped and self.override is not None and self.override.over


@dataclass(frozen=True, slots=True)
class SwitchEvent:
    """A trip, a clearing or, with `until`, an override. `known` is what was measured at that moment and
    how many openings a trip ended: `rejected` had waited, `stopped` had been approved."""

    type: KillSwitchType
    tripped: bool
    at: datetime
    actor: str
    reason: str
    value: str | None = None
    limit: str | None = None
    until: datetime | None = None
    known: Mapping[str, object] = field(default_factory=dict)


def stance_of(rows: Iterable[SwitchState]) -> Stance:
    """The strictest stance that the rows ask for; without all seven rows it is HALTED."""
    states = {row.type: row for row in rows}
    if any(switch not in states for switch in KillSwitchType):
        return Stance.HALTED
    asked = {STANCE_WHEN_TRIPPED[switch] for switch, row in states.items() if row.holds}
    for stance in (Stance.HALTED, Stance.REDUCING):
        if stance in asked:
            return stance
    return Stance.ACTIVE


def permits(stance: Stance, intent_type: str) -> bool:
    """Whether an intent of this kind may go on. Unknown kinds may not."""
    return intent_type in PERMITTED[stance]


def tripped(rows: Iterable[SwitchState]) -> tuple[SwitchState, ...]:
    """The switches that hold trading back, missing ones included, in the order of the enum; one that is
    overridden does not."""
    states = {row.type: row for row in rows}
    missing = "its row is missing, which counts as tripped"
    found = (
        states.get(switch) or SwitchState(switch, tripped=True, reason=missing) for switch in KillSwitchType
    )
    return tuple(state for state in found if state.holds)


def overridden(rows: Iterable[SwitchState]) -> tuple[SwitchState, ...]:
    """The switches that are tripped and hold nothing back until their override ends."""
    return tuple(
        sorted((row for row in rows if row.overridden), key=lambda row: list(KillSwitchType).index(row.type))
    )


class KillSwitchStore(Protocol):
    """Where the rows live. The store stamps the time, writes the journal and does what follows a trip
    (openings rejected, epoch raised) in one transaction."""

    def list(self) -> Sequence[SwitchState]:
        """Every row that exists."""
        ...

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
        """Trip it. False when it was tripped already; the first reason stays. One whose override has
        ended trips anew, and a person's trip ends an override."""
        ...

    def clear(
        self,
        switch: KillSwitchType,
        *,
        actor: str,
        reason: str,
        known: Mapping[str, object] | None = None,
    ) -> bool:
        """Clear it. False when it was clear already. What a trip rejected stays rejected."""
        ...

    def override(
        self, switch: KillSwitchType, *, actor: str, reason: str, lasting: timedelta
    ) -> datetime | None:
        """Let trading go on until the end that is answered, by the database's clock. None when it is not
        tripped: there is nothing to override. A second one replaces the first."""
        ...

    def last_trip(self, switch: KillSwitchType) -> SwitchEvent | None:
        """Its newest trip, with what was known."""
        ...


class KillSwitchManager:
    """What a person does with the switches, and what the engine asks them."""

    def __init__(self, store: KillSwitchStore) -> None:
        self._store = store

    def states(self) -> tuple[SwitchState, ...]:
        return tuple(self._store.list())

    def stance(self) -> Stance:
        return stance_of(self._store.list())

    def halt(self, *, actor: str, reason: str) -> bool:
        """Trip MANUAL; False when trading was halted by hand already."""
        return self._store.trip(KillSwitchType.MANUAL, actor=actor, reason=reason or "halted by hand")

    def resume(self, *, actor: str, reason: str) -> bool:
        """Clear MANUAL only; other switches keep their hold. False when it was clear already.

        Raises:
            UsageError: no actor or no reason; lifting a halt has to be explained by somebody.
        """
        return self.clear(KillSwitchType.MANUAL, actor=actor, reason=reason)

    def clear(self, switch: KillSwitchType, *, actor: str, reason: str) -> bool:
        """Clear one switch; False when it was clear already.

        Raises:
            UsageError: no actor, no reason, or the actor is the engine: only a person clears.
        """
        self.require_clearing(switch, actor=actor, reason=reason)
        return self._store.clear(switch, actor=actor, reason=reason.strip())

    def require_clearing(self, switch: KillSwitchType, *, actor: str, reason: str) -> None:
        """What `clear` asks for before it changes anything; raises as it does."""
        _require_reason(f"{switch} was not cleared.", reason)
        _require_person(f"{switch} was not cleared.", "Only a person clears a switch.", actor)

    def trip(self, switch: KillSwitchType, *, actor: str, reason: str) -> bool:
        """Trip one switch by hand; False when it was tripped already.

        Raises:
            UsageError: no reason.
        """
        _require_reason(f"{switch} was not tripped.", reason)
        return self._store.trip(switch, actor=actor, reason=reason.strip())

    def override(self, switch: KillSwitchType, *, actor: str, reason: str, lasting: timedelta) -> datetime:
        """Let trading go on although the cause holds; the end of it.

        Raises:
            UsageError: no person, no reason, no possible end, or a switch that nobody may override.
            ConflictError: `not_tripped`.
        """
        what = f"{switch} was not overridden."
        _require_reason(what, reason)
        _require_person(what, "Only a person overrides a switch.", actor)
        if switch not in OVERRIDABLE:
            raise _not_overridable(switch)
        if not timedelta(0) < lasting <= LONGEST_OVERRIDE:
            raise UsageError(
                what, why="An override lasts between a second and 24 hours.", do="Give it with --for 2h."
            )
        until = self._store.override(switch, actor=actor, reason=reason.strip(), lasting=lasting)
        if until is None:
            raise ConflictError(
                what, why="It is not tripped, so there is nothing to override.", code="not_tripped"
            )
        return until


def _require_reason(what: str, reason: str) -> None:
    if not reason.strip():
        raise UsageError(
            what,
            why="No reason was given, and the journal keeps one.",
            do="Give it with --reason.",
            code="reason_missing",
        )


def _require_person(what: str, why: str, actor: str) -> None:
    if not actor.strip() or actor.startswith("engine"):
        raise UsageError(what, why=why, do="Do it under your own name.", code="person_required")


def _not_overridable(switch: KillSwitchType) -> PolybotError:
    manual = switch is KillSwitchType.MANUAL
    why = (
        "A person halted it, and a person resumes it."
        if manual
        else "Our records and the exchange's differ: until that is explained, no figure here can be trusted."
    )
    do = (
        'polyb0t resume --reason "..."'
        if manual
        else f'polyb0t kill-switches clear {switch.value} --reason "..."'
    )
    return UsageError(f"{switch} was not overridden.", why=why, do=do, code="not_overridable")
