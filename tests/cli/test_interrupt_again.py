"""Ctrl-C that meets the program in a place where Python drops it."""

import subprocess
import sys

FORGETFUL = """
import os, signal, sys
from polyb0t.cli.main import interrupt_again

sys.unraisablehook = interrupt_again

class Forgotten:
    def __del__(self):
        {what}

del_it = Forgotten()
del del_it
print("went on", flush=True)
try:
    for _ in range({turns}):
        pass
    print("to the end")
except KeyboardInterrupt:
    print("and ended")
"""


def said(what: str, turns: int) -> tuple[str, str]:
    ran = subprocess.run(
        [sys.executable, "-c", FORGETFUL.format(what=what, turns=turns)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return ran.stdout, ran.stderr


def test_what_was_dropped_while_an_object_was_forgotten_comes_again() -> None:
    assert said("os.kill(os.getpid(), signal.SIGINT)", 10**12) == ("went on\nand ended\n", "")


def test_another_error_there_is_told_as_ever() -> None:
    out, err = said("raise ValueError('seven')", 10)
    assert out == "went on\nto the end\n"
    assert "ValueError: seven" in err
