"""What a diagnosis is about when nobody names it: the engine that runs here, like every other command."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from polyb0t.config.settings import Settings
from polyb0t.execution.scope import Scope
from polyb0t.runtime.current import CurrentRun, meant, read_current
from polyb0t.runtime.places import data_dir

# Whoever gives one of these has said which account is meant.
_NAMES_A_PLACE: Final = ("venue", "wallet_address", "database_url")


@dataclass(frozen=True, slots=True)
class Place:
    """`flags` are the settings that the run adds; `why` is said on line two of the screen, empty where
    the settings themselves say which venue is meant."""

    flags: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""


def place_of(settings: Settings) -> Place:
    """The last run's venue and wallet where the settings name none; nothing where none has run here."""
    if settings.named(*_NAMES_A_PLACE):
        return Place()
    runs = read_current(data_dir(settings))
    run = meant(runs, mode="live")
    if run is None:
        return Place()
    return Place(_flags(settings, run), _why(run))


def _flags(settings: Settings, run: CurrentRun) -> dict[str, Any]:
    scope = Scope.parse(run.scope)
    flags: dict[str, Any] = {"venue": scope.venue, "wallet_address": scope.wallet}
    if "sandbox_url" not in settings.model_fields_set and scope.is_sandbox:
        flags["sandbox_url"] = run.sandbox_url
    return flags


def _why(run: CurrentRun) -> str:
    when = "runs here" if run.alive else "ran here last"
    other = "sandbox" if run.venue == "polymarket" else "polymarket"
    return f"Looked at where the engine {when}. The other venue: POLYBOT_VENUE={other} polyb0t doctor"
