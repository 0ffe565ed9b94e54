"""Hands approved intents to threads: at most one order per market at a time, cancels on threads of
their own, so that one hanging send starves nobody and never delays a cancel."""

from collections.abc import Callable
from concurrent.futures import Executor as Pool
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock
from typing import Final

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import LeaseLostError
from polyb0t.core.ids import IntentId
from polyb0t.data.windows import OPEN, Window
from polyb0t.execution.executor import Executor
from polyb0t.execution.intents import IntentRecord, IntentStatus, IntentType
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import IntentStore

log = structlog.get_logger(__name__)

AGAIN_SECONDS: Final = 2.0  # before an intent that could not be moved is tried again


class Dispatcher:
    """`run_due` is called whenever something was approved and a few times a second besides."""

    def __init__(
        self,
        executor: Executor,
        intents: IntentStore,
        clock: Clock,
        *,
        workers: int = 4,
        pool: Callable[[int, str], Pool] = ThreadPoolExecutor,
    ) -> None:
        """`pool` makes what carries out the work of so many at a time, under a name."""
        self._executor = executor
        self._intents = intents
        self._clock = clock
        self._senders = pool(workers, "send")
        self._cancellers = pool(2, "cancel")
        self._lock = Lock()
        self._targets: dict[str, Future[None]] = {}
        self._not_before: dict[IntentId, float] = {}

    def run_due(self, *, trading: bool = True, window: Window = OPEN) -> int:
        """Begin everything that may begin now, oldest decision first; how many were begun.

        Without `trading` (our records and the exchange's do not agree) only cancels are begun: nothing
        blocks those. What the exchange's present `window` does not take waits, and expires in its time.

        Raises:
            DatabaseError: the list of approved intents could not be read.
        """
        with self._lock:
            self._targets = {key: future for key, future in self._targets.items() if not future.done()}
        due = self._intents.list(statuses=(IntentStatus.APPROVED,), limit=None)
        cancels = self._intents.list(
            statuses=(IntentStatus.EXECUTING,), types=(IntentType.CANCEL_ORDER,), limit=None
        )
        may_begin = [
            record
            for record in (*due, *cancels)
            if _cancels(record)
            or (trading and _ours(record) and window.takes(post_only=record.intent.post_only))
        ]
        return sum(self._begin(record) for record in sorted(may_begin, key=_decided))

    def wait_idle(self, timeout_seconds: float) -> bool:
        """Wait for what was begun; whether everything came to its end in time."""
        with self._lock:
            running = list(self._targets.values())
        return not wait(running, timeout_seconds).not_done

    def close(self) -> None:
        """Begin nothing more and wait for what runs; a send has a time limit of its own."""
        self._senders.shutdown(wait=True)
        self._cancellers.shutdown(wait=True)

    def _begin(self, record: IntentRecord) -> bool:
        cancels = _cancels(record)
        target = record.intent.target if cancels else record.intent.condition_id
        if self._executor.stopped is not None and not cancels:
            return False
        with self._lock:
            running = self._targets.get(target)
            if running is not None and not running.done():
                return False
            if self._clock.boot_seconds() < self._not_before.get(record.id, 0.0):
                return False
            pool = self._cancellers if cancels else self._senders
            self._targets[target] = pool.submit(self._work, record)
            return True

    def _work(self, record: IntentRecord) -> None:
        """A thread's outermost line: whatever goes wrong with one intent ends with that intent."""
        try:
            after = self._executor.execute(record.id)
        except LeaseLostError as error:
            log.critical("executor.lease_lost", intent_id=record.id, why=str(error))
            self._later(record.id)
        except Exception:
            # What is stored is the truth: without an order nothing was sent, with one it is looked up.
            log.exception("executor.failed", intent_id=record.id)
            self._later(record.id)
        else:
            if after.status in (IntentStatus.APPROVED, IntentStatus.EXECUTING):
                self._later(record.id)
            else:
                self._not_before.pop(record.id, None)

    def _later(self, intent_id: IntentId) -> None:
        self._not_before[intent_id] = self._clock.boot_seconds() + AGAIN_SECONDS


def _cancels(record: IntentRecord) -> bool:
    return record.intent.intent_type is IntentType.CANCEL_ORDER


def _ours(record: IntentRecord) -> bool:
    """A claim with money is carried out by its own process, which alone has the keys for it."""
    claims = record.intent.intent_type is IntentType.CLAIM_SETTLEMENT
    return not (claims and record.intent.regime is Regime.LIVE)


def _decided(record: IntentRecord) -> tuple[float, str]:
    return ((record.decided_at or record.updated_at).timestamp(), record.id)
