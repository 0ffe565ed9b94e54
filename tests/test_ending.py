"""The end of a run keeps its promise whatever hangs."""

import threading
import time

from polyb0t.core.clock import SystemClock
from polyb0t.core.errors import DatabaseError
from polyb0t.runtime.ending import Ending


def test_what_hangs_is_left_behind_and_named():
    hanging, done = threading.Event(), []
    ending = Ending(SystemClock())
    ending.within(0.3)
    begun = time.monotonic()

    ending.run(("slow", hanging.wait), ("quick", lambda: done.append("quick")))

    assert time.monotonic() - begun < 2
    assert (ending.left_behind, done) == (["slow"], ["quick"])
    hanging.set()


def test_a_later_and_longer_promise_does_not_undo_an_earlier_one():
    hanging = threading.Event()
    ending = Ending(SystemClock())
    ending.within(0.1)
    ending.within(60)
    ending.run(("slow", hanging.wait))
    assert ending.left_behind == ["slow"]
    hanging.set()


def test_steps_that_come_after_keep_their_time():
    hanging = threading.Event()
    ending = Ending(SystemClock())
    ending.within(1)
    ending.run(("slow", hanging.wait), keep=0.9)
    ending.run(("words", lambda: None))
    assert ending.left_behind == ["slow"]
    hanging.set()


def test_a_step_that_fails_ends_nothing():
    def failing() -> None:
        raise DatabaseError("locked")

    ending, done = Ending(SystemClock()), []
    ending.run(("note", failing))
    ending.run(("words", lambda: done.append(1)))
    assert (ending.left_behind, done) == ([], [1])
