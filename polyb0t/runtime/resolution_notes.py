"""Where the held markets stand, as the journal keeps it: each change once, for whoever asks later."""

import json
from collections.abc import Mapping
from typing import Final

import structlog

from polyb0t.core.ids import ConditionId
from polyb0t.data.resolution import Resolution, ResolutionState
from polyb0t.execution.scope import Lease
from polyb0t.execution.store import EngineStore

log = structlog.get_logger(__name__)

CHANGED: Final = "resolution.changed"
WORDS: Final[Mapping[ResolutionState, str]] = {
    ResolutionState.PROPOSED: "its result is proposed, which is none yet",
    ResolutionState.DISPUTED: "its result is disputed: it may take days, and nothing is opened on its event",
    ResolutionState.RESOLVED: "its result is known",
    ResolutionState.UNKNOWN: "what is said of its result is not understood: nothing is opened on its event",
}


def note_changes(engine: EngineStore, lease: Lease, found: Mapping[ConditionId, Resolution]) -> None:
    """Write down what is other than it was.

    Raises:
        DatabaseError, LeaseLostError: it could not be written.
    """
    for name, told in found.items():
        was = state_of(engine, name)
        if told.state is was:
            continue
        payload = {
            "from": was,
            "to": told.state,
            "detail": told.detail,
            "on_chain": told.on_chain,
            "payouts": told.payouts,
        }
        engine.note(lease, kind=CHANGED, subject=_subject(name), payload=payload, actor="engine")
        log.info(CHANGED, condition_id=name, was=was.value, now=told.state.value, detail=told.detail)


def state_of(engine: EngineStore, condition: ConditionId) -> ResolutionState:
    """As it was read last; OPEN where nothing else was ever told."""
    entry = engine.latest_entry(_subject(condition))
    return ResolutionState.OPEN if entry is None else ResolutionState(json.loads(entry.payload)["to"])


def _subject(condition: ConditionId) -> str:
    return f"resolution:{condition}"
