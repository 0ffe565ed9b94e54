"""Where the temporary files of a run are: in memory where there is room, since thousands of small databases
are made and thrown away, and a disk takes longer over each than its test does."""

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM_BYTES = 1024**3  # several times what a run has at once
PREFIX = "polyb0t-tests-"


def use_memory() -> Path | None:
    """The folder for this process and those that it starts; nothing if TMPDIR says where, or there is no room.

    What failed tests left there stays until the next run.
    """
    if "TMPDIR" in os.environ or not _has_room():
        return None
    for left in MEMORY.glob(f"{PREFIX}*"):
        if not Path(f"/proc/{left.name.removeprefix(PREFIX)}").exists():
            shutil.rmtree(left, ignore_errors=True)
    folder = MEMORY / f"{PREFIX}{os.getpid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    return folder


def _has_room() -> bool:
    if not (MEMORY.is_dir() and os.access(MEMORY, os.W_OK)):
        return False
    runs_programs = not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
    return runs_programs and shutil.disk_usage(MEMORY).free >= ROOM_BYTES
