"""Every commit and every call of a process as numbered points, and what is made to happen at one of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Connection

T = TypeVar("T")


class CrashError(BaseException):
    """The process ends here; nothing may catch it."""


@dataclass(frozen=True, slots=True)
class Point:
    """`locked`: a write transaction is open, so nobody else can write meanwhile."""

    number: int
    label: str
    locked: bool


@dataclass
class Points:
    """Counts while `counting`; at the number `at` the planned `action` happens, once."""

    at: int | None = None
    action: Callable[[Point], None] | None = None
    counting: bool = False
    passed: list[Point] = field(default_factory=list)

    def reach(self, label: str, *, locked: bool = False) -> None:
        if not self.counting:
            return
        point = Point(len(self.passed), label, locked)
        self.passed.append(point)
        if point.number == self.at and self.action is not None:
            self.counting = False  # what the action does is not part of the process
            try:
                self.action(point)
            finally:
                self.counting = True

    def watch(
        self, write: Callable[[Callable[[Connection], T]], T]
    ) -> Callable[[Callable[[Connection], T]], T]:
        """`write` with a point before its transaction, before its commit and after it."""

        def watched(work: Callable[[Connection], T]) -> T:
            def inside(connection: Connection) -> T:
                result = work(connection)
                self.reach("before a commit", locked=True)
                return result

            self.reach("before a transaction")
            result = write(inside)
            self.reach("after a commit")
            return result

        return watched
