"""Kill switches: what stops trading, how far, and who may lift it.

A switch is a row. A missing row counts as tripped, rows latch over restarts, and only a person
clears one. A new switch is one member of `KillSwitchType`, its stance in `STANCE_WHEN_TRIPPED`, and
one function that decides when it trips; the store and the screens need no change.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol

from polyb0t.core.errors import UsageError


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


@dataclass(frozen=True, slots=True)
class SwitchState:
    """One switch as its row says. `value` and `limit` are what was measured when it tripped, as text."""

    type: KillSwitchType
    tripped: bool
    at: datetime | None = None  # of the last change
    by: str = ""
    reason: str = ""
    value: str | None = None
    limit: str | None = None


def stance_of(rows: Iterable[SwitchState]) -> Stance:
    """The strictest stance that the rows ask for; without all seven rows it is HALTED."""
    states = {row.type: row for row in rows}
    if any(switch not in states for switch in KillSwitchType):
        return Stance.HALTED
    asked = {STANCE_WHEN_TRIPPED[switch] for switch, row in states.items() if row.tripped}
    for stance in (Stance.HALTED, Stance.REDUCING):
        if stance in asked:
            return stance
    return Stance.ACTIVE


def permits(stance: Stance, intent_type: str) -> bool:
    """Whether an intent of this kind may go on. Unknown kinds may not."""
    return intent_type in PERMITTED[stance]


def tripped(rows: Iterable[SwitchState]) -> tuple[SwitchState, ...]:
    """The switches that are tripped, missing ones included, in the order of the enum."""
    states = {row.type: row for row in rows}
    missing = "its row is missing, which counts as tripped"
    found = (
        states.get(switch) or SwitchState(switch, tripped=True, reason=missing) for switch in KillSwitchType
    )
    return tuple(state for state in found if state.tripped)


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
    ) -> bool:
        """Trip it. False when it was tripped already; the first reason stays."""
        ...

    def clear(self, switch: KillSwitchType, *, actor: str, reason: str) -> bool:
        """Clear it. False when it was clear already. What a trip rejected stays rejected."""
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
        if not reason.strip():
            raise UsageError(
                f"{switch} was not cleared.",
                why="No reason was given, and the journal keeps one.",
                do="Give it with --reason.",
                code="reason_missing",
            )
        if not actor.strip() or actor.startswith("engine"):
            raise UsageError(
                f"{switch} was not cleared.",
                why="Only a person clears a switch.",
                do="Clear it under your own name.",
                code="person_required",
            )
        return self._store.clear(switch, actor=actor, reason=reason.strip())
