"""From the account's socket to stored fills: a thread that commits, and one that asks.

The socket's own thread only queues, so that nothing here ever keeps it from reading or answering
pings. Fills are committed without waiting for any read; reads of what a message left open, and the
comparison after a gap, go on beside that.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, Full, Queue
from typing import Final

import structlog

from polyb0t.core.errors import LeaseLostError, PolybotError
from polyb0t.core.ids import ConditionId, OrderId
from polyb0t.data.fills import Fill
from polyb0t.execution.fill_intake import FillIntake
from polyb0t.runtime.agreement import Agreement

log = structlog.get_logger(__name__)

MOST_QUEUED: Final = 10_000  # messages; what is beyond is read over HTTP instead
RETRY_SECONDS: Final = 0.05  # how often fills that wait for their order's answer are tried again
CLOSE_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class _Foreign:
    """A trade that is none of our orders'."""

    trade_id: str
    condition_id: ConditionId


class UserFeed:
    """The `AccountNews` of one engine."""

    def __init__(
        self, intake: Callable[[Callable[[OrderId], None]], FillIntake], agreement: Agreement
    ) -> None:
        """`intake` makes the intake whose questions come here."""
        self._intake = intake(self.moved)
        self._agreement = agreement
        self._queue: Queue[tuple[Fill, ...] | _Foreign] = Queue(MOST_QUEUED)
        self._lock = threading.Lock()
        self._asked: dict[OrderId, None] = {}
        self._missed = ""
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._threads = (
            threading.Thread(target=self._commit, name="fills", daemon=True),
            threading.Thread(target=self._ask, name="order-reads", daemon=True),
        )

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End after the message at hand; what is still queued is polled by the next engine."""
        self._stop.set()
        self._wake.set()
        for thread in self._threads:
            thread.join(CLOSE_SECONDS)

    # -- as the socket's listener --------------------------------------------------------------

    def traded(self, fills: tuple[Fill, ...], /) -> None:
        self._put(fills)

    def foreign_trade(self, trade_id: str, condition_id: ConditionId, /) -> None:
        self._put(_Foreign(trade_id, condition_id))

    def moved(self, order_id: OrderId, /) -> None:
        with self._lock:
            self._asked[order_id] = None
        self._wake.set()

    def missed(self, reason: str, /) -> None:
        with self._lock:
            self._missed = self._missed or reason
        self._wake.set()

    def _put(self, news: tuple[Fill, ...] | _Foreign) -> None:
        try:
            self._queue.put_nowait(news)
        except Full:
            self.missed("more messages came than could be stored")

    # -- the two threads -----------------------------------------------------------------------

    def _commit(self) -> None:
        while not self._stop.is_set():
            try:
                self._take_next()
            except LeaseLostError as error:
                log.critical("fills.lease_lost", reason=str(error))
                return
            except PolybotError as error:
                log.warning("fills.not_stored", reason=str(error))
                self.missed("a fill could not be stored")
            except Exception:
                log.exception("fills.crashed")  # the thread lives on: polling has the truth
                self.missed("a fill could not be stored")

    def _take_next(self) -> None:
        waiting = self._intake.waiting
        try:
            news = self._queue.get(timeout=RETRY_SECONDS if waiting else 0.25)
        except Empty:
            news = ()
        if waiting:
            self._intake.retry()
        if isinstance(news, _Foreign):
            self._intake.foreign(news.trade_id, news.condition_id)
        else:
            self._intake.take(news)

    def _ask(self) -> None:
        while not self._stop.is_set():
            self._wake.wait()
            self._wake.clear()
            if self._stop.is_set():
                return
            try:
                self._answer()
            except LeaseLostError as error:
                log.critical("order_reads.lease_lost", reason=str(error))
                return
            except PolybotError as error:
                log.warning("order_reads.failed", reason=str(error))
            except Exception:
                log.exception("order_reads.crashed")  # the thread lives on: polling has the truth

    def _answer(self) -> None:
        with self._lock:
            asked, self._asked = self._asked, {}
            missed, self._missed = self._missed, ""
        if missed:
            log.info("orders.compared_anew", reason=missed)
            self._agreement.compare()  # it asks for every order that can still change
            return
        for order_id in asked:
            if self._intake.knows(order_id):  # others are listed when orders are compared
                self._agreement.follow(order_id)
