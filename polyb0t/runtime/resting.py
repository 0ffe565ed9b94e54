"""Ideas that are not proposed again for a while, so that an empty list can say so."""

from dataclasses import dataclass
from datetime import datetime

from polyb0t.config.settings import SANDBOX_DEFAULTS, Settings
from polyb0t.execution.cooldown import ENDED, cooldowns_of
from polyb0t.execution.intents import IntentType
from polyb0t.execution.scope import Regime
from polyb0t.runtime.opened import OpenedStore


@dataclass(frozen=True, slots=True)
class Resting:
    """How many ideas rest, and when the last of them may come back."""

    count: int
    until: datetime


def resting(opened: OpenedStore, regime: Regime, now: datetime) -> Resting | None:
    """What rests in `regime`; None if nothing does."""
    opening_seconds = cooldown_seconds(opened.settings, sandbox=opened.scope.is_sandbox)
    rule = cooldowns_of(opened.scope, opening_seconds=opening_seconds)
    ended = opened.stores.intents.list(
        statuses=ENDED, types=(IntentType.OPEN_POSITION,), changed_since=now - rule.longest, limit=None
    )
    until: dict[str, datetime] = {}
    for record in ended:
        back = rule.rests_until(record)
        if back is not None and back > now and record.intent.regime is regime:
            until[record.intent.asset_id] = max(back, until.get(record.intent.asset_id, back))
    return Resting(len(until), max(until.values())) if until else None


def cooldown_seconds(settings: Settings, *, sandbox: bool) -> int:
    """What applies where the database belongs, whatever venue this shell's own settings name."""
    if "cooldown_seconds" in settings.model_fields_set or settings.is_sandbox is sandbox:
        return settings.cooldown_seconds
    default: int = Settings.model_fields["cooldown_seconds"].default
    return int(str(SANDBOX_DEFAULTS["cooldown_seconds"])) if sandbox else default
