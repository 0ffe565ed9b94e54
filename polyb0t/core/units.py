"""Prices, shares and money as exact decimals, and the only conversions between them and integers.

A price is pUSD per share inside (0, 1). Money and shares have six decimals at the venue, so one
millionth (`e6`) is the smallest amount there is. No float ever becomes one of these.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final, NewType

Price = NewType("Price", Decimal)  # pUSD per share
Shares = NewType("Shares", Decimal)
Pusd = NewType("Pusd", Decimal)

MILLION: Final = 1_000_000
E6: Final = Decimal("0.000001")
ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)


def to_e6(amount: Decimal) -> int:
    """Whole millionths of `amount`.

    Raises:
        ValueError: `amount` is not finite or has a seventh decimal; nothing is rounded here.
    """
    if not amount.is_finite():
        raise ValueError(f"{amount} is not an amount")
    scaled = amount.scaleb(6)
    whole = int(scaled)
    if whole != scaled:
        raise ValueError(f"{amount} has more than six decimals")
    return whole


def from_e6(millionths: int) -> Decimal:
    """The exact decimal of an integer count of millionths."""
    return Decimal(millionths).scaleb(-6)


def floor_to(amount: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` that is not above `amount`."""
    return (amount / step).to_integral_value(ROUND_FLOOR) * step


def ceil_to(amount: Decimal, step: Decimal) -> Decimal:
    """The smallest multiple of `step` that is not below `amount`."""
    return (amount / step).to_integral_value(ROUND_CEILING) * step


def floor_e6(amount: Decimal) -> Decimal:
    """`amount` cut down to whole millionths."""
    return amount.quantize(E6, ROUND_FLOOR)


def ceil_e6(amount: Decimal) -> Decimal:
    """`amount` raised to whole millionths."""
    return amount.quantize(E6, ROUND_CEILING)


def plain(amount: Decimal) -> str:
    """The shortest exact plain notation: no exponent, no trailing zeros, never `-0`."""
    text = format(amount, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def parse_decimal(text: object) -> Decimal:
    """The finite decimal in a wire string or integer.

    Raises:
        ValueError: a float, a boolean, an empty text, NaN, infinity or anything else.
    """
    if isinstance(text, bool) or not isinstance(text, (str, int)):
        raise ValueError(f"{text!r:.60} is not a decimal string")
    if isinstance(text, str) and len(text) > 100:
        raise ValueError(f"a decimal of {len(text)} characters is refused")
    try:
        amount = Decimal(text)
    except ArithmeticError as error:
        raise ValueError(f"{text!r:.60} is not a decimal") from error
    if not amount.is_finite():
        raise ValueError(f"{text!r:.60} is not finite")
    return amount
