"""The right to be the one engine: taken at start, renewed in its own thread, given back at the end."""

import os
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import ConflictError, DatabaseError, LeaseLostError, PolybotError
from polyb0t.execution.scope import LEASE_SECONDS, Regime
from polyb0t.execution.store import EngineStore, Lease, LeaseInfo
from polyb0t.runtime.current import boot_id, holder_is_gone, process_started
from polyb0t.runtime.screen import Ended

log = structlog.get_logger()

BEATS: Final = 6  # in a lease: every 5 s of 30
LOOKS: Final = 30  # of a standby in a lease: every second of 30


def acquire_lease(engine: EngineStore, regime: Regime, role: str = "engine") -> Lease:
    """The lease, at once when its last holder has ended.

    Raises:
        ConflictError: another engine holds it.
    """
    answer = _try(engine, regime, role)
    if isinstance(answer, Lease):
        return answer
    raise ConflictError(
        "Not started: another engine already trades for this wallet.",
        why=f"{answer.holder} holds the lease, last heard {answer.beat_at:%H:%M:%S} UTC.",
        do="Stop that one first, watch it (polyb0t status), or wait behind it: polyb0t run --standby",
        code="lease_held",
    )


def stand_by(
    engine: EngineStore,
    regime: Regime,
    clock: Clock,
    *,
    role: str = "engine",
    waiting: Callable[[LeaseInfo], None] = lambda _info: None,
    lease_seconds: float = LEASE_SECONDS,
) -> Lease:
    """Wait for the lease: until it is given back, its holder's process has ended on this boot, or its
    (token, beat) has not changed for the lease time by this process's own boot clock.

    Nobody's wall clock is compared with anybody's. A database that cannot be read says nothing about the
    holder: the time of silence begins anew.
    """
    seen: tuple[int, datetime] | None = None
    since = 0.0
    while True:
        try:
            silent = seen if clock.boot_seconds() - since >= lease_seconds else None
            answer = _try(engine, regime, role, silent=silent)
        except DatabaseError as error:
            log.warning("standby.database_unreadable", reason=str(error))
            seen = None
        else:
            if isinstance(answer, Lease):
                return answer
            if seen != (answer.token, answer.beat_at):
                if seen is None or seen[0] != answer.token:
                    waiting(answer)
                seen, since = (answer.token, answer.beat_at), clock.boot_seconds()
        clock.sleep(lease_seconds / LOOKS)


def _try(
    engine: EngineStore, regime: Regime, role: str, *, silent: tuple[int, datetime] | None = None
) -> Lease | LeaseInfo:
    """One attempt. `silent` is what a holder showed for the whole lease time: the store takes over only if
    it still shows the same."""
    acquire = partial(
        engine.acquire,
        role,
        regime=regime,
        holder=f"{socket.gethostname()}:{os.getpid()}",
        boot_id=boot_id(),
        process_started=repr(process_started()),
    )
    if silent is not None:
        return acquire(take_over_from=silent[0], last_beat=silent[1])
    answer = acquire()
    if isinstance(answer, LeaseInfo) and holder_is_gone(answer):
        answer = acquire(take_over_from=answer.token)
    return answer


@dataclass
class LeaseKeeper:
    """Renews the lease and says when it must be treated as lost.

    `lost` is set when somebody else holds the lease or when no renewal came through for half the lease
    time: whoever takes over waits the whole of it. `ended` says which of the two it was.
    """

    engine: EngineStore
    lease: Lease
    clock: Clock
    lease_seconds: float = LEASE_SECONDS
    cycle: int = 0
    facts: Callable[[], Mapping[str, object]] = dict
    lost: threading.Event = field(default_factory=threading.Event)
    ended: Ended = Ended.ASKED
    _beat: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)
        self._thread.start()

    def hurry(self) -> None:
        """Renew now: there are facts to publish."""
        self._beat.set()

    def lose(self, ended: Ended) -> None:
        """Treat the lease as lost; the first reason stays."""
        if not self.lost.is_set():
            self.ended = ended
        self.lost.set()

    def stop(self) -> None:
        """End the renewals and give the lease back, so that a restart need not wait.

        Raises:
            DatabaseError: it could not be written; this process's end frees the lease as well.
        """
        self._stop.set()
        self._beat.set()
        if self._thread is not None:
            self._thread.join(timeout=LEASE_SECONDS / BEATS)
        if self.ended is not Ended.TAKEN_OVER:
            self.engine.release(self.lease)

    def _run(self) -> None:
        renewed = self.clock.boot_seconds()
        while True:
            self._beat.wait(self.lease_seconds / BEATS)
            self._beat.clear()
            if self._stop.is_set():
                return
            try:
                self.engine.beat(self.lease, cycle=self.cycle, facts=self.facts())
                renewed = self.clock.boot_seconds()
            except LeaseLostError as error:
                log.error("lease.lost", reason=str(error))  # noqa: TRY400 - the reason is in the sentence
                self.lose(Ended.TAKEN_OVER)
                return
            except PolybotError as error:
                log.warning("lease.not_renewed", reason=str(error))
            if self.clock.boot_seconds() - renewed > self.lease_seconds / 2:
                log.error("lease.given_up", seconds=self.lease_seconds / 2)
                self.lose(Ended.NOT_WRITTEN)
                return
