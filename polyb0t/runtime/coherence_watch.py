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
from polyb0t.models.exhaustive_sets import set_sum
from polyb0t.models.price_gaps import ALARM_GAP, ALARM_SECONDS, Gap, gaps
from polyb0t.models.relations import Relation, RelationKind
from polyb0t.models.signals import MarketState

log = structlog.get_logger(__name__)

OBSERVED: Final = "coherence.observed"
SUBJECT: Final = "coherence"
MOST_SHOWN: Final = 20
TELL_SECONDS: Final = 3_600.0  # sums change without any gap

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
        self._told_at = float("-inf")

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
        if self._told is None or lasting.keys() != self._told or now - self._told_at >= TELL_SECONDS:
            self._told_at = now
            self._tell(lasting, relations, states)

    def _tell(
        self, lasting: Mapping[_Name, Gap], relations: Sequence[Relation], states: Sequence[MarketState]
    ) -> None:
        for name, gap in lasting.items():
            if name not in (self._told or ()):
                log.warning("coherence.gap", net=plain(gap.net), markets=list(gap.legs), why=gap.sentence)
        payload = {
            "relations": len(relations),
            "sums": _sums(relations, states),
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


def _sums(relations: Sequence[Relation], states: Sequence[MarketState]) -> list[dict[str, object]]:
    """What the mids of each set of excluding markets add up to, the farthest from one first. A figure to
    look at: nobody trades at mids, and a set that is not declared whole may well stay below one."""
    by_market = {state.market.condition_id: state for state in states}
    found = []
    for relation in relations:
        if relation.kind is not RelationKind.AT_MOST_ONE:
            continue
        total = set_sum([market for market in relation.markets if market in by_market], by_market)
        if total is not None and len(total.markets) > 1:
            title = by_market[total.markets[0]].market.event_title
            found.append((abs(total.mids - 1), title, total))
    found.sort(key=lambda each: (-each[0], each[1]))
    return [
        {"event": title, "markets": len(total.markets), "mids": plain(total.mids), "kept": plain(total.kept)}
        for _, title, total in found[:MOST_SHOWN]
    ]


def _name(gap: Gap) -> _Name:
    return gap.relation.kind, gap.legs


def _shown(gap: Gap) -> dict[str, object]:
    return {"sentence": gap.sentence, "gross": plain(gap.gross), "net": plain(gap.net)}
