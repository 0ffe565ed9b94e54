"""Which intents a thread of this process holds now."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from polyb0t.core.ids import IntentId


class InFlight:
    """What is held here is on its way between claim and settlement; reconciliation leaves it alone."""

    def __init__(self) -> None:
        self._held: set[IntentId] = set()
        self._lock = Lock()

    @contextmanager
    def holding(self, intent_id: IntentId) -> Iterator[None]:
        """Held by the calling thread until the end of the block, however that comes."""
        with self._lock:
            self._held.add(intent_id)
        try:
            yield
        finally:
            with self._lock:
                self._held.discard(intent_id)

    def __contains__(self, intent_id: object) -> bool:
        with self._lock:
            return intent_id in self._held
