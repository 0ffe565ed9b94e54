"""A halt takes our resting orders back as soon as the engine sees it, whoever tripped the switch."""

from collections.abc import Callable
from typing import Final

from polyb0t.execution.store import JournalEntry
from polyb0t.models.kill_switches import STANCE_WHEN_TRIPPED, KillSwitchType, Stance

TRIPPED: Final = "switch.tripped"
SWITCHED: Final = (TRIPPED, "switch.cleared", "switch.overridden")


def take_back_if_halted(entry: JournalEntry, compare: Callable[[], object]) -> bool:
    """Compare with the exchange now where `entry` is a halt; a comparison cancels what may be alive.

    Without this it would wait for the next one: five seconds while orders are open, and up to a minute
    for one whose answer was lost.
    """
    if entry.kind != TRIPPED or STANCE_WHEN_TRIPPED[KillSwitchType(entry.subject)] is not Stance.HALTED:
        return False
    compare()
    return True
