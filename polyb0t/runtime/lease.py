"""The right to be the one engine: taken at start, renewed in its own thread, given back at the end."""

import os
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import psutil
import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import ConflictError, LeaseLostError, PolybotError
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import EngineStore, Lease, LeaseInfo
from polyb0t.runtime.current import process_started, same_process

log = structlog.get_logger()

LEASE_SECONDS: Final = 30.0  # longer than the budget of a POST
BEAT_SECONDS: Final = 5.0


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


def acquire_lease(engine: EngineStore, regime: Regime, role: str = "engine") -> Lease:
    """The lease, at once when its last holder has ended.

    Raises:
        ConflictError: another engine holds it.
    """
    acquire = partial(
        engine.acquire,
        role,
        regime=regime,
        holder=f"{socket.gethostname()}:{os.getpid()}",
        boot_id=boot_id(),
        process_started=repr(process_started()),
    )
    answer = acquire()
    if isinstance(answer, LeaseInfo) and holder_is_gone(answer):
        answer = acquire(take_over_from=answer.token)
    if isinstance(answer, Lease):
        return answer
    raise ConflictError(
        "Not started: another engine already trades for this wallet.",
        why=f"{answer.holder} holds the lease, last heard {answer.beat_at:%H:%M:%S} UTC.",
        do="Stop that one first, or watch it: polyb0t status",
        code="lease_held",
    )


@dataclass
class LeaseKeeper:
    """Renews the lease and says when it must be treated as lost.

    `lost` is set when somebody else holds the lease or when no renewal came through for half the lease
    time: whoever takes over waits the whole of it.
    """

    engine: EngineStore
    lease: Lease
    clock: Clock
    cycle: int = 0
    facts: Callable[[], Mapping[str, object]] = dict
    lost: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the renewals and give the lease back, so that a restart need not wait."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=BEAT_SECONDS)
        if not self.lost.is_set():
            self.engine.release(self.lease)

    def _run(self) -> None:
        renewed = self.clock.boot_seconds()
        while not self._stop.wait(BEAT_SECONDS):
            try:
                self.engine.beat(self.lease, cycle=self.cycle, facts=self.facts())
                renewed = self.clock.boot_seconds()
            except LeaseLostError as error:
                log.error("lease.lost", reason=str(error))  # noqa: TRY400 - the reason is in the sentence
                self.lost.set()
                return
            except PolybotError as error:
                log.warning("lease.not_renewed", reason=str(error))
            if self.clock.boot_seconds() - renewed > LEASE_SECONDS / 2:
                log.error("lease.given_up", seconds=LEASE_SECONDS / 2)
                self.lost.set()
                return
