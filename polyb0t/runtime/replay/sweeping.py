"""The runs of a sweep, several at a time in processes of their own."""

import signal
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from threading import Event
from typing import Any, Final, TypeVar

from polyb0t.core.errors import ConflictError, PolybotError

D = TypeVar("D")
R = TypeVar("R")

_INTERRUPTED: Final = Event()  # in a process of a sweep: Ctrl-C was pressed, so nothing is begun any more


def in_processes(
    run: Callable[..., R],
    each_with: Sequence[tuple[Any, ...]],
    jobs: int,
    *,
    keep: Callable[[R], D],
    tell: Callable[[int], None],
) -> list[D]:
    """`run` with each of the arguments, `jobs` at a time; what `keep` makes of the results, in their order.
    `tell` hears how many are done.

    What was finished is kept also where another failed.

    Raises:
        ConflictError: `sweep_broken`, a process was ended from outside.
        Exception: what the first run that failed raised.
    """
    count = min(jobs, len(each_with))
    with ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_begin) as pool:
        runs = [pool.submit(_unless_interrupted, run, arguments) for arguments in each_with]
        try:
            for done, _ in enumerate(as_completed(runs), 1):
                tell(done)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return _kept(runs, keep)


def _kept(runs: Sequence[Future[R]], keep: Callable[[R], D]) -> list[D]:
    finished = [keep(run.result()) for run in runs if run.exception() is None]
    for error in filter(None, (run.exception() for run in runs)):
        raise _broken(len(finished)) if isinstance(error, BrokenProcessPool) else error
    return finished


def _begin() -> None:
    signal.signal(signal.SIGINT, _stop)


def _stop(_number: int, _frame: object) -> None:
    """Quietly: the command says that it was interrupted."""
    _INTERRUPTED.set()
    raise SystemExit(128 + signal.SIGINT)


def _unless_interrupted(run: Callable[..., R], arguments: tuple[Any, ...]) -> R:
    if _INTERRUPTED.is_set():
        raise SystemExit(128 + signal.SIGINT)
    return run(*arguments)


def _broken(kept: int) -> PolybotError:
    kept_words = "1 finished run is" if kept == 1 else f"{kept} finished runs are"
    return ConflictError(
        "The sweep is not complete: the process of a run was ended from outside.",
        why=f"Often the memory does not suffice for so many at a time. {kept_words} kept and counted.",
        do="Repeat it with fewer --jobs; see what is there: polyb0t backtest list",
        code="sweep_broken",
    )
