"""How each kill switch stands, as the engine publishes it and as every other process reads it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from polyb0t.models.kill_switches import KillSwitchType

SWITCHES: Final = "switches"
SWITCHES_AT: Final = "switches_at"


@dataclass(frozen=True, slots=True)
class SwitchFact:
    """One switch. `cause` is the sentence of a trip while its cause holds, else empty."""

    now: str
    trips_at: str
    cause: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def read_switch_facts(stored: object) -> Mapping[KillSwitchType, SwitchFact]:
    """What `SwitchWatch.facts` wrote; a switch that this version does not know is left out.

    Raises:
        AttributeError, TypeError: it was written by something else.
    """
    if not isinstance(stored, Mapping):
        return {}
    known = {switch.value: switch for switch in KillSwitchType}
    return {
        known[name]: SwitchFact(
            now=str(fact.get("now", "")),
            trips_at=str(fact.get("trips_at", "")),
            cause=str(fact.get("cause", "")),
        )
        for name, fact in stored.items()
        if name in known
    }
