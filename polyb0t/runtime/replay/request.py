"""What a person asked to be replayed, whole: the same request is the same result."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from polyb0t.core.clock import from_iso, iso
from polyb0t.runtime.replay.speakers import ENGINES

APPROVES: Final = "approves"
RECORDED: Final = "recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`tapes` are paths, or the one word `recorded`. `settings` are the names that were changed for this
    replay, as texts; None in the others: the default of the settings or of the history."""

    tapes: tuple[str, ...]
    ends: str | None = None  # of a recording: how its markets ended
    since: datetime | None = None
    until: datetime | None = None
    seed: int = 1
    human: str = APPROVES
    model: str = ENGINES
    walk_forward: str | None = None
    every_seconds: float | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    assume: Mapping[str, str] = field(default_factory=dict)  # by the names of `research/replay/assuming`

    def as_dict(self) -> dict[str, Any]:
        """For `run.json`."""
        told = asdict(self)
        told["since"], told["until"] = _told(self.since), _told(self.until)
        return told

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> "Request":
        """What `as_dict` wrote."""
        instants = {name: None if told[name] is None else from_iso(told[name]) for name in ("since", "until")}
        return cls(**{**told, **instants, "tapes": tuple(told["tapes"])})


def _told(instant: datetime | None) -> str | None:
    return None if instant is None else iso(instant)
