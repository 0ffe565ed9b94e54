"""A pool without threads: what is handed to it is done at once, in the order in which it comes."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Inline(Executor):
    """For `Dispatcher`: a replay is the same each time, and threads are not."""

    def __init__(self, workers: int, name: str) -> None:
        """The arguments of a pool of threads; neither means anything here."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """The result of the call, which has been made when this returns."""
        done: Future[T] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except BaseException as error:
            done.set_exception(error)
            raise
        return done
