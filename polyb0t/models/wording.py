"""Numbers as people read them: cents for prices, per cent for beliefs, signs on edges.

Formatting works on decimals throughout; `Decimal.__format__` never passes through a float.
"""

from decimal import ROUND_HALF_UP, Decimal

from polyb0t.core.units import plain


def cents(price: Decimal) -> str:
    """`61¢`, `40.5¢`."""
    return f"{plain(price * 100)}¢"


def signed_cents(edge: Decimal) -> str:
    """`+2.9¢`, per share."""
    return f"{_half_up(edge * 100, '0.1'):+f}¢"


def percent(probability: Decimal) -> str:
    """`66%`."""
    return f"{_half_up(probability * 100, '1')}%"


def money(amount: Decimal) -> str:
    """`1,095.16`, without the unit."""
    return f"{_half_up(amount, '0.01'):,f}"


def seconds(value: Decimal) -> str:
    """`0.8 s`, `74 s`."""
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


def sentence(text: str) -> str:
    """The first letter large."""
    return text[:1].upper() + text[1:]


def _half_up(value: Decimal, step: str) -> Decimal:
    """Rounded the way people round; a zero has no sign of its own."""
    return value.quantize(Decimal(step), ROUND_HALF_UP) + 0
