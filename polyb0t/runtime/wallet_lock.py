"""A second database on the same wallet cannot be prevented; on one machine it is seen and said."""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from polyb0t.execution.scope import Scope

if sys.platform != "win32":
    import fcntl

_FOLDER: Final = "polyb0t-wallets"


def lock_folder() -> Path:
    """One for all data directories of this user: the lock has to be where the other engine looks too."""
    owner = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    return Path(tempfile.gettempdir()) / f"{_FOLDER}-{owner}"


class WalletLock:
    """Held while an engine trades; the operating system lets go when the process ends, however it ends."""

    def __init__(self, scope: Scope, database: str, folder: Path | None = None) -> None:
        """`database` is the URL without a password."""
        self._database = database
        self._path = (folder or lock_folder()) / f"{str(scope).replace(':', '-')}.lock"
        self._descriptor: int | None = None

    def take(self, warn: Callable[[str], None]) -> None:
        """Take it, or `warn` with the other engine's database if that is another one."""
        if sys.platform == "win32":
            return  # no warning there
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            other = _other(descriptor)
            os.close(descriptor)
            if other != self._database:
                warn(
                    f"Another engine trades for this wallet with another database ({other or 'unknown'}): "
                    "neither sees what the other has sent."
                )
            return
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps({"database": self._database, "pid": os.getpid()}).encode())
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _other(descriptor: int) -> str:
    try:
        return str(json.loads(os.pread(descriptor, 10_000, 0)).get("database", ""))
    except (ValueError, AttributeError):
        return ""
