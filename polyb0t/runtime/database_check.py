"""The preflight's look at our own side: a database that takes writes, and room for it to grow."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from polyb0t.core.errors import PolybotError
from polyb0t.db import migrate
from polyb0t.execution.store import EngineStore, Lease
from polyb0t.runtime.screen import CheckFacts

LEAST_FREE_BYTES: Final = 200_000_000
_NAME: Final = "database"


def check_database(
    engine: EngineStore, lease: Lease, url: str, data: Path, free: "Callable[[Path], int] | None" = None
) -> CheckFacts:
    """Whether it can be written, has the present schema, and has 200 MB left where it and the log lie.

    Never raises for what it finds: what cannot be looked at has failed.
    """
    try:
        engine.beat(lease, cycle=0)
        revision = migrate.current(url)
        room = min((free or _free)(folder) for folder in _folders(url, data))
    except (PolybotError, OSError) as error:
        return CheckFacts(_NAME, "failed", str(error), "See who else uses it and whether its disk is full.")
    if revision != migrate.latest():
        return CheckFacts(
            _NAME,
            "failed",
            f"It has schema {revision}, this program needs {migrate.latest()}.",
            "Migrate it: polyb0t db upgrade",
        )
    megabytes = room // 1_000_000
    if room < LEAST_FREE_BYTES:
        needed = LEAST_FREE_BYTES // 1_000_000
        detail = f"Only {megabytes:,} MB are free on its disk; {needed} MB are needed."
        return CheckFacts(_NAME, "failed", detail, f"Make room on the disk of {data}.")
    return CheckFacts(
        _NAME, "ok", f"It can be written, has schema {revision}, and {megabytes:,} MB are free.", ""
    )


def _folders(url: str, data: Path) -> list[Path]:
    """Logs and answers lie in the data directory whatever the database is."""
    kind, _, path = url.partition(":///")
    return [data, Path(path.removeprefix("file:")).parent] if kind.startswith("sqlite") else [data]


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free
