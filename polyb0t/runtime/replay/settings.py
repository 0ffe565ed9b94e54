"""The settings of a replay: those of an engine here, always on paper, with what was changed for it."""

from collections.abc import Mapping
from typing import Any, Final

from polyb0t.config.settings import PREFIX, Settings, load_settings
from polyb0t.core.errors import UsageError

# Where something lies or listens, who is told, and whose keys are used: no decision depends on these.
_NO_DECISION: Final = frozenset(
    {
        *("sandbox_url", "data_dir", "database_url", "wallet_address", "signature_type", "dry_run"),
        *("record", "record_retention_days", "rpc_url", "notify_command", "notify_seconds", "log_level"),
        *("keystore_password_fd", "lease_seconds", "post_budget_seconds", "proof_delay_seconds"),
        *("proof_apart_seconds", "paper_auto_approve"),
    }
)
_NO_DECISION_PREFIXES: Final = ("api_", "claim_")


def replay_settings(flags: Mapping[str, Any], changed: Mapping[str, str]) -> Settings:
    """`flags` as every command gives them; `changed` are texts, read as the environment's are.

    Raises:
        ConfigurationError: an unknown or impossible setting.
        UsageError: one that cannot be changed for a replay.
    """
    for name in changed:
        if name in ("mode", "dry_run", "database_url") or name.startswith(_NO_DECISION_PREFIXES):
            raise UsageError(
                f"Not replayed: {PREFIX}{name.upper()} means nothing in a replay.",
                do="Leave it out: a replay is always on paper and in a database of its own.",
            )
    return load_settings(**{**flags, **changed, "mode": "paper", "database_url": None})


def setting_name(text: str) -> str:
    """The field of a setting as people write it: `POLYBOT_MIN_EDGE`, `MIN_EDGE` or `min_edge`.

    Raises:
        UsageError: there is no such setting.
    """
    name = text.strip().lower().removeprefix(PREFIX.lower())
    if name not in Settings.model_fields:
        raise UsageError(
            f"Not replayed: there is no setting {text.strip()!r:.60}.", do="See: polyb0t config show"
        )
    return name


def deciding(settings: Settings) -> dict[str, Any]:
    """The settings that a decision may depend on, as JSON has them: they are part of what a result is."""
    told = settings.model_dump(mode="json")
    return {
        name: value
        for name, value in told.items()
        if name not in _NO_DECISION and not name.startswith(_NO_DECISION_PREFIXES)
    }
