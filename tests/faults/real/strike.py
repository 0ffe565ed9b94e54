"""Inside an engine's process: every commit and call as a numbered point, and death or a stop at one of them.

The program has no branch for this. After the fork and before its entry point is called, the doors to the
database and to the exchange get a counter each; the thread that passes the planned number raises the
signal against its own process, between two instructions of the program.
"""

import functools
import os
import resource
import signal
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from polyb0t.db.engine import Database
from polyb0t.execution.anchor import AnchorFile
from polyb0t.execution.live_executor import LiveExecutor
from polyb0t.execution.reconciler import Reconciler
from polyb0t.execution.spool import AnswerSpool
from polyb0t.venue import one_shot
from polyb0t.venue.http import HttpReader

Deed = Literal["kill", "stop", "full", "none"]
Where = Literal["execute", "reconcile"]
# What the transport tells of one request, in its order; the names are httpcore's.
TOLD: Final[Mapping[str, str]] = {
    "connection.connect_tcp.started": "connecting",
    "connection.connect_tcp.complete": "connected",
    "http11.send_request_headers.complete": "head sent",
    "http11.send_request_body.complete": "body sent",
    "http11.receive_response_headers.complete": "answer begun",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """`deed` at point number `at`, or at the first of that name (the nth: `name #n`), of what lies in `where`; every point is
    noted in the file `passed`.

    With an `intent` only what is done for it counts.
    """

    passed: Path
    where: Where = "execute"
    at: int | str | None = None
    deed: Deed = "none"
    intent: str | None = None


@dataclass
class Striker:
    """Counts the points of the one thread that is inside `plan.where`."""

    plan: Plan
    number: int = 0
    done: bool = False
    seen: Counter[str] = field(default_factory=Counter)
    inside: threading.local = field(default_factory=threading.local)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reach(self, label: str, *, locked: bool = False) -> None:
        if not getattr(self.inside, "counting", False):
            return
        with self.lock:
            number, self.number = self.number, self.number + 1
            self.seen[label] += 1
            names = (number, f"{label} #{self.seen[label]}", label)
        here = self.plan.at in names and not self.done
        self._note(f"{number}\t{label}\t{int(locked)}\t{int(here)}\n")
        if here:
            self.done = True
            self._strike()

    def _note(self, line: str) -> None:
        descriptor = os.open(self.plan.passed, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(descriptor, line.encode())
        os.close(descriptor)

    def _strike(self) -> None:
        """To this very thread, so that it does not run a single instruction further."""
        match self.plan.deed:
            case "kill":
                signal.pthread_kill(threading.get_ident(), signal.SIGKILL)
                threading.Event().wait()  # it is dead already
            case "stop":
                signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
            case "full":
                _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
                resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, hard))

    def counting(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def counted(*args: Any, **more: Any) -> Any:
            before = getattr(self.inside, "counting", False)
            self.inside.counting = self.plan.intent in (None, *args)
            try:
                return method(*args, **more)
            finally:
                self.inside.counting = before

        return counted

    def around(self, method: Callable[..., Any], name: str) -> Callable[..., Any]:
        @functools.wraps(method)
        def surrounded(*args: Any, **more: Any) -> Any:
            self.reach(f"before {name}")
            result = method(*args, **more)
            self.reach(f"after {name}")
            return result

        return surrounded


def install(plan: Plan) -> None:
    """In the child only: what is changed here is changed in the classes."""
    striker = Striker(plan)
    if plan.where == "execute":
        LiveExecutor.execute = striker.counting(LiveExecutor.execute)  # type: ignore[method-assign]
    else:
        Reconciler.run = striker.counting(Reconciler.run)  # type: ignore[method-assign]
    Database.write = _transactions(striker, Database.write)  # type: ignore[method-assign]
    AnchorFile.advance = striker.around(AnchorFile.advance, "the anchor")  # type: ignore[method-assign]
    AnswerSpool.keep = striker.around(AnswerSpool.keep, "the spool")  # type: ignore[method-assign]
    HttpReader.get = striker.around(HttpReader.get, "a read")  # type: ignore[method-assign]
    HttpReader.post = striker.around(HttpReader.post, "a read")  # type: ignore[method-assign]
    one_shot.OneShot.call = striker.around(one_shot.OneShot.call, "a call")  # type: ignore[method-assign]
    one_shot._Attempt.trace = _transport(striker, one_shot._Attempt.trace)  # type: ignore[method-assign]


def _transactions(striker: Striker, write: Callable[..., Any]) -> Callable[..., Any]:
    def watched(self: Database, work: Callable[[Any], Any]) -> Any:
        def inside(connection: Any) -> Any:
            result = work(connection)
            striker.reach("before a commit", locked=True)
            return result

        striker.reach("before a transaction")
        result = write(self, inside)
        striker.reach("after a commit")
        return result

    return watched


def _transport(striker: Striker, trace: Callable[..., Any]) -> Callable[..., Any]:
    def traced(self: Any, event: str, info: Mapping[str, Any]) -> None:
        trace(self, event, info)
        if event in TOLD:
            striker.reach(TOLD[event])

    return traced
