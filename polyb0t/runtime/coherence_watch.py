"""Prices of related markets that contradict each other for a while: told once, shown as long as it lasts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.ids import ConditionId
from polyb0t.core.units import plain
from polyb0t.execution.store import EngineStore, Lease
from polyb0t.models.coherence import CoherenceModel
from polyb0t.models.price_gaps import ALARM_GAP, ALARM_SECONDS, Gap, gaps
from polyb0t.models.relations import RelationKind
from polyb0t.models.signals import MarketState

log = structlog.get_logger(__name__)

OBSERVED: Final = "coherence.observed"
SUBJECT: Final = "coherence"
MOST_SHOWN: Final = 20

_Name = tuple[RelationKind, tuple[ConditionId, ...]]


@dataclass(frozen=True, slots=True)
class _Seen:
    first: float  # boot seconds of the first look
    gap: Gap


class CoherenceWatch:
    """Looks once a cycle. What it finds is an alarm about wording or data, and changes no decision."""

    def __init__(self, model: CoherenceModel, engine: EngineStore, lease: Lease, clock: Clock) -> None:
        self._model = model
        self._engine = engine
        self._lease = lease
        self._clock = clock
        self._seen: dict[_Name, _Seen] = {}
        self._told: frozenset[_Name] | None = None

    def look(self, states: Sequence[MarketState]) -> None:
        """Raises DatabaseError, LeaseLostError: it could not be written down; the next look tries again."""
        relations = self._model.relations(states)
        now = self._clock.boot_seconds()
        found = {_name(gap): gap for gap in gaps(states, relations) if gap.net > ALARM_GAP}
        # A gap that is gone for one look begins anew: two looks mean two in a row.
        self._seen = {
            name: _Seen(self._seen[name].first if name in self._seen else now, gap)
            for name, gap in found.items()
        }
        lasting = {name: seen.gap for name, seen in self._seen.items() if now - seen.first >= ALARM_SECONDS}
        if self._told is None or lasting.keys() != self._told:
            self._tell(lasting, len(relations))

    def _tell(self, lasting: Mapping[_Name, Gap], relations: int) -> None:
        for name, gap in lasting.items():
            if name not in (self._told or ()):
                log.warning("coherence.gap", net=plain(gap.net), markets=list(gap.legs), why=gap.sentence)
        payload = {
            "relations": relations,
            "gaps": [_shown(gap) for gap in lasting.values()][:MOST_SHOWN],
            "gaps_count": len(lasting),
        }
        self._engine.note(self._lease, kind=OBSERVED, subject=SUBJECT, payload=payload, actor="engine")
        self._told = frozenset(lasting)


def latest_gaps(engine: EngineStore) -> Mapping[str, Any] | None:
    """What was last written down; None before the first look."""
    found = engine.latest_entry(SUBJECT)
    payload = json.loads(found.payload) if found is not None else None
    return payload if isinstance(payload, dict) else None


def _name(gap: Gap) -> _Name:
    return gap.relation.kind, gap.legs


def _shown(gap: Gap) -> dict[str, object]:
    return {"sentence": gap.sentence, "gross": plain(gap.gross), "net": plain(gap.net)}
