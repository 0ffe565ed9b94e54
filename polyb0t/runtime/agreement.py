"""Whether our records and the exchange's agree, and how often they are compared."""

from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Protocol

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.ids import OrderId
from polyb0t.execution.reconciler import ReconcileReport

log = structlog.get_logger()

OPEN_SECONDS: Final = 5.0  # while an order can still change


class Comparing(Protocol):
    """Our rows held against what they stand for: an account at the exchange, or a simulated one."""

    def run(self) -> ReconcileReport: ...
    def follow(self, order_id: OrderId) -> None: ...


@dataclass
class Agreement:
    """Compared before anything else, then every few seconds while orders are open, else now and then.

    A comparison that failed is not an agreement: until one succeeds nothing new is proposed or sent.
    """

    reconciler: Comparing
    clock: Clock
    quiet_seconds: float
    _last: ReconcileReport | None = None
    _compared_at: float = 0
    _expecting: bool = False
    _lock: Lock = field(default_factory=Lock)

    @property
    def last(self) -> ReconcileReport | None:
        return self._last

    @property
    def agreed(self) -> bool:
        return self._last is not None and self._last.ok

    @property
    def age_seconds(self) -> float:
        """Since the last comparison ended."""
        return self.clock.boot_seconds() - self._compared_at

    def follow(self, order_id: OrderId) -> None:
        """An order was just sent: ask for it now and keep asking often."""
        self._expecting = True
        self.reconciler.follow(order_id)

    def compare_when_due(self) -> None:
        """Compare if it is time. Two callers never compare at once; the later one goes on without."""
        if not self._due() or not self._lock.acquire(blocking=False):
            return
        try:
            self._compare()
        finally:
            self._lock.release()

    def compare(self) -> ReconcileReport:
        """Compare now."""
        with self._lock:
            return self._compare()

    def _compare(self) -> ReconcileReport:
        self._expecting = False
        report = self.reconciler.run()
        self._last, self._compared_at = report, self.clock.boot_seconds()
        if not report.ok:
            log.warning("reconciliation.failed", problems=list(report.problems))
        return report

    def _due(self) -> bool:
        if self._last is None or not self._last.ok:
            return True
        often = self._expecting or self._last.open_orders or self._last.unresolved
        wait = OPEN_SECONDS if often else self.quiet_seconds
        return self.clock.boot_seconds() - self._compared_at >= wait
