"""The executor's own thread: an approval does not wait for the next cycle."""

import threading
from collections.abc import Callable
from typing import Final

import structlog

from polyb0t.core.errors import LeaseLostError, PolybotError
from polyb0t.data.windows import OPEN, Window
from polyb0t.execution.dispatcher import Dispatcher
from polyb0t.runtime.agreement import Agreement

log = structlog.get_logger()

CLOSE_SECONDS: Final = 15.0


class ExecutorThread:
    """Woken by an event and by a poll; begins what is due and never waits for it."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        agreement: Agreement,
        poll_seconds: float,
        *,
        window: Callable[[], Window] = lambda: OPEN,
        ready: Callable[[], bool] = lambda: True,
    ) -> None:
        """While the exchange's `window` does not take an order, its approval waits and expires in time.
        It waits too until the engine is `ready`: what was approved before a start must not fail because
        this process has not read the account yet."""
        self._window = window
        self._ready = ready
        self._dispatcher = dispatcher
        self._agreement = agreement
        self._poll_seconds = poll_seconds
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="executor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def close(self) -> None:
        """Begin nothing more; what was begun comes to its end or to UNKNOWN."""
        self._stop.set()
        self._wake.set()
        self._thread.join(CLOSE_SECONDS)
        self._dispatcher.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(self._poll_seconds)
            self._wake.clear()
            if self._stop.is_set():
                return
            try:
                # Before our records and the exchange's agree, nothing but cancels is sent.
                self._dispatcher.run_due(
                    trading=self._agreement.agreed and self._ready(), window=self._window()
                )
            except LeaseLostError as error:
                log.critical("executor.lease_lost", reason=str(error))
                return
            except PolybotError as error:
                log.warning("executor.delayed", reason=str(error))
            except Exception:
                log.exception("executor.crashed")  # the thread lives on: one bad pass is not the end
