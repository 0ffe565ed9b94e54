"""How quickly a thread gets the interpreter back from another one, in the processes that serve people.

A claim, a send or a decision gives the interpreter away at every look at the database. While another
thread reckons (a cycle, or the loop that tells hundreds of listeners) it gets it back only after the
interpreter's switch interval: 5 ms as Python comes, dozens of times a claim.
"""

import sys
from typing import Final

SWITCH_SECONDS: Final = 0.0005


def switch_quickly() -> None:
    """For the whole process."""
    sys.setswitchinterval(SWITCH_SECONDS)
