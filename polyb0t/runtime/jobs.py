"""The scheduler: one cycle at a time, never two; a late one is run once, not made up for."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC
from typing import Final

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from polyb0t.core.clock import Clock

COMPARE_SECONDS: Final = 1.0  # how often it is asked whether a comparison is due


class Jobs:
    """Two jobs with a thread each: the cycle, and the comparison with the exchange."""

    def __init__(
        self, *, cycle: Callable[[], None], compare: Callable[[], None], cycle_seconds: float, clock: Clock
    ) -> None:
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(2)},
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
            timezone=UTC,
        )
        self._clock = clock
        now = clock.now()  # the first cycle does not wait for the first interval
        self._scheduler.add_job(cycle, "interval", seconds=cycle_seconds, id="cycle", next_run_time=now)
        self._scheduler.add_job(compare, "interval", seconds=COMPARE_SECONDS, id="compare")

    def start(self) -> None:
        self._scheduler.start()

    def wake(self) -> None:
        """Begin the next cycle now; one that runs is not doubled."""
        with suppress(JobLookupError):  # it has ended meanwhile
            self._scheduler.modify_job("cycle", next_run_time=self._clock.now())

    def close(self) -> None:
        """Begin nothing more and wait for what runs."""
        self._scheduler.shutdown(wait=True)
