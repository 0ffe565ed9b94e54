"""A child process that ends when the one that started it is gone, however that one ended.

The child holds the reading end of a pipe whose other end only its parent has. Nobody writes: the end of
the file is the parent's end. Works where a signal on the parent's death (Linux) does not exist.
"""

import os
import signal
import threading
from typing import Final

LEASH_NAME: Final = "POLYB0T_LEASH"  # of the variable with the descriptor's number


def hold(descriptor: int) -> threading.Thread:
    """Send this process SIGTERM, which every command understands, once the pipe's other end is closed."""

    def wait() -> None:
        try:
            while os.read(descriptor, 1):
                pass
        except OSError:
            return  # no such descriptor: the variable came from somewhere else
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=wait, name="leash", daemon=True)
    thread.start()
    return thread


def hold_if_given() -> None:
    """Hold the leash that the environment names, and name it to no process that this one starts."""
    given = os.environ.pop(LEASH_NAME, "")
    if given.isdecimal():
        hold(int(given))
