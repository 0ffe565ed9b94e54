"""Where things lie: one data directory for a user, never the folder that somebody stands in."""

import os
import sys
from pathlib import Path

from polyb0t.config.settings import Settings
from polyb0t.execution.scope import Scope


def data_dir(settings: Settings) -> Path:
    """The data directory, made private (0700) if it is new."""
    path = (settings.data_dir or _users_data_dir()).expanduser().resolve()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def scope_dir(settings: Settings, scope: Scope) -> Path:
    """The folder of one scope: database, credentials, HALT file, lock."""
    path = data_dir(settings) / str(scope).replace(":", "-")
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def database_url(settings: Settings, scope: Scope) -> str:
    """The setting, or one SQLite file per scope under an absolute path."""
    return settings.database_url or f"sqlite:///{scope_dir(settings, scope) / 'polyb0t.sqlite3'}"


def anchor_path(settings: Settings, scope: Scope) -> Path:
    """How far the journal had come at the last send: outside the database, whatever that is."""
    return scope_dir(settings, scope) / "anchor.json"


def log_file(settings: Settings) -> Path:
    """The engine's log: tracebacks, HTTP, stage times."""
    return data_dir(settings) / "polyb0t.log"


def _users_data_dir() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "polyb0t"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home() / "AppData" / "Local"))) / "polyb0t"
    return Path(os.environ.get("XDG_DATA_HOME", str(Path.home() / ".local" / "share"))) / "polyb0t"
