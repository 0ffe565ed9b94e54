"""Text on a terminal's columns: how wide it is, cut, wrapped, filled. Numbers are in `models.wording`."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

_ANSI: Final = re.compile(r"\x1b\[[0-9;]*m")


def width(text: str) -> int:
    """Columns that `text` takes on a screen; colours take none."""
    bare = _ANSI.sub("", text)
    if bare.isascii():
        return len(bare)
    return sum(_columns(char) for char in bare)


def _columns(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cut(text: str, columns: int) -> str:
    """`text` in at most `columns`, ending in `..` when something is missing."""
    if width(text) <= columns:
        return text
    if columns <= 2:
        return "." * max(0, columns)
    kept, used = [], 0
    for char in text:
        used += _columns(char)
        if used > columns - 2:
            break
        kept.append(char)
    return _without_stump("".join(kept)) + ".."


def _without_stump(text: str) -> str:
    """Without a last word of which only one or two letters are left."""
    head, space, tail = text.rpartition(" ")
    return head.rstrip() if space and head.strip() and len(tail) <= 2 else text.rstrip()


def wrap(text: str, columns: int) -> list[str]:
    """Lines of whole words; a word longer than a line is cut into pieces."""
    lines, line = [], ""
    for word in text.split():
        while width(word) > columns:
            if line:
                lines.append(line)
                line = ""
            lines.append(word[:columns])
            word = word[columns:]
        if line and width(line) + 1 + width(word) > columns:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line] if line else lines


def fold(line: str, columns: int) -> list[str]:
    """`line` as it is when it fits, else wrapped under its own indent."""
    if width(line) <= columns:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    return [indent + part for part in wrap(line, columns - len(indent))]


def hang(line: str, columns: int, indent: int) -> list[str]:
    """`line` as it is when it fits; else cut between words, what goes on stands behind `indent`."""
    lines: list[str] = []
    while width(line) > columns:
        room = len(line) - (width(line) - columns)
        at = line.rfind(" ", indent + 1, room + 1)
        if at <= 0 or not line[:at].strip():
            break
        lines.append(line[:at].rstrip())
        line = " " * indent + line[at:].lstrip()
    return [*lines, line]


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """Filled with blanks to `columns` as seen on the screen."""
    blanks = " " * max(0, columns - width(text))
    return blanks + text if right else text + blanks


def spread(first: str, last: str, columns: int) -> str:
    """`first` at the left end, `last` at the right end; two blanks between them at least."""
    return first + " " * max(2, columns - width(first) - width(last)) + last


def side_by_side(parts: Sequence[str], columns: int, *, gap: int) -> list[str]:
    """As many on a line as fit, `gap` blanks between them; none is parted."""
    lines = [""]
    for part in parts:
        longer = f"{lines[-1]}{' ' * gap}{part}" if lines[-1] else part
        lines = [*lines[:-1], longer] if width(longer) <= columns else [*lines, part]
    return lines
