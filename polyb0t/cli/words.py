"""Numbers, names and times as a terminal shows them: cents for prices, pUSD for money, one line of text.

A ceiling is never shown smaller than it is; shares are never shown more than there are.
"""

import re
import unicodedata
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Final

from polyb0t.core.clock import utc
from polyb0t.core.units import plain

SECONDS_UNTIL: Final = 200  # a short time is clearer in seconds than as minutes and seconds
HURRY_SECONDS: Final = 10
_CENT: Final = Decimal("0.01")
_ANSI: Final = re.compile(r"\x1b\[[0-9;]*m")


def price(value: Decimal | None, tick: Decimal | None = None) -> str:
    """`61¢`, `40.5¢`, with as many decimals as the tick has; `-` when there is none."""
    if value is None:
        return "-"
    exponent = tick.normalize().as_tuple().exponent if tick else None
    if not isinstance(exponent, int):
        return f"{plain(value * 100)}¢"
    decimals = max(0, -exponent - 2)
    return f"{round_to(value * 100, decimals):.{decimals}f}¢"


def average(value: Decimal | None, tick: Decimal | None = None) -> str:
    """A mean of prices: the tick's decimals when they are exact, two more when they are not."""
    if value is None:
        return "-"
    on_tick = price(value, tick)
    if tick is None or value % tick == 0:
        return on_tick
    return f"{plain(round_to(value * 100, 2))}¢"


def edge(value: Decimal | None) -> str:
    """`+2.9¢` a share; `-` where no model speaks."""
    return "-" if value is None else f"{round_to(value * 100, 1):+.1f}¢"


def percent(value: Decimal, decimals: int = 0) -> str:
    """`66%`, `62.0%`."""
    return f"{round_to(value * 100, decimals):.{decimals}f}%"


def money(value: Decimal | None, *, rounding: str = ROUND_HALF_UP, sign: bool = False) -> str:
    """`1,095.16`; four decimals below a cent, so that a small sum is not shown as nothing."""
    if value is None:
        return "-"
    decimals = 4 if 0 < abs(value) < _CENT else 2
    figure = value.quantize(Decimal(1).scaleb(-decimals), rounding)
    return f"{figure:+,.{decimals}f}" if sign else f"{figure:,.{decimals}f}"


def at_most(value: Decimal | None) -> str:
    """A ceiling, rounded up."""
    return money(value, rounding=ROUND_CEILING)


def at_least(value: Decimal | None) -> str:
    """A floor. Rounded to the nearest cent: the exact figure is in `--json`."""
    return money(value)


def shares(value: Decimal | None) -> str:
    """`152.50`, rounded down: never more than there are."""
    return "-" if value is None else f"{value.quantize(_CENT, ROUND_FLOOR):,.2f}"


def count(value: Decimal) -> str:
    """`150`, `152.5`, `1,200`: a number of shares inside a sentence."""
    figure = value.quantize(_CENT, ROUND_FLOOR)
    whole, _, part = plain(figure).partition(".")
    return f"{int(whole):,}" + (f".{part}" if part else "")


def round_to(value: Decimal, decimals: int) -> Decimal:
    """Half up, as people round."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def span(seconds: float) -> str:
    """`38 s`, `4 min 10 s`, `22 h`, `3 d`; below zero is `0 s`."""
    whole = max(0, int(seconds))
    if whole < SECONDS_UNTIL:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return coarse(whole)


def coarse(seconds: float) -> str:
    """The same without seconds beside minutes, for columns: `7 min`, `22 h`, `60 d`."""
    whole = max(0, int(seconds))
    if whole < SECONDS_UNTIL:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min"
    return f"{whole // 3_600} h" if whole < 172_800 else f"{whole // 86_400} d"


def left(seconds: float, *, column: bool = False) -> str:
    """Time to decide; the last ten seconds have a `!`."""
    words = coarse(seconds) if column else span(seconds)
    return f"{words} !" if seconds < HURRY_SECONDS else words


def clock_time(instant: datetime) -> str:
    """`12:41:07 UTC`."""
    return f"{utc(instant):%H:%M:%S} UTC"


def outcome(label: str) -> str:
    """`YES`, `NO`; a named outcome in quotes."""
    name = one_line(label)
    return name.upper() if name.lower() in ("yes", "no") else f'"{name}"'


def short_hex(text: str | None) -> str:
    """`0x7c1e..e09b`; in full only where somebody copies it."""
    if not text:
        return "-"
    return text if len(text) <= 12 else f"{text[:6]}..{text[-4:]}"


def short_digest(digest: str) -> str:
    """`9f3a 61c2`."""
    return f"{digest[:4]} {digest[4:8]}"


def one_line(text: str) -> str:
    """Text of the venue as one harmless line: no control, direction or invisible characters, no markup.

    Marks that pile up on one letter are cut after the second, since a terminal would draw them over
    the lines above.
    """
    kept: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", text):
        if char in "\t\n\r\v\f\x85\u2028\u2029":
            kept.append(" ")
            continue
        kind = unicodedata.category(char)
        if kind.startswith("C"):
            continue
        marks = marks + 1 if kind.startswith("M") else 0
        if marks <= 2:
            kept.append(char)
    return " ".join("".join(kept).split())


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


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """Filled with blanks to `columns` as seen on the screen."""
    blanks = " " * max(0, columns - width(text))
    return blanks + text if right else text + blanks


def spread(first: str, last: str, columns: int) -> str:
    """`first` at the left end, `last` at the right end; two blanks between them at least."""
    return first + " " * max(2, columns - width(first) - width(last)) + last
