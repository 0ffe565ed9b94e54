"""Numbers, names and times as people read them, in one place for every layer that speaks.

Cents for prices, pUSD for money, per cent for beliefs, one harmless line for text of the venue. A
ceiling is never shown smaller than it is; shares are never shown more than there are. Formatting works
on decimals throughout; `Decimal.__format__` never passes through a float.
"""

import math
import re
import unicodedata
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Final

from polyb0t.core.clock import utc
from polyb0t.core.units import ZERO, plain

SECONDS_UNTIL: Final = 200  # a short time is clearer in seconds than as minutes and seconds
HURRY_SECONDS: Final = 10
_CENT: Final = Decimal("0.01")
_CRUMB: Final = Decimal("0.0001")
_STEPS: Final = tuple(Decimal(1).scaleb(-decimals) for decimals in range(10))  # of so many decimals


@lru_cache(maxsize=2_048)  # prices lie on grids: the same few come again and again
def cents(price: Decimal) -> str:
    """`61¢`, `40.5¢`: with the decimals that it has."""
    return f"{plain(price * 100)}¢"


def price(value: Decimal | None, tick: Decimal | None = None) -> str:
    """`61¢`, `40.5¢`, with as many decimals as the tick has; `-` when there is none."""
    if value is None:
        return "-"
    exponent = tick.normalize().as_tuple().exponent if tick else None
    if not isinstance(exponent, int):
        return cents(value)
    decimals = max(0, -exponent - 2)
    return f"{round_to(value * 100, decimals):.{decimals}f}¢"


def average(value: Decimal | None, tick: Decimal | None = None) -> str:
    """A mean of prices: the tick's decimals when they are exact, two more when they are not."""
    if value is None:
        return "-"
    if tick is not None and value % tick == 0:
        return price(value, tick)
    return f"{plain(round_to(value * 100, 2))}¢"


def signed_cents(edge: Decimal) -> str:
    """`+2.9¢`, per share."""
    return f"{round_to(edge * 100, 1):+.1f}¢"


def edge(value: Decimal | None) -> str:
    """`+2.9¢` a share; `-` where no model speaks."""
    return "-" if value is None else signed_cents(value)


def percent(value: Decimal, decimals: int = 0) -> str:
    """`66%`, `62.0%`."""
    return f"{round_to(value * 100, decimals):.{decimals}f}%"


def money(value: Decimal | None, *, rounding: str = ROUND_HALF_UP, sign: bool = False) -> str:
    """`1,095.16`, without the unit. Below a cent four decimals, and `<0.0001` for less than those show:
    a small sum is not shown as nothing, and nothing is `0.00`."""
    return "-" if value is None else _money(value, rounding, sign)


@lru_cache(maxsize=4_096)  # a limit stands beside every trade that it judges
def _money(value: Decimal, rounding: str, sign: bool) -> str:
    decimals, step = (4, _CRUMB) if -_CENT < value < _CENT and value else (2, _CENT)
    figure = value.quantize(step, rounding) + 0
    if figure == 0 and value > 0 and not sign:
        return f"<{_CRUMB}"
    if figure == 0:
        figure, decimals = ZERO, 2
    return f"{figure:+,.{decimals}f}" if sign else f"{figure:,.{decimals}f}"


def at_most(value: Decimal | None) -> str:
    """A ceiling, rounded up."""
    return money(value, rounding=ROUND_CEILING)


def limit(value: Decimal | None) -> str:
    """What is allowed or free, rounded down: never more than there is."""
    return money(value, rounding=ROUND_FLOOR)


def at_least(value: Decimal | None) -> str:
    """A floor that somebody is told, rounded to the nearest cent as statements of account are."""
    return money(value)


def shares(value: Decimal | None) -> str:
    """`152.50`, rounded down: never more than there are. `<0.01` for a crumb."""
    if value is None:
        return "-"
    return f"<{_CENT}" if 0 < value < _CENT else f"{value.quantize(_CENT, ROUND_FLOOR):,.2f}"


def count(value: Decimal) -> str:
    """`150`, `152.5`, `1,200`: a number of shares inside a sentence, rounded down."""
    if 0 < value < _CENT:
        return f"<{_CENT}"
    whole, _, part = plain(value.quantize(_CENT, ROUND_FLOOR)).partition(".")
    return f"{int(whole):,}" + (f".{part}" if part else "")


def round_to(value: Decimal, decimals: int) -> Decimal:
    """Half up, as people round; a zero has no sign of its own."""
    return value.quantize(_STEPS[decimals], ROUND_HALF_UP) + 0


def seconds(value: Decimal) -> str:
    """An age that was measured: `0.8 s`, `74 s`."""
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


def span(seconds: float) -> str:
    """`38 s`, `4 min 10 s`, `22 h`, `3 d`; below zero is `0 s`."""
    whole = max(0, int(seconds))
    if SECONDS_UNTIL <= whole < 3_600 and whole % 60:
        return f"{whole // 60} min {whole % 60} s"
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
    """Time to decide, a begun second counted: 180 s are promised and shown. The last ten have a `!`."""
    whole = math.ceil(seconds)
    words = coarse(whole) if column else span(whole)
    return f"{words} !" if whole < HURRY_SECONDS else words


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


def sentence(text: str) -> str:
    """The first letter large."""
    return text[:1].upper() + text[1:]


def first_sentence(text: str) -> str:
    """The first sentence of a text of the venue, as one line."""
    return re.split(r"(?<=[.!?])\s+(?=[A-Z\"'])", one_line(text), maxsplit=1)[0]


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
