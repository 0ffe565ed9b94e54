"""Says once when a clock stops trading, and once when the clocks agree again."""

from threading import Lock
from typing import Final

import structlog

from polyb0t.core.errors import PolybotError
from polyb0t.execution.store import Lease, Stores

DIFFERS: Final = "clock.differs"
AGREES: Final = "clock.agrees"

log = structlog.get_logger(__name__)


class ClockAlarm:
    """Journals the change, not each look. Safe to share between threads."""

    def __init__(self, stores: Stores, lease: Lease) -> None:
        self._stores = stores
        self._lease = lease
        self._stopped = False
        self._lock = Lock()

    def heard(self, problem: str | None) -> None:
        """What is wrong with the clocks now. A journal that cannot be written does not hide it: the log
        has it, and the controls refuse all the same."""
        with self._lock:
            if (problem is not None) is self._stopped:
                return
            kind = AGREES if problem is None else DIFFERS
            log.warning(kind, why=problem or "")
            try:
                self._stores.engine.note(
                    self._lease,
                    kind=kind,
                    subject="engine",
                    payload={"detail": problem or ""},
                    actor="engine",
                )
            except PolybotError as error:
                log.warning("clock.not_journalled", why=str(error))
                return  # and is tried again at the next look
            self._stopped = problem is not None
