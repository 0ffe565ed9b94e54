"""What a terminal can be asked for besides letters: its bell, its title, a notification of the desktop."""

from collections.abc import Mapping
from typing import Final

from polyb0t.models.wording import one_line

BELL: Final = "\a"
KEEP_TITLE: Final = "\x1b[22;2t"  # the title of before, to be put back at the end
OLD_TITLE: Final = "\x1b[23;2t"
_NO_SEQUENCES: Final = ("linux", "dumb", "ansi", "vt100", "vt220")


def title(waiting: int, left: str) -> str:
    """`(2) 31 s polyb0t`: how many wait, and how long the most urgent one still does."""
    text = f"({waiting}) {left} polyb0t" if waiting else "polyb0t"
    return f"\x1b]2;{_harmless(text)}\a"


def notification(text: str, environment: Mapping[str, str]) -> str:
    """The sequence that this terminal turns into a desktop notification; empty where it would show letters.

    OSC 99 is kitty's, 777 that of urxvt and what is built on VTE, 9 that of most others; a terminal that
    knows none of them shows nothing.
    """
    term = environment.get("TERM", "")
    words = _harmless(text)
    if term in _NO_SEQUENCES or not term:
        return ""
    if "kitty" in term or "KITTY_WINDOW_ID" in environment:
        return f"\x1b]99;;{words}\x1b\\"
    if "rxvt" in term or "VTE_VERSION" in environment or "foot" in term:
        return f"\x1b]777;notify;polyb0t;{words}\x1b\\"
    return f"\x1b]9;{words}\x1b\\"


def _harmless(text: str) -> str:
    """One line without what could end the sequence or begin a field of it."""
    return one_line(text).replace(";", ",")
