"""Where things lie: one data directory for a user, never the folder that somebody stands in."""

import os
import sys
from pathlib import Path

from polyb0t.config.settings import Settings
from polyb0t.core.errors import ConfigurationError
from polyb0t.execution.scope import Scope


def data_dir(settings: Settings) -> Path:
    """The data directory, made private (0700) if it is new.

    Raises:
        ConfigurationError: it is no directory, or cannot be made.
    """
    return _directory((settings.data_dir or _users_data_dir()).expanduser().resolve())


def scope_dir(settings: Settings, scope: Scope) -> Path:
    """The folder of one scope: database, credentials, HALT file, lock.

    Raises:
        ConfigurationError: it is no directory, or cannot be made.
    """
    return _directory(data_dir(settings) / str(scope).replace(":", "-"))


def database_url(settings: Settings, scope: Scope) -> str:
    """The setting, or one SQLite file per scope under an absolute path."""
    return settings.database_url or f"sqlite:///{scope_dir(settings, scope) / 'polyb0t.sqlite3'}"


def anchor_path(settings: Settings, scope: Scope) -> Path:
    """How far the journal had come at the last send: outside the database, whatever that is."""
    return scope_dir(settings, scope) / "anchor.json"


def models_folder(settings: Settings, venue: str) -> Path:
    """The fitted models of one venue: what was learnt on one is never used on another."""
    return data_dir(settings) / "models" / venue


def log_file(settings: Settings) -> Path:
    """The engine's log: tracebacks, HTTP, stage times."""
    return data_dir(settings) / "polyb0t.log"


def _directory(path: Path) -> Path:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        reason = "there is a file of this name" if isinstance(error, FileExistsError) else error.strerror
        raise ConfigurationError(
            f"Not done: the data directory cannot be used: {path}",
            why=f"It cannot be made: {reason}.",
            do="Name one that you may write to: POLYBOT_DATA_DIR, or --data-dir",
            code="data_dir_unusable",
        ) from None
    return path


def _users_data_dir() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "polyb0t"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home() / "AppData" / "Local"))) / "polyb0t"
    return Path(os.environ.get("XDG_DATA_HOME", str(Path.home() / ".local" / "share"))) / "polyb0t"
