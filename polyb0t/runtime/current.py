"""What runs now, or ran last, on each venue: left behind so that a second shell finds it."""

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from polyb0t.core.files import write_durably
from polyb0t.execution.scope import Scope
from polyb0t.execution.store import LeaseInfo

_FOLDER = "current"


@dataclass(frozen=True, slots=True)
class CurrentRun:
    """Written by each start of an engine as `current/<venue>.json`, of a paper run `<venue>-paper.json`."""

    scope: str
    database_url: str
    sandbox_url: str
    pid: int
    process_started: float  # seconds since 1970, as the operating system tells it
    written_at: str

    @property
    def venue(self) -> str:
        return Scope.parse(self.scope).venue

    @property
    def is_paper(self) -> bool:
        return Scope.parse(self.scope).is_paper

    @property
    def place(self) -> str:
        """Its file's name: a paper run beside a real one never hides it."""
        return f"{self.venue}-paper" if self.is_paper else self.venue

    @property
    def alive(self) -> bool:
        """Whether the very process that wrote this still runs (a pid alone may be somebody else)."""
        return same_process(self.pid, self.process_started)


def same_process(pid: int, started: float) -> bool:
    """Whether `pid` is still the process that started then."""
    try:
        process = psutil.Process(pid)
        ended = process.status() == psutil.STATUS_ZOMBIE  # it is dead; nobody has looked yet
        return not ended and bool(abs(process.create_time() - started) < 1)
    except psutil.Error:
        return False


def process_started(pid: int | None = None) -> float:
    """When a process (this one) started, in seconds since 1970."""
    return float(psutil.Process(pid or os.getpid()).create_time())


def boot_id() -> str:
    """What tells one start of this machine from the next."""
    path = Path("/proc/sys/kernel/random/boot_id")
    if path.exists():
        return path.read_text(encoding="ascii").strip()
    return f"boot-{psutil.boot_time():.0f}"


def holder_is_gone(info: LeaseInfo) -> bool:
    """Proof that the process which holds the lease has ended; what runs elsewhere proves nothing here."""
    host, _, pid = info.holder.rpartition(":")
    if host != socket.gethostname():
        return False
    return info.boot_id != boot_id() or not same_process(int(pid), float(info.process_started))


def write_current(data_dir: Path, run: CurrentRun) -> Path:
    """Replace the file of this venue, or of its paper account, in one step. Only its owner reads it: a
    database's URL may hold a password."""
    folder = data_dir / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{run.place}.json"
    write_durably(path, json.dumps(asdict(run), indent=2) + "\n")
    return path


def meant(
    runs: Mapping[str, CurrentRun], *, venue: str | None = None, mode: str | None = None
) -> CurrentRun | None:
    """The run that a command means: of the named venue and kind, the one that is alive, else the newest.

    Of a real account and a paper one that both run, the real one: whoever means the other says so.
    """
    paper = None if mode is None else mode == "paper"
    found = [run for run in runs.values() if venue in (None, run.venue) and paper in (None, run.is_paper)]
    return max(
        found, key=lambda run: (run.alive, run.alive and not run.is_paper, run.written_at), default=None
    )


def read_current(data_dir: Path) -> dict[str, CurrentRun]:
    """The last runs by their files' names; one that cannot be understood is left out, never guessed at."""
    runs = {}
    for path in sorted((data_dir / _FOLDER).glob("*.json")):
        try:
            runs[path.stem] = CurrentRun(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            continue
    return runs
