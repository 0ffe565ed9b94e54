"""`POLYBOT_NOTIFY_COMMAND`: a program of the owner's that is told of every event, as JSON on its input.

One at a time, from a thread and a queue of its own: however long it takes, whatever it answers and however
much happens, nothing that trades waits for it. It gets no secret: neither a key in its environment nor one
in what it is told.
"""

import json
import os
import shlex
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import structlog

from polyb0t.config.refusals import PREFIX, SECRET_NAMES
from polyb0t.core.clock import iso
from polyb0t.core.errors import PolybotError
from polyb0t.core.ids import IntentId
from polyb0t.execution.scope import mode_words
from polyb0t.execution.store import JournalEntry, Stores
from polyb0t.runtime.views import View, intent_view, order_of

log = structlog.get_logger(__name__)

MOST_WAITING: Final = 200  # events; then the oldest is dropped, and the next one says how many were
LAST_SECONDS: Final = 2.0  # at the engine's end, for what is still to be told
_HIDDEN: Final = ("KEY", "SECRET", "PASSWORD", "PASSPHRASE", "TOKEN", "DATABASE_URL")

Tell = Callable[[str], None]


class Notifier:
    """Runs `command` once for each event."""

    def __init__(self, command: str, seconds: float, stores: Stores) -> None:
        """`seconds`: how long one run may take; then it is ended."""
        self._words = shlex.split(command)
        self._seconds = seconds
        self._stores = stores
        self._waiting: deque[JournalEntry] = deque()
        self._dropped = 0
        self._changed = threading.Condition()
        self._ending = False
        self._running: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="notify", daemon=True)

    def missing(self) -> str:
        """What is wrong with the command before it ever runs, in a sentence; else empty."""
        name = self._words[0] if self._words else ""
        if shutil.which(name):
            return ""
        return (
            f"Nobody is notified: POLYBOT_NOTIFY_COMMAND names {name or 'nothing'}, which is no program here."
        )

    def start(self) -> None:
        self._thread.start()

    def happened(self, entry: JournalEntry) -> None:
        """Queue it. Never waits."""
        with self._changed:
            self._waiting.append(entry)
            if len(self._waiting) > MOST_WAITING:
                self._waiting.popleft()
                self._dropped += 1
            self._changed.notify()

    def close(self) -> None:
        """Tell what is left for two seconds at most, then end what runs."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join(LAST_SECONDS)
        with self._changed:
            self._waiting.clear()
        running = self._running
        if running is not None:
            _end(running)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._ending:
                    self._changed.wait()
                if not self._waiting:
                    return
                entry, dropped = self._waiting.popleft(), self._dropped
                self._dropped = 0
            try:
                self._tell(entry, dropped)
            except Exception:
                log.exception("notify.crashed")  # the engine lives on: a hook is not its purpose

    def _tell(self, entry: JournalEntry, dropped: int) -> None:
        text = json.dumps({**event_view(self._stores, entry), "dropped_before": dropped}) + "\n"
        try:
            process = subprocess.Popen(  # noqa: S603 - the owner's own command, without a shell
                self._words,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment(os.environ),
                start_new_session=True,  # so that what it starts ends with it, and Ctrl-C is not for it
            )
        except OSError as error:
            log.warning("notify.failed", kind=entry.kind, reason=error.strerror or str(error))
            return
        self._running = process
        try:
            process.communicate(text.encode(), timeout=self._seconds)
            if process.returncode:
                log.warning("notify.failed", kind=entry.kind, reason=f"exit code {process.returncode}")
        except subprocess.TimeoutExpired:
            _end(process)
            log.warning("notify.failed", kind=entry.kind, reason=f"still running after {self._seconds:g} s")
        finally:
            self._running = None


def event_view(stores: Stores, entry: JournalEntry) -> View:
    """A journal entry as the hook is told it; `intent` is the trade that it is about, as everywhere else."""
    view: View = {
        "sequence": entry.sequence,
        "at": iso(entry.at),
        "kind": entry.kind,
        "subject": entry.subject,
        "actor": entry.actor,
        "payload": json.loads(entry.payload),
        "scope": str(stores.scope),
        "mode": None,
        "intent": None,
    }
    if entry.kind.startswith("intent."):
        with suppress(PolybotError):  # it is told without the trade rather than not at all
            record = stores.intents.get(IntentId(entry.subject))
            short = stores.intents.shortest_prefixes([record.id])[record.id]
            view["intent"] = intent_view(record, order_of(stores, record.order_id), short)
            view["mode"] = mode_words(stores.scope, record.intent.regime)
    return view


def environment(ours: Mapping[str, str]) -> dict[str, str]:
    """What the program finds around it: ours, without what could be a secret."""
    return {name: value for name, value in ours.items() if not _is_secret(name.upper())}


def _is_secret(name: str) -> bool:
    return name in SECRET_NAMES or (name.startswith(PREFIX) and any(part in name for part in _HIDDEN))


def _end(process: "subprocess.Popen[bytes]") -> None:
    """The program and what it has started."""
    if process.poll() is not None:
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(1)
